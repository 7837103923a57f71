"""User-defined symbols in a text: found first, from left to right, the longest at each place, and never
merged.

At build time they become a trie over characters, as a **double array**: a node is a slot, and its child by a
character of class c stands at the node's base + c, if that slot names the node as its parent. Bases are such
that no two children share a slot.

```
symbols ab, ac, b    classes a 1, b 2, c 3
slot      0    1   2   3   4   5    child of 2 by c: slot bases[2] + 3 = 5, and its parent is 2
is        root end a   b   ab  ac   child of 3 by c: slot bases[3] + 3 = 3, but its parent is 0: none
bases     1    0   2   0   0   0
parents  -1   -1   0   0   2   2
```

In the graph all places of a text walk it at once, one character a step; a match at place i leads to the first
match at or after its end, and the matches that count are those on the path from the first one, found by
doubling: who can be reached in up to 1, 2, 4, 8 … jumps.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.text.bpe.arrays import places, taken

_ROOT, _END = 0, 1
"""Slots: where a walk begins, and where it goes when nothing follows; `_END` has no children."""


class Trie(NamedTuple):
    """User-defined symbols, character by character, in S slots and some more, so that base + class is one.

    Attributes:
        classes: int32 [C]; 1, 2, … by character number; 0 for a character in no symbol.
        bases: int32 [S]; where a node's children begin.
        parents: int32 [S]; the node that a slot's node is a child of, or -1.
        ids: int32 [S]; id of the piece that ends in a node, or -1.
    """

    classes: np.ndarray
    bases: np.ndarray
    parents: np.ndarray
    ids: np.ndarray


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
    used = sorted({character for piece in pieces for character in piece})
    of_character = {character: place for place, character in enumerate(used, start=1)}
    classes = np.zeros(max(numbers.values(), default=0) + 1, np.int32)
    for character, place in of_character.items():
        classes[numbers[character]] = place
    children: dict[str, list[int]] = {"": []}
    for piece in pieces:
        for size, character in enumerate(piece):
            if piece[: size + 1] not in children:
                children[piece[: size + 1]] = []
                children[piece[:size]].append(of_character[character])
    slots, bases = _in_slots(children, used)
    size = max(slots.values()) + len(used) + 2
    base, parent, ids = np.zeros(size, np.int32), np.full(size, -1, np.int32), np.full(size, -1, np.int32)
    for prefix, slot in slots.items():
        base[slot], ids[slot] = bases[prefix], pieces.get(prefix, -1)
        parent[slot] = slots[prefix[:-1]] if prefix else -1
    return Trie(classes, base, parent, ids)


def _in_slots(children: Mapping[str, list[int]], used: list[str]) -> tuple[dict[str, int], dict[str, int]]:
    """A slot for each prefix of a piece, and the base of its children: the first that fits."""
    slots, bases, taken_slots, first_free = {"": _ROOT}, {}, {_ROOT, _END}, _END + 1
    for prefix in sorted(children, key=len):
        while first_free in taken_slots:
            first_free += 1
        following = children[prefix]
        base = max(first_free - min(following), 0) if following else 0
        while not taken_slots.isdisjoint(base + each for each in following):
            base += 1
        bases[prefix] = base
        for each in following:
            slots[prefix + used[each - 1]] = base + each
            taken_slots.add(base + each)
    return slots, bases


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
    classes, last = taken(trie.classes, characters), tf.size(characters) - 1
    nodes = _child(tf.zeros_like(classes), classes, trie)
    begins = places(tf.not_equal(nodes, _END) | tf.equal(tf.range(last + 1), last))  # no empty tensors
    nodes = taken(nodes, begins)

    def step(
        nodes: tf.Tensor, depth: tf.Tensor, found: tf.Tensor, lengths: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        nodes = _child(nodes, taken(classes, tf.minimum(begins + depth, last)), trie)  # the last is in none
        ids = taken(trie.ids, nodes)
        is_longer = ids >= 0
        return nodes, depth + 1, tf.where(is_longer, ids, found), tf.where(is_longer, depth + 1, lengths)

    _, _, found, lengths = tf.while_loop(
        lambda nodes, *_: tf.reduce_max(nodes) > _END,
        step,
        (nodes, tf.constant(1), taken(trie.ids, nodes), tf.ones_like(nodes)),
    )
    return begins, found, lengths


def _child(nodes: tf.Tensor, classes: tf.Tensor, trie: Trie) -> tf.Tensor:
    """The nodes int32 [n] to which characters of these classes lead from nodes; `_END` if to none."""
    slots = taken(trie.bases, nodes) + classes
    return tf.where(tf.equal(taken(trie.parents, slots), nodes), slots, _END)


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
