"""Runs of spaces are cut off from what follows, and the ids stay SentencePiece's."""

import itertools

import pytest
import sentencepiece
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.text.bpe import space_runs
from graph_ops.text.bpe.engine import BuiltinEngine
from tests.twins.vocabularies import REPEATABLE, small_vocabulary

MARK = "\u2581"
LETTERS = ("a", "b", MARK, "<", "\n")


def engines(*symbols, normal=("ab", f"{MARK}a", f"{MARK}ab", f"<{MARK}", f"{MARK}<")):
    """The builtin engine and SentencePiece, with these user-defined symbols."""
    letters = [letter for letter in LETTERS if letter not in symbols]
    vocabulary = small_vocabulary([*normal, *letters], symbols)
    return BuiltinEngine(vocabulary), sentencepiece.SentencePieceProcessor(model_proto=vocabulary.proto)


def assert_equal_ids(pair, texts):
    engine, processor = pair
    ids = engine.encode(tf.constant(texts))
    rows = tf.RaggedTensor.from_row_splits(ids.values, ids.row_splits).to_list()
    for text, row in zip(texts, rows, strict=True):
        assert row == processor.encode(text), text


@pytest.mark.parametrize(
    ("symbols", "longest"),
    [
        (("  ", "   "), 3),
        (("  ", "    "), 2),
        (("   ",), 0),
        (("  ", "a "), 0),
        (("  ", " "), 0),
        (("\n\n",), 0),
    ],
)
def test_runs_are_cut_off_up_to_the_longest_symbol(symbols, longest):
    symbols = [symbol.replace(" ", MARK) for symbol in symbols]
    assert space_runs.longest(symbols) == longest


@pytest.mark.parametrize(
    "symbols",
    [("  ", "   "), ("  ", "    "), ("  ", "a "), ("  ", " "), tuple(" " * k for k in range(2, 32))],
    ids=["2-3", "2-4", "a letter and a space", "one space", "2-31"],
)
def test_ids_are_those_of_sentencepiece(symbols):
    pair = engines(*(symbol.replace(" ", MARK) for symbol in symbols))
    runs = [" " * count for count in (*range(9), *range(29, 36), 61, 62, 63, 64, 65, 93, 94)]
    texts = [
        f"{before}{run}{after}"
        for before, run, after in itertools.product(
            ("", "b", MARK, "<"), runs, ("", "ab", "<a", MARK, f"{MARK}ab", "\n", "é")
        )
    ]
    assert_equal_ids(pair, texts)


@REPEATABLE
@given(st.lists(st.text(f"ab<\n{MARK}   é", max_size=50), min_size=1, max_size=5))
def test_any_text(indents, texts):
    assert_equal_ids(indents, texts)


@pytest.fixture(scope="module")
def indents():
    return engines(*(MARK * count for count in range(2, 8)))
