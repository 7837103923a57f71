"""What a JPEG file says before its scan: segments of 0xFF, a marker, and for most a length and content."""

import tensorflow as tf

from graph_ops.image.exif import Metadata
from graph_ops.image.formats.file_bytes import bytes_at
from graph_ops.image.formats.jpeg_segments import MAX_SEGMENTS, SCAN

APP1 = 0xE1
"""Marker of a segment that holds metadata. Source: ITU-T T.81, table B.1."""
FILLER = 0xFF
"""Fills up to a marker, as often as wanted. Source: the same."""
LONE = (0x00, 0x01, 0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE))
"""Markers without a segment, as `JpegImagePlugin` of Pillow 13 has them."""
EXIF, XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
"""What a segment of metadata begins with. Source: EXIF 2.3 and XMP part 3."""


def metadata(encoded: tf.Tensor) -> Metadata:
    """string [] each: all EXIF blocks joined, and the last XMP, as Pillow has them."""
    whole = tf.strings.length(encoded)

    def step(at: tf.Tensor, exif: tf.Tensor, xmp: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        # Zeros stand for what lies behind the end.
        text = tf.strings.join([bytes_at(encoded, at, 4), b"\0" * 4])
        head = tf.cast(tf.io.decode_raw(bytes_at(text, 0, 4), tf.uint8), tf.int32)
        marker, length = head[1], 256 * head[2] + head[3]
        is_segment = (head[0] == FILLER) & (marker != FILLER) & ~tf.gather(_IS_LONE, marker)
        passed = tf.where(is_segment, 2 + tf.maximum(length, 2), tf.where(marker == FILLER, 1, 2))
        passed = tf.where(head[0] == FILLER, passed, 1)
        exif, xmp = tf.cond(
            is_segment & (marker == APP1),
            lambda: _after(bytes_at(encoded, tf.minimum(at + 4, whole), length - 2), exif, xmp),
            lambda: (exif, xmp),
        )
        return tf.where(is_segment & (marker == SCAN), whole, tf.minimum(at + passed, whole)), exif, xmp

    start = tf.constant(2), tf.constant(b""), tf.constant(b"")
    _, exif, xmp = tf.while_loop(lambda at, *_: at < whole, step, start, maximum_iterations=MAX_SEGMENTS)
    return Metadata(exif, xmp)


def _after(content: tf.Tensor, exif: tf.Tensor, xmp: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The metadata after a segment of them."""
    is_exif, is_xmp = (tf.equal(bytes_at(content, 0, len(name)), name) for name in (EXIF, XMP))
    joined = tf.cond(
        tf.equal(exif, b""), lambda: content, lambda: tf.strings.join([exif, _rest(content, EXIF)])
    )
    return tf.where(is_exif, joined, exif), tf.cond(is_xmp, lambda: _rest(content, XMP), lambda: xmp)


def _rest(content: tf.Tensor, name: bytes) -> tf.Tensor:
    return bytes_at(content, tf.minimum(len(name), tf.strings.length(content)), tf.int32.max)


_IS_LONE = [marker in LONE for marker in range(256)]
