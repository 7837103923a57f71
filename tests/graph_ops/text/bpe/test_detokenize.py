"""Ids to bytes, against SentencePiece and the slow twin."""

import random

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import graph_ops
from graph_ops.text.bpe.cache import load_tables
from graph_ops.text.bpe.detokenize import detokenize
from graph_ops.text.vocabulary.vocabulary import PieceType
from tests.twins import bpe
from tests.twins.vocabularies import REPEATABLE, small_vocabulary


@pytest.fixture(scope="module")
def builtin(vocabulary_file):
    return graph_ops.Gemma4Tokenizer(vocabulary_file, engine="builtin")


def test_every_id_detokenizes_as_in_sentencepiece(builtin, vocabulary, sentencepiece_processor):
    texts = builtin.detokenize(tf.range(len(vocabulary))[:, tf.newaxis]).numpy()
    assert [
        index for index, text in enumerate(texts) if text != sentencepiece_processor.decode([index]).encode()
    ] == []


@pytest.mark.parametrize("bytes_share", [0.0, 0.5, 0.95])
def test_random_ids_detokenize_as_in_sentencepiece(bytes_share, builtin, vocabulary, sentencepiece_processor):
    draw = random.Random(35)
    of_bytes = [index for index, kind in enumerate(vocabulary.types) if kind == PieceType.BYTE]
    size = len(vocabulary)
    rows = [
        [
            draw.choice(of_bytes) if draw.random() < bytes_share else draw.randrange(draw.choice([4, size]))
            for _ in range(draw.randrange(24))
        ]
        for _ in range(7000)
    ]
    ours = builtin.detokenize(tf.ragged.constant(rows, dtype=tf.int32)).numpy()
    assert [
        row
        for row, text in zip(rows, ours, strict=True)
        if text != sentencepiece_processor.decode(row).encode()
    ] == []
    assert [bpe.decode(row, vocabulary) for row in rows[:200]] == list(ours[:200])


def test_dropped_ids_leave_the_bytes_around_them_together(builtin, tokenizer, vocabulary):
    first, second = (vocabulary.find(f"<0x{byte:02X}>") for byte in "é".encode())
    ids, keep = (
        tf.constant([[first, 2, second], [first, 2, second], [2, 2, 2]]),
        tf.constant([[True, False, True], [True] * 3, [False] * 3]),
    )
    assert (
        builtin.detokenize_rows(ids, keep).numpy().tolist()
        == tokenizer.detokenize_rows(ids, keep).numpy().tolist()
    )
    assert builtin.detokenize_rows(ids, keep).numpy().tolist() == ["é".encode(), "\ufffd\ufffd".encode(), b""]


VOCABULARY = small_vocabulary(("a\u2581", "a", "\u2581", "\u00e9"), ("<x>",))


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return load_tables(VOCABULARY, folder=tmp_path_factory.mktemp("cache"))


@settings(REPEATABLE, max_examples=15)
@given(st.lists(st.integers(0, len(VOCABULARY) - 1) | st.integers(190, 260), max_size=12))
def test_bytes_of_any_ids_are_the_twins_and_each_id_says_where_its_own_begin(tables, ids):
    texts = detokenize(tf.constant(ids, tf.int32, [len(ids)]), tables)
    assert bytes(texts.codes.numpy().tolist()) == bpe.decode(ids, VOCABULARY)
    ends = texts.ends.numpy().tolist()
    assert (len(ends), ends[0], ends[-1]) == (len(ids) + 1, 0, len(texts.codes))
    assert ends == sorted(ends)


def test_the_id_after_the_last_keeps_bytes_apart_and_has_none(tables):
    first, second = (VOCABULARY.find(f"<0x{byte:02X}>") for byte in "\u00e9".encode())
    apart = detokenize(tf.constant([first, len(VOCABULARY), second]), tables)
    assert bytes(apart.codes.numpy().tolist()) == "\ufffd\ufffd".encode()
    assert apart.ends.numpy().tolist() == [0, 3, 3, 6]


@pytest.mark.parametrize(
    ("capacity", "codes"), [(0, b""), (2, b"a "), (4, b"a \xc3\xa9"), (6, b"a \xc3\xa9\0\0")]
)
def test_a_capacity_cuts_or_fills_up_but_the_whole_length_is_told(tables, capacity, codes):
    ids = [VOCABULARY.find(piece) for piece in ("a\u2581", "\u00e9")]
    texts = detokenize(tf.constant(ids), tables, capacity=capacity)
    assert bytes(texts.codes.numpy().tolist()) == codes
    assert texts.ends.numpy().tolist() == [0, 2, 4]
