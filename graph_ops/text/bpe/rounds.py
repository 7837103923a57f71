"""Merging wherever it looks right, in few rounds over all segments of a text.

SentencePiece merges the best pair of a text, the leftmost among equals, again and again. A pair is merged at
once here if its rank is better than those of the two pairs on either side, or as good as that of one on its
right:

```
ranks of pairs   9 5 7 8 3 6 4 5      5 and 3 merge; 4 has 3 beside it, and waits
```

That is what merging one pair after another comes to unless what merges beyond those two pairs sends for a
symbol of this one: `f u n c t i o n` could give `fun` and `ction` instead of `function`. It happens about
once in 10,000 characters of words without spaces. So the tokens found are a guess, which `parting` checks,
and a guess is all that they need to be.

Equal ranks at a distance of two are the same two symbols again, `a b a b a b`: if the first merges, so do the
others, as long as `ab a` has no better rank than `ab`.
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.text.bpe import pair_table
from graph_ops.text.bpe.arrays import earlier, later, places, taken
from graph_ops.text.bpe.pair_table import NONE, PairTable

MAX_ROUNDS = 32
"""Everyday texts take 4 to 8, and words without spaces 11 or 12."""

WORK_PER_SYMBOL = 8
"""Symbols that all rounds together deal with, for each symbol that there was: 5 for words without spaces."""

_BOUND = NONE + 1
"""Rank of the last symbol of a segment with the next one."""

FREE_WORK = 4096
"""Symbols that rounds may deal with at any rate."""


class Trees(NamedTuple):
    """Symbols of all rounds, int32 [V] each: first the K characters, then what is merged of two before it.

    Attributes:
        ids: their ids.
        lefts: number of the left part; 0 for a character.
        rights: number of the right part; 0 for a character.
        worst: 1 + the highest rank of the merges in it; 0 for a character.
        left_bounds: see `chart`; 0 for a character.
    """

    ids: tf.Tensor
    lefts: tf.Tensor
    rights: tf.Tensor
    worst: tf.Tensor
    left_bounds: tf.Tensor


class Guess(NamedTuple):
    """Tokens, those of a segment side by side and in order, int32 [T] each, and the effort, int32 [] each.

    Attributes:
        trees: with all their parts.
        roots: number of each token in `trees`.
        starts: index of its first character.
        segments: number of its segment.
        ranks: with the token after it; none below `NONE` if the rounds came to an end.
        rounds: how many there were.
        work: symbols that they dealt with.
    """

    trees: Trees
    roots: tf.Tensor
    starts: tf.Tensor
    segments: tf.Tensor
    ranks: tf.Tensor
    rounds: tf.Tensor
    work: tf.Tensor


class _Row(NamedTuple):
    """Symbols side by side, int32 [L] each; see `Guess`."""

    roots: tf.Tensor
    starts: tf.Tensor
    segments: tf.Tensor
    ranks: tf.Tensor


class _State(NamedTuple):
    """The trees, the segments in which something merges, the finished ones, and the effort so far."""

    trees: Trees
    row: _Row
    finished: _Row
    rounds: tf.Tensor
    work: tf.Tensor


def merge(symbols: tf.Tensor, segments: tf.Tensor, ranks: tf.Tensor, table: PairTable) -> Guess:
    """What is left after rounds.

    Args:
        symbols: int32 [K], K at least 1; ids, -1 where there is none.
        segments: int32 [K], rising from 0; the same number for the symbols of a segment.
        ranks: int32 [K]; of each symbol with the next, `NONE` if they do not merge.
        table: (left id, right id) to the merged piece's id.
    """
    index, none = tf.range(tf.size(symbols)), tf.zeros_like(symbols)
    limit, num_segments = WORK_PER_SYMBOL * tf.size(symbols) + FREE_WORK, segments[-1] + 1
    zero, flat, scalar = tf.constant(0), tf.TensorShape([None]), tf.TensorShape([])
    row, trees = (
        _Row(index, index, segments, _within(segments, ranks)),
        Trees(symbols, none, none, none, none),
    )

    def goes_on(now: _State) -> tf.Tensor:
        is_unfinished = tf.reduce_min(now.row.ranks) < NONE
        return is_unfinished & (now.rounds < MAX_ROUNDS) & (now.work < limit)

    end = tf.while_loop(
        goes_on,
        lambda now: (_round(now, num_segments, table),),
        (_State(trees, row, _Row(*(part[:0] for part in row)), zero, zero),),
        shape_invariants=(_State(Trees(*[flat] * 5), _Row(*[flat] * 4), _Row(*[flat] * 4), scalar, scalar),),
    )[0]
    return Guess(end.trees, *_joined(end.finished, end.row), end.rounds, end.work)


def _round(now: _State, num_segments: tf.Tensor, table: PairTable) -> _State:
    merges = tf.math.unsorted_segment_min(now.row.ranks, now.row.segments, num_segments)
    is_finished = taken(merges, now.row.segments) >= NONE
    finished = _chosen(now.row, places(is_finished))
    trees, row = _merged(now.trees, _chosen(now.row, places(~is_finished)), table)
    work = now.work + tf.size(is_finished)
    return _State(trees, row, _joined(now.finished, finished), now.rounds + 1, work)


def _chosen(row: _Row, where: tf.Tensor) -> _Row:
    return _Row(*(taken(part, where) for part in row))


def _joined(first: _Row, second: _Row) -> _Row:
    return _Row(*(tf.concat(pair, axis=0) for pair in zip(first, second, strict=True)))


def _merged(trees: Trees, row: _Row, table: PairTable) -> tuple[Trees, _Row]:
    is_merged = _is_merged(row.ranks, taken(trees.ids, row.roots), table)
    pairs = places(is_merged)
    grown = _grown(trees, taken(row.roots, pairs), taken(row.roots, pairs + 1), taken(row.ranks, pairs))
    number = tf.cumsum(tf.cast(is_merged, tf.int32), exclusive=True) + tf.size(trees.ids)
    roots = tf.where(is_merged, number, row.roots)
    kept = places(~later(is_merged, by=1, fill=False))
    roots, starts, segments = (taken(part, kept) for part in (roots, row.starts, row.segments))
    ids = taken(grown.ids, roots)
    _, ranks = pair_table.look_up(table, ids, earlier(ids, by=1, fill=-1))
    return grown, _Row(roots, starts, segments, _within(segments, ranks))


def _within(segments: tf.Tensor, ranks: tf.Tensor) -> tf.Tensor:
    return tf.where(tf.equal(segments, earlier(segments, by=1, fill=-1)), ranks, _BOUND)


def _grown(trees: Trees, lefts: tf.Tensor, rights: tf.Tensor, merged: tf.Tensor) -> Trees:
    """The trees, and after them what is `merged` of a left and a right part."""
    left, right = taken(trees.worst, lefts), taken(trees.worst, rights)
    new = Trees(
        merged,
        lefts,
        rights,
        worst=tf.maximum(merged + 1, tf.maximum(left, right)),
        left_bounds=tf.maximum(merged, tf.where(left > right, left - 1, 0)),
    )
    return Trees(*(tf.concat(pair, axis=0) for pair in zip(trees, new, strict=True)))


def _is_merged(ranks: tf.Tensor, ids: tf.Tensor, table: PairTable) -> tf.Tensor:
    """Bool [L]: whether a symbol merges with the next one; never two side by side."""
    size, pad = tf.shape(ranks), tf.fill([2], _BOUND)
    padded = tf.concat([pad, ranks, pad], axis=0)
    second_before, before, after, second_after = (tf.slice(padded, [place], size) for place in (0, 1, 3, 4))
    # what lies in another segment counts for nothing
    best_before = tf.where(before < _BOUND, tf.minimum(second_before, before), _BOUND)
    best_after = tf.where(after < _BOUND, tf.minimum(second_after, after), _BOUND)
    best = tf.minimum(best_before, best_after)
    is_best = (ranks < NONE) & (ranks <= best)
    is_first = is_best & (ranks < best_before)
    is_again = is_best & tf.equal(ranks, second_before) & (before < _BOUND)
    return tf.cond(
        tf.reduce_any(is_again),
        lambda: is_first | _is_merged_again(is_first, is_again, ranks, ids, table),
        lambda: is_first,
    )


def _is_merged_again(
    is_first: tf.Tensor, is_again: tf.Tensor, ranks: tf.Tensor, ids: tf.Tensor, table: PairTable
) -> tf.Tensor:
    """Bool [L]: those of `is_again` that follow, two by two, on one that merges."""
    again = places(is_again)
    merged = taken(ranks, again)
    _, with_first = pair_table.look_up(table, merged, taken(ids, again))
    is_not_better = tf.cast(with_first >= merged, tf.int32)
    follows = _halves(tf.math.unsorted_segment_sum(is_not_better, again, tf.size(is_first)))
    merges, begins = _halves(tf.cast(is_first, tf.int32)), places(tf.equal(follows, 0))
    begin = taken(begins, tf.cumsum(1 - follows) - 1)
    is_chained = tf.reshape(tf.transpose(tf.reshape(taken(merges, begin), [2, -1])), [-1])
    return tf.slice(is_chained, [0], tf.shape(is_first)) > 0


def _halves(values: tf.Tensor) -> tf.Tensor:
    """Int32 [N] at even places, then those at odd places; a 0 is added if N is odd."""
    rows = tf.math.floordiv(tf.size(values) + 1, 2)
    padded = tf.slice(tf.pad(values, [[0, 1]]), [0], tf.reshape(2 * rows, [1]))
    return tf.reshape(tf.transpose(tf.reshape(padded, [-1, 2])), [-1])
