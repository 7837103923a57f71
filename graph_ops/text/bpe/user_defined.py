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
    places, found, lengths = _longest_matches(characters, trie)
    is_match = found >= 0

    def with_matches() -> tuple[tf.Tensor, tf.Tensor]:
        chosen = tf.where(is_match)[:, 0]
        return _replaced(ids, *(tf.gather(part, chosen) for part in (places, found, lengths)))

    return Symbols(*tf.cond(tf.reduce_any(is_match), with_matches, lambda: (ids, tf.ones_like(ids, tf.bool))))


def _longest_matches(characters: tf.Tensor, trie: Trie) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Places where a piece may begin, id of the longest that does (-1: none) and its characters: int32 [P]
    each, P at least 1.
    """
    nodes = tf.gather(trie.roots, characters)
    may_begin = nodes + tf.scatter_nd(
        tf.shape(characters)[:, tf.newaxis] - 1, [1], tf.shape(characters)
    )  # no empty tensors: the last too
    places = tf.cast(tf.where(may_begin > 0)[:, 0], tf.int32)
    nodes = tf.gather(nodes, places)
    last = tf.size(characters) - 1

    def step(
        nodes: tf.Tensor, depth: tf.Tensor, found: tf.Tensor, lengths: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        following = tf.gather(characters, tf.minimum(places + depth, last))  # the last is in no piece
        is_child, children = pair_table.look_up(trie.children, nodes, following)
        ids = tf.gather(trie.ids, tf.where(is_child, children, 0))
        is_longer = ids >= 0
        return children, depth + 1, tf.where(is_longer, ids, found), tf.where(is_longer, depth + 1, lengths)

    _, _, found, lengths = tf.while_loop(
        lambda nodes, *_: tf.reduce_min(nodes) < pair_table.NONE,
        step,
        (nodes, tf.constant(1), tf.gather(trie.ids, nodes), tf.ones_like(nodes)),
    )
    return places, found, lengths


def _replaced(
    ids: tf.Tensor, places: tf.Tensor, found: tf.Tensor, lengths: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """`Symbols` of characters' ids [K] and matches [M], M at least 1."""
    count = tf.shape(ids)
    begins = tf.cumsum(tf.scatter_nd(places[:, tf.newaxis], tf.ones_like(places), count + 1), exclusive=True)
    is_chosen = _reached_from_first(tf.gather(begins, places + lengths))
    chosen = tf.where(is_chosen > 0)[:, 0]
    places, found, lengths = (tf.gather(part, chosen) for part in (places, found, lengths))
    # interior of a match of three at i:   0 +1 0 -1   at i, i + 1, i + 2, i + 3
    steps = tf.concat([tf.ones_like(places), -tf.ones_like(places)], axis=0)
    interior = tf.cumsum(
        tf.scatter_nd(tf.concat([places + 1, places + lengths], axis=0)[:, tf.newaxis], steps, count + 1)
    )[:-1]
    put = tf.scatter_nd(places[:, tf.newaxis], found + 1, count)
    return tf.where(put > 0, put - 1, ids), tf.equal(interior, 0)


def _reached_from_first(jumps: tf.Tensor) -> tf.Tensor:
    """int32 [M], 1 for matches on the path 0, jumps[0], jumps[jumps[0]] … of int32 [M], whose end is M."""
    end = tf.shape(jumps)
    is_reached = tf.scatter_nd([[0]], [1], end + 1)

    def double(span: tf.Tensor, is_reached: tf.Tensor, jumps: tf.Tensor) -> tuple[tf.Tensor, ...]:
        ahead = tf.scatter_nd(jumps[:, tf.newaxis], is_reached, end + 1)
        return span * 2, tf.minimum(is_reached + ahead, 1), tf.gather(jumps, jumps)

    state = (tf.constant(1), is_reached, tf.concat([jumps, end], axis=0))
    return tf.while_loop(lambda span, *_: span <= end[0], double, state)[1][:-1]
