"""What each piece stands for in a text, as whole words of four bytes, which are compared and moved faster.

A piece begins at a word of its own, and zeros fill its last one: `" the"` is the word 0x65687420 alone, and
`" them"` is that and 0x0000006D.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.text.bpe.arrays import taken

WORD = 4
"""Bytes of a word."""


class PieceTexts(NamedTuple):
    """The bytes of pieces 0 … V - 1, and of an empty one.

    Attributes:
        words: int32; little-endian, of one piece after the other, and `padding` more.
        starts: int32 [V + 1]; where each piece's begin.
        lengths: uint8 or int32 [V + 1]; bytes of each piece.
    """

    words: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray


def build(texts: Sequence[bytes], *, padding: int) -> PieceTexts:
    """The table of texts."""
    sizes = np.array([*map(len, texts), 0])
    counts = -(-sizes // WORD)
    filled = b"".join(text.ljust(count * WORD, b"\0") for text, count in zip(texts, counts, strict=False))
    return PieceTexts(
        np.frombuffer(filled + bytes(padding * WORD), "<i4").astype(np.int32),
        (np.cumsum(counts) - counts).astype(np.int32),
        sizes.astype(np.uint8 if sizes.max() < 2**8 else np.int32),
    )


def lengths_of(texts: PieceTexts, ids: tf.Tensor) -> tf.Tensor:
    """Bytes of pieces int32 [n]: int32 [n]."""
    return tf.cast(taken(texts.lengths, ids), tf.int32)


def byte_at(texts: PieceTexts, place: tf.Tensor) -> tf.Tensor:
    """The byte, int32 [n], at a place int32 [n] in the table: `starts` × 4 of a piece, and on."""
    word = tf.bitwise.right_shift(place, 2)
    bits = (place - word * WORD) * 8
    return tf.math.floormod(tf.bitwise.right_shift(taken(texts.words, word), bits), 256)


def packed(codes: tf.Tensor) -> tf.Tensor:
    """The word of the four bytes from each element on, int32 [N - 3], of bytes int32 [N], 0 … 255."""
    size = tf.size(codes) - (WORD - 1)
    first, second, third, last = (tf.slice(codes, [place], [size]) for place in range(WORD))
    sign = 2**8 * tf.cast(last >= 2**7, tf.int32)  # so that no product leaves int32
    return first + 2**8 * second + 2**16 * third + 2**24 * (last - sign)
