"""Merging, against one merge at a time, with vocabularies made on the spot."""

import pytest
import sentencepiece
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graph_ops.text.bpe.cache import load_tables
from graph_ops.text.bpe.engine import BuiltinEngine
from graph_ops.text.bpe.merge import merge
from graph_ops.text.bpe.merge_table import normal_pieces
from tests.twins import bpe
from tests.twins.vocabularies import REPEATABLE, small_vocabulary, vocabularies, words

FEWER = settings(REPEATABLE, max_examples=25)  # each builds tables and runs some 2,000 ops


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda _: str(tmp_path))


def rows(ids):
    return tf.RaggedTensor.from_row_splits(ids.values, ids.row_splits).to_list()


def assert_exact(vocabulary, texts):
    slow, theirs = bpe.Encoder(vocabulary), sentencepiece.SentencePieceProcessor(model_proto=vocabulary.proto)
    engine = BuiltinEngine(vocabulary)
    ours = rows(engine.encode(tf.constant(texts, tf.string, [len(texts)])))
    assert ours == [slow(text.encode()) for text in texts]
    assert ours == [theirs.encode(text) for text in texts]


TEXTS = st.lists(words("ab ", 0, 40), min_size=3, max_size=6)


@FEWER
@given(vocabularies(), TEXTS)
@example(small_vocabulary(("aa", "ab", "aab", "a", "b")), ["aaab" * 5, "a" * 33, "aab"])
@example(small_vocabulary(("aba", "ab", "ba", "a", "b")), ["ab" * 20, "aab" * 9, "ba" * 15])
def test_ids_are_those_of_one_merge_at_a_time(vocabulary, texts):
    assert_exact(vocabulary, texts)


@pytest.mark.slow
@FEWER
@given(st.permutations([word for size in (2, 3) for word in bpe.all_words("ab", size)]), TEXTS)
def test_ids_are_exact_whatever_the_order_of_ranks(pieces, texts):
    assert_exact(small_vocabulary([*pieces, "aaaa", "a", "b", "\u2581"]), texts)


@pytest.mark.release
@FEWER
@given(vocabularies(), TEXTS)
def test_a_batch_is_its_texts_and_decoding_gives_them_back(vocabulary, texts):
    engine = BuiltinEngine(vocabulary)
    ids = engine.encode(tf.constant(texts))
    assert rows(ids) == [rows(engine.encode(tf.constant([text])))[0] for text in texts]
    assert engine.decode(*ids).numpy().tolist() == [text.encode() for text in texts]


def test_normal_pieces_are_those_that_merging_makes():
    vocabulary = small_vocabulary(("ab", "a", "b"), ("<x>",))
    assert set(normal_pieces(vocabulary)) == {"ab", "a", "b"}


MERGES = small_vocabulary(("aa", "ab", "aab", "a", "b"))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return load_tables(MERGES, folder=tmp_path_factory.mktemp("cache")).merges


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        ("a", ["a"]),
        ("ab", ["ab"]),
        ("aab", ["aab"]),
        ("aaa", ["aa", "a"]),
        ("aba", ["ab", "a"]),
        ("bb", ["b", "b"]),
    ],
)
def test_what_is_left_stands_where_its_first_character_stood(table, text, merged):
    ids = tf.constant([MERGES.find(letter) for letter in text])
    symbols, places = merge(ids, 10 * tf.range(len(text)), table, longest_piece=3)
    found = sorted(zip(places.numpy().tolist(), (MERGES.pieces[index] for index in symbols), strict=True))
    starts = [10 * len("".join(merged[:number])) for number in range(len(merged))]
    assert found == list(zip(starts, merged, strict=True))


def test_a_symbol_without_a_piece_and_that_of_a_byte_merge_with_nothing(table):
    apart = [MERGES.find("a"), -1, MERGES.find("a"), MERGES.find("<0x41>"), MERGES.find("b")]
    symbols, places = merge(tf.constant(apart), tf.range(5), table, longest_piece=3)
    order = tf.argsort(places)
    assert tf.gather(symbols, order).numpy().tolist() == apart
