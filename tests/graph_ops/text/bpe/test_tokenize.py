"""Streams of bytes to ids, with small vocabularies, against one merge at a time."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_ops.text.bpe import utf8
from graph_ops.text.bpe.cache import load_tables
from graph_ops.text.bpe.tokenize import tokenize
from tests.twins import bpe
from tests.twins.vocabularies import REPEATABLE, small_vocabulary

VOCABULARY = small_vocabulary(
    ("ab", "\u2581a", "abab", "a", "b", "\u2581", "\u00e9", "\ufffd"), ("<x>", "\n\n")
)
WITHOUT_SPACE = small_vocabulary(("ab", "a", "b"))


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return load_tables(VOCABULARY, folder=tmp_path_factory.mktemp("cache"))


def stream_of(texts):
    return tf.constant([code for text in texts for code in (*text, utf8.SEPARATOR)], tf.int32)


def rows(tokens, texts):
    """The ids of each text, by what stands before its separator."""
    ends = np.cumsum([len(text) + 1 for text in texts]) - 1
    bounds = [0, *tokens.before.numpy()[ends].tolist()]
    ids = tokens.ids.numpy().tolist()
    return [ids[start:end] for start, end in itertools.pairwise(bounds)]


ATOMS = st.sampled_from(
    [b"a", b"b", b" ", b"ab", b"<x>", b"\n", "\u00e9".encode(), b"\xe2\x96", b"\xff", "z\U0001f98a".encode()]
)
TEXT = st.lists(ATOMS, max_size=12).map(b"".join)


@settings(REPEATABLE, max_examples=12)
@given(st.lists(TEXT | st.binary(max_size=8), min_size=1, max_size=4))
def test_ids_of_a_stream_are_those_of_each_text_alone(tables, texts):
    tokens = tokenize(stream_of(texts), tables)
    expected = list(map(bpe.Encoder(VOCABULARY), texts))
    assert rows(tokens, texts) == expected
    assert tokens.count == sum(map(len, expected))


def test_no_text_has_no_ids_and_what_is_past_the_count_is_0(tables):
    empty = tokenize(stream_of([b""]), tables)
    assert (empty.ids.numpy().tolist(), int(empty.count), empty.before.numpy().tolist()) == ([0], 0, [0])
    tokens = tokenize(stream_of([b"abab", b"", b" a"]), tables)
    assert rows(tokens, [b"abab", b"", b" a"]) == [
        [VOCABULARY.find("abab")],
        [],
        [VOCABULARY.find("\u2581a")],
    ]
    assert not tokens.ids.numpy()[2:].any()


def test_ids_before_each_element_count_up_to_the_whole(tables):
    tokens = tokenize(stream_of([b"z<x>\n\n"]), tables)
    names = [VOCABULARY.pieces[index] for index in tokens.ids.numpy()[: int(tokens.count)]]
    assert names == ["<0x7A>", "<x>", "\n\n"]
    assert tokens.before.numpy().tolist() == [0, 1, 2, 2, 2, 3, 3]


def test_a_space_without_a_piece_becomes_the_three_bytes_of_its_mark(tmp_path):
    tokens = tokenize(stream_of([b"a b"]), load_tables(WITHOUT_SPACE, folder=tmp_path))
    names = [WITHOUT_SPACE.pieces[index] for index in tokens.ids.numpy()[: int(tokens.count)]]
    assert names == ["a", "<0xE2>", "<0x96>", "<0x81>", "b"]
    assert tokens.ids.shape == (12,)  # three for each element of the stream


def test_a_character_without_a_piece_becomes_its_bytes(tables):
    text = "\U0001f98a\u20ac\u00df!".encode()
    tokens = tokenize(stream_of([text]), tables)
    names = [VOCABULARY.pieces[index] for index in tokens.ids.numpy()[: int(tokens.count)]]
    assert names == [f"<0x{byte:02X}>" for byte in text]
