"""Which pairs a vocabulary merges."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.text.bpe import merge_table
from graph_ops.text.vocabulary.vocabulary import PieceType
from tests.graph_ops.text.bpe.test_pair_table import looked_up
from tests.twins.vocabularies import REPEATABLE, small_vocabulary


@pytest.fixture(scope="module")
def merges(vocabulary):
    return merge_table.merges(vocabulary)


def test_a_piece_is_made_of_one_pair_of_pieces(vocabulary, merges):
    pieces, types = np.array(vocabulary.pieces), np.array(vocabulary.types)
    assert all((types[part] == PieceType.NORMAL).all() for part in merges)
    assert (np.char.add(pieces[merges.left], pieces[merges.right]) == pieces[merges.merged]).all()
    assert len(set(merges.merged.tolist())) == len(merges.merged)


def pairs_by_piece(merges):
    left, right, merged = (part.tolist() for part in merges)
    return dict(zip(merged, zip(left, right, strict=True), strict=True))


def last_merge(piece, ids):
    """The parts of what merging a text of its own, pair by pair, merges last; None if more than one stays."""
    symbols, parts = list(piece), None
    while len(symbols) > 1:
        ranks = [ids.get(a + b, 2**18) for a, b in itertools.pairwise(symbols)]
        best = ranks.index(min(ranks))
        if symbols[best] + symbols[best + 1] not in ids:
            return None
        parts = symbols[best], symbols[best + 1]
        symbols[best : best + 2] = ["".join(parts)]
    return parts


@REPEATABLE
@given(st.lists(st.text("ab", min_size=2, max_size=7), unique=True, max_size=40))
def test_it_is_the_pair_that_is_merged_last_when_the_piece_stands_alone(longer):
    vocabulary = small_vocabulary([*longer, "a", "b", "\u2581"])
    ids, found = merge_table.normal_pieces(vocabulary), merge_table.merges(vocabulary)
    parts = pairs_by_piece(found)
    for piece in longer:
        wanted = last_merge(piece, ids)
        assert parts.get(ids[piece]) == (wanted and tuple(ids[part] for part in wanted))


def test_so_it_is_in_the_vocabulary(vocabulary, merges):
    ids = merge_table.normal_pieces(vocabulary)
    parts = dict(
        zip(
            merges.merged.tolist(), zip(merges.left.tolist(), merges.right.tolist(), strict=True), strict=True
        )
    )
    longer = [piece for piece in ids if len(piece) > 1]
    for piece in random.Random(0).sample(longer, min(len(longer), 5000)):
        wanted = last_merge(piece, ids)
        assert parts.get(ids[piece]) == (wanted and tuple(ids[part] for part in wanted))


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
