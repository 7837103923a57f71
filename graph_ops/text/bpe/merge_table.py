"""Which pairs of symbols a BPE vocabulary merges, and which characters stand side by side in its pieces.

SentencePiece merges two neighbours if the vocabulary holds what they spell together. So *every* way to split
a piece into two pieces is a merge, not only the one that training found. A merge's **rank** is the id of the
merged piece: ids of longer pieces must fall in score, as training leaves them, so that the better of two
merges has the lower id.
"""

import itertools
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


def merges(vocabulary: Vocabulary) -> Merges:
    """Every merge of a vocabulary. User-defined symbols are never parts."""
    ids = normal_pieces(vocabulary)
    found = [
        (left, right, merged)
        for piece, merged in ids.items()
        for length in range(1, len(piece))
        if (left := ids.get(piece[:length])) is not None and (right := ids.get(piece[length:])) is not None
    ]
    return Merges(*np.array(found, np.int64).reshape(-1, 3).T)


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
