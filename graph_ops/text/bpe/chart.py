"""Byte-pair merging of long segments in a number of steps that does not depend on their length.

draft
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.text.bpe import pair_table
from graph_ops.text.bpe.pair_table import NONE, PairTable

LONGEST = 16
_SPLIT = 32


class _Spans(NamedTuple):
    """Spans by length and start, one row of K for each length from 1 on, int32 [rows × K] each.

    Attributes:
        ids: 32 × id + symbols of the left part (0 for a symbol); 0 where there is no span.
        ends: 1 + the worst rank of the merges that make the span; 0 for a symbol.
        left_bounds: a merge with the right part is in time if its rank is lower.
        right_bounds: the same for the left part.
    """

    ids: tf.Tensor
    ends: tf.Tensor
    left_bounds: tf.Tensor
    right_bounds: tf.Tensor


class _Chart(NamedTuple):
    length: tf.Tensor
    longest: tf.Tensor
    spans: _Spans
    ending: tf.Tensor
    beginning: tf.Tensor
    standing: tf.Tensor
    lefts: tf.Tensor
    rights: tf.Tensor


def merge(symbols: tf.Tensor, segments: tf.Tensor, ranks: tf.Tensor, table: PairTable) -> tuple[tf.Tensor, tf.Tensor]:
    size = tf.size(symbols)
    is_inner = tf.equal(segments, tf.concat([[-1], segments[:-1]], axis=0))
    inner = tf.cast(is_inner, tf.int32)
    ranks_before = tf.concat([[NONE], ranks[:-1]], axis=0)  # of the pair around a place
    chart = _first(symbols, inner, ranks)
    invariants = _Chart(
        tf.TensorShape([]), tf.TensorShape([]), _Spans(*[tf.TensorShape([None])] * 4), *[tf.TensorShape([None])] * 5
    )
    del ranks_before
    chart = tf.while_loop(
        lambda chart: (chart.length <= LONGEST) & (chart.length <= 2 * chart.longest),
        lambda chart: (_with_spans(chart, inner, size, table),),
        (chart,),
        shape_invariants=(invariants,),
    )[0]
    chart = tf.while_loop(
        lambda chart: chart.length <= 2 * chart.longest,
        lambda chart: (_without_spans(chart, size),),
        (chart,),
        shape_invariants=(invariants,),
    )[0]
    return _tokens(chart, is_inner, size)


def _first(symbols, inner, ranks) -> _Chart:
    size = tf.size(symbols)
    zeros = tf.zeros_like(symbols)
    is_pair = ranks < NONE
    pair = tf.cast(is_pair, tf.int32)
    ids = tf.where(is_pair, ranks * _SPLIT + 1, 0)
    spans = _Spans(
        tf.concat([symbols * _SPLIT, ids], axis=0),
        tf.concat([zeros, (ranks + 1) * pair], axis=0),
        tf.concat([zeros, ranks * pair], axis=0),
        tf.concat([zeros, (ranks + 1) * pair], axis=0),
    )
    places = tf.cast(tf.where(inner > 0)[:, 0], tf.int32)
    return _Chart(
        tf.constant(3),
        tf.constant(2),
        spans,
        inner * 2 + tf.concat([[0, 0], pair], axis=0)[:size] * 4,
        inner * (2 ** (LONGEST - 1) + pair * 2 ** (LONGEST - 2)),
        inner * 2,
        places - 1,
        tf.where(tf.gather(pair, places - 1) > 0, -1, places),
    )


def _candidates(chart: _Chart):
    """Places and symbols before them, of two spans with `length` symbols together."""
    beyond = tf.maximum(chart.length - LONGEST, 0)
    beginning = tf.bitwise.right_shift(chart.beginning, tf.maximum(LONGEST - chart.length, 0))
    ending = tf.bitwise.right_shift(chart.ending, beyond)
    both = tf.bitwise.right_shift(beginning + ending - tf.bitwise.bitwise_xor(beginning, ending), 1)
    some = tf.cast(tf.where(both > 0)[:, 0], tf.int32)
    bits = tf.range(tf.maximum(1 - beyond, 0), tf.minimum(LONGEST, chart.length - 1 - beyond) + 1)
    is_set = tf.math.floormod(tf.bitwise.right_shift(tf.gather(both, some)[:, tf.newaxis], bits), 2) > 0
    found = tf.cast(tf.where(is_set), tf.int32)
    return tf.gather(some, found[:, 0]), tf.gather(bits, found[:, 1]) + beyond


_POWERS = [2**bit for bit in range(LONGEST + 1)]


class _Pairs(NamedTuple):
    places: tf.Tensor
    before: tf.Tensor
    lefts: tf.Tensor
    rights: tf.Tensor


def _standing(chart: _Chart, size: tf.Tensor) -> _Pairs:
    places, before = _candidates(chart)
    after = chart.length - before
    lefts = (before - 1) * size + places - before
    rights = (after - 1) * size + places
    is_left_later = tf.gather(chart.spans.ends, lefts) > tf.gather(chart.spans.ends, rights)
    later = tf.where(is_left_later, lefts, rights)
    split = tf.math.floormod(tf.gather(chart.spans.ids, later), _SPLIT)
    bounds = tf.where(
        is_left_later, tf.gather(chart.spans.left_bounds, later), tf.gather(chart.spans.right_bounds, later)
    )
    inner_before = tf.where(is_left_later, before - split, before)
    inner_length = inner_before + tf.where(is_left_later, after, split)
    stood = tf.gather(chart.standing, (inner_length - 2) * size + places)
    stood = tf.math.floormod(tf.bitwise.right_shift(stood, inner_before), 2) > 0
    rows = tf.minimum(inner_length, LONGEST)
    crossing = tf.gather(chart.spans.ids, (rows - 1) * size + places - inner_before)
    crossed = (crossing > 0) & (crossing < bounds * _SPLIT) & (inner_length <= LONGEST)
    kept = tf.cast(tf.where(stood & ~crossed)[:, 0], tf.int32)
    return _Pairs(*(tf.gather(part, kept) for part in (places, before, lefts, rights)))


def _with_spans(chart: _Chart, inner, size, table) -> _Chart:
    pairs = _standing(chart, size)
    spans = chart.spans
    left, right = (tf.bitwise.right_shift(tf.gather(spans.ids, part), 5) for part in (pairs.lefts, pairs.rights))
    _, merged = pair_table.look_up(table, left, right)
    is_span = merged < NONE
    left_end, right_end = tf.gather(spans.ends, pairs.lefts), tf.gather(spans.ends, pairs.rights)
    made = tf.cast(is_span, tf.int32)
    starts = pairs.places - pairs.before
    new = (
        merged * _SPLIT + pairs.before,
        tf.maximum(merged + 1, tf.maximum(left_end, right_end)),
        tf.maximum(merged, tf.where(left_end > right_end, left_end - 1, -1)),
        tf.maximum(merged + 1, tf.where(right_end >= left_end, right_end, 0)),
    )
    rows = [tf.math.unsorted_segment_sum(part * made, starts, size) for part in new]
    is_there = tf.cast(rows[0] > 0, tf.int32)
    longest = tf.where(tf.reduce_max(is_there) > 0, chart.length, chart.longest)
    ahead = tf.concat([tf.zeros([chart.length], tf.int32), is_there], axis=0)[:size]
    return _Chart(
        chart.length + 1,
        longest,
        _Spans(*(tf.concat([table, row], axis=0) for table, row in zip(spans, rows, strict=True))),
        chart.ending + ahead * tf.gather(_POWERS, chart.length),
        chart.beginning + is_there * inner * tf.gather(_POWERS, LONGEST - chart.length),
        tf.concat([chart.standing, _row(pairs, size)], axis=0),
        tf.concat([chart.lefts, pairs.lefts], axis=0),
        tf.concat([chart.rights, tf.where(is_span, -1, pairs.rights)], axis=0),
    )


def _without_spans(chart: _Chart, size) -> _Chart:
    pairs = _standing(chart, size)
    return chart._replace(
        length=chart.length + 1,
        standing=tf.concat([chart.standing, _row(pairs, size)], axis=0),
        lefts=tf.concat([chart.lefts, pairs.lefts], axis=0),
        rights=tf.concat([chart.rights, pairs.rights], axis=0),
    )


def _row(pairs: _Pairs, size) -> tf.Tensor:
    return tf.math.unsorted_segment_sum(tf.gather(_POWERS, pairs.before), pairs.places, size)


def _tokens(chart: _Chart, is_inner: tf.Tensor, size: tf.Tensor):
    is_span = tf.cast(chart.spans.ids > 0, tf.int32)
    numbers = tf.cumsum(is_span, exclusive=True)
    places = tf.cast(tf.where(is_span > 0)[:, 0], tf.int32)
    starts = tf.math.floormod(places, size)
    ends = starts + places // size + 1
    is_outer = tf.concat([~is_inner, [True]], axis=0)
    is_edge = tf.cast(chart.rights >= 0, tf.int32)
    lefts, rights = tf.gather(numbers, chart.lefts), tf.gather(numbers, tf.maximum(chart.rights, 0))
    nodes, chosen = _paths(lefts, rights, is_edge, tf.gather(is_outer, starts), tf.gather(is_outer, ends), size)
    chosen = tf.gather(nodes, tf.where(chosen)[:, 0])
    ids = tf.gather(chart.spans.ids, tf.gather(places, chosen))
    return tf.bitwise.right_shift(ids, 5), tf.gather(starts, chosen)


LOCAL = 3


def _paths(lefts, rights, is_edge, is_first, is_final, size):
    """Bool [V]: nodes on the one path of each segment."""
    count = tf.size(is_first)
    first, final = tf.cast(is_first, tf.int32), tf.cast(is_final, tf.int32)
    for _ in range(LOCAL):
        after = tf.math.unsorted_segment_sum(is_edge, lefts, count) + final
        before = tf.math.unsorted_segment_sum(is_edge, rights, count) + first
        alive = tf.cast((after > 0) & (before > 0), tf.int32)
        is_edge = is_edge * tf.gather(alive, lefts) * tf.gather(alive, rights)
    nodes = tf.cast(tf.where(alive > 0)[:, 0], tf.int32)
    numbers = tf.cumsum(alive, exclusive=True)
    edges = tf.cast(tf.where(is_edge > 0)[:, 0], tf.int32)
    lefts, rights = (tf.gather(numbers, tf.gather(part, edges)) for part in (lefts, rights))
    first, final = tf.gather(first, nodes), tf.gather(final, nodes)
    is_edge = tf.ones_like(edges)

    def is_open(is_edge):
        single = _is_single(lefts, rights, is_edge, first, final)
        return tf.reduce_max(is_edge * (1 - tf.gather(single, lefts) * tf.gather(single, rights))) > 0

    def prune(is_edge):
        is_edge = is_edge * _leads_on(lefts, rights, is_edge, final, size)
        return (is_edge * _leads_on(rights, lefts, is_edge, first, size),)

    (is_edge,) = tf.while_loop(is_open, prune, (is_edge,))
    return nodes, _is_single(lefts, rights, is_edge, first, final) > 0


def _is_single(lefts, rights, is_edge, first, final):
    """1 for nodes with one way in and one way out."""
    count = tf.size(first)
    after = tf.math.unsorted_segment_sum(is_edge, lefts, count) + final
    before = tf.math.unsorted_segment_sum(is_edge, rights, count) + first
    return tf.cast(tf.equal(after, 1) & tf.equal(before, 1), tf.int32)


def _leads_on(lefts, rights, is_edge, final, size):
    """0 for edges whose right end has no way to a final node but forced dead ends."""
    count = tf.size(final)
    after = tf.math.unsorted_segment_sum(is_edge, lefts, count)
    target = tf.math.unsorted_segment_sum(is_edge * rights, lefts, count)
    jump = tf.where(tf.equal(after, 1), target, tf.range(count))
    _, jump = tf.while_loop(lambda span, _: span < size, lambda span, jump: (span * 2, tf.gather(jump, jump)), (1, jump))
    leads = tf.cast(tf.gather(after + final, jump) > 0, tf.int32)
    return tf.gather(leads, rights)
