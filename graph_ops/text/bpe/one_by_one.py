"""Byte-pair merging as SentencePiece does it: one pair of each segment after another, the best one first.

It takes as many rounds as a segment has merges. It serves short ones, and pieces too long for `chart`.
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.text.bpe import pair_table
from graph_ops.text.bpe.arrays import earlier, later, places, taken
from graph_ops.text.bpe.pair_table import NONE, PairTable


class _State(NamedTuple):
    """Symbols so far, int32 [L] each, in order.

    Attributes:
        ids: their ids.
        starts: index of each one's first symbol.
        segments: number of its segment.
        ranks: with the symbol after it.
    """

    ids: tf.Tensor
    starts: tf.Tensor
    segments: tf.Tensor
    ranks: tf.Tensor


def merge(
    symbols: tf.Tensor, segments: tf.Tensor, ranks: tf.Tensor, table: PairTable
) -> tuple[tf.Tensor, tf.Tensor]:
    """The tokens of segments, index of their first symbol and ids, int32 [T] each.

    Args:
        symbols: int32 [K]; ids.
        segments: int32 [K], rising from 0; the same number for the symbols of a segment.
        ranks: int32 [K]; of each symbol with the next of its segment, `NONE` if they do not merge.
        table: (left id, right id) to the merged piece's id.
    """
    flat, count = tf.TensorShape([None]), tf.reduce_max(segments) + 1
    end = tf.while_loop(
        lambda now: tf.reduce_min(now.ranks) < NONE,
        lambda now: (_round(now, count, table),),
        (_State(symbols, tf.range(tf.size(symbols)), segments, ranks),),
        shape_invariants=(_State(*[flat] * 4),),
    )[0]
    return end.starts, end.ids


def _round(now: _State, count: tf.Tensor, table: PairTable) -> _State:
    """Merges the first of the best pairs of each segment."""
    size = tf.size(now.ids)
    index, best = (
        tf.range(size),
        taken(tf.math.unsorted_segment_min(now.ranks, now.segments, count), now.segments),
    )
    is_best = (now.ranks < NONE) & tf.equal(now.ranks, best)
    first = tf.math.unsorted_segment_min(tf.where(is_best, index, size), now.segments, count)
    is_merged = tf.equal(index, taken(first, now.segments))
    kept = places(~later(is_merged, by=1, fill=False))
    ids, starts, segments = (
        taken(part, kept) for part in (tf.where(is_merged, now.ranks, now.ids), now.starts, now.segments)
    )
    _, ranks = pair_table.look_up(table, ids, earlier(ids, by=1, fill=-1))
    is_inside = tf.equal(segments, earlier(segments, by=1, fill=-1))
    return _State(ids, starts, segments, tf.where(is_inside, ranks, NONE))
