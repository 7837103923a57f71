"""Segments of a text that are one piece as they stand, found by their bytes with one look-up.

A hash of a segment's bytes names a candidate; its bytes are then compared with the segment's; so an answer
is exact, and any other segment is simply unknown. The hash is two dot products of the bytes with weights, and
a displacement of the bucket that the first one names (see `pair_table`). All of it is int32: LiteRT's float
kernels (XNNPACK) may read what memory happens to hold where a size, here the number of segments, becomes
known only while they run (LiteRT 2.3).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.text.bpe import pair_table

WORD_BYTES = 16
"""Longest segment that is looked up. 96 % of the pieces in Gemma's texts are no longer."""

_KEYS_IN_A_BUCKET = 4
_WEIGHT_BITS = 11  # 16 bytes below 2**8 with weights below 2**11: sums stay below 2**23


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
    codes = np.array(words, f"S{WORD_BYTES}").view(np.uint8).reshape(-1, WORD_BYTES)
    first, second = (codes.astype(np.int64) @ _weights().astype(np.int64)).T
    buckets = pair_table.next_prime(len(words) // _KEYS_IN_A_BUCKET + 1)
    displacements, slot, slots = pair_table.displace(first % buckets, second, buckets)
    candidates = np.full(slots, ids[0])
    candidates[slot] = ids
    return WordTable(displacements, candidates.astype(np.int32))


def look_up(
    table: WordTable,
    piece_bytes: tf.Tensor,
    piece_starts: tf.Tensor,
    codes: tf.Tensor,
    starts: tf.Tensor,
    lengths: tf.Tensor,
) -> tf.Tensor:
    """Id of each segment that the table holds, -1 for others: int32 [S].

    Args:
        table: arrays or tensors.
        piece_bytes: uint8; the bytes of all pieces, and `WORD_BYTES` more.
        piece_starts: int32; where each piece's begin.
        codes: int32 [N + `WORD_BYTES`]; a text's bytes.
        starts: int32 [S]; where segments begin in `codes`.
        lengths: int32 [S]; their bytes.
    """
    buckets, slots = (int(part.shape[0]) for part in table)
    place = np.arange(WORD_BYTES, dtype=np.int32)
    is_inside = tf.gather(np.tri(WORD_BYTES + 1, WORD_BYTES, -1, np.int32), tf.minimum(lengths, WORD_BYTES))
    text = tf.gather(codes, starts[:, tf.newaxis] + place) * is_inside
    first, second = (tf.reduce_sum(text * weights, axis=1) for weights in _weights().T)
    moved = second + tf.gather(table.displacements, tf.math.floormod(first, buckets))
    ids = tf.gather(table.candidates, tf.math.floormod(moved, slots))
    piece_start, piece_end = tf.gather(piece_starts, ids), tf.gather(piece_starts, ids + 1)
    piece = tf.cast(tf.gather(piece_bytes, piece_start[:, tf.newaxis] + place), tf.int32) * is_inside
    differs = tf.reduce_any(tf.not_equal(text, piece), axis=1)
    return tf.where(tf.equal(piece_end - piece_start, lengths) & ~differs, ids, -1)


def _weights() -> np.ndarray:
    """int32 [WORD_BYTES, 2]."""
    return np.random.default_rng(7).integers(1, 2**_WEIGHT_BITS, (WORD_BYTES, 2)).astype(np.int32)
