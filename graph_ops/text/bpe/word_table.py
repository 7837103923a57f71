"""Segments of a text that are one piece as they stand, found by their bytes with one look-up.

A hash of a segment's bytes names a candidate; its bytes are then compared with the segment's; so an answer
is exact, and any other segment is simply unknown. The hash is two dot products of the bytes, taken in pairs,
with weights, and a displacement of the bucket that the first one names (see `pair_table`). All of it is
int32: LiteRT's float kernels (XNNPACK) may read what memory happens to hold where a size, here the number of
segments, becomes known only while they run (LiteRT 2.3).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.text.bpe import pair_table, piece_texts
from graph_ops.text.bpe.arrays import taken
from graph_ops.text.bpe.piece_texts import WORD, PieceTexts

WORD_BYTES = 16
"""Longest segment that is looked up. 96 % of the pieces in Gemma's texts are no longer."""

_KEYS_IN_A_BUCKET = 4
_WEIGHT_BITS = 11  # 8 pairs below 2**16 with weights below 2**11: sums stay below 2**30
_WORDS = WORD_BYTES // WORD


class WordTable(NamedTuple):
    """Candidates by hash.

    Attributes:
        displacements: int32 [buckets].
        candidates: int32 [slots]; a piece's id.
    """

    displacements: np.ndarray
    candidates: np.ndarray


def build(words: Sequence[bytes], ids: np.ndarray) -> WordTable:
    """The table of distinct words, at most `WORD_BYTES` long, and their ids int [n]."""
    pairs = np.array(words, f"S{WORD_BYTES}").view("<i2").reshape(-1, 2 * _WORDS).astype(np.int64)
    pairs[:, ::2] %= 2**16  # of each word the low half without a sign, as `_hashes` takes it
    first, second = (np.concatenate([pairs[:, ::2], pairs[:, 1::2]], axis=1) @ _weights().astype(np.int64)).T
    buckets = pair_table.next_prime(len(words) // _KEYS_IN_A_BUCKET + 1)
    displacements, slot, slots = pair_table.displace(first % buckets, second, buckets)
    candidates = np.full(slots, ids[0])
    candidates[slot] = ids
    return WordTable(displacements, candidates.astype(np.int32))


def look_up(
    table: WordTable, pieces: PieceTexts, words: tf.Tensor, starts: tf.Tensor, lengths: tf.Tensor
) -> tf.Tensor:
    """Id of each segment that the table holds, -1 for others: int32 [S].

    Args:
        table: arrays or tensors.
        pieces: the bytes of all pieces, with padding for a longest word.
        words: int32 [N + `WORD_BYTES`]; a text's `packed` bytes.
        starts: int32 [S]; where segments begin in the text.
        lengths: int32 [S]; their bytes.
    """
    buckets, slots = (int(part.shape[0]) for part in table)
    place = np.arange(_WORDS, dtype=np.int32)
    row = tf.minimum(lengths, WORD_BYTES)
    moduli, is_whole = (taken(mask, row) for mask in _masks())
    text = taken(words, tf.expand_dims(starts, 1) + WORD * place)
    text = tf.where(is_whole, text, tf.math.floormod(text, moduli))
    first, second = _hashes(text)
    moved = second + taken(table.displacements, tf.math.floormod(first, buckets))
    ids = taken(table.candidates, tf.math.floormod(moved, slots))
    piece = taken(pieces.words, tf.expand_dims(piece_texts.starts_of(pieces, ids), 1) + place)
    piece = tf.where(is_whole, piece, tf.math.floormod(piece, moduli))
    differs = tf.reduce_any(tf.not_equal(text, piece), axis=1)
    return tf.where(tf.equal(piece_texts.lengths_of(pieces, ids), lengths) & ~differs, ids, -1)


def _hashes(words: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Two int32 [S] of words int32 [S, 4]."""
    high = tf.bitwise.right_shift(words, 16)
    halves = tf.concat([words - high * 2**16, high], axis=1)
    first, second = (tf.reduce_sum(halves * weights, axis=1) for weights in _weights().T)
    return first, second


def _masks() -> tuple[np.ndarray, np.ndarray]:
    """By a segment's bytes and the word: 2**8 to the number of its bytes there, int32 [17, 4]; whether these
    are all four, bool [17, 4].
    """
    bytes_there = np.arange(WORD_BYTES + 1)[:, np.newaxis] - WORD * np.arange(_WORDS)
    return (2 ** (8 * bytes_there.clip(0, WORD - 1))).astype(np.int32), bytes_there >= WORD


def _weights() -> np.ndarray:
    """int32 [8, 2]."""
    return np.random.default_rng(7).integers(1, 2**_WEIGHT_BITS, (2 * _WORDS, 2)).astype(np.int32)
