"""Code points of any bytes, against Python's decoder."""

import numpy as np
import tensorflow as tf
from hypothesis import example, given
from hypothesis import strategies as st

from graph_ops.text.bpe import utf8
from tests.twins import bpe
from tests.twins.vocabularies import REPEATABLE

LEADS = [0x41, 0x80, 0xBF, 0xC1, 0xC2, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF, 0x9F, 0xA0, 0x90]


def characters_of(stream):
    decoded = utf8.decode(tf.constant(stream, tf.int32))
    starts = np.flatnonzero(decoded.is_start)
    return decoded, [chr(point) for point in decoded.code_points.numpy()[starts].tolist()]


@REPEATABLE
@given(st.binary(min_size=1, max_size=60) | st.lists(st.sampled_from(LEADS), min_size=1).map(bytes))
@example(b"\xe2\x96\x81\xe2\x96")
@example(b"\xed\xa0\x80\xf4\x90\x80\x80\xc0\xa0")
def test_any_bytes_are_characters_and_one_replacement_for_each_other_byte(data):
    _, found = characters_of(list(data))
    assert found == bpe.characters(data)


@REPEATABLE
@given(st.lists(st.binary(max_size=6), min_size=1, max_size=8))
def test_a_separator_belongs_to_no_character(parts):
    stream = [code for part in parts for code in (*part, utf8.SEPARATOR)]
    decoded = utf8.decode(tf.constant(stream, tf.int32))
    points = decoded.code_points.numpy()[np.flatnonzero(decoded.is_start)].tolist()
    expected = []
    for part in parts:
        expected += [*map(ord, bpe.characters(part)), utf8.SEPARATOR_CODE_POINT]
    assert points == expected


@REPEATABLE
@given(st.text(min_size=1, max_size=40))
def test_lengths_and_bytes_are_those_of_pythons_encoder(text):
    data = text.encode("utf-8", "replace")
    decoded, found = characters_of(list(data))
    points = tf.constant([ord(character) for character in found])
    lengths = utf8.encoded_length(points)
    assert lengths.numpy().tolist() == [len(character.encode()) for character in found]
    assert decoded.lengths.numpy()[np.flatnonzero(decoded.is_start)].tolist() == lengths.numpy().tolist()
    columns = [utf8.encoded_byte(points, lengths, place=place).numpy() for place in range(4)]
    for index, character in enumerate(found):
        encoded = bytes(int(column[index]) for column in columns)[: len(character.encode())]
        assert encoded == character.encode()


def test_an_invalid_byte_is_told_from_a_replacement_in_the_text():
    decoded = utf8.decode(tf.constant(list("\ufffd".encode() + b"\xff"), tf.int32))
    assert decoded.is_valid.numpy()[[0, 3]].tolist() == [True, False]
    assert decoded.code_points.numpy()[[0, 3]].tolist() == [0xFFFD, 0xFFFD]
