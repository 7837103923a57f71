"""Byte-pair merging of all segments of a text at once.

Terms:

* A **symbol** is a character's piece, a merged piece, a user-defined symbol or -1 (no piece).
* The **rank** of two neighbours is the id of the piece that they merge into; the lower the better, `NONE` if
  they do not.
* A **cut** is a place between two characters that stand side by side in no piece: no merge ever reaches
  across it. A **segment** is what lies between two cuts; segments do not interact.

SentencePiece merges the best pair of a text, the leftmost among equals, again and again. Here each segment
merges its own best pair in every round, which gives the same end since segments do not interact, and goes on
in the same round with the next pair of the same rank, as long as SentencePiece would: until a merged piece
and the symbol before or after it have a better rank.

```
a a a a a    ranks of neighbours: 7 7 7 7 (NONE)    the first, third, … of equal ranks merge
aa  aa  a    ranks: 4 9 (NONE)    4 < 7, so that only the first pair may merge in this round:
aa  a a a    ranks: 5 7 7 (NONE)    but 5 < 7 too, and the next round merges aa a
```

A round does something to each symbol of an unfinished segment, and a long segment can need as many rounds as
it has symbols. So rounds end after `MAX_ROUNDS`, or once they have dealt with `WORK_PER_SYMBOL` symbols for
each symbol that there was; what is unfinished then goes on by `chart`, in a number of steps that does not
depend on its length. Together they take time proportional to the symbols, but for the logarithm in `chart`'s
pointer doubling. A vocabulary with pieces too long for a chart has rounds without end.
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.text.bpe import chart, pair_table
from graph_ops.text.bpe.arrays import earlier, later, places, taken
from graph_ops.text.bpe.pair_table import NONE, PairTable

MAX_ROUNDS = 64
"""Segments of everyday texts need no more than one for each of their characters, 55 in the worst language."""

WORK_PER_SYMBOL = 9
FREE_WORK = 4096
"""Symbols that rounds may deal with at any rate: a chart takes longer."""


class Effort(NamedTuple):
    """What merging took, int32 [] each: `rounds` that dealt with `work` symbols in all, and for the rest the
    `lengths` and `prunings` of `chart.Merged`.
    """

    rounds: tf.Tensor
    work: tf.Tensor
    lengths: tf.Tensor
    prunings: tf.Tensor


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


class _Progress(NamedTuple):
    """The unfinished segments, the `symbols` and `places` of the others, and the effort so far."""

    state: _State
    symbols: tf.Tensor
    places: tf.Tensor
    rounds: tf.Tensor
    work: tf.Tensor


def merge(
    symbols: tf.Tensor, places: tf.Tensor, table: PairTable, *, longest_piece: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """What is left when nothing merges any more.

    Args:
        symbols: int32 [K], K at least 1; ids, -1 where there is none.
        places: int32 [K]; index of each one's first character.
        table: (left id, right id) to the merged piece's id, with pairs of characters that stand side by side.
        longest_piece: most characters of a normal piece.

    Returns:
        symbols and places, int32 [T] each, not in the order of the text.
    """
    return merge_with_effort(symbols, places, table, longest_piece=longest_piece)[:2]


def merge_with_effort(
    symbols: tf.Tensor, places: tf.Tensor, table: PairTable, *, longest_piece: int
) -> tuple[tf.Tensor, tf.Tensor, Effort]:
    """The same as `merge`, symbols and places int32 [T], and what it took."""
    is_joined, ranks = pair_table.look_up(table, symbols, earlier(symbols, by=1, fill=-1))
    segments = tf.cumsum(1 - tf.cast(is_joined, tf.int32), exclusive=True)
    is_bounded = longest_piece <= chart.LONGEST_PIECE
    end = _rounds(_State(symbols, places, segments, ranks), table, is_bounded)
    rest = end.state
    merged = chart.Merged(rest.symbols, tf.range(tf.size(rest.symbols)), tf.constant(0), tf.constant(0))
    if is_bounded:
        merged = tf.cond(
            tf.reduce_min(rest.ranks) < NONE,
            lambda: chart.merge(
                rest.symbols, rest.segments, rest.ranks, table, longest_piece=max(longest_piece, 2)
            ),
            lambda: merged,
        )
    all_symbols = tf.concat([end.symbols, merged.symbols], axis=0)
    all_places = tf.concat([end.places, taken(rest.places, merged.starts)], axis=0)
    return all_symbols, all_places, Effort(end.rounds, end.work, merged.lengths, merged.prunings)


def _rounds(state: _State, table: PairTable, is_bounded: bool) -> _Progress:
    """Rounds until all is done, or until it would take too much."""
    num_segments = tf.reduce_max(state.segments) + 1
    limit = WORK_PER_SYMBOL * tf.size(state.symbols) + FREE_WORK

    def goes_on(now: _Progress) -> tf.Tensor:
        is_unfinished = tf.reduce_min(now.state.ranks) < NONE
        return is_unfinished & (now.rounds < MAX_ROUNDS) & (now.work < limit) if is_bounded else is_unfinished

    zero, flat, scalar = tf.constant(0), tf.TensorShape([None]), tf.TensorShape([])
    return tf.while_loop(
        goes_on,
        lambda now: (_round(now, num_segments, table),),
        (_Progress(state, state.symbols[:0], state.places[:0], zero, zero),),
        shape_invariants=(_Progress(_State(*[flat] * 4), flat, flat, scalar, scalar),),
    )[0]


def _round(now: _Progress, num_segments: tf.Tensor, table: PairTable) -> _Progress:
    state = now.state
    best = taken(tf.math.unsorted_segment_min(state.ranks, state.segments, num_segments), state.segments)
    finished = places(tf.equal(best, NONE))
    return _Progress(
        _merged(state, best, num_segments, table),
        tf.concat([now.symbols, taken(state.symbols, finished)], axis=0),
        tf.concat([now.places, taken(state.places, finished)], axis=0),
        now.rounds + 1,
        now.work + tf.size(best),
    )


def _merged(state: _State, best: tf.Tensor, num_segments: tf.Tensor, table: PairTable) -> _State:
    """One round of the segments that have a `best` rank."""
    size = tf.size(best)
    pairs = places(_disjoint_best_pairs(state, best))
    pieces, segments = taken(best, pairs), taken(state.segments, pairs)
    before, after = _new_ranks(state, pairs, pieces, segments, table)
    better = tf.where(tf.minimum(before, after) < pieces, pairs, size)
    last = taken(tf.math.unsorted_segment_min(better, segments, num_segments), segments)
    merges = tf.cast(pairs <= last, tf.int32)
    # by symbol: whether it merges with the next, and the new ranks if it does
    merges, before, after = (
        tf.math.unsorted_segment_sum(part, pairs, size) for part in (merges, before * merges, after * merges)
    )
    is_merged = merges > 0
    ranks = tf.where(
        is_merged,
        tf.where(earlier(is_merged, by=2, fill=False), earlier(before, by=2, fill=0), after),
        tf.where(earlier(is_merged, by=1, fill=False), earlier(before, by=1, fill=0), state.ranks),
    )
    symbols = tf.where(is_merged, state.ranks, state.symbols)
    kept = places((best < NONE) & ~later(is_merged, by=1, fill=False))
    return _State(*(taken(part, kept) for part in (symbols, state.places, state.segments, ranks)))


def _disjoint_best_pairs(state: _State, best: tf.Tensor) -> tf.Tensor:
    """Bool [L]: whether a symbol and the next have the best rank, the first, third, … of a run of such."""
    index, size = tf.range(tf.size(best)), tf.size(best)
    is_best = tf.equal(state.ranks, best) & (best < NONE)
    # ranks are best:      . + + + . +      index - how many before: the same along a run, and larger for the
    # next run
    run = index - tf.cumsum(tf.cast(is_best, tf.int32), exclusive=True)
    run_start = tf.math.unsorted_segment_min(tf.where(is_best, index, size), run, size)
    return is_best & tf.equal(tf.math.floormod(index - taken(run_start, run), 2), 0)


def _new_ranks(
    state: _State, pairs: tf.Tensor, pieces: tf.Tensor, segments: tf.Tensor, table: PairTable
) -> tuple[tf.Tensor, tf.Tensor]:
    """Ranks of the piece that each pair becomes with the symbol before it and with the one after it, at the
    moment when all pairs before it have been merged and none after it.
    """
    pad = tf.constant([-1, -1])
    symbols, inside = (tf.concat([pad, part, pad], axis=0) for part in (state.symbols, state.segments))
    is_just_merged = tf.equal(later(pairs, by=1, fill=-2), pairs - 2)
    before = tf.where(is_just_merged, pieces, taken(symbols, pairs + 1))
    after = taken(symbols, pairs + 4)
    _, ranks = pair_table.look_up(
        table, tf.concat([before, pieces], axis=0), tf.concat([pieces, after], axis=0)
    )
    around = taken(inside, tf.concat([pairs + 1, pairs + 4], axis=0))
    ranks = tf.where(tf.equal(around, tf.concat([segments, segments], axis=0)), ranks, NONE)
    count = tf.shape(pairs)
    return tf.slice(ranks, [0], count), tf.slice(ranks, count, count)
