"""Maps of pairs: every pair that was put in is found, no other is."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.text.bpe import pair_table
from graph_ops.text.bpe.pair_table import NONE


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
    assert largest + pair_table._STEP * largest + 2**24 < 2**31
    left, right = distinct_pairs(1000, NONE, seed=3)
    table = pair_table.build(left, right, np.full(1000, NONE))
    assert int(table.displacements.max()) < 2**24
    assert table.slots.min() >= 0


@pytest.mark.parametrize("bad", [{"left": NONE}, {"right": -1}, {"values": NONE + 1}])
def test_numbers_out_of_range_are_refused(bad):
    (name,) = bad
    given = {"left": [1], "right": [2], "values": [3]} | {key: [value] for key, value in bad.items()}
    with pytest.raises(ValueError, match=rf"`{name}`: must be in \[0, "):
        pair_table.build(**{key: np.array(value) for key, value in given.items()})
