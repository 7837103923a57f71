"""UTF-8 in the graph: code points of a stream of bytes, by SentencePiece's rule for what is not UTF-8.

The stream is int32: bytes, and `SEPARATOR` wherever two bytes must not be read as one character. A byte that
does not begin a whole, shortest-form character up to U+10FFFF outside the surrogates stands for U+FFFD,
alone. Whether a character begins at a byte depends on that byte and the three after it only, and no byte that
begins one can continue another; so all bytes are decoded at once.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.text.bpe.arrays import columns, earlier, later, taken

SEPARATOR = 256
"""The element of a stream that is no byte."""
SEPARATOR_CODE_POINT = 0x110000
REPLACEMENT = 0xFFFD
CODE_POINTS = 0x110001
"""Bound of what `decode` gives."""

_INVALID_LENGTH = 5  # longer than any character, so never whole
_LOWEST = np.array([0, 0, 0x80, 0x800, 0x10000, 0], np.int32)  # by length
_HIGHEST = np.array([0, SEPARATOR_CODE_POINT, 0x7FF, 0xFFFF, 0x10FFFF, 0], np.int32)
_SURROGATES = 0xD800 >> 11


class Characters(NamedTuple):
    """What begins at each element of a stream [N].

    Attributes:
        code_points: int32 [N]; `SEPARATOR_CODE_POINT` for a separator.
        lengths: int32 [N]; 1 … 4 elements.
        is_start: bool [N]; False inside a character, where the other two mean nothing.
        is_valid: bool [N]; False where a byte stands for U+FFFD.
    """

    code_points: tf.Tensor
    lengths: tf.Tensor
    is_start: tf.Tensor
    is_valid: tf.Tensor


def decode(stream: tf.Tensor) -> Characters:
    """The characters of a stream int32 [N] of bytes and separators."""
    lengths, heads, tails, lowest, highest = columns(taken(_table(), stream))
    first, second, third = (earlier(tails, by=ahead, fill=-1) for ahead in (1, 2, 3))
    two = heads * 64 + first
    three = two * 64 + second
    four = three * 64 + third
    points = tf.where(lengths >= 4, four, tf.where(lengths >= 3, three, tf.where(lengths >= 2, two, heads)))
    is_tail = [tf.cast(tail >= 0, tf.int32) for tail in (first, second, third)]
    available = 1 + is_tail[0] * (1 + is_tail[1] * (1 + is_tail[2]))
    is_valid = (lengths <= available) & (points >= lowest) & (points <= highest)
    is_valid &= tf.bitwise.right_shift(points, 11) != _SURROGATES
    lengths = tf.where(is_valid, lengths, 1)
    is_inside = [later(lengths, by=behind, fill=0) > behind for behind in (1, 2, 3)]
    is_start = ~(is_inside[0] | is_inside[1] | is_inside[2])
    return Characters(tf.where(is_valid, points, REPLACEMENT), lengths, is_start, is_valid)


def encoded_byte(code_points: tf.Tensor, lengths: tf.Tensor, *, place: int) -> tf.Tensor:
    """Byte number `place`, int32 [n], of characters int32 [n] of `lengths` bytes in UTF-8; anything in
    0 … 255 past the end.
    """
    after = tf.maximum(lengths - 1 - place, 0)
    bits = code_points // taken(np.array([1, 64, 4096, 262144], np.int32), after)
    if place:
        return 0x80 + tf.math.floormod(bits, 64)
    return tf.minimum(bits + taken(np.array([0, 0, 0xC0, 0xE0, 0xF0], np.int32), lengths), 255)


def encoded_length(code_points: tf.Tensor) -> tf.Tensor:
    """Bytes of code points int32 [n] in UTF-8, int32 [n]."""
    return 1 + sum(tf.cast(code_points >= bound, tf.int32) for bound in (0x80, 0x800, 0x10000))


def _table() -> np.ndarray:
    """int32 [257, 5]; of each byte and the separator: length of the character that it begins, its bits as a
    first and as a later byte (or -1), the lowest and the highest code point of that length.
    """
    byte = np.arange(SEPARATOR + 1)
    is_tail = (byte >= 0x80) & (byte < 0xC0)
    lengths = np.where(
        is_tail | (byte >= 0xF8), _INVALID_LENGTH, 1 + (byte >= 0xC0) + (byte >= 0xE0) + (byte >= 0xF0)
    )
    heads = byte % np.array([0, 256, 32, 16, 8, 256])[lengths].clip(1)
    lengths[SEPARATOR], heads[SEPARATOR] = 1, SEPARATOR_CODE_POINT
    tails = np.where(is_tail, byte - 0x80, -1)
    return np.stack([lengths, heads, tails, _LOWEST[lengths], _HIGHEST[lengths]], axis=1).astype(np.int32)
