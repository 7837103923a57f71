"""Byte-pair merging of all segments of a text at once, in rounds.

Terms:

* A **symbol** is a character's piece, a merged piece, a user-defined symbol or -1 (no piece).
* The **rank** of two neighbours is the id of the piece that they merge into; the lower the better, `NONE` if
  they do not.
* A **cut** is a place between two characters that stand side by side in no piece: no merge ever reaches
  across it. A **segment** is what lies between two cuts; segments do not interact.

SentencePiece merges the best pair of a text, the leftmost among equals, again and again. Here each segment
merges its own best pair in every round, which gives the same end since segments do not interact. If the
merged piece is **calm** (no merge that it is a part of has a better rank than its own), then after the merge
the best pair of the segment is still one of the same rank, if there is another: all of them are merged in the
same round, from left to right without overlap.

```
a a a a a    ranks of neighbours: 7 7 7 7 (NONE)    aa is calm: the first, third, … of equal ranks merge
aa  aa  a    ranks: 4 9 (NONE)
```
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.text.bpe import pair_table
from graph_ops.text.bpe.pair_table import NONE, PairTable


class _State(NamedTuple):
    """Symbols of the segments that are not finished, int32 [L] each, in the order of the text.

    Attributes:
        symbols: their ids.
        places: index of each one's first character.
        segments: number of its segment.
        ranks: with the symbol after it.
    """

    symbols: tf.Tensor
    places: tf.Tensor
    segments: tf.Tensor
    ranks: tf.Tensor


def merge(
    symbols: tf.Tensor, places: tf.Tensor, table: PairTable, is_calm: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """What is left when nothing merges any more.

    Args:
        symbols: int32 [K], K at least 1; ids, -1 where there is none.
        places: int32 [K]; index of each one's first character.
        table: (left id, right id) to the merged piece's id, with pairs of characters that stand side by side.
        is_calm: bool [V].

    Returns:
        symbols and places, int32 [T] each, not in the order of the text.
    """
    is_joined, ranks = pair_table.look_up(table, symbols, _next(symbols))
    segments = tf.cumsum(1 - tf.cast(is_joined, tf.int32), exclusive=True)
    num_segments = tf.reduce_max(segments) + 1
    state = _State(symbols, places, segments, ranks)

    def round_(state: _State, symbols: tf.Tensor, places: tf.Tensor) -> tuple[_State, tf.Tensor, tf.Tensor]:
        best = tf.gather(
            tf.math.unsorted_segment_min(state.ranks, state.segments, num_segments), state.segments
        )
        finished = tf.where(tf.equal(best, NONE))[:, 0]
        symbols = tf.concat([symbols, tf.gather(state.symbols, finished)], axis=0)
        places = tf.concat([places, tf.gather(state.places, finished)], axis=0)
        return _merged(state, best, num_segments, table, is_calm), symbols, places

    invariants = (_State(*[tf.TensorShape([None])] * 4), *[tf.TensorShape([None])] * 2)
    state, symbols, places = tf.while_loop(
        lambda state, *_: tf.reduce_min(state.ranks) < NONE,
        round_,
        (state, symbols[:0], places[:0]),
        shape_invariants=invariants,
    )
    return tf.concat([symbols, state.symbols], axis=0), tf.concat([places, state.places], axis=0)


def _merged(
    state: _State, best: tf.Tensor, num_segments: tf.Tensor, table: PairTable, is_calm: tf.Tensor
) -> _State:
    """One round of the segments that have a `best` rank."""
    merges = _pairs_to_merge(state, best, num_segments, is_calm)
    is_kept = (best < NONE) & ~tf.concat([[False], merges[:-1]], axis=0)
    kept = tf.where(is_kept)[:, 0]
    symbols = tf.gather(tf.where(merges, state.ranks, state.symbols), kept)
    segments = tf.gather(state.segments, kept)
    _, ranks = pair_table.look_up(table, symbols, _next(symbols))
    ranks = tf.where(
        tf.equal(segments, _next(segments)), ranks, NONE
    )  # between two segments there may have been others
    return _State(symbols, tf.gather(state.places, kept), segments, ranks)


def _pairs_to_merge(state: _State, best: tf.Tensor, num_segments: tf.Tensor, is_calm: tf.Tensor) -> tf.Tensor:
    """Bool [L]: whether a symbol merges with the next in this round."""
    index = tf.range(tf.size(best))
    is_best = tf.equal(state.ranks, best) & (best < NONE)
    first = tf.math.unsorted_segment_min(
        tf.where(is_best, index, tf.size(best)), state.segments, num_segments
    )
    # ranks are best:      . + + + . +      index - how many before: the same along a run, and larger for the
    # next run
    run = index - tf.cumsum(tf.cast(is_best, tf.int32), exclusive=True)
    run_start = tf.math.unsorted_segment_min(tf.where(is_best, index, tf.size(best)), run, tf.size(best))
    is_even = tf.equal(tf.math.floormod(index - tf.gather(run_start, run), 2), 0)
    is_calm = tf.gather(
        is_calm, tf.minimum(best, is_calm.shape[0] - 1)
    )  # `NONE` is beyond the ids, and best nowhere
    is_first = tf.equal(index, tf.gather(first, state.segments))
    return is_best & (is_first | (is_calm & is_even))


def _next(values: tf.Tensor) -> tf.Tensor:
    """The value after each, -1 after the last."""
    return tf.concat([values[1:], [-1]], axis=0)
