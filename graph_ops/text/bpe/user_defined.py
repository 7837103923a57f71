"""User-defined symbols in a text: found first, from left to right, the longest at each place, and never
merged.

At build time they become a trie over characters. In the graph all places of a text walk it at once, one
character a step; a match at place i leads to the first match at or after its end, and the matches that count
are those on the path from the first one, found by
doubling: who can be reached in up to 1, 2, 4, 8 … jumps.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.text.bpe import pair_table
from graph_ops.text.bpe.arrays import places, taken
from graph_ops.text.bpe.pair_table import PairTable


class Trie(NamedTuple):
    """User-defined symbols, character by character; node 0 is the root.

    Attributes:
        roots: int32 [C]; node of a piece's first character, by character number; 0 for a character that
            begins none.
        ids: int32 [nodes]; id of the piece that ends in a node, or -1.
        children: (node, character number) to node.
    """

    roots: np.ndarray
    ids: np.ndarray
    children: PairTable


class Symbols(NamedTuple):
    """Characters [K] with user-defined symbols put in their place.

    Attributes:
        ids: int32 [K]; of the character or of the user-defined symbol that begins there, -1 for none.
        is_kept: bool [K]; False for a character inside a user-defined symbol.
    """

    ids: tf.Tensor
    is_kept: tf.Tensor


def build(pieces: Mapping[str, int], numbers: Mapping[str, int]) -> Trie:
    """The trie of pieces with their ids, over characters with their numbers, 1 … C - 1."""
    nodes: dict[tuple[int, int], int] = {}
    ids = {0: -1}
    for piece, index in pieces.items():
        node = 0
        for character in piece:
            node = nodes.setdefault((node, numbers[character]), len(nodes) + 1)
            ids.setdefault(node, -1)
        ids[node] = index
    roots = np.zeros(max(numbers.values(), default=0) + 1, np.int32)
    edges = np.array([(*edge, node) for edge, node in nodes.items()], np.int64).reshape(-1, 3)
    from_root = edges[:, 0] == 0
    roots[edges[from_root, 1]] = edges[from_root, 2]
    return Trie(
        roots,
        np.array([ids[node] for node in range(len(ids))], np.int32),
        pair_table.build(*edges[~from_root].T),
    )


def put_in(characters: tf.Tensor, ids: tf.Tensor, trie: Trie) -> Symbols:
    """Finds the user-defined symbols of a text and puts them in.

    Args:
        characters: int32 [K]; character numbers, 0 for those in no piece. The last is 0.
        ids: int32 [K]; id of each character's own piece, -1 for none.
        trie: arrays or tensors.
    """
    begins, found, lengths = _longest_matches(characters, trie)
    is_match = found >= 0

    def with_matches() -> tuple[tf.Tensor, tf.Tensor]:
        chosen = places(is_match)
        return _replaced(ids, *(taken(part, chosen) for part in (begins, found, lengths)))

    return Symbols(*tf.cond(tf.reduce_any(is_match), with_matches, lambda: (ids, tf.ones_like(ids, tf.bool))))


def _longest_matches(characters: tf.Tensor, trie: Trie) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Places where a piece may begin, id of the longest that does (-1: none) and its characters: int32 [P]
    each, P at least 1.
    """
    nodes, last = taken(trie.roots, characters), tf.size(characters) - 1
    begins = places((nodes > 0) | tf.equal(tf.range(last + 1), last))  # no empty tensors: the last too
    nodes = taken(nodes, begins)

    def step(
        nodes: tf.Tensor, depth: tf.Tensor, found: tf.Tensor, lengths: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        following = taken(characters, tf.minimum(begins + depth, last))  # the last is in no piece
        is_child, children = pair_table.look_up(trie.children, nodes, following)
        ids = taken(trie.ids, tf.where(is_child, children, 0))
        is_longer = ids >= 0
        return children, depth + 1, tf.where(is_longer, ids, found), tf.where(is_longer, depth + 1, lengths)

    _, _, found, lengths = tf.while_loop(
        lambda nodes, *_: tf.reduce_min(nodes) < pair_table.NONE,
        step,
        (nodes, tf.constant(1), taken(trie.ids, nodes), tf.ones_like(nodes)),
    )
    return begins, found, lengths


def _replaced(
    ids: tf.Tensor, begins: tf.Tensor, found: tf.Tensor, lengths: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """`Symbols` of characters' ids [K] and matches [M], M at least 1."""
    count = tf.size(ids)
    earlier_matches = tf.cumsum(_at(begins, tf.ones_like(begins), count + 1), exclusive=True)
    chosen = places(_reached_from_first(taken(earlier_matches, begins + lengths)))
    begins, found, lengths = (taken(part, chosen) for part in (begins, found, lengths))
    # interior of a match of three at i:   0 +1 0 -1   at i, i + 1, i + 2, i + 3
    one = tf.ones_like(begins)
    interior = tf.cumsum(_at(begins + 1, one, count + 1) - _at(begins + lengths, one, count + 1))
    put = _at(begins, found + 1, count)
    return tf.where(put > 0, put - 1, ids), tf.equal(tf.slice(interior, [0], [count]), 0)


def _at(where: tf.Tensor, values: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """int32 [count]; sums of the values at their places."""
    return tf.math.unsorted_segment_sum(values, where, count)


def _reached_from_first(jumps: tf.Tensor) -> tf.Tensor:
    """Bool [M]: the matches on the path 0, jumps[0], jumps[jumps[0]] … of int32 [M], which ends in M."""
    end = tf.size(jumps)
    is_reached = tf.cast(tf.equal(tf.range(end + 1), 0), tf.int32)

    def double(span: tf.Tensor, is_reached: tf.Tensor, jumps: tf.Tensor) -> tuple[tf.Tensor, ...]:
        ahead = tf.math.unsorted_segment_max(is_reached, jumps, end + 1)
        return span * 2, tf.maximum(is_reached, ahead), taken(jumps, jumps)

    state = (tf.constant(1), is_reached, tf.concat([jumps, tf.reshape(end, [1])], axis=0))
    _, is_reached, _ = tf.while_loop(lambda span, *_: span <= end, double, state)
    return tf.slice(is_reached, [0], [end]) > 0
