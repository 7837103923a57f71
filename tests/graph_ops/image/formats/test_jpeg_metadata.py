"""Metadata among the segments of JPEG files, against Pillow."""

import struct

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.image.formats.jpeg_metadata import metadata
from tests.graph_ops.image.shown import assert_shown_as_by_pillow, pixels_of, tiff, xmp
from tests.graph_ops.image.test_decode import drawing, saved

PLAIN = saved(drawing(20, 33).convert("RGB"), "JPEG")
JFIF = PLAIN[2:20]
REST = PLAIN[20:]


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


EXIF = segment(0xE1, b"Exif\0\0" + tiff(6))
XMP = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(3))
SEGMENTS = {
    "first": EXIF + JFIF,
    "last of many": JFIF + segment(0xE2, bytes(60_000)) + segment(0xFE, b"\xff\xd9 a comment") + EXIF,
    "big-endian": segment(0xE1, b"Exif\0\0" + tiff(8, order=">")),
    "in two segments": segment(0xE1, b"Exif\0\0" + tiff(7)[:15]) + segment(0xE1, b"Exif\0\0" + tiff(7)[15:]),
    "twice": EXIF + segment(0xE1, b"Exif\0\0" + tiff(3)),
    "behind filling bytes": JFIF + b"\xff" * 9 + EXIF,
    "a number that there is not": JFIF + segment(0xE1, b"Exif\0\0" + tiff(9)),
    "none in an empty block": JFIF + segment(0xE1, b"Exif\0\0"),
    "none in another block": JFIF + segment(0xE1, b"Exif\1\0" + tiff(6)),
    "XMP": JFIF + XMP,
    "XMP twice": JFIF + XMP + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(5)),
    "EXIF before XMP": JFIF + EXIF + XMP,
    "EXIF behind XMP": JFIF + XMP + EXIF,
}


@pytest.mark.parametrize("name", SEGMENTS)
def test_segments_are_read_as_by_pillow(name):
    encoded = PLAIN[:2] + SEGMENTS[name] + REST
    assert_shown_as_by_pillow(encoded)
    if "none" not in name and "not" not in name:
        assert not np.array_equal(pixels_of(encoded), pixels_of(PLAIN))


def test_what_looks_like_metadata_behind_the_scan_is_not_read():
    assert_shown_as_by_pillow(PLAIN + EXIF)


def test_blocks_are_joined_and_the_last_text_counts():
    found = metadata(tf.constant(PLAIN[:2] + EXIF + XMP + EXIF + REST))
    assert found.exif.numpy() == b"Exif\0\0" + tiff(6) * 2
    assert found.xmp.numpy() == xmp(3)
    assert metadata(tf.constant(PLAIN)) == (b"", b"")
