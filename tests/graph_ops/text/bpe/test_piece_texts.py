"""Texts of pieces come back byte by byte, and words hold four bytes whatever these are."""

import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.text.bpe import piece_texts
from graph_ops.text.bpe.piece_texts import WORD
from tests.twins.vocabularies import REPEATABLE


def piece_text(texts, index):
    """The bytes of one piece."""
    (length,), (start,) = (
        of(texts, tf.constant([index])) for of in (piece_texts.lengths_of, piece_texts.starts_of)
    )
    places = start * WORD + tf.range(length)
    return bytes(piece_texts.byte_at(texts, places).numpy().astype(np.uint8))


@REPEATABLE
@given(st.lists(st.binary(max_size=20), max_size=40))
def test_every_piece_has_its_bytes_and_one_more_is_empty(pieces):
    texts = piece_texts.build(pieces, padding=4)
    assert [piece_text(texts, index) for index in range(len(pieces) + 1)] == [*pieces, b""]


def test_a_piece_may_be_long():
    texts = piece_texts.build([b"x" * 300, b"y"], padding=1)
    assert piece_text(texts, 0) == b"x" * 300
    assert piece_text(texts, 1) == b"y"


@REPEATABLE
@given(st.binary(min_size=WORD, max_size=40))
def test_a_word_is_the_four_bytes_from_each_place_on(data):
    words = piece_texts.packed(tf.constant(list(data), tf.int32)).numpy()
    assert words.tolist() == [
        int.from_bytes(data[at : at + WORD], "little", signed=True) for at in range(len(data) - WORD + 1)
    ]
