"""The one path through each segment's spans: what is left of a graph without its dead ends.

Spans are nodes, and an edge leads from a span to one that begins where it ends and from which it parts (see
`chart`). From the beginning of a segment to its end there is exactly one path, and between any two spans no
more than one. So once each edge leads on to the end of a segment, and comes from the beginning of one, the
edges left are those of the paths.

Dead ends of a few spans go first. Then, in each round, an edge goes if the only way on from its end stops
before the segment does, and likewise from its beginning backwards. The only way on is found by pointer
doubling: who can be reached in 1, 2, 4, 8 … edges.

There are at most 1 + log2 V rounds for V spans. For an edge goes in the first of them, or one round after two
others have gone that leave its end, or as soon as the last of these goes. So an edge that outlasts r rounds
has two beyond it that outlast r - 1, at the ends of different ways, and thus 2^r dead ends beyond it, all
different, since no two ways meet again.
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.text.bpe.arrays import places, taken

_PRUNINGS_OF_SHORT_ENDS = 3


class Graph(NamedTuple):
    """Spans [V] and edges [E] between those that part, int32 each.

    Attributes:
        lefts: span that an edge leaves.
        rights: span that an edge enters.
        is_edge: 0 for an edge that has been removed.
        is_first: 1 for a span that begins a segment.
        is_last: 1 for a span that ends a segment.
    """

    lefts: tf.Tensor
    rights: tf.Tensor
    is_edge: tf.Tensor
    is_first: tf.Tensor
    is_last: tf.Tensor


def spans_on_paths(graph: Graph, *, longest: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Numbers of the spans on paths from the beginning of a segment to its end, and how many rounds it took.

    Args:
        graph: in which each segment has one path.
        longest: int32 []; no path has more spans.

    Returns:
        int32 [T], T at least 1; int32 [], at most 1 + log2 V.
    """
    graph, kept = _without_short_ends(graph)
    graph, rounds = _without_dead_ends(graph, longest)
    return taken(kept, places(_is_on_a_path(graph))), rounds


def _degrees(graph: Graph) -> tuple[tf.Tensor, tf.Tensor]:
    """Edges out of and into each span, int32 [V]; the bounds of a segment count as edges."""
    count = tf.size(graph.is_first)
    after = tf.math.unsorted_segment_sum(graph.is_edge, graph.lefts, count) + graph.is_last
    before = tf.math.unsorted_segment_sum(graph.is_edge, graph.rights, count) + graph.is_first
    return after, before


def _is_on_a_path(graph: Graph) -> tf.Tensor:
    """Bool [V]: whether there is one way into a span and one out of it."""
    after, before = _degrees(graph)
    return tf.equal(after, 1) & tf.equal(before, 1)


def _without_short_ends(graph: Graph) -> tuple[Graph, tf.Tensor]:
    """The graph without dead ends of a few spans, and the numbers of the spans that it still has."""
    for _ in range(_PRUNINGS_OF_SHORT_ENDS):
        after, before = _degrees(graph)
        is_through = tf.cast((after > 0) & (before > 0), tf.int32)
        ends = taken(is_through, graph.lefts) * taken(is_through, graph.rights)
        graph = graph._replace(is_edge=graph.is_edge * ends)
    spans = places(is_through > 0)
    edges = places(graph.is_edge > 0)
    numbers = tf.cumsum(is_through, exclusive=True)
    lefts, rights = (taken(numbers, taken(part, edges)) for part in (graph.lefts, graph.rights))
    is_first, is_last = (taken(part, spans) for part in (graph.is_first, graph.is_last))
    return Graph(lefts, rights, tf.ones_like(edges), is_first, is_last), spans


def _without_dead_ends(graph: Graph, longest: tf.Tensor) -> tuple[Graph, tf.Tensor]:
    """The graph with the edges of the one path only, and the rounds that it took, int32 []."""

    def has_others(graph: Graph, _: tf.Tensor) -> tf.Tensor:
        single = tf.cast(_is_on_a_path(graph), tf.int32)
        between = taken(single, graph.lefts) * taken(single, graph.rights)
        return tf.reduce_max(graph.is_edge * (1 - between)) > 0

    def prune(graph: Graph, rounds: tf.Tensor) -> tuple[Graph, tf.Tensor]:
        graph = _pruned(graph, longest)
        return _reversed(_pruned(_reversed(graph), longest)), rounds + 1

    return tf.while_loop(has_others, prune, (graph, 0))


def _pruned(graph: Graph, longest: tf.Tensor) -> Graph:
    """The graph without the edges after which the only way ends before the segment does."""
    count = tf.size(graph.is_last)
    after = tf.math.unsorted_segment_sum(graph.is_edge, graph.lefts, count)
    target = tf.math.unsorted_segment_sum(graph.is_edge * graph.rights, graph.lefts, count)
    jump = tf.where(tf.equal(after, 1), target, tf.range(count))
    _, stop = tf.while_loop(
        lambda span, _: span < longest, lambda span, jump: (span * 2, taken(jump, jump)), (1, jump)
    )
    leads_on = tf.cast(taken(after + graph.is_last, stop) > 0, tf.int32)
    return graph._replace(is_edge=graph.is_edge * taken(leads_on, graph.rights))


def _reversed(graph: Graph) -> Graph:
    return Graph(graph.rights, graph.lefts, graph.is_edge, graph.is_last, graph.is_first)
