"""Byte-pair merging of segments of any length, in a number of steps that does not depend on the length.

Terms, for the symbols of a segment, and L for the longest piece:

* **Tokens** T(s) of symbols s: what is left when the best pair, the leftmost among equals, has been merged
  until none merges. A pair's rank is the id of the piece that its symbols spell together.
* A **span** is a stretch of symbols that merging makes one token when it stands alone: T(s) is one symbol.
* Two spans side by side are **neighbours** if merging them as one stretch makes both whole before it reaches
  over the place between them. They **part** if they do not merge then either: T(u t) is u, t.

```
▁ t h e h e    symbols        ▁the, the, he, th and each symbol are spans
▁the | he      part           t | he are neighbours that do not part: they become `the`
```

**1. A place that no token of T(s) lies across divides the work.** No merge ever reached across it, so the
merges on either side were the best, leftmost of their side each time, in the order that the side alone has:
T(s) is T(left) and T(right). This holds whatever the ranks are.

**2. Tokens are those of which each two in succession part.** That they do follows from 1. For the converse,
let each two of t1 … tn part, and suppose that merging t1 … tn reaches over one of the places between them,
first over the one after ti. Until then, what is done inside ti ti+1 is what merging ti ti+1 does, and the
merge across is the best of all pairs, hence of theirs; so T(ti ti+1) is not ti, ti+1.

So T(s) is the **one path** through spans that part from the beginning of s to its end; between any two spans
there is no more than one path, since it spells their text's tokens.

**3. Neighbours follow from shorter neighbours.** Until a merge reaches over the place between spans u and t,
each is merged as it is alone, and the next merge is that of u or of t with the lower rank, u's if equal. So u
is whole after t exactly if worst(u) > worst(t), where *worst* is the highest rank of a span's merges (lower
than any rank for a symbol). Say it is, and u's last merge was z + x. Then u and t are neighbours exactly if

* x and t are neighbours, and
* x t is no piece, or its rank is not lower than left_bound(u): the highest rank of the merges of u that come
  after x is whole, the last one's, or worst(z) if that is greater than worst(x). For while x and t stand side
  by side all merges of u with ranks up to x t's go first, and of those with higher ranks none does; the one
  with rank left_bound(u) is still to come when t is whole, as it is higher than worst(t).

If t is whole last, as y + z, then likewise with u and y, except that the pair u y goes first on equal ranks:
its rank must not be lower than *or equal to* right_bound(t).

Neighbours that merge are a span, with that merge as its last; any others part. So all spans and neighbours of
2, 3, … 2 L symbols follow from those with fewer, at all places of all segments at once: `_Chart`. At most L
spans begin and end at a place, so that what is done for it is bounded by L.

**4. The one path** through all spans that part is found by `paths`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.text.bpe import pair_table
from graph_ops.text.bpe.arrays import columns, later, places, taken
from graph_ops.text.bpe.pair_table import NONE, PairTable
from graph_ops.text.bpe.paths import Graph, spans_on_paths

LONGEST_PIECE = 28
"""Most symbols of a piece: lengths are bits of an int32 here."""

_LENGTH_BITS = 5


class Merged(NamedTuple):
    """Tokens of all segments, int32 [T] each, in any order, and the steps that they took, int32 [].

    Attributes:
        symbols: their ids.
        starts: index of each one's first symbol.
        lengths: how many lengths of neighbours were looked at, at most 2 × the longest piece.
        prunings: see `paths.spans_on_paths`.
    """

    symbols: tf.Tensor
    starts: tf.Tensor
    lengths: tf.Tensor
    prunings: tf.Tensor


class _Spans(NamedTuple):
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


class _Chart(NamedTuple):
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
    spans: _Spans
    numbers: tf.Tensor
    ending: tf.Tensor
    beginning: tf.Tensor
    before: tf.Tensor
    after: tf.Tensor
    neighbours: tf.Tensor
    lefts: tf.Tensor
    rights: tf.Tensor


class _Pairs(NamedTuple):
    """Neighbours, int32 [n] each: the place between them, symbols before it, and both spans' numbers."""

    places: tf.Tensor
    before: tf.Tensor
    lefts: tf.Tensor
    rights: tf.Tensor


def merge(
    symbols: tf.Tensor, segments: tf.Tensor, ranks: tf.Tensor, table: PairTable, *, longest_piece: int
) -> Merged:
    """The tokens of segments.

    Args:
        symbols: int32 [K], at least two of them in one segment; ids of normal pieces.
        segments: int32 [K]; the same number for the symbols of a segment, and another for the next.
        ranks: int32 [K]; of each symbol with the next, `NONE` if they do not merge.
        table: (left id, right id) to the merged piece's id.
        longest_piece: most symbols of a piece, at most `LONGEST_PIECE`.
    """
    is_start = tf.not_equal(segments, later(segments, by=1, fill=-1))
    chart = _filled(_pairs_of_symbols(symbols, ~is_start, ranks, longest_piece), table, longest_piece)
    is_bound = tf.cast(tf.concat([is_start, [True]], axis=0), tf.int32)
    return _tokens(chart, is_bound, tf.size(symbols))


def _pairs_of_symbols(symbols: tf.Tensor, is_inner: tf.Tensor, ranks: tf.Tensor, longest: int) -> _Chart:
    """The chart of single symbols and of two: any two symbols of a segment are neighbours."""
    size, inner = tf.size(symbols), tf.cast(is_inner, tf.int32)
    index, single, is_pair = tf.range(size), tf.zeros_like(symbols), tf.cast(ranks < NONE, tf.int32)
    first = places(is_pair > 0)
    rank = taken(ranks, first)
    pairs = _Spans(first, first + 2, rank * 2**_LENGTH_BITS + 1, rank + 1, rank, rank + 1)
    spans = _Spans(index, index + 1, symbols * 2**_LENGTH_BITS, single, single, single)
    parting = places(is_inner & (later(is_pair, by=1, fill=1) < 1))
    is_ended = later(is_pair, by=2, fill=0)
    return _Chart(
        length=tf.constant(3),
        spans=_joined(spans, pairs),
        numbers=tf.concat([index, _numbered(first, size, size)], axis=0),
        ending=2 + 4 * is_ended,
        beginning=inner * (2 ** (longest - 1) + is_pair * 2 ** (longest - 2)),
        before=1 + is_ended,
        after=inner * (1 + is_pair),
        neighbours=2 * inner,
        lefts=parting - 1,
        rights=parting,
    )


def _joined(first: _Spans, second: _Spans) -> _Spans:
    return _Spans(*(tf.concat(pair, axis=0) for pair in zip(first, second, strict=True)))


def _numbered(starts: tf.Tensor, first: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """A row of `numbers`, int32 [K]: spans that begin at `starts`, counted from the number `first`."""
    above = tf.range(1, tf.size(starts) + 1) + first
    return tf.math.unsorted_segment_sum(above, starts, size) - 1


def _filled(chart: _Chart, table: PairTable, longest: int) -> _Chart:
    """The chart of all lengths."""
    flat, scalar = tf.TensorShape([None]), tf.TensorShape([])
    invariants = _Chart(scalar, _Spans(*[flat] * 6), *[flat] * 8)

    def looped(chart: _Chart, most: int, step: Callable[[_Chart], _Chart]) -> _Chart:
        def goes_on(chart: _Chart) -> tf.Tensor:
            return chart.length <= tf.minimum(most, tf.reduce_max(chart.before + chart.after))

        return tf.while_loop(goes_on, lambda chart: (step(chart),), (chart,), (invariants,))[0]

    chart = looped(chart, longest, lambda chart: _with_merges(chart, table, longest))
    return looped(chart, 2 * longest, lambda chart: _without_merges(chart, longest))


def _with_merges(chart: _Chart, table: PairTable, longest: int) -> _Chart:
    """The chart with the neighbours of one more length, and with the spans that they make."""
    pairs, size = _neighbours(chart, longest), tf.size(chart.ending)
    ids = (taken(chart.spans.ids, part) for part in (pairs.lefts, pairs.rights))
    _, merged = pair_table.look_up(table, *(tf.bitwise.right_shift(part, _LENGTH_BITS) for part in ids))
    made = places(merged < NONE)
    new = _made(chart, _Pairs(*(taken(part, made) for part in pairs)), taken(merged, made))
    numbers = _numbered(new.starts, tf.size(chart.spans.ids), size)
    begins = tf.cast((numbers >= 0) & (chart.beginning > 0), tf.int32)
    ends = tf.cast(later(numbers, by=chart.length, fill=-1) >= 0, tf.int32)
    bit_of_end, bit_of_begin = (
        taken(_powers(longest), bit) for bit in (chart.length, longest - chart.length)
    )
    return chart._replace(
        length=chart.length + 1,
        spans=_joined(chart.spans, new),
        numbers=tf.concat([chart.numbers, numbers], axis=0),
        ending=chart.ending + ends * bit_of_end,
        beginning=chart.beginning + begins * bit_of_begin,
        before=tf.maximum(chart.before, ends * chart.length),
        after=tf.maximum(chart.after, begins * chart.length),
        **_noted(chart, pairs, places(tf.equal(merged, NONE)), longest),
    )


def _without_merges(chart: _Chart, longest: int) -> _Chart:
    """The chart with the neighbours of one more length, which is longer than any piece."""
    pairs = _neighbours(chart, longest)
    parting = tf.range(tf.size(pairs.places))
    return chart._replace(length=chart.length + 1, **_noted(chart, pairs, parting, longest))


def _noted(chart: _Chart, pairs: _Pairs, parting: tf.Tensor, longest: int) -> dict[str, tf.Tensor]:
    """The neighbours of one more length, of which those at the places `parting` part."""
    bits = taken(_powers(longest), pairs.before)
    row = tf.math.unsorted_segment_sum(bits, pairs.places, tf.size(chart.ending))
    return {
        "neighbours": tf.concat([chart.neighbours, row], axis=0),
        "lefts": tf.concat([chart.lefts, taken(pairs.lefts, parting)], axis=0),
        "rights": tf.concat([chart.rights, taken(pairs.rights, parting)], axis=0),
    }


def _made(chart: _Chart, pairs: _Pairs, merged: tf.Tensor) -> _Spans:
    """The spans that neighbours make, of which `merged` [n] are the ids."""
    left, right = (taken(chart.spans.worst, part) for part in (pairs.lefts, pairs.rights))
    starts = pairs.places - pairs.before
    return _Spans(
        starts=starts,
        ends=starts + chart.length,
        ids=merged * 2**_LENGTH_BITS + pairs.before,
        worst=tf.maximum(merged + 1, tf.maximum(left, right)),
        left_bounds=tf.maximum(merged, tf.where(left > right, left - 1, 0)),
        right_bounds=tf.maximum(merged + 1, tf.where(right >= left, right, 0)),
    )


def _neighbours(chart: _Chart, longest: int) -> _Pairs:
    """The neighbours with `chart.length` symbols together."""
    spans, size = chart.spans, tf.size(chart.ending)
    middles, before = _two_spans(chart, longest)
    after = chart.length - before
    lefts, rights = (
        taken(chart.numbers, place)
        for place in ((before - 1) * size + middles - before, (after - 1) * size + middles)
    )
    is_left_last = taken(spans.worst, lefts) > taken(spans.worst, rights)
    last = tf.where(is_left_last, lefts, rights)
    part = tf.math.floormod(taken(spans.ids, last), 2**_LENGTH_BITS)
    bounds = tf.where(is_left_last, taken(spans.left_bounds, last), taken(spans.right_bounds, last))
    # x and t, or u and y: the two that stood side by side before
    earlier_before = tf.where(is_left_last, before - part, before)
    earlier = earlier_before + tf.where(is_left_last, after, part)
    bits = taken(chart.neighbours, (earlier - 2) * size + middles)
    were = tf.math.floormod(tf.bitwise.right_shift(bits, earlier_before), 2) > 0
    row = tf.minimum(earlier, longest) - 1
    number = taken(chart.numbers, row * size + middles - earlier_before)
    span = taken(spans.ids, tf.maximum(number, 0))
    merge_first = (earlier <= longest) & (number >= 0) & (span < bounds * 2**_LENGTH_BITS)
    chosen = places(were & ~merge_first)
    return _Pairs(*(taken(column, chosen) for column in (middles, before, lefts, rights)))


def _two_spans(chart: _Chart, longest: int) -> tuple[tf.Tensor, tf.Tensor]:
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


def _powers(longest: int) -> np.ndarray:
    return 2 ** np.arange(longest + 1, dtype=np.int32)


def _tokens(chart: _Chart, is_bound: tf.Tensor, size: tf.Tensor) -> Merged:
    """The spans on each segment's path; `is_bound` int32 [K + 1], 1 where a segment begins or ends."""
    spans = chart.spans
    graph = Graph(
        chart.lefts,
        chart.rights,
        tf.ones_like(chart.lefts),
        taken(is_bound, spans.starts),
        taken(is_bound, spans.ends),
    )
    chosen, prunings = spans_on_paths(graph, longest=size)
    symbols = tf.bitwise.right_shift(taken(spans.ids, chosen), _LENGTH_BITS)
    return Merged(symbols, taken(spans.starts, chosen), chart.length - 1, prunings)
