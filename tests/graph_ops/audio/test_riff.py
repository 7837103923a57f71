"""Chunks are found whatever lies around them, and no claim is followed out of the file."""

import struct

import hypothesis
import pytest
import tensorflow as tf
from hypothesis import strategies as st

from graph_ops.audio.riff import MAX_CHUNKS, is_chunk_at, number_at, read_riff
from tests.graph_ops.audio.wav_files import GOOD, PCM_16, chunk, fmt, riff

FMT, DATA = fmt(), chunk(b"data", PCM_16.tobytes())
read = tf.function(read_riff, input_signature=[tf.TensorSpec([], tf.string)], autograph=False)


def found(file):
    parts = read(tf.constant(file))
    return bool(parts.is_wave), *(int(part) for part in (*parts.fmt, *parts.data))


def big_endian(*chunks):
    body = b"WAVE" + b"".join(name + struct.pack(">I", len(content)) + content for name, content in chunks)
    return b"RIFX" + struct.pack(">I", len(body)) + body


def ds64(size):
    return chunk(b"ds64", struct.pack("<QQQI", 8_080, size, 4_000, 0))


def test_the_format_and_the_samples_are_found():
    assert found(GOOD) == (True, 20, 16, 44, 1_000)


@pytest.mark.parametrize("around", [b"", chunk(b"JUNK", b"odd"), chunk(b"bext", bytes(602)) * 3])
def test_chunks_before_are_skipped(around):
    file = riff(around, FMT, around, DATA, around)
    assert found(file) == (True, 20 + len(around), 16, 44 + 2 * len(around), 1_000)


@pytest.mark.parametrize("name", [b"JUNK", b"LIST", b"abcd"])
def test_a_forgotten_byte_of_padding_is_noticed(name):
    unpadded = name + struct.pack("<I", 3) + b"abc"
    assert found(riff(unpadded, FMT, unpadded, DATA)) == (True, 31, 16, 66, 1_000)


def test_the_first_format_and_the_first_samples_count():
    assert found(riff(FMT, fmt(channels=2), DATA, FMT, DATA))[1:] == (20, 16, 68, 1_000)


def test_a_format_behind_the_samples_is_not_looked_for():
    assert found(riff(DATA, FMT))[1] == -1


@pytest.mark.parametrize("name", [b"RF64", b"BW64"])
def test_the_size_of_long_samples_is_in_a_chunk_of_its_own(name):
    placeholder = chunk(b"data", PCM_16.tobytes(), size=2**32 - 1)
    assert found(riff(ds64(2**33), FMT, placeholder, name=name))[-1] == 2**33
    assert found(riff(ds64(600), FMT, placeholder, name=name))[-1] == 600
    assert found(riff(ds64(600), FMT, DATA, name=name))[-1] == 1_000
    assert found(riff(ds64(0), FMT, placeholder, name=name))[-1] == 2**32 - 1
    assert found(riff(FMT, placeholder, name=name))[-1] == 2**32 - 1
    assert found(riff(ds64(600), FMT, placeholder))[-1] == 2**32 - 1  # plain RIFF has no such chunk


def test_numbers_of_rifx_have_the_highest_byte_first():
    parts = read(tf.constant(big_endian((b"fmt ", bytes(16)), (b"data", bytes(300)))))
    assert bool(parts.is_wave)
    assert bool(parts.is_big_endian)
    assert [int(part) for part in (*parts.fmt, *parts.data)] == [20, 16, 44, 300]


@pytest.mark.parametrize("tag_bytes", [0, 10, 127, 128, 300])
def test_a_tag_of_id3_in_front_is_skipped(tag_bytes):
    size = bytes([0, 0, tag_bytes >> 7, tag_bytes & 127])
    file = b"ID3\3\0\0" + size + bytes(tag_bytes) + GOOD
    assert found(file) == (True, 30 + tag_bytes, 16, 54 + tag_bytes, 1_000)


@pytest.mark.parametrize(
    "file", [b"", b"R", b"ID3", b"ID3\3\0\0\x7f\x7f\x7f\x7f", b"RIFFxxxxAVI ", b"\xff" * 99]
)
def test_what_is_no_wave_file_is_said_not_to_be_one(file):
    assert found(file) == (False, -1, 0, -1, 0)


def test_no_more_than_a_bounded_number_of_chunks_is_passed():
    few, many = (chunk(b"junk", b"") * count for count in (MAX_CHUNKS - 2, MAX_CHUNKS - 1))
    assert found(riff(FMT, few, DATA))[3] > 0
    assert found(riff(FMT, many, DATA))[3] == -1


@pytest.mark.parametrize(
    ("behind", "expected"),
    [
        (chunk(b"LIST", b"INFO"), True),
        (b"LIST\xff\0\0\0", False),
        (b"LIST", False),
        (b"\0\1ab\0\0\0\0", False),
    ],
)
def test_what_looks_like_a_chunk_fits_into_the_file(behind, expected):
    position = tf.constant(len(GOOD), tf.int64)
    assert bool(is_chunk_at(GOOD + behind, position, is_big_endian=tf.constant(False))) is expected


@pytest.mark.parametrize(("is_big_endian", "expected"), [(False, 0x0403_0201), (True, 0x0102_0304)])
def test_a_number_is_read_in_either_order_and_beyond_the_end_as_zeros(is_big_endian, expected):
    order = tf.constant(is_big_endian)
    assert number_at(b"\0\1\2\3\4", tf.constant(1, tf.int64), size=4, is_big_endian=order) == expected
    assert number_at(b"\1", tf.constant(9, tf.int64), size=4, is_big_endian=order) == 0
    assert number_at(b"\1", tf.constant(-9, tf.int64), size=8, is_big_endian=order) == 0


@hypothesis.settings(max_examples=200, deadline=None)
@hypothesis.given(st.data())
def test_damage_moves_nothing_out_of_the_file_without_being_a_claim(data):
    file = bytearray(riff(ds64(1_000), FMT, chunk(b"JUNK", b"odd"), DATA, name=b"RF64"))
    for _ in range(data.draw(st.integers(1, 6))):
        file[data.draw(st.integers(0, 110))] = data.draw(st.integers(0, 255))
    file = file[: data.draw(st.integers(0, len(file)))]
    parts = read(tf.constant(bytes(file)))
    for part in (parts.fmt, parts.data):
        assert -1 <= int(part.start) <= len(file)
