"""Orientations in EXIF blocks and XMP, against Pillow's `getexif`."""

import struct
import warnings

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from graph_ops.image import exif
from tests.graph_ops.image.shown import tiff, xmp

FORMS = {3: "H", 4: "L", 5: "LL", 6: "b", 8: "h", 9: "l", 10: "ll", 11: "f", 12: "d", 13: "L", 16: "Q"}


@tf.function(input_signature=[tf.TensorSpec([], tf.string)] * 2, autograph=False)
def orientation(block, text):
    return exif.orientation(exif.Metadata(block, text))


def pillow_orientation(block: bytes, text: bytes = b"") -> int:
    picture = Image.new("L", (1, 1))
    picture.info |= {name: value for name, value in (("exif", block), ("xmp", text)) if value}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = picture.getexif().get(0x0112, 1)
        except (
            SyntaxError,
            struct.error,
        ):  # a block that is no TIFF file: Pillow raises, a picture stays as it is
            return 1
    return next((number for number in range(1, 9) if number == found), 1)


def assert_equals_pillow(block: bytes, text: bytes = b""):
    assert int(orientation(block, text)) == pillow_orientation(block, text)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("number", range(11))
def test_every_number_in_both_byte_orders(number, order):
    block = tiff(number, order=order)
    assert int(orientation(block, b"")) == (number if 1 <= number <= 8 else 1)
    for prefix in (b"", b"Exif\0\0", b"Exif\0\0Exif\0\0", b"Exif\0\0Exif\0\0Exif\0\0"):
        assert_equals_pillow(prefix + block)


@pytest.mark.parametrize("kind", range(20))
def test_every_type_of_value(kind):
    form = FORMS.get(kind, "B")
    for order in "<>":
        for numbers in ([6], [7, 3], [2, 1, 5]):
            parts = [part for number in numbers for part in (number, 1)[: len(form)]]
            values = struct.pack(order + form[0] * len(parts), *parts)
            outside = struct.pack(order + "L", 26) if len(values) > 4 else values.ljust(4, b"\0")
            entry = struct.pack(order + "HHL", 0x0112, kind, len(numbers)) + outside
            assert_equals_pillow(
                tiff(1, order=order)[:8] + struct.pack(order + "H", 1) + entry + bytes(4) + values
            )


def directory(*entries: tuple[int, int, int, bytes], count: int | None = None) -> bytes:
    packed = b"".join(struct.pack("<HHL", *entry[:3]) + entry[3].ljust(4, b"\0") for entry in entries)
    return (
        b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries) if count is None else count) + packed + bytes(4)
    )


SIX, THREE = (0x0112, 3, 1, b"\x06"), (0x0112, 3, 1, b"\x03")
BLOCKS = {
    "the first of two": directory(SIX, THREE),
    "the first that has a value": directory((0x0112, 3, 0, b"\x06"), (0x0112, 99, 1, b"\x06"), THREE),
    "text": directory((0x0112, 2, 2, b"6"), SIX),
    "behind others": directory((0x0100, 4, 1, b"\x05"), (0x8769, 4, 1, b"\xff"), SIX),
    "behind text that lies in the block": directory((0x010F, 2, 9, struct.pack("<L", 8)), SIX),
    "behind text that ends beyond it": directory((0x010F, 2, 9, struct.pack("<L", 40)), SIX),
    "behind text larger than the block": directory((0x010F, 2, 9999, struct.pack("<L", 8)), SIX),
    "of fewer entries than claimed": directory(SIX, count=900),
    "of more entries than claimed": directory(THREE, SIX, count=0),
    "no TIFF file": b"Exif\0\0JUNK\x08\0\0\0",
    "too short": b"II*\0\x08\0",
    "a directory beyond the end": b"II*\0" + struct.pack("<L", 2**31 + 5),
    "odd headers": b"II\0*" + directory(SIX)[4:],
    "empty": b"Exif\0\0",
}


@pytest.mark.parametrize("name", BLOCKS)
def test_odd_and_damaged_blocks(name):
    for text in (b"", xmp(8)):
        assert_equals_pillow(BLOCKS[name], text)


@pytest.mark.parametrize(
    "text",
    [
        *(xmp(number) for number in range(10)),
        b"<tiff:Orientation>6</tiff:Orientation>",
        b'tiff:Orientation = "3" tiff:Orientation=\'3\' tiff:Orientation="5"',
        b"\xff\0tiff:Orientation>7",
        b"tiff:Orientation",
    ],
)
def test_xmp_is_asked_where_the_block_has_no_orientation(text):
    assert_equals_pillow(b"", text)
    assert_equals_pillow(directory((0x0100, 4, 1, b"\x05")), text)
    assert_equals_pillow(tiff(0), text)


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=60) | st.binary(max_size=60).map(lambda rest: tiff(6)[:10] + rest),
    st.sampled_from([b"", xmp(3)]),
)
def test_any_bytes_are_read_as_by_pillow(block, text):
    assert_equals_pillow(block, text)
