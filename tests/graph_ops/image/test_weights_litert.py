"""Weights without float64 beside Pillow's."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.image import resize as resizing
from graph_ops.image import weights_litert as portable_weights
from tests.twins import image as twin


def test_weights_are_pillows_but_for_one_in_a_million():
    size = tf.TensorSpec([], tf.int32)
    ours = tf.function(
        lambda *sizes: portable_weights.portable_weights(*sizes, block=8),
        input_signature=[size, size],
        autograph=False,
    )
    exact = tf.function(resizing.bicubic_weights, input_signature=[size, size], autograph=False)
    random = np.random.default_rng(0)
    sizes = [(1, 13_440), (65_535, 13_440), (20_000, 48), (512, 768), (513, 768), (7, 7)]
    sizes += [(int(np.exp(random.uniform(0, 8.5))), 48 * int(random.integers(1, 40))) for _ in range(60)]
    weights = differing = 0
    for in_size, out_size in sizes:
        tables = [
            weights_of_blocks(*(part.numpy() for part in step(in_size, out_size))) for step in (ours, exact)
        ]
        for (start, one), (other_start, other) in zip(*tables, strict=True):
            begin, end = min(start, other_start), max(start + one.shape[1], other_start + other.shape[1])
            difference = np.abs(
                placed(one, start - begin, end - begin) - placed(other, other_start - begin, end - begin)
            )
            assert difference.max() <= 1
            differing += int(np.count_nonzero(difference))
            weights += int(np.count_nonzero(other))
    assert differing <= weights * 1e-5


def weights_of_blocks(start: np.ndarray, weight: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """For each block the first input and the weights [block, window], in units of 2^-22."""
    return list(zip(start.tolist(), weight.astype(np.int64), strict=True))


def placed(weights: np.ndarray, first: int, length: int) -> np.ndarray:
    return np.pad(weights, [[0, 0], [first, length - first - weights.shape[1]]])


@pytest.mark.parametrize("block", [1, 3, 8])
@pytest.mark.parametrize(("in_size", "out_size"), [(1, 1), (1, 9), (5, 17), (100, 48), (7, 7)])
def test_weights_of_any_block_are_those_of_the_twin(in_size, out_size, block):
    start, weight = (
        part.numpy() for part in portable_weights.portable_weights(in_size, out_size, block=block)
    )
    assert weight.shape[:2] == (-(-out_size // block), block)
    for output in range(out_size):
        first, expected = twin.weights(in_size, out_size, output)
        row, column = divmod(output, block)
        dense = np.zeros(in_size)
        dense[start[row] : start[row] + weight.shape[-1]] = weight[row, column]
        np.testing.assert_array_equal(dense[first : first + len(expected)], expected)
        assert np.count_nonzero(dense) <= len(expected)


def test_outputs_past_the_end_of_the_last_block_repeat_the_last():
    _, weight = portable_weights.portable_weights(9, 5, block=8)
    np.testing.assert_array_equal(weight[0, 5:], np.repeat(weight[0, 4:5], 3, axis=0))
