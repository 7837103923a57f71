"""draft"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.text.bpe import chart, pair_table
from graph_ops.text.bpe.pair_table import NONE, PairTable

MAX_ROUNDS = 32
MAX_WORK = 6
FREE_WORK = 4096


class State(NamedTuple):
    symbols: tf.Tensor
    places: tf.Tensor
    segments: tf.Tensor
    ranks: tf.Tensor


class _Progress(NamedTuple):
    state: State
    symbols: tf.Tensor
    places: tf.Tensor
    rounds: tf.Tensor
    work: tf.Tensor


def merge(symbols: tf.Tensor, places: tf.Tensor, table: PairTable) -> tuple[tf.Tensor, tf.Tensor]:
    is_joined, ranks = pair_table.look_up(table, symbols, _next(symbols))
    segments = tf.cumsum(1 - tf.cast(is_joined, tf.int32), exclusive=True)
    num_segments = tf.reduce_max(segments) + 1
    limit = MAX_WORK * tf.size(symbols) + FREE_WORK
    zero = tf.constant(0)
    start = _Progress(State(symbols, places, segments, ranks), symbols[:0], places[:0], zero, zero)
    flat = tf.TensorShape([None])
    invariants = _Progress(State(*[flat] * 4), flat, flat, *[tf.TensorShape([])] * 2)

    def is_worth_it(now: _Progress) -> tf.Tensor:
        affordable = (now.rounds < MAX_ROUNDS) & (now.work < limit)
        return affordable & (tf.reduce_min(now.state.ranks) < NONE)

    (end,) = tf.while_loop(
        is_worth_it, lambda now: (_round(now, num_segments, table),), (start,), shape_invariants=(invariants,)
    )
    state = end.state

    def by_chart():
        ids, indices = chart.merge(state.symbols, state.segments, state.ranks, table)
        return ids, tf.gather(state.places, indices)

    rest, rest_places = tf.cond(tf.reduce_min(state.ranks) < NONE, by_chart, lambda: (state.symbols, state.places))
    return tf.concat([end.symbols, rest], axis=0), tf.concat([end.places, rest_places], axis=0)


def _round(now: _Progress, num_segments: tf.Tensor, table: PairTable) -> _Progress:
    state = now.state
    best = tf.gather(tf.math.unsorted_segment_min(state.ranks, state.segments, num_segments), state.segments)
    finished = tf.where(tf.equal(best, NONE))[:, 0]
    return _Progress(
        _merged(state, best, num_segments, table),
        tf.concat([now.symbols, tf.gather(state.symbols, finished)], axis=0),
        tf.concat([now.places, tf.gather(state.places, finished)], axis=0),
        now.rounds + 1,
        now.work + tf.size(best),
    )


def _merged(state: State, best: tf.Tensor, num_segments: tf.Tensor, table: PairTable) -> State:
    size = tf.size(best)
    pairs = tf.cast(tf.where(_disjoint_best_pairs(state, best))[:, 0], tf.int32)
    pieces, segments = tf.gather(best, pairs), tf.gather(state.segments, pairs)
    before, after = _new_ranks(state, pairs, pieces, segments, table)
    upset = tf.where(tf.minimum(before, after) < pieces, pairs, size)
    last = tf.gather(tf.math.unsorted_segment_min(upset, segments, num_segments), segments)
    merges = tf.cast(pairs <= last, tf.int32)
    padded = size + 2
    is_merged = tf.math.unsorted_segment_sum(merges, pairs, padded) > 0
    before = tf.math.unsorted_segment_sum(before, pairs, padded)
    after = tf.math.unsorted_segment_sum(after, pairs, size)
    ranks = tf.where(
        is_merged[:-2],
        tf.where(is_merged[2:], before[2:], after),
        tf.where(is_merged[1:-1], before[1:-1], state.ranks),
    )
    symbols = tf.where(is_merged[:-2], state.ranks, state.symbols)
    is_kept = (best < NONE) & ~tf.concat([[False], is_merged[:-3]], axis=0)
    kept = tf.where(is_kept)[:, 0]
    return State(*(tf.gather(part, kept) for part in (symbols, state.places, state.segments, ranks)))


def _disjoint_best_pairs(state: State, best: tf.Tensor) -> tf.Tensor:
    index, size = tf.range(tf.size(best)), tf.size(best)
    is_best = tf.equal(state.ranks, best) & (best < NONE)
    run = index - tf.cumsum(tf.cast(is_best, tf.int32), exclusive=True)
    run_start = tf.math.unsorted_segment_min(tf.where(is_best, index, size), run, size)
    return is_best & tf.equal(tf.math.floormod(index - tf.gather(run_start, run), 2), 0)


def _new_ranks(state, pairs, pieces, segments, table):
    """Ranks of each merged piece with what is before it and after it when it is made, left to right."""
    symbols = tf.concat([[-1, -1], state.symbols, [-1, -1]], axis=0)
    around = tf.concat([[-1, -1], state.segments, [-1, -1]], axis=0)
    # the pair before: is it just merged?
    earlier = tf.concat([[-2], pairs[:-1]], axis=0)
    before = tf.where(tf.equal(earlier, pairs - 2), pieces, tf.gather(symbols, pairs + 1))
    after = tf.gather(symbols, pairs + 4)
    _, ranks = pair_table.look_up(
        table, tf.concat([before, pieces], axis=0), tf.concat([pieces, after], axis=0)
    )
    count = tf.size(pairs)
    is_inside = tf.equal(tf.gather(around, tf.concat([pairs + 1, pairs + 4], axis=0)), tf.concat([segments, segments], axis=0))
    ranks = tf.where(is_inside, ranks, NONE)
    return ranks[:count], ranks[count:]


def _next(values: tf.Tensor) -> tf.Tensor:
    """The value after each, -1 after the last."""
    return tf.concat([values[1:], [-1]], axis=0)
