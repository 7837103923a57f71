"""Pairs of float32 beside float64 and whole numbers."""

import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.image import two_floats
from tests.twins.vocabularies import REPEATABLE


def test_two_floats_hold_45_bits():
    x, y = np.random.default_rng(0).uniform(0.1, 4, (2, 1000)) * 2.0 ** np.arange(-10, 10).repeat(50)
    pair, other = (
        two_floats.TwoFloats(tf.cast(n, tf.float32), tf.cast(n - n.astype(np.float32), tf.float32))
        for n in (x, y)
    )
    x, y = as_float64(pair), as_float64(other)
    np.testing.assert_allclose(as_float64(two_floats.add(pair, other)), x + y, rtol=2**-45)
    np.testing.assert_allclose(as_float64(two_floats.multiply(pair, other)), x * y, rtol=2**-45)
    np.testing.assert_allclose(as_float64(two_floats.reciprocal(pair)), 1 / x, rtol=2**-44)
    numbers = np.array([0, -1, 2**24 + 1, -(2**30) - 1, 2**31 - 129], np.int32)
    np.testing.assert_array_equal(as_float64(two_floats.from_integer(tf.constant(numbers))), numbers)


def as_float64(number: two_floats.TwoFloats) -> np.ndarray:
    return number.high.numpy().astype(np.float64) + number.low.numpy()


INTEGERS = st.integers(-(2**24) + 1, 2**24 - 1)


@REPEATABLE
@given(st.lists(st.tuples(INTEGERS, INTEGERS), min_size=1, max_size=20))
def test_sums_and_products_of_whole_numbers_are_exact(pairs):
    x, y = np.array(pairs, np.int32).T
    one, other = two_floats.from_integer(tf.constant(x)), two_floats.from_integer(tf.constant(y))
    np.testing.assert_array_equal(as_float64(two_floats.add(one, other)), x.astype(np.int64) + y)
    np.testing.assert_array_equal(as_float64(two_floats.multiply(one, other)), x.astype(np.int64) * y)


@REPEATABLE
@given(st.integers(-(2**31) + 129, 2**31 - 129), st.integers(-30, 30))
def test_a_power_of_two_scales_exactly(number, exponent):
    found = two_floats.scaled(two_floats.from_integer(tf.constant([number])), 2.0**exponent)
    assert as_float64(found).tolist() == [number * 2.0**exponent]


def test_the_low_part_is_at_most_half_a_unit_of_the_high_one():
    numbers = np.random.default_rng(0).integers(-(2**31) + 129, 2**31 - 129, 1_000).astype(np.int32)
    pair = two_floats.from_integer(tf.constant(numbers))
    for found in (pair, two_floats.multiply(pair, pair), two_floats.add(pair, pair)):
        assert (np.abs(found.low) <= np.spacing(np.abs(found.high.numpy())) / 2).all()
