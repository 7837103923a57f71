"""Metadata among the chunks of PNG files, against Pillow."""

import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from graph_ops.image.formats.png_chunks import chunks_of
from tests.graph_ops.image.shown import assert_shown_as_by_pillow, pixels_of, tiff, xmp
from tests.graph_ops.image.test_decode import drawing, png_chunk, saved

PLAIN = saved(drawing(20, 33).convert("RGB"), "PNG")
HEADER, DATA, END = PLAIN[:33], PLAIN[33:-12], PLAIN[-12:]
EXIF = png_chunk(b"eXIf", tiff(6))


def profile(block: bytes) -> bytes:
    digits = block.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    return png_chunk(b"tEXt", b"Raw profile type exif\0" + f"\nexif\n{len(block):8}\n{lines}\n".encode())


CHUNKS = {
    "before the pixels": (EXIF, b""),
    "behind the pixels": (b"", EXIF),
    "the last of two": (EXIF, png_chunk(b"eXIf", tiff(3))),
    "big-endian": (png_chunk(b"eXIf", tiff(8, order=">")), b""),
    "a text of ImageMagick": (profile(b"Exif\0\0" + tiff(5)), b""),
    "a text behind the pixels": (b"", profile(tiff(7))),
    "before a text": (EXIF, profile(tiff(3))),
    "XMP": (png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(6)), b""),
    "XMP as plain text": (png_chunk(b"tEXt", b"XML:com.adobe.xmp\0" + xmp(6)), b""),
    "behind XMP": (png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(6)), EXIF),
    "none in another text": (png_chunk(b"tEXt", b"Comment\0" + xmp(6)), b""),
}


@pytest.mark.parametrize("name", CHUNKS)
def test_chunks_are_read_as_by_pillow(name):
    before, behind = CHUNKS[name]
    encoded = HEADER + before + DATA + behind + END
    assert_shown_as_by_pillow(encoded)
    if "none" not in name:
        assert not np.array_equal(pixels_of(encoded), pixels_of(PLAIN))


def test_an_animation_is_read_up_to_its_second_picture():
    picture = drawing(20, 33).convert("RGB")
    animated = saved(
        picture, "PNG", save_all=True, append_images=[picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)]
    )
    assert_shown_as_by_pillow(animated[:33] + EXIF + animated[33:])
    assert_shown_as_by_pillow(animated[:-12] + EXIF + animated[-12:])


@pytest.mark.parametrize("length", [1, 100, 7000])
def test_many_chunks_of_pixels_are_passed(length):
    contents = DATA[8:-4]
    parts = [contents[at : at + length] for at in range(0, len(contents), length)]
    encoded = HEADER + b"".join(png_chunk(b"IDAT", part) for part in parts) + EXIF + END
    chunks = tf.function(chunks_of, autograph=False)(tf.constant(encoded))
    assert int(chunks.end) == len(encoded) - len(END)
    assert chunks.content(tf.constant(encoded), 0).numpy() == tiff(6)
    if length > 1:
        assert_shown_as_by_pillow(encoded)


@pytest.mark.parametrize("length", [2**31 - 1, 2**31, 2**32 - 1, 10_000])
def test_a_chunk_that_is_longer_than_the_file_ends_the_walk(length):
    encoded = HEADER + EXIF + struct.pack(">I", length) + b"tEXt" + bytes(30)
    chunks = chunks_of(tf.constant(encoded))
    assert int(chunks.end) == len(HEADER) + len(EXIF)
    assert chunks.content(tf.constant(encoded), 0).numpy() == tiff(6)
