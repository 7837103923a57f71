"""The one path through a graph whose other ways are dead ends."""

import itertools
import math
import random

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_ops.text.bpe.paths import Graph, spans_on_paths
from tests.twins.vocabularies import REPEATABLE


def chosen(edges, first, last, count):
    lefts, rights = (tf.constant([edge[side] for edge in edges], tf.int32, [len(edges)]) for side in (0, 1))
    flags = [tf.constant([int(node in part) for node in range(count)]) for part in (first, last)]
    graph = Graph(lefts, rights, tf.ones_like(lefts), *flags)
    spans, rounds = spans_on_paths(graph, longest=tf.constant(count))
    return sorted(spans.numpy().tolist()), int(rounds)


@st.composite
def graphs(draw):
    """Paths of several segments, with trees of dead ends that leave or enter them."""
    edges, first, last, paths, count = [], set(), set(), [], 0
    for length in draw(st.lists(st.integers(1, 12), min_size=1, max_size=4)):
        path = list(range(count, count + length))
        count += length
        edges += list(itertools.pairwise(path))
        first.add(path[0])
        last.add(path[-1])
        paths += path
        for is_ahead, roots in ((True, path[:-1]), (False, path[1:])):
            tree = list(roots)
            for _ in range(draw(st.integers(0, 25)) if roots else 0):
                root = draw(st.sampled_from(tree))
                edges.append((root, count) if is_ahead else (count, root))
                tree.append(count)
                count += 1
    order = draw(st.permutations(range(count)))
    renamed = [(order[a], order[b]) for a, b in edges]
    names = [{order[node] for node in part} for part in (first, last, paths)]
    return renamed or [(0, 0)], *names, count, not renamed


@settings(REPEATABLE, max_examples=150)
@given(graphs())
def test_dead_ends_of_any_shape_are_left_out(graph):
    edges, first, last, path, count, is_empty = graph
    if is_empty:
        return
    found, rounds = chosen(edges, first, last, count)
    assert found == sorted(path)
    assert rounds <= 1 + math.log2(count)


@pytest.mark.parametrize("length", [1, 7, 1000])
def test_long_dead_ends_beside_a_path_take_one_round(length):
    path, wrong = list(range(length + 1)), [0, *range(length + 1, 2 * length + 1)]
    edges = [*itertools.pairwise(path), *itertools.pairwise(wrong)]
    found, rounds = chosen(edges, {0}, {length}, 2 * length + 1)
    assert found == path
    assert rounds <= 1


def test_nested_dead_ends_take_a_round_for_each_doubling():
    depth, count, edges, leaves = 6, 1, [], [0]
    for _ in range(depth):
        grown = []
        for leaf in leaves:
            for _ in range(2):  # a chain of five to each fork, so that no short end is cut off at once
                chain = [leaf, *range(count, count + 5)]
                edges += list(itertools.pairwise(chain))
                count += 5
                grown.append(chain[-1])
        leaves = grown
    path = [0, *range(count, count + 9)]
    edges += list(itertools.pairwise(path))
    random.Random(0).shuffle(edges)
    found, rounds = chosen(edges, {0}, {path[-1]}, count + 9)
    assert found == sorted(path)
    assert 2 <= rounds <= 1 + math.log2(count)
