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
2, 3, … 2 L symbols follow from those with fewer, at all places of all segments at once: `Chart`. At most L
spans begin and end at a place, so that what is done for it is bounded by L.

**4. The one path** through all spans that part is found by `paths`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.text.bpe import pair_table
from graph_ops.text.bpe.arrays import later, places, taken
from graph_ops.text.bpe.neighbours import LENGTH_BITS, Chart, Pairs, Spans, neighbours
from graph_ops.text.bpe.pair_table import NONE, PairTable
from graph_ops.text.bpe.paths import Graph, spans_on_paths

LONGEST_PIECE = 28
"""Most symbols of a piece: lengths are bits of an int32 here."""


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


def _pairs_of_symbols(symbols: tf.Tensor, is_inner: tf.Tensor, ranks: tf.Tensor, longest: int) -> Chart:
    """The chart of single symbols and of two: any two symbols of a segment are neighbours."""
    size, inner = tf.size(symbols), tf.cast(is_inner, tf.int32)
    index, single, is_pair = tf.range(size), tf.zeros_like(symbols), tf.cast(ranks < NONE, tf.int32)
    first = places(is_pair > 0)
    rank = taken(ranks, first)
    pairs = Spans(first, first + 2, rank * 2**LENGTH_BITS + 1, rank + 1, rank, rank + 1)
    spans = Spans(index, index + 1, symbols * 2**LENGTH_BITS, single, single, single)
    parting = places(is_inner & (later(is_pair, by=1, fill=1) < 1))
    is_ended = later(is_pair, by=2, fill=0)
    return Chart(
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


def _joined(first: Spans, second: Spans) -> Spans:
    return Spans(*(tf.concat(pair, axis=0) for pair in zip(first, second, strict=True)))


def _numbered(starts: tf.Tensor, first: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """A row of `numbers`, int32 [K]: spans that begin at `starts`, counted from the number `first`."""
    above = tf.range(1, tf.size(starts) + 1) + first
    return tf.math.unsorted_segment_sum(above, starts, size) - 1


def _filled(chart: Chart, table: PairTable, longest: int) -> Chart:
    """The chart of all lengths."""
    flat, scalar = tf.TensorShape([None]), tf.TensorShape([])
    invariants = Chart(scalar, Spans(*[flat] * 6), *[flat] * 8)

    def looped(chart: Chart, most: int, step: Callable[[Chart], Chart]) -> Chart:
        def goes_on(chart: Chart) -> tf.Tensor:
            return chart.length <= tf.minimum(most, tf.reduce_max(chart.before + chart.after))

        return tf.while_loop(goes_on, lambda chart: (step(chart),), (chart,), (invariants,))[0]

    chart = looped(chart, longest, lambda chart: _with_merges(chart, table, longest))
    return looped(chart, 2 * longest, lambda chart: _without_merges(chart, longest))


def _with_merges(chart: Chart, table: PairTable, longest: int) -> Chart:
    """The chart with the neighbours of one more length, and with the spans that they make."""
    pairs, size = neighbours(chart, longest=longest), tf.size(chart.ending)
    ids = (taken(chart.spans.ids, part) for part in (pairs.lefts, pairs.rights))
    _, merged = pair_table.look_up(table, *(tf.bitwise.right_shift(part, LENGTH_BITS) for part in ids))
    made = places(merged < NONE)
    new = _made(chart, Pairs(*(taken(part, made) for part in pairs)), taken(merged, made))
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


def _without_merges(chart: Chart, longest: int) -> Chart:
    """The chart with the neighbours of one more length, which is longer than any piece."""
    pairs = neighbours(chart, longest=longest)
    parting = tf.range(tf.size(pairs.places))
    return chart._replace(length=chart.length + 1, **_noted(chart, pairs, parting, longest))


def _noted(chart: Chart, pairs: Pairs, parting: tf.Tensor, longest: int) -> dict[str, tf.Tensor]:
    """The neighbours of one more length, of which those at the places `parting` part."""
    bits = taken(_powers(longest), pairs.before)
    row = tf.math.unsorted_segment_sum(bits, pairs.places, tf.size(chart.ending))
    return {
        "neighbours": tf.concat([chart.neighbours, row], axis=0),
        "lefts": tf.concat([chart.lefts, taken(pairs.lefts, parting)], axis=0),
        "rights": tf.concat([chart.rights, taken(pairs.rights, parting)], axis=0),
    }


def _made(chart: Chart, pairs: Pairs, merged: tf.Tensor) -> Spans:
    """The spans that neighbours make, of which `merged` [n] are the ids."""
    left, right = (taken(chart.spans.worst, part) for part in (pairs.lefts, pairs.rights))
    starts = pairs.places - pairs.before
    return Spans(
        starts=starts,
        ends=starts + chart.length,
        ids=merged * 2**LENGTH_BITS + pairs.before,
        worst=tf.maximum(merged + 1, tf.maximum(left, right)),
        left_bounds=tf.maximum(merged, tf.where(left > right, left - 1, 0)),
        right_bounds=tf.maximum(merged + 1, tf.where(right >= left, right, 0)),
    )


def _powers(longest: int) -> np.ndarray:
    return 2 ** np.arange(longest + 1, dtype=np.int32)


def _tokens(chart: Chart, is_bound: tf.Tensor, size: tf.Tensor) -> Merged:
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
    symbols = tf.bitwise.right_shift(taken(spans.ids, chosen), LENGTH_BITS)
    return Merged(symbols, taken(spans.starts, chosen), chart.length - 1, prunings)
