"""Maps of pairs: every pair that was put in is found, no other is."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.text.bpe import merge_table, pair_table
from graph_ops.text.bpe.pair_table import NONE
from graph_ops.text.vocabulary.vocabulary import PieceType


def looked_up(table, left, right):
    found, values = pair_table.look_up(table, tf.constant(left, tf.int32), tf.constant(right, tf.int32))
    return found.numpy(), values.numpy()


def distinct_pairs(count, bound, seed):
    draw = np.random.default_rng(seed)
    codes = draw.permutation(np.unique(draw.integers(0, bound * bound, 2 * count)))[:count]
    return codes // bound, codes % bound


@pytest.mark.parametrize(("count", "bound"), [(1, 2), (2, 2), (14, 5), (300, 40), (5000, 80), (20_000, NONE)])
def test_every_pair_is_found_and_no_other(count, bound):
    left, right = distinct_pairs(count, bound, seed=count)
    values = np.random.default_rng(1).integers(0, NONE, len(left))
    table = pair_table.build(left, right, values)
    found, got = looked_up(table, left, right)
    assert found.all()
    assert np.array_equal(got, values)
    others = np.random.default_rng(2).integers(-1, bound + 1, (2, 50_000))
    known = {
        (a, b): value for a, b, value in zip(left.tolist(), right.tolist(), values.tolist(), strict=True)
    }
    found, got = looked_up(table, *others)
    assert found.tolist() == [pair in known for pair in zip(*others.tolist(), strict=True)]
    assert got.tolist() == [known.get(pair, NONE) for pair in zip(*others.tolist(), strict=True)]


def test_members_and_values_at_their_bounds():
    numbers = np.array([0, 1, NONE - 1])
    left, right = (part.reshape(-1) for part in np.meshgrid(numbers, numbers))
    table = pair_table.build(left, right, np.full(9, NONE))
    found, values = looked_up(table, left, right)
    assert found.all()
    assert (values == NONE).all()
    assert not looked_up(table, [-1, NONE, 0, NONE], [-1, NONE, NONE, 0])[0].any()


def test_an_empty_map_finds_nothing():
    table = pair_table.build(*np.zeros((3, 0), np.int64))
    assert not looked_up(table, [0, -1, 5], [0, -1, 7])[0].any()


def test_no_step_of_the_arithmetic_leaves_int32():
    largest = NONE
    assert pair_table._FACTOR * largest + largest < 2**31
    table = pair_table.build(*distinct_pairs(1000, NONE, seed=3), np.full(1000, NONE))
    assert int(table.displacements.max()) + largest < 2**31
    assert table.first.min() >= 0
    assert table.second.min() >= 0


@pytest.mark.parametrize("bad", [{"left": NONE}, {"right": -1}, {"values": NONE + 1}])
def test_numbers_out_of_range_are_refused(bad):
    (name,) = bad
    given = {"left": [1], "right": [2], "values": [3]} | {key: [value] for key, value in bad.items()}
    with pytest.raises(ValueError, match=rf"`{name}`: must be in \[0, "):
        pair_table.build(**{key: np.array(value) for key, value in given.items()})


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


def test_calm_pieces_are_parts_of_worse_merges_only(vocabulary, merges):
    is_calm = merge_table.calm_pieces(vocabulary, merges)
    restless = {int(part) for a, b, merged in zip(*merges, strict=True) for part in (a, b) if merged < part}
    assert set(np.flatnonzero(~is_calm).tolist()) == restless
    assert restless
