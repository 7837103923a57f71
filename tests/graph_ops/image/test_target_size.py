"""Target sizes, against transformers."""

import math

import numpy as np
import pytest
import tensorflow as tf
from transformers.models.gemma4 import image_processing_pil_gemma4

from graph_ops.config import SOFT_TOKEN_BUDGETS, ImageConfig
from graph_ops.image.target_size import target_size

CONFIG = ImageConfig()


def reference_target_size(height: int, width: int, config: ImageConfig = CONFIG) -> tuple[int, int]:
    reference = image_processing_pil_gemma4.get_aspect_ratio_preserving_size
    try:
        return reference(height, width, config.patch_size, config.max_patches, config.pooling_kernel_size)
    except (ValueError, ZeroDivisionError):
        return 0, 0


def assert_target_sizes_equal_the_reference(sizes: np.ndarray, config: ImageConfig = CONFIG) -> None:
    side = tf.TensorSpec([None], tf.int32)
    traced = tf.function(
        lambda height, width: tf.stack(target_size(height, width, config=config), axis=-1),
        input_signature=[side, side],
        autograph=False,
    )
    for some in np.array_split(sizes.astype(np.int32), -(-len(sizes) // 20_000)):
        np.testing.assert_array_equal(
            traced(*some.T), [reference_target_size(height, width, config) for height, width in some.tolist()]
        )


def exact_multiples(config: ImageConfig, *, longest: int) -> np.ndarray:
    """Sizes whose ideal target is a whole number of squares high or wide."""
    sizes = []
    for whole in range(1, config.max_soft_tokens + 1):
        common = math.gcd(whole**2, config.max_soft_tokens)
        tall, wide = whole**2 // common, config.max_soft_tokens // common
        scale = np.arange(
            1, min(longest // max(tall, wide), math.isqrt(config.max_image_pixels // (tall * wide))) + 1
        )
        sizes += [
            np.stack([scale * tall, scale * wide], axis=-1),
            np.stack([scale * wide, scale * tall], axis=-1),
        ]
    return np.concatenate(sizes)


def test_target_size_equals_the_reference_for_every_small_size():
    sides = np.arange(401)
    assert_target_sizes_equal_the_reference(
        np.stack(np.meshgrid(sides, sides, indexing="ij"), axis=-1).reshape(-1, 2)
    )


def test_target_size_equals_the_reference_for_large_and_thin_sizes():
    random = np.random.default_rng(0)
    thin = np.exp(random.uniform(0, 18, (40_000, 2))).astype(np.int64)
    thin = thin[thin.prod(axis=-1) < 10**12]
    edges = np.array(
        [[1, 64_000_000], [64_000_000, 1], [8_000, 8_000], [1, 2**31 - 1], [2**31 - 1, 1], [46_340, 46_340]]
    )
    sizes = np.concatenate([random.integers(1, 20_001, (50_000, 2)), thin, edges])
    assert_target_sizes_equal_the_reference(sizes, ImageConfig(max_image_pixels=2**31))


@pytest.mark.parametrize(
    "config",
    [
        CONFIG,
        ImageConfig(max_soft_tokens=70),
        ImageConfig(max_soft_tokens=1),
        ImageConfig(patch_size=14, max_soft_tokens=1120),
    ],
)
def test_target_size_equals_the_reference_where_the_ideal_size_is_an_exact_multiple(config):
    sizes = exact_multiples(config, longest=10**6)
    assert_target_sizes_equal_the_reference(sizes, config)
    neighbours = sizes[::7] + np.random.default_rng(0).integers(-1, 2, sizes[::7].shape)
    assert_target_sizes_equal_the_reference(neighbours, config)


@pytest.mark.parametrize(
    "config", [ImageConfig(max_soft_tokens=70), ImageConfig(max_soft_tokens=1120), ImageConfig(patch_size=14)]
)
def test_target_size_follows_the_configuration(config):
    assert_target_sizes_equal_the_reference(np.random.default_rng(1).integers(1, 3_000, (500, 2)), config)


@pytest.mark.parametrize("budget", SOFT_TOKEN_BUDGETS)
def test_target_size_of_a_budget_is_that_of_a_configuration_with_it(budget):
    """In one call, beside images of other budgets."""
    alone = ImageConfig(max_soft_tokens=budget)
    sizes = np.concatenate(
        [np.random.default_rng(2).integers(1, 5_000, (2_000, 2)), exact_multiples(alone, longest=10**6)[::97]]
    )
    budgets = np.array(SOFT_TOKEN_BUDGETS)[np.arange(len(sizes)) % len(SOFT_TOKEN_BUDGETS)]
    chosen = np.where(np.arange(len(sizes)) % 2, budget, budgets)
    height, width = tf.unstack(tf.constant(sizes.T, tf.int32))
    largest = ImageConfig(max_soft_tokens=max(SOFT_TOKEN_BUDGETS))
    sides = target_size(height, width, tf.constant(chosen, tf.int32), config=largest)
    found = tf.stack(sides, axis=-1).numpy()
    is_own = chosen == budget
    expected = [reference_target_size(height, width, alone) for height, width in sizes[is_own].tolist()]
    np.testing.assert_array_equal(found[is_own], expected)


def test_target_size_of_a_side_that_is_not_positive_is_0():
    assert [
        side.numpy().tolist()
        for side in target_size(tf.constant([0, 5, -1, 5]), tf.constant([5, 0, 5, -7]), config=CONFIG)
    ] == [[0] * 4] * 2


def test_target_size_example_of_the_docstring():
    assert [int(side) for side in target_size(480, 640, config=CONFIG)] == [672, 912]


def test_target_size_has_no_float64():
    side = tf.TensorSpec([], tf.int32)
    graph = (
        tf.function(
            lambda h, w: target_size(h, w, config=CONFIG), input_signature=[side, side], autograph=False
        )
        .get_concrete_function()
        .graph
    )
    assert tf.float64 not in {
        output.dtype for operation in graph.get_operations() for output in operation.outputs
    }
