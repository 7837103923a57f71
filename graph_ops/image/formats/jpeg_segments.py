"""The segments of a JPEG up to its first scan: 0xFF, a marker, two bytes of length, content."""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.image.formats.file_bytes import bytes_at

MAX_SEGMENTS = 10_000
"""Most segments passed up to the first scan. Ours: a file must not ask for minutes."""
START, SCAN, APP14 = 0xD8, 0xDA, 0xEE
"""Markers. Source: ITU-T T.81, table B.1."""
RESTARTS = 0xD0 // 8
"""Markers from 0xD0 to 0xD7, which have no segment, an eighth of them. Source: ITU-T T.81, table B.1."""
NO_FRAMES = (0xC4, 0xC8, 0xCC)
"""Markers from 0xC0 to 0xCF that begin no frame. Source: ITU-T T.81, table B.1."""
ADOBE = b"Adobe"
"""What the Adobe segment begins with; the colour transform, 0 for CMYK, is its byte 11. Source: Adobe
Technical Note 5116.
"""


class Parts(NamedTuple):
    """A file in pieces.

    Attributes:
        tables: string [], the segments before the first scan, without the frame's and Adobe's.
        frame: string [], the frame's segment.
        scans: string [], the rest.
        is_transformed: bool [], the colours are YCCK.
    """

    tables: tf.Tensor
    frame: tf.Tensor
    scans: tf.Tensor
    is_transformed: tf.Tensor


def parts_of(encoded: tf.Tensor) -> Parts:
    """Takes a file apart. Raises if no scan begins in it.

    Args:
        encoded: string [].
    """
    data = tf.io.decode_raw(encoded, tf.uint8)

    def byte(at: tf.Tensor) -> tf.Tensor:
        return tf.cast(data[at], tf.int32)

    def take(
        at: tf.Tensor, tables: tf.Tensor, frame: tf.Tensor, is_transformed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        marker = byte(at + 1)
        # Fill bytes, junk and markers without a segment are passed over, byte by byte.
        is_segment = (byte(at) == 0xFF) & (marker >= 0xC0) & (marker < 0xFF) & (marker // 8 != RESTARTS)
        is_segment &= marker != START
        length = tf.cond(is_segment, lambda: 2 + 256 * byte(at + 2) + byte(at + 3), lambda: 1)
        segment = tf.cond(is_segment, lambda: bytes_at(encoded, at, length), lambda: b"")
        is_frame = is_segment & (marker // 16 == 0xC) & tf.reduce_all(marker != tf.constant(NO_FRAMES))
        is_adobe = is_segment & (marker == APP14) & (length >= 16)
        is_adobe &= tf.equal(bytes_at(tf.strings.join([segment, bytes(9)]), 4, 5), ADOBE)
        return (
            at + length,
            tf.strings.join([tables, tf.where(is_adobe | is_frame, b"", segment)]),
            tf.strings.join([frame, tf.where(is_frame, segment, b"")]),
            tf.cond(is_adobe, lambda: byte(at + 15) != 0, lambda: is_transformed),
        )

    start = tf.constant(2), tf.constant(b""), tf.constant(b""), tf.constant(False)
    at, tables, frame, is_transformed = tf.while_loop(
        lambda at, *_: (data[at] != 0xFF) | (data[at + 1] != SCAN),
        take,
        start,
        maximum_iterations=MAX_SEGMENTS,
    )
    return Parts(tables, frame, tf.strings.substr(encoded, at, tf.size(data)), is_transformed)
