"""CRC-32 of a chunk in the graph, in parallel: it is linear, so rows of bytes are reckoned apart and
joined.
"""

import functools

import numpy as np
import tensorflow as tf

POLYNOMIAL = 0xEDB88320
"""Of CRC-32, the lowest bit first. Source: PNG 1.2, appendix 15."""
ROW = 256
"""Bytes that are reckoned apart. Ours."""
LEVELS = 24
"""Most doublings of a row: 4 GiB, more than a string of TensorFlow's holds here. Ours."""


def crc32(text: tf.Tensor) -> tf.Tensor:
    """uint8 [4]: the CRC-32 of a string [] of at least 4 bytes, the highest byte first."""
    octets = tf.cast(tf.io.decode_raw(text, tf.uint8), tf.int32)
    # That the sum begins at -1 comes to the same as inverting the first 4 bytes; zeros before them do
    # nothing.
    octets = tf.concat([tf.zeros([-tf.size(octets) % ROW], tf.int32), 255 - octets[:4], octets[4:]], axis=0)
    places = ROW * tf.range(ROW) + tf.reshape(octets, [-1, ROW])
    sums = tf.gather(np.reshape(_of_bytes(), [-1]), places)
    while sums.shape[1] > 1:
        half = sums.shape[1] // 2
        sums = tf.bitwise.bitwise_xor(sums[:, :half], sums[:, half:])
    total = _joined(sums[:, 0])
    return tf.cast(tf.bitwise.right_shift(tf.bitwise.invert(total), [24, 16, 8, 0]) % 256, tf.uint8)


def _joined(sums: tf.Tensor) -> tf.Tensor:
    """int32 []: the sum of all rows, from those of each, int32 [rows]."""
    shifts = tf.constant(_shifts())

    def join(level: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        pairs = tf.reshape(tf.concat([tf.zeros([tf.size(sums) % 2], tf.int32), sums], axis=0), [-1, 2])
        octets = tf.bitwise.right_shift(pairs[:, :1], [0, 8, 16, 24]) % 256
        parts = tf.unstack(tf.gather(shifts[level], tf.range(4) * 256 + octets), num=4, axis=1)
        return level + 1, functools.reduce(tf.bitwise.bitwise_xor, parts, pairs[:, 1])

    _, total = tf.while_loop(
        lambda level, sums: tf.size(sums) > 1,
        join,
        (tf.constant(0), sums),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None])),
    )
    return total[0]


@functools.cache
def _of_bytes() -> np.ndarray:
    """int32 [ROW, 256]: the sum of each byte with the rest of a row of zeros behind it, by its place in the
    row.
    """
    sums = [_table()]
    for _ in range(ROW - 1):
        sums.insert(0, _behind_zero(sums[0]))
    return np.stack(sums).astype(np.uint32).view(np.int32)


@functools.cache
def _shifts() -> np.ndarray:
    """int32 [LEVELS, 4 * 256]: each byte of a sum after 1, 2, 4, … rows of zeros, by its place in the sum."""
    tables = np.arange(256, dtype=np.uint64) << np.array([[0], [8], [16], [24]], np.uint64)
    for _ in range(ROW):
        tables = _behind_zero(tables)
    levels = [tables]
    for _ in range(LEVELS - 1):
        last = levels[-1]
        parts = [last[place][(last >> np.uint64(8 * place)) & np.uint64(255)] for place in range(4)]
        levels.append(functools.reduce(np.bitwise_xor, parts))
    return np.reshape(np.stack(levels), [LEVELS, -1]).astype(np.uint32).view(np.int32)


@functools.cache
def _table() -> np.ndarray:
    """uint64 [256]: the sum of each byte."""
    sums = np.arange(256, dtype=np.uint64)
    for _ in range(8):
        sums = (sums >> np.uint64(1)) ^ np.where(sums & np.uint64(1), np.uint64(POLYNOMIAL), np.uint64(0))
    return sums


def _behind_zero(sums: np.ndarray) -> np.ndarray:
    """Sums after one more byte of zeros."""
    return (sums >> np.uint64(8)) ^ _table()[sums & np.uint64(255)]
