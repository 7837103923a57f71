"""Run lengths -> palette indices, against Pillow."""

import struct

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_ops.image.formats import bmp_rle
from tests.graph_ops.image.formats.against_pillow import PILLOW_REFUSES, pillow_pixels

HEADER = 54 + 1024
"""Bytes before the run lengths."""


@tf.function(
    input_signature=[
        tf.TensorSpec([], tf.string),
        *[tf.TensorSpec([], tf.int32)] * 3,
        tf.TensorSpec([], tf.bool),
    ],
    autograph=False,
)
def indices(encoded, start, height, width, four_bits):
    return bmp_rle.indices(encoded, start, (height, width), four_bits)


def decoded(runs: bytes, size: tuple[int, int], *, four_bits: bool, offset: int = 0) -> np.ndarray | None:
    try:
        return indices(bytes(HEADER + offset) + runs, HEADER + offset, *size, four_bits).numpy()
    except tf.errors.InvalidArgumentError:
        return None


def by_pillow(runs: bytes, size: tuple[int, int], *, four_bits: bool, offset: int = 0) -> np.ndarray | None:
    height, width = size
    numbers = (40, width, height, 1, 8, 2 if four_bits else 1, 0, 0, 0, 256, 0)
    head = struct.pack("<IIIIiiHHIIIIII", 0, 0, HEADER + offset, *numbers)
    palette = b"".join(bytes([level, level, level, 0]) for level in range(256))
    try:
        return pillow_pixels(b"BM" + head + palette + bytes(offset) + runs)[::-1, :, 0]
    except PILLOW_REFUSES:
        return None


def assert_as_pillow(runs: bytes, size: tuple[int, int], *, four_bits: bool, offset: int = 0):
    ours = decoded(runs, size, four_bits=four_bits, offset=offset)
    pillows = by_pillow(runs, size, four_bits=four_bits, offset=offset)
    np.testing.assert_array_equal(ours, pillows)


@pytest.mark.parametrize("four_bits", [False, True])
@pytest.mark.parametrize(
    "runs",
    [
        b"\x04\x12\x03\x34\0\0\x07\x56\0\1",
        b"\0\x04\x12\x34\x56\x78\x03\x11\0\0\0\x03\x12\x34\x56\0\x04\x78",
        b"\x02\x12\0\2\3\1\x02\x34\0\0\0\1",
        b"\x02\x12\0\2\3\0\x02\x34\0\0\x01\x02\0\0",
        b"\0\0\0\0",
        b"\0\2\5\xff",
        b"\xff\x12\x01\x13\0\0\xff\x22",
        b"\0\x0e" + bytes(range(14)),
        b"\0\x08" + bytes(range(8)) + b"\x01\x02\0\0\x07\x03",
    ],
    ids=[
        "runs",
        "literals",
        "step up",
        "step right",
        "nothing",
        "far step",
        "clipped",
        "over lines",
        "wraps",
    ],
)
def test_every_command_equals_pillow(runs, four_bits):
    assert_as_pillow(runs, (2, 7), four_bits=four_bits)


def test_literals_are_padded_to_an_even_position_in_the_file():
    for literal, four_bits in ((b"\0\3abc", False), (b"\0\5abc", True)):
        assert_as_pillow(literal + b"\x09\x12\0\0\x09\1", (2, 9), four_bits=four_bits, offset=1)
        assert_as_pillow(literal + b"x\x09\x12\0\0\x09\1", (2, 9), four_bits=four_bits, offset=0)


@pytest.mark.parametrize(
    "runs", [b"", b"\x07", b"\x07\1\0\1", b"\x07\1\0\0\0\2\7", b"\x07\1\0\0\0\7abc", b"\0"]
)
def test_commands_that_end_before_the_image_are_refused(runs):
    for four_bits in (False, True):
        assert decoded(runs, (3, 7), four_bits=four_bits) is None
        assert by_pillow(runs, (3, 7), four_bits=four_bits) is None


def test_a_step_behind_a_run_that_left_its_line_is_refused():
    runs = b"\x08\1\0\2\1\0\0\0\x07\1"
    assert decoded(runs, (2, 7), four_bits=False) is None
    assert by_pillow(runs, (2, 7), four_bits=False) is not None
    assert_as_pillow(b"\x08\1\0\0\0\2\1\0\x06\1", (2, 7), four_bits=False)


def test_more_bytes_than_any_image_needs_are_refused():
    idle = b"\0\2\0\0" * 1_000
    assert decoded(idle + b"\x07\1", (1, 7), four_bits=False) is None
    assert_as_pillow(idle[:400] + b"\x07\1", (1, 7), four_bits=False)


LITERAL = st.binary(min_size=3, max_size=9).map(
    lambda pixels: bytes([0, len(pixels)]) + pixels + b"\0" * (len(pixels) % 2)
)
RUN = st.tuples(st.integers(1, 9), st.integers(0, 255)).map(bytes)
STEP = st.tuples(st.just(0), st.just(2), st.integers(0, 3), st.integers(0, 1)).map(bytes)
LINE = st.lists(st.one_of(RUN, LITERAL), max_size=4).map(b"".join).map(lambda line: line + b"\0\0")


@settings(max_examples=80, deadline=None)
@given(st.lists(LINE, min_size=1, max_size=8), st.integers(1, 20))
def test_lines_of_runs_and_literals_equal_pillow(lines, width):
    assert_as_pillow(b"".join(lines), (len(lines), width), four_bits=False)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(RUN, STEP, LINE, st.binary(max_size=4)), max_size=12).map(b"".join), st.booleans())
def test_any_commands_are_refused_or_equal_pillow(runs, four_bits):
    ours = decoded(runs, (3, 6), four_bits=four_bits)
    if ours is not None:
        np.testing.assert_array_equal(ours, by_pillow(runs, (3, 6), four_bits=four_bits))


def test_millions_of_commands_take_seconds():
    height, width = 500, 2_000
    line = (
        np.stack([np.ones(width, np.uint8), np.arange(width).astype(np.uint8)], axis=-1).tobytes() + b"\0\0"
    )
    ours = decoded(line * height, (height, width), four_bits=False)
    np.testing.assert_array_equal(ours, np.tile(np.arange(width).astype(np.uint8), (height, 1)))
