"""Which pairs a vocabulary merges."""

import numpy as np
import pytest

from graph_ops.text.bpe import merge_table
from graph_ops.text.vocabulary.vocabulary import PieceType
from tests.graph_ops.text.bpe.test_pair_table import looked_up


@pytest.fixture(scope="module")
def merges(vocabulary):
    return merge_table.merges(vocabulary)


def test_merges_are_all_splits_of_pieces_into_pieces(vocabulary, merges):
    pieces, types = np.array(vocabulary.pieces), np.array(vocabulary.types)
    assert all((types[part] == PieceType.NORMAL).all() for part in merges)
    assert (np.char.add(pieces[merges.left], pieces[merges.right]) == pieces[merges.merged]).all()
    normal = set(pieces[types == PieceType.NORMAL].tolist())
    splits = sum(
        piece[:k] in normal and piece[k:] in normal for piece in normal for k in range(1, len(piece))
    )
    assert (
        len(merges.merged)
        == splits
        == len(set(zip(merges.left.tolist(), merges.right.tolist(), strict=True)))
    )


def test_the_merge_table_holds_merges_and_adjacent_characters(vocabulary, merges):
    table = merge_table.merge_table(vocabulary, merges)
    found, merged = looked_up(table, merges.left, merges.right)
    assert found.all()
    assert np.array_equal(merged, merges.merged)
    normal = merge_table.normal_pieces(vocabulary)
    letters = np.array([index for piece, index in normal.items() if len(piece) == 1])
    adjacent = {piece[k : k + 2] for piece in normal for k in range(len(piece) - 1)}
    left, right = np.random.default_rng(4).choice(letters, (2, 50_000))
    found, _ = looked_up(table, left, right)
    assert found.tolist() == [
        vocabulary.pieces[a] + vocabulary.pieces[b] in adjacent for a, b in zip(left, right, strict=True)
    ]
