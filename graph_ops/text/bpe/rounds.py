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
    """Tokens in the order of the text, int32 [T] each, and the effort, int32 [] each.

    Attributes:
        trees: with all their parts.
        roots: number of each token in `trees`.
        starts: index of its first character.
        ranks: with the token after it; `NONE` for all of them if the rounds came to an end.
        rounds: how many there were.
        work: symbols that they dealt with.
    """

    trees: Trees
    roots: tf.Tensor
    starts: tf.Tensor
    ranks: tf.Tensor
    rounds: tf.Tensor
    work: tf.Tensor


def merge(symbols: tf.Tensor, ranks: tf.Tensor, table: PairTable) -> Guess:
    """What is left after rounds.

    Args:
        symbols: int32 [K], K at least 1; ids, -1 where there is none.
        ranks: int32 [K]; of each symbol with the next, `NONE` if they do not merge.
        table: (left id, right id) to the merged piece's id.
    """
    index, none = tf.range(tf.size(symbols)), tf.zeros_like(symbols)
    limit = WORK_PER_SYMBOL * tf.size(symbols) + FREE_WORK
    zero, flat, scalar = tf.constant(0), tf.TensorShape([None]), tf.TensorShape([])

    def goes_on(now: Guess) -> tf.Tensor:
        is_unfinished = tf.reduce_min(now.ranks) < NONE
        return is_unfinished & (now.rounds < MAX_ROUNDS) & (now.work < limit)

    return tf.while_loop(
        goes_on,
        lambda now: (_round(now, table),),
        (Guess(Trees(symbols, none, none, none, none), index, index, ranks, zero, zero),),
        shape_invariants=(Guess(Trees(*[flat] * 5), flat, flat, flat, scalar, scalar),),
    )[0]


def _round(now: Guess, table: PairTable) -> Guess:
    is_merged = _is_merged(now, table)
    pairs = places(is_merged)
    trees = _grown(now.trees, taken(now.roots, pairs), taken(now.roots, pairs + 1), taken(now.ranks, pairs))
    number = tf.cumsum(tf.cast(is_merged, tf.int32), exclusive=True) + tf.size(now.trees.ids)
    kept = places(~later(is_merged, by=1, fill=False))
    roots = taken(tf.where(is_merged, number, now.roots), kept)
    ids = taken(trees.ids, roots)
    _, ranks = pair_table.look_up(table, ids, earlier(ids, by=1, fill=-1))
    work = now.work + tf.size(now.roots)
    return Guess(trees, roots, taken(now.starts, kept), ranks, now.rounds + 1, work)


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


def _is_merged(now: Guess, table: PairTable) -> tf.Tensor:
    """Bool [T]: whether a token merges with the next one; never two side by side."""
    ranks, size, pad = now.ranks, tf.shape(now.ranks), tf.fill([2], NONE)
    padded = tf.concat([pad, ranks, pad], axis=0)
    second_before, before, after, second_after = (tf.slice(padded, [place], size) for place in (0, 1, 3, 4))
    best_before = tf.minimum(second_before, before)
    best = tf.minimum(best_before, tf.minimum(after, second_after))
    is_best = (ranks < NONE) & (ranks <= best)
    is_first = is_best & (ranks < best_before)
    is_again = is_best & tf.equal(ranks, second_before)
    return tf.cond(
        tf.reduce_any(is_again),
        lambda: is_first | _is_merged_again(is_first, is_again, now, table),
        lambda: is_first,
    )


def _is_merged_again(is_first: tf.Tensor, is_again: tf.Tensor, now: Guess, table: PairTable) -> tf.Tensor:
    """Bool [T]: those of `is_again` that follow, two by two, on one that merges."""
    again = places(is_again)
    ranks = taken(now.ranks, again)
    _, with_first = pair_table.look_up(table, ranks, taken(now.trees.ids, taken(now.roots, again)))
    goes_on = tf.math.unsorted_segment_sum(tf.cast(with_first >= ranks, tf.int32), again, tf.size(is_first))
    follows, merges = _halves(goes_on), _halves(tf.cast(is_first, tf.int32))
    begins = places(tf.equal(follows, 0))
    begin = taken(begins, tf.cumsum(1 - follows) - 1)
    is_chained = tf.reshape(tf.transpose(tf.reshape(taken(merges, begin), [2, -1])), [-1])
    return tf.slice(is_chained, [0], tf.shape(is_first)) > 0


def _halves(values: tf.Tensor) -> tf.Tensor:
    """Int32 [N] at even places, then those at odd places; a 0 is added if N is odd."""
    rows = tf.math.floordiv(tf.size(values) + 1, 2)
    padded = tf.slice(tf.pad(values, [[0, 1]]), [0], tf.reshape(2 * rows, [1]))
    return tf.reshape(tf.transpose(tf.reshape(padded, [-1, 2])), [-1])
