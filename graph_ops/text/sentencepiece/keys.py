"""Segments of texts as numbers: a segment's first 16 bytes are its key."""

import numpy as np
import tensorflow as tf

END = 0xFF
"""After each text, and what fills a key up; never in UTF-8."""

PADDING = 32
"""Bytes after the last text, so that each segment can be read as whole words of 8 bytes."""

KEY_BYTES = 16


def joined_bytes(texts: tf.Tensor) -> tf.Tensor:
    """uint8 [N + 32]: the strings [B], 0xFF after each, and 32 times 0xFF."""
    joined = tf.strings.reduce_join(tf.strings.join([texts, bytes([END])]))
    return tf.io.decode_raw(tf.strings.join([joined, bytes([END]) * PADDING]), tf.uint8)


def segment_keys(codes: tf.Tensor, starts: tf.Tensor, ends: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Bytes 0-7 and 8-15 of each segment as uint64 [W], little-endian, 0xFF past its end.

    Eight bytes that begin anywhere are the high part of one aligned word and the low part of the next.

    Args:
        codes: as `joined_bytes` returns them.
        starts: int64 [W], where segments begin.
        ends: int64 [W], where they end.
    """
    words = tf.bitcast(tf.reshape(codes[: tf.size(codes) // 8 * 8], [-1, 8]), tf.uint64)
    index, shift = starts // 8, tf.cast(starts % 8 * 8, tf.uint64)
    aligned = [tf.gather(words, index + ahead) for ahead in range(3)]
    low = [tf.bitwise.right_shift(word, shift) for word in aligned[:2]]
    one = tf.constant(1, tf.uint64)  # a shift by 64 is undefined
    high = [tf.bitwise.left_shift(tf.bitwise.left_shift(word, one), 63 - shift) for word in aligned[1:]]
    past_end = [tf.gather(_past_end(), tf.clip_by_value(ends - starts - done, 0, 8)) for done in (0, 8)]
    first, second = (
        tf.bitwise.bitwise_or(tf.bitwise.bitwise_or(a, b), c)
        for a, b, c in zip(low, high, past_end, strict=True)
    )
    return first, second


def text_keys(texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The keys, uint64 [B] each, of whole texts, string [B], of at most 16 bytes."""
    ends = tf.cumsum(tf.cast(tf.strings.length(texts), tf.int64) + 1) - 1
    return segment_keys(joined_bytes(texts), tf.concat([[0], ends + 1], axis=0)[:-1], ends)


def _past_end() -> tf.Tensor:
    """uint64 [9]: 0xFF in the bytes from the n-th on."""
    return tf.constant(np.array([2**64 - 2 ** (8 * kept) for kept in range(9)], np.uint64))
