"""JPEG: grey, YCbCr, RGB, CMYK and YCCK; baseline and progressive; Huffman and arithmetic codes.

Of several images in a file (MPO) the first is decoded. Refused, as by Pillow, are 2 colours, 12 bits,
lossless and hierarchical files, bytes before the start, a cut scan, and a scan with nothing behind it, not
even the end's marker. Refused, although Pillow decodes some of them: files with something else than that
marker behind the scan, if it is less than `SPARE` bytes or there are arithmetic codes or restart intervals;
and files with fewer bits than blocks of pixels, which a header of a few hundred bytes can claim (arithmetic
codes may be as short). Decoded, although Pillow refuses them: unknown markers and odd tables between the
segments, which libjpeg passes over, and a scan without an end if no pixel depends on what it lacks.
"""

import tensorflow as tf

from graph_ops.image.formats import jpeg_cmyk
from graph_ops.image.formats.file_bytes import Size, bytes_at, no_size
from graph_ops.image.formats.jpeg_segments import parts_of

SIGNATURES = ((0, b"\xff\xd8\xff"),)
"""(offset, bytes) that a file begins with."""

BLOCK = 8
"""Side of a block, in pixels. Source: ITU-T T.81, 3.1.16."""
END = b"\xff\xd9"
"""The marker of the end. Source: ITU-T T.81, table B.1."""
RESTART_INTERVAL = b"\xff\xdd"
"""The marker of the segment that announces restarts. Source: ITU-T T.81, table B.1."""
SEQUENTIAL = (0xC0, 0xC1)
"""Markers of frames that may come in one scan of Huffman codes. Source: ITU-T T.81, table B.1."""
SPARE = 8
"""Bytes that a decoder may have read beyond the code it is at. Source: libjpeg-turbo, jdhuff.h."""
FILLINGS = (b"\0" * 64, b"\x55" * 64, b"\xff\0" * 32)
"""Codes so unlike each other that a scan which they continue would have other pixels with each. Ours."""


def size(encoded: tf.Tensor) -> Size:
    """int32 [] each, as the header says; 0 × 0 for other numbers of colours than 1, 3 and 4."""
    height, width, channels = tf.unstack(tf.image.extract_jpeg_shape(encoded))
    return tf.cond((channels == 1) | (channels == 3) | (channels == 4), lambda: (height, width), no_size)


def weight(encoded: tf.Tensor) -> tf.Tensor:
    """int32 []: how many times the memory of other files of its size a file takes to be decoded."""
    return tf.where(tf.image.extract_jpeg_shape(encoded)[2] == 4, jpeg_cmyk.DECODES, 1)


def pixels(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 3]; [0, 0, 3] of a file too short to hold so many pixels."""
    height, width, channels = tf.unstack(tf.image.extract_jpeg_shape(encoded))
    blocks = ((height + BLOCK - 1) // BLOCK) * ((width + BLOCK - 1) // BLOCK)
    # Each block has a code for its mean, and no Huffman code is shorter than a bit.
    is_filled = blocks // 8 <= tf.strings.length(encoded)
    return tf.cond(is_filled, lambda: _whole_pixels(encoded, channels), lambda: tf.zeros([0, 0, 3], tf.uint8))


def _whole_pixels(encoded: tf.Tensor, channels: tf.Tensor) -> tf.Tensor:
    ended = tf.equal(bytes_at(encoded, tf.strings.length(encoded) - 2, 2), END)
    whole = tf.cond(ended, lambda: encoded, lambda: _with_end(encoded))
    return tf.cond(channels == 4, lambda: jpeg_cmyk.pixels(whole), lambda: _decoded(whole))


def _decoded(encoded: tf.Tensor) -> tf.Tensor:
    # The accurate transform is libjpeg's default, hence Pillow's; TensorFlow's default is the fast one.
    return tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")


def _with_end(encoded: tf.Tensor) -> tf.Tensor:
    """The file, with the end's marker if it has none although its only scan is there."""
    return tf.cond(_contains(encoded, END), lambda: encoded, lambda: _ended_if_whole(encoded))


def _contains(encoded: tf.Tensor, marker: bytes) -> tf.Tensor:
    data = tf.io.decode_raw(encoded, tf.uint8)
    return tf.reduce_any((data[:-1] == marker[0]) & (data[1:] == marker[1]))


def _ended_if_whole(encoded: tf.Tensor) -> tf.Tensor:
    """The file with an end in place of its last bytes, if no pixel depends on these; otherwise as it is.

    A decoder reads whole words, so that Pillow needs up to `SPARE` bytes behind the last code; and it needs
    the end's marker if the colours come in several scans. Restarts would hide what is missing.
    """
    parts = parts_of(encoded)
    frame, scan = (tf.io.decode_raw(part, tf.uint8) for part in (parts.frame, parts.scans))
    in_one_scan = tf.reduce_any(frame[1] == tf.constant(SEQUENTIAL, tf.uint8)) & (scan[4] == frame[9])
    in_one_scan &= ~_contains(parts.tables, RESTART_INTERVAL)
    without_spare = bytes_at(encoded, 0, tf.strings.length(encoded) - SPARE)
    first, *others = (tf.strings.join([without_spare, filling, END]) for filling in FILLINGS)

    def is_whole() -> tf.Tensor:
        expected = _decoded(first)
        return tf.reduce_all([tf.reduce_all(_decoded(other) == expected) for other in others])

    return tf.cond(tf.cond(in_one_scan, is_whole, lambda: False), lambda: first, lambda: encoded)
