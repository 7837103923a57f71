"""Which pairs of symbols a BPE vocabulary merges, and which characters stand side by side in its pieces.

SentencePiece merges two neighbours if the vocabulary holds what they spell together. A merge's **rank** is
the id of the merged piece: ids of longer pieces must fall in score, as training leaves them, so that the
better of two merges has the lower id.

**Each piece is made of one pair only**, the last that is merged when the piece is a text of its own. For let
u and t stand side by side in any text, whole, and what they spell be piece p. So far no merge reached over
the two ends of u t, nor over the place between. So the merges inside were, each time, the best and leftmost
of those that are possible inside, which is what merging p alone does too: it also comes to u t, and then
merges them. Since merging p alone ends in one way, u and t are p's only parts; and a piece that is not left
whole when it is merged alone is never made. Half a million ways to split Gemma's pieces come down to a pair
a piece.

Which pair it is follows from shorter pieces: two of them that stand side by side, both whole, when what they
spell is merged alone, are **neighbours**, and `chart` says how to tell.
"""

import itertools
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from graph_ops.text.bpe import pair_table
from graph_ops.text.bpe.pair_table import NONE, PairTable
from graph_ops.text.vocabulary.sentencepiece_model import PieceType
from graph_ops.text.vocabulary.vocabulary import Vocabulary


class Merges(NamedTuple):
    """int64 [M] each: the piece `merged` may be made of `left` and `right`; ids."""

    left: np.ndarray
    right: np.ndarray
    merged: np.ndarray


class _Piece(NamedTuple):
    """A piece that merging makes: characters of its left part (0 for a character), and what `chart` calls
    worst, left bound and right bound.
    """

    split: int
    worst: int
    left_bound: int
    right_bound: int


def merges(vocabulary: Vocabulary) -> Merges:
    """Every merge of a vocabulary. User-defined symbols are never parts."""
    ids = normal_pieces(vocabulary)
    whole = {piece: _Piece(0, 0, 0, 0) for piece in ids if len(piece) == 1}
    found = []
    for piece in sorted(ids, key=len):
        for split in range(1, len(piece)):
            left, right = piece[:split], piece[split:]
            if left in whole and right in whole and _are_neighbours(left, right, whole, ids):
                whole[piece] = _merged(ids[piece], split, whole[left].worst, whole[right].worst)
                found.append((ids[left], ids[right], ids[piece]))
                break
    return Merges(*np.array(found, np.int64).reshape(-1, 3).T)


def _merged(rank: int, split: int, left: int, right: int) -> _Piece:
    """The piece that a merge of that rank makes of parts with these worst ranks."""
    return _Piece(
        split,
        worst=max(rank + 1, left, right),
        left_bound=max(rank, left - 1 if left > right else 0),
        right_bound=max(rank + 1, right if right >= left else 0),
    )


def _are_neighbours(left: str, right: str, whole: Mapping[str, _Piece], ids: Mapping[str, int]) -> bool:
    """Whether merging what two whole pieces spell comes to both, side by side."""
    while len(left) > 1 or len(right) > 1:
        first, second = whole[left], whole[right]
        if first.worst > second.worst:
            left, bound = left[first.split :], first.left_bound
        else:
            right, bound = right[: second.split], second.right_bound
        if (together := left + right) in whole and ids[together] < bound:
            return False
    return True


def merge_table(vocabulary: Vocabulary, found: Merges) -> PairTable:
    """(left id, right id) to merged id.

    The pairs of characters that stand side by side in some piece without being a piece are there too, with
    the value `NONE`: so a look-up of two characters also tells whether any merge can ever reach across the
    place between them.
    """
    ids, (left, right, merged) = normal_pieces(vocabulary), found
    pairs = {(ids[a], ids[b]) for piece in ids for a, b in itertools.pairwise(piece) if a in ids and b in ids}
    only_adjacent = np.array(
        sorted(pairs - set(zip(left.tolist(), right.tolist(), strict=True))), np.int64
    ).reshape(-1, 2)
    return pair_table.build(
        np.concatenate([left, only_adjacent[:, 0]]),
        np.concatenate([right, only_adjacent[:, 1]]),
        np.concatenate([merged, np.full(len(only_adjacent), NONE)]),
    )


def normal_pieces(vocabulary: Vocabulary) -> dict[str, int]:
    """Ids of the pieces that are made by merging."""
    return {
        piece: index
        for index, (piece, kind) in enumerate(zip(vocabulary.pieces, vocabulary.types, strict=True))
        if kind == PieceType.NORMAL
    }
