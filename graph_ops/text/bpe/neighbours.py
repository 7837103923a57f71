"""What a chart knows of a text's spans and neighbours, and who the neighbours of one more length are.

For the terms and the proof see `chart`.
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.text.bpe.arrays import columns, places, taken

LENGTH_BITS = 5
"""Bits of a length below a piece's id in `Spans.ids`."""


class Spans(NamedTuple):
    """Spans in the order in which they are found, first the K symbols, int32 [V] each.

    Attributes:
        starts: index of the first symbol.
        ends: index after the last symbol.
        ids: 32 × id + length of the left part (0 for a symbol).
        worst: 1 + the highest rank of its merges; 0 for a symbol.
        left_bounds: a merge with its right part is in time if the rank is lower.
        right_bounds: a merge with its left part is in time if the rank is lower.
    """

    starts: tf.Tensor
    ends: tf.Tensor
    ids: tf.Tensor
    worst: tf.Tensor
    left_bounds: tf.Tensor
    right_bounds: tf.Tensor


class Chart(NamedTuple):
    """All that is known of stretches of fewer than `length` symbols.

    Attributes:
        length: int32 []; the next one.
        spans: those so far.
        numbers: int32 [rows × K], a row for 1, 2, … symbols; number of the span of so many symbols that
            begins at a place, -1 if there is none.
        ending: int32 [K]; bit i: a span of i symbols ends before a place.
        beginning: int32 [K]; bit L - j: a span of j symbols begins at a place inside a segment.
        before: int32 [K]; symbols of the longest span that ends before a place.
        after: int32 [K]; symbols of the longest span that begins at a place inside a segment.
        neighbours: int32 [rows × K], a row for 2, 3, … symbols together; bit i: those before a place have i.
        lefts: int32 [N]; number of the left one of all neighbours that part, in `spans`.
        rights: int32 [N]; of the right one.
    """

    length: tf.Tensor
    spans: Spans
    numbers: tf.Tensor
    ending: tf.Tensor
    beginning: tf.Tensor
    before: tf.Tensor
    after: tf.Tensor
    neighbours: tf.Tensor
    lefts: tf.Tensor
    rights: tf.Tensor


class Pairs(NamedTuple):
    """Neighbours, int32 [n] each: the place between them, symbols before it, and both spans' numbers."""

    places: tf.Tensor
    before: tf.Tensor
    lefts: tf.Tensor
    rights: tf.Tensor


def neighbours(chart: Chart, *, longest: int) -> Pairs:
    """The neighbours with `chart.length` symbols together, int32 [n] each, as `Pairs`.

    Args:
        chart: of all stretches that are shorter.
        longest: most symbols of a piece.
    """
    spans, size = chart.spans, tf.size(chart.ending)
    middles, before = _two_spans(chart, longest)
    after = chart.length - before
    lefts, rights = (
        taken(chart.numbers, place)
        for place in ((before - 1) * size + middles - before, (after - 1) * size + middles)
    )
    is_left_last = taken(spans.worst, lefts) > taken(spans.worst, rights)
    last = tf.where(is_left_last, lefts, rights)
    part = tf.math.floormod(taken(spans.ids, last), 2**LENGTH_BITS)
    bounds = tf.where(is_left_last, taken(spans.left_bounds, last), taken(spans.right_bounds, last))
    # x and t, or u and y: the two that stood side by side before
    earlier_before = tf.where(is_left_last, before - part, before)
    earlier = earlier_before + tf.where(is_left_last, after, part)
    bits = taken(chart.neighbours, (earlier - 2) * size + middles)
    were = tf.math.floormod(tf.bitwise.right_shift(bits, earlier_before), 2) > 0
    row = tf.minimum(earlier, longest) - 1
    number = taken(chart.numbers, row * size + middles - earlier_before)
    span = taken(spans.ids, tf.maximum(number, 0))
    merge_first = (earlier <= longest) & (number >= 0) & (span < bounds * 2**LENGTH_BITS)
    chosen = places(were & ~merge_first)
    return Pairs(*(taken(column, chosen) for column in (middles, before, lefts, rights)))


def _two_spans(chart: Chart, longest: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Places [n] where a span ends and another begins, `chart.length` symbols together, and those before.

    With i symbols before and j after, i + j the length, bit i of `ending` and bit L - j of `beginning` are
    set; L - j is i + L - length, so that the two sets of bits need only be moved by L - length.
    """
    beyond = tf.maximum(chart.length - longest, 0)
    beginning = tf.bitwise.right_shift(chart.beginning, tf.maximum(longest - chart.length, 0))
    ending = tf.bitwise.right_shift(chart.ending, beyond)
    # what both have, without an AND, which LiteRT lacks: a + b = (a ^ b) + 2 (a & b)
    both = tf.bitwise.right_shift(beginning + ending - tf.bitwise.bitwise_xor(beginning, ending), 1)
    middles = places(both > 0)
    bits = tf.range(tf.maximum(1 - beyond, 0), tf.minimum(longest, chart.length - 1) - beyond + 1)
    is_set = tf.math.floormod(tf.bitwise.right_shift(taken(both, middles)[:, tf.newaxis], bits), 2) > 0
    found = tf.cast(tf.where(is_set), tf.int32)
    row, column = columns(found)
    return taken(middles, row), taken(bits, column) + beyond
