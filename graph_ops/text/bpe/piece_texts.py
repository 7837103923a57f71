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
_BLOCK_BITS = 4  # binary logarithm of the pieces in a block


class PieceTexts(NamedTuple):
    """The bytes of pieces 0 … V - 1, and of an empty one.

    Attributes:
        words: int32; little-endian, of one piece after the other, and `padding` more.
        blocks: int32 [ceil((V + 1) / 16)]; where the words of pieces 0, 16, 32 … begin.
        offsets: uint8 or int32 [V + 1]; how much further each piece's begin.
        lengths: uint8 or int32 [V + 1]; bytes of each piece.
    """

    words: np.ndarray
    blocks: np.ndarray
    offsets: np.ndarray
    lengths: np.ndarray


def build(texts: Sequence[bytes], *, padding: int) -> PieceTexts:
    """The table of texts."""
    sizes = np.array([*map(len, texts), 0])
    counts = -(-sizes // WORD)
    filled = b"".join(text.ljust(count * WORD, b"\0") for text, count in zip(texts, counts, strict=False))
    starts = np.cumsum(counts) - counts
    blocks = starts[:: 2**_BLOCK_BITS]
    return PieceTexts(
        np.frombuffer(filled + bytes(padding * WORD), "<i4").astype(np.int32),
        blocks.astype(np.int32),
        _small(starts - np.repeat(blocks, 2**_BLOCK_BITS)[: len(starts)]),
        _small(sizes),
    )


def _small(numbers: np.ndarray) -> np.ndarray:
    return numbers.astype(np.uint8 if numbers.max() < 2**8 else np.int32)


def starts_of(texts: PieceTexts, ids: tf.Tensor) -> tf.Tensor:
    """Where the words of pieces int32 [n] begin: int32 [n]."""
    blocks = taken(texts.blocks, tf.bitwise.right_shift(ids, _BLOCK_BITS))
    return blocks + tf.cast(taken(texts.offsets, ids), tf.int32)


def lengths_of(texts: PieceTexts, ids: tf.Tensor) -> tf.Tensor:
    """Bytes of pieces int32 [n]: int32 [n]."""
    return tf.cast(taken(texts.lengths, ids), tf.int32)


def byte_at(texts: PieceTexts, place: tf.Tensor) -> tf.Tensor:
    """The byte, int32 [n], at a place int32 [n] in the table: `starts_of` a piece × 4, and on."""
    word = tf.bitwise.right_shift(place, 2)
    bits = (place - word * WORD) * 8
    return tf.math.floormod(tf.bitwise.right_shift(taken(texts.words, word), bits), 256)


def packed(codes: tf.Tensor) -> tf.Tensor:
    """The word of the four bytes from each element on, int32 [N - 3], of bytes int32 [N], 0 … 255."""
    size = tf.size(codes) - (WORD - 1)
    first, second, third, last = (tf.slice(codes, [place], [size]) for place in range(WORD))
    sign = 2**8 * tf.cast(last >= 2**7, tf.int32)  # so that no product leaves int32
    return first + 2**8 * second + 2**16 * third + 2**24 * (last - sign)
