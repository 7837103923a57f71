"""Ids to bytes, against SentencePiece and the slow twin."""

import random

import pytest
import tensorflow as tf

import graph_ops
from graph_ops.text.vocabulary.vocabulary import PieceType
from tests.twins import bpe


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
