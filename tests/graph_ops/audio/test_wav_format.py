"""What a `fmt ` chunk says of the samples, in both byte orders."""

import struct

import hypothesis
import pytest
import tensorflow as tf
from hypothesis import strategies as st

from graph_ops.audio.riff import read_riff
from graph_ops.audio.wav_format import read_format
from tests.graph_ops.audio.wav_files import chunk, extensible, fmt, riff


def format_of(file):
    return read_format(tf.constant(file), read_riff(tf.constant(file)))


def numbers(wav):
    return [int(part) for part in (wav.tag, wav.channels, wav.rate, wav.bits, wav.sample_bytes)]


def with_data(header):
    return riff(header, chunk(b"data", bytes(8)))


def test_every_number_of_a_header_is_read():
    wav = format_of(with_data(fmt(channels=6, rate=192_000, bits=24)))
    assert numbers(wav) == [1, 6, 192_000, 24, 3]
    assert int(wav.frame_bytes) == 18
    assert bool(wav.is_supported)
    assert bool(wav.is_consistent)


def test_numbers_of_rifx_have_the_highest_byte_first():
    body = struct.pack(">HHIIHH", 3, 2, 700_000, 0, 16, 64)
    rest = b"WAVEfmt " + struct.pack(">I", 16) + body + b"data" + bytes(4)
    wav = format_of(b"RIFX" + struct.pack(">I", len(rest)) + rest)
    assert numbers(wav) == [3, 2, 700_000, 64, 8]
    assert bool(wav.is_consistent)


@pytest.mark.parametrize("tag", [1, 3, 6, 7, 0x55])
@pytest.mark.parametrize("tail", ["000000001000800000aa00389b71", "00002107d3118644c8c1ca000000"])
def test_the_tag_of_an_extensible_header_is_in_its_guid(tag, tail):
    wav = format_of(with_data(extensible(32, tag, tail=bytes.fromhex(tail))))
    assert int(wav.tag) == tag
    assert bool(wav.has_known_tag) == (tag != 0x55)


@pytest.mark.parametrize("header", [fmt(0xFFFE), extensible(16, 1, tail=b"\1" * 14)])
def test_an_extensible_header_without_its_guid_has_no_known_tag(header):
    wav = format_of(with_data(header))
    assert int(wav.tag) == 0xFFFE
    assert not bool(wav.has_known_tag)


@pytest.mark.parametrize(
    ("tag", "bits", "block", "sample_bytes"),
    [
        (1, 1, 1, 1),
        (1, 8, 1, 1),
        (1, 9, 2, 2),
        (1, 12, 2, 2),
        (1, 16, 0, 2),
        (1, 16, 7, 2),
        (1, 16, 4, 2),
        (1, 17, 3, 3),
        (1, 20, 3, 3),
        (1, 20, 4, 4),
        (1, 24, 4, 4),
        (1, 25, 4, 4),
        (1, 32, 4, 4),
        (3, 32, 0, 4),
        (3, 64, 8, 8),
        (6, 8, 1, 1),
        (7, 16, 1, 1),
        (7, 0, 2, 1),
    ],
)
def test_the_size_of_a_sample_follows_from_its_bits(tag, bits, block, sample_bytes):
    wav = format_of(with_data(fmt(tag, bits=bits, block=block)))
    assert int(wav.sample_bytes) == sample_bytes
    assert bool(wav.is_supported)
    assert bool(wav.is_consistent) == (block == sample_bytes)


@pytest.mark.parametrize(
    "header",
    [
        fmt(bits=0),
        fmt(bits=33),
        fmt(3, bits=16),
        fmt(3, bits=24),
        fmt(channels=0),
        fmt(rate=0),
        fmt(rate=768_001),
        fmt(2),
        fmt(0x55),
        fmt(0),
    ],
)
def test_other_formats_are_not_supported(header):
    assert not bool(format_of(with_data(header)).is_supported)


def test_what_follows_a_short_chunk_is_not_a_part_of_it():
    short = chunk(b"fmt ", struct.pack("<HHI", 1, 1, 16_000))
    assert numbers(format_of(with_data(short))) == [1, 1, 16_000, 0, 0]


def test_a_file_without_a_format_has_zeros():
    assert numbers(format_of(riff(chunk(b"data", bytes(8))))) == [0, 0, 0, 0, 0]


@hypothesis.settings(max_examples=100, deadline=None)
@hypothesis.given(st.binary(min_size=16, max_size=40))
def test_any_header_is_survived_and_a_supported_one_has_a_size(body):
    wav = format_of(with_data(chunk(b"fmt ", body)))
    if bool(wav.is_supported):
        assert 1 <= int(wav.sample_bytes) <= 8
        assert int(wav.frame_bytes) >= 1
