"""The orientation that a camera left beside the pixels, as Pillow's `getexif` finds it: in an EXIF block,
which is a small TIFF file, or in XMP.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

UPRIGHT = 1
"""Orientation of pixels that lie as they are to be seen. Source: TIFF 6.0, tag Orientation."""
ORIENTATIONS = range(1, 9)
"""Those that there are. Source: TIFF 6.0, tag Orientation."""
TAG = 0x0112
"""The orientation's tag. Source: TIFF 6.0."""
BYTE_ORDERS = {"<": (b"II*\0", b"II\0*"), ">": (b"MM\0*", b"MM*\0", b"MM\0+")}
"""What a TIFF file may begin with. Source: `TiffImagePlugin` of Pillow 13, which reads no BigTIFF of order II
here.
"""
TYPES = {
    1: "s",
    2: "s",
    3: "H",
    4: "L",
    5: "LL",
    6: "b",
    7: "s",
    8: "h",
    9: "l",
    10: "ll",
    11: "f",
    12: "d",
    13: "L",
    16: "Q",
}
"""Type of a TIFF entry -> `struct` format of one value: bytes, a number, or the two parts of a fraction.
Source: the same.
"""
ENTRY_BYTES, INSIDE_BYTES = 12, 4
"""An entry of a directory: 2 bytes of tag, 2 of type, 4 of count, and 4 that hold the values or, for longer
ones, their place. Source: TIFF 6.0.
"""


class Metadata(NamedTuple):
    r"""What a file says beside its pixels.

    Attributes:
        exif: string [], a TIFF file, with or without `Exif\0\0` before it; "" for none.
        xmp: string [], XML; "" for none.
    """

    exif: tf.Tensor
    xmp: tf.Tensor

    @staticmethod
    def none() -> "Metadata":
        """Of a file that says nothing."""
        return Metadata(tf.constant(b""), tf.constant(b""))


def orientation(metadata: Metadata) -> tf.Tensor:
    """int32 []: 1 to 8; 1 without one, for one that does not exist, and for a damaged block.

    The first readable entry of the block's first directory counts, of any type of number; of a fraction
    only a whole number over 1. XMP is asked where there is no such entry.
    """
    tiff = tf.strings.regex_replace(metadata.exif, r"^(?:Exif\x00\x00){1,2}", "", replace_global=False)

    def of_xmp() -> tf.Tensor:
        return tf.cond(
            tf.equal(metadata.xmp, ""), lambda: tf.constant(UPRIGHT), lambda: _of_xmp(metadata.xmp)
        )

    return tf.cond(tf.equal(tiff, ""), of_xmp, lambda: _of_tiff(tiff, otherwise=of_xmp))


def _of_xmp(xmp: tf.Tensor) -> tf.Tensor:
    """The digit of the first `tiff:Orientation="6` or `tiff:Orientation>6`; 1 unless that is 1 to 8."""
    after = tf.strings.split(xmp, "tiff:Orientation")[1:]
    is_digit = tf.reduce_any(
        [
            tf.equal(
                tf.strings.substr(after, 0, len(sign) + 1)[:, tf.newaxis],
                [f"{sign}{digit}" for digit in range(10)],
            )
            for sign in ('="', ">")
        ],
        axis=0,
    )
    digits = tf.boolean_mask(
        tf.argmax(is_digit, axis=1, output_type=tf.int32), tf.reduce_any(is_digit, axis=1)
    )
    digit = tf.concat([digits, [UPRIGHT]], axis=0)[0]
    return tf.where(tf.reduce_any(digit == list(ORIENTATIONS)), digit, UPRIGHT)


def _of_tiff(tiff: tf.Tensor, *, otherwise: Callable[[], tf.Tensor]) -> tf.Tensor:
    """The orientation in a TIFF file; `otherwise()` if its first directory has no readable entry of it."""
    orders = [
        tf.reduce_any(tf.equal(tf.strings.substr(tiff, 0, 4), headers)) for headers in BYTE_ORDERS.values()
    ]
    is_whole = tf.reduce_any(orders) & (tf.strings.length(tiff) >= 8)
    return tf.cond(is_whole, lambda: _of_directory(tiff, orders[0], otherwise), lambda: tf.constant(UPRIGHT))


def _of_directory(tiff: tf.Tensor, is_little: tf.Tensor, otherwise: Callable[[], tf.Tensor]) -> tf.Tensor:
    start = _number(_octets(tiff, 4, 4), is_little)
    octets = _octets(tiff, start + 2, ENTRY_BYTES * _number(_octets(tiff, start, 2), is_little))
    entries = tf.reshape(octets[: tf.size(octets) // ENTRY_BYTES * ENTRY_BYTES], [-1, ENTRY_BYTES])
    tags, types, counts, places = (
        _number(entries[:, at:end], is_little) for at, end in ((0, 2), (2, 4), (4, 8), (8, 12))
    )
    types = tf.where(types < len(_UNITS), types, 0)
    units = tf.gather(_UNITS, types)
    lengths = counts * units
    found = (tags == TAG) & (lengths > 0) & _are_readable(lengths, places, _length(tiff))

    def value() -> tf.Tensor:
        first = tf.argmax(found)
        row = start + 2 + ENTRY_BYTES * first
        place = tf.where(lengths[first] > INSIDE_BYTES, places[first], row + ENTRY_BYTES - INSIDE_BYTES)
        order = tf.where(is_little, 0, 1)
        is_spelled = tf.equal(
            _bytes(tiff, place, units[first]), tf.gather(_SPELLINGS, types[first])[:, order]
        )
        known = tf.argmax(is_spelled, output_type=tf.int32) + ORIENTATIONS.start
        return tf.where(tf.reduce_any(is_spelled), known, UPRIGHT)

    return tf.cond(tf.reduce_any(found), value, otherwise)


def _are_readable(lengths: tf.Tensor, places: tf.Tensor, file_length: tf.Tensor) -> tf.Tensor:
    """Bool [entries], as Pillow reads: values elsewhere are passed over once they claim more than the whole
    file together, and the first that ends beyond the file is where reading stops.
    """
    elsewhere = lengths > INSIDE_BYTES
    passed_over = elsewhere & (tf.cumsum(tf.where(elsewhere, lengths, 0)) > file_length)
    beyond = elsewhere & ~passed_over & (places + lengths > file_length)
    return ~passed_over & (tf.cumsum(tf.cast(beyond, tf.int32)) == 0)


def _length(text: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.strings.length(text), tf.int64)


def _bytes(text: tf.Tensor, at: tf.Tensor | int, length: tf.Tensor | int) -> tf.Tensor:
    """string []: bytes of a file, fewer where it ends before."""
    return tf.strings.substr(
        text, tf.minimum(tf.cast(at, tf.int64), _length(text)), tf.cast(length, tf.int64)
    )


def _octets(text: tf.Tensor, at: tf.Tensor | int, length: tf.Tensor | int) -> tf.Tensor:
    """int64 [length]: the same as numbers."""
    return tf.cast(tf.io.decode_raw(_bytes(text, at, length), tf.uint8), tf.int64)


def _number(octets: tf.Tensor, is_little: tf.Tensor) -> tf.Tensor:
    """int64 [...] of octets [..., size], an unsigned number each; of fewer octets that of those."""
    in_order = tf.cond(is_little, lambda: octets, lambda: octets[..., ::-1])
    size = tf.cast(tf.shape(octets)[-1], tf.int64)
    return tf.reduce_sum(tf.bitwise.left_shift(in_order, 8 * tf.range(size)), axis=-1)


def _spellings(form: str) -> list[list[bytes]]:
    """The bytes of each orientation as a value of that `struct` format, in both byte orders; of a fraction
    over 1. A byte that no value has where the format is no number's.
    """
    if form == "s":
        return [[b""] * len(BYTE_ORDERS)] * len(ORIENTATIONS)
    rest = [1] * (len(form) - 1)
    return [[struct.pack(order + form, number, *rest) for order in BYTE_ORDERS] for number in ORIENTATIONS]


_UNITS = np.array(
    [struct.calcsize(f"<{TYPES[kind]}") if kind in TYPES else 0 for kind in range(max(TYPES) + 2)]
)
"""Bytes of one value of each type; 0 for one that is not known."""
_SPELLINGS = np.array([_spellings(TYPES.get(kind, "s")) for kind in range(len(_UNITS))], object)
"""[types, orientations, byte orders]."""
