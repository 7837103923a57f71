"""JPEG of four colours -> pixels, against Pillow."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from graph_ops.image.formats import jpeg_cmyk
from tests.graph_ops.image.formats.against_pillow import (
    assert_equals_pillow,
    assert_refused_by_both,
    decode,
    drawing,
    pillow_decodes,
    pillow_pixels,
    saved,
)
from tests.graph_ops.image.formats.made_jpeg import SCAN, adobe, jpeg, segment, with_adobe, without_adobe

FOUR = Image.frombytes("CMYK", (83, 61), drawing().tobytes())
EVEN = [(1, 1)] * 4


@pytest.mark.parametrize("transform", [None, 0, 1, 2, 255])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("quality", [20, 92])
def test_photos_equal_pillow(quality, progressive, transform):
    file = saved(FOUR, "JPEG", quality=quality, progressive=progressive)
    assert_equals_pillow(without_adobe(file) if transform is None else with_adobe(file, transform))


@pytest.mark.parametrize("transform", [None, 0, 2])
@pytest.mark.parametrize(
    "sampling",
    [
        EVEN,
        [(2, 2), (1, 1), (1, 1), (2, 2)],
        [(2, 1), (1, 1), (1, 1), (1, 1)],
        [(1, 2), (1, 1), (1, 1), (1, 2)],
        [(1, 1), (2, 2), (1, 1), (2, 1)],
    ],
)
def test_any_sampling_equals_pillow(sampling, transform):
    before = b"" if transform is None else adobe(transform)
    for size in ((40, 50), (1, 1), (17, 9)):
        assert_equals_pillow(jpeg(size, sampling, before=before))


@pytest.mark.parametrize(
    "before",
    [
        b"\xff\xff\xff" + adobe(2)[1:],
        segment(0xFE, b"x") + b"junk" + adobe(2) + b"\xff\0",
        adobe(0) + adobe(2),
        segment(0xE1, b"Adobe" + b"\2" * 9),
        segment(0xFE, adobe(2)),
        segment(0xC4, bytes(17)) + adobe(2),
    ],
)
def test_segments_before_the_frame_are_read_as_by_pillow(before):
    assert_equals_pillow(jpeg((20, 30), EVEN, before=before))


def test_black_with_any_quantization_table_equals_pillow():
    file = jpeg((20, 30), EVEN, before=b"".join(segment(0xDB, bytes([n]) + b"\x09" * 64) for n in (1, 2, 3)))
    frame = file.index(b"\xff\xc0")
    for tables in (b"\0\1\2\3", b"\3\2\1\0", b"\1\1\1\1"):
        numbered = bytearray(file)
        numbered[frame + 12 : frame + 24 : 3] = tables
        assert_equals_pillow(bytes(numbered))


def test_a_cut_or_doubled_frame_is_refused():
    file = saved(FOUR, "JPEG")
    frame, scan = file.index(b"\xff\xc0"), file.index(SCAN)
    assert_refused_by_both(file[:frame] + file[frame : frame + 22] + file[frame:])
    for length in (frame + 4, frame + 15, scan + 1, scan + 20, len(file) // 2, len(file) - 2):
        assert_refused_by_both(file[:length])


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_change_is_refused_or_as_with_pillow(data):
    file = bytearray(jpeg((20, 30), [(2, 1), (1, 1), (1, 1), (2, 1)], before=adobe(2)))
    at = data.draw(st.integers(2, len(file) - 1))
    file[at] = data.draw(st.integers(0, 255))
    _, (fault, _) = decode(bytes(file))
    # Pillow knows fewer markers.
    if not fault and pillow_decodes(bytes(file)):
        assert_equals_pillow(bytes(file))


def test_pixels_are_pillows():
    file = saved(FOUR, "JPEG", quality=60)
    np.testing.assert_array_equal(jpeg_cmyk.pixels(tf.constant(file)), pillow_pixels(file))
