"""Which ids are bytes."""

import tensorflow as tf

from graph_ops.text.bytes_of_ids import NO_BYTE, bytes_of
from graph_ops.text.vocabulary.sentencepiece_model import PieceType
from tests.twins.vocabularies import small_vocabulary


def test_every_byte_piece_is_its_byte_and_no_other_id_is_one(vocabulary):
    found = bytes_of(tf.range(len(vocabulary)), vocabulary).numpy()
    named = zip(vocabulary.pieces, vocabulary.types, strict=True)
    expected = [int(piece[3:5], 16) if kind is PieceType.BYTE else NO_BYTE for piece, kind in named]
    assert found.tolist() == expected


def test_ids_out_of_range_are_none():
    vocabulary = small_vocabulary("ab", ["<|turn>"])
    ids = tf.constant([[-(2**31), -1, len(vocabulary)], [2**31 - 1, vocabulary.find("<0xFF>"), 0]])
    assert bytes_of(ids, vocabulary).numpy().tolist() == [[NO_BYTE] * 3, [NO_BYTE, 255, NO_BYTE]]
