"""Transparent PNG files of every kind, against transformers' compositing."""

import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from graph_ops.image.formats.png_alpha import over
from graph_ops.image.formats.png_chunks import chunks_of
from tests.graph_ops.image.shown import assert_shown_as_by_pillow
from tests.graph_ops.image.test_decode import drawing, interlaced_rows, png, png_chunk, saved, scan_lines


def key(*levels: int) -> bytes:
    return png_chunk(b"tRNS", struct.pack(f">{len(levels)}H", *levels))


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_channels(mode):
    picture = drawing().convert(mode)
    assert_shown_as_by_pillow(saved(picture, "PNG"))
    values, kind = np.asarray(picture), {"LA": 4, "RGBA": 6}[mode]
    assert_shown_as_by_pillow(png(83, 61, 8, kind, interlaced_rows(values), interlaced=True))
    deep = (values.astype(np.uint16) << 8) + np.random.default_rng(0).integers(
        0, 256, values.shape, np.uint16
    )
    assert_shown_as_by_pillow(png(83, 61, 16, kind, scan_lines(deep)))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_transparent_colours_of_palettes(bits):
    random = np.random.default_rng(bits)
    rows = random.integers(0, 256, (20, 4), np.uint8)
    palette = png_chunk(b"PLTE", random.integers(0, 256, 3 * 2**bits, np.uint8).tobytes())
    for alphas in (b"\0", b"\xff\0", b"\x80\x05", b"\xff\xff", bytes(range(2**bits))):
        chunks = palette + png_chunk(b"tRNS", alphas)
        assert_shown_as_by_pillow(png(32 // bits, 20, bits, 3, scan_lines(rows), chunks=chunks))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_the_transparent_grey(bits):
    rows = np.arange(256, dtype=np.uint8).reshape(32, 8)
    for level in (0, 1, 2, 3, 17, 85, 255, 256, 263):
        assert_shown_as_by_pillow(png(64 // bits, 32, bits, 0, scan_lines(rows), chunks=key(level)))


@pytest.mark.parametrize("level", [0, 5, 255, 256, 261, 300, 65535])
def test_the_transparent_grey_of_16_bits(level):
    rows = np.array([[0, 5, 255, 256, 261, 300, 1000, 65535]], np.uint16)
    assert_shown_as_by_pillow(png(8, 1, 16, 0, scan_lines(rows), chunks=key(level)))


def test_the_transparent_colour():
    picture = drawing().convert("RGB")
    assert_shown_as_by_pillow(saved(picture, "PNG", transparency=picture.getpixel((3, 3))))
    deep = np.array([[[0x0101, 0x0202, 0x0303], [0x0102, 0x0203, 0x0304], [1, 2, 3]]], np.uint16)
    for levels in ((0x0101, 0x0202, 0x0303), (0x0102, 0x0203, 0x0304), (1, 2, 3)):
        assert_shown_as_by_pillow(png(3, 1, 16, 2, scan_lines(deep), chunks=key(*levels)))


def test_what_is_transparent_has_the_colour_behind_it():
    file = tf.constant(saved(Image.new("RGBA", (3, 2), (9, 9, 9, 0)), "PNG"))
    found = over(file, chunks_of(file), background=(1, 2, 3))
    np.testing.assert_array_equal(found, np.broadcast_to([1, 2, 3], [2, 3, 3]))
