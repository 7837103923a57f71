"""Resizing, against Pillow and the NumPy twin."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from graph_ops.image import resize as resizing
from tests.graph_ops.image.pictures import noise, scene
from tests.twins import image as twin
from tests.twins.vocabularies import REPEATABLE


@pytest.fixture(scope="module")
def resize():
    """`resize_bicubic` traced once for all sizes."""
    size = tf.TensorSpec([], tf.int32)
    return tf.function(
        resize_one,
        input_signature=[tf.TensorSpec([None, None, 3], tf.uint8), size, size],
        autograph=False,
    )


def resize_one(pixels, height, width, **options):
    """`resize_bicubic` of one image [H, W, 3]."""
    return resizing.resize_bicubic(tf.convert_to_tensor(pixels)[tf.newaxis], height, width, **options)[0]


@pytest.mark.parametrize(
    ("height", "width", "target_height", "target_width"),
    [
        (1, 1, 48, 48),
        (1, 1, 1, 1),
        (1, 3000, 48, 960),
        (3000, 1, 960, 48),
        (48, 96, 48, 96),
        (96, 50, 96, 48),
        (50, 96, 48, 96),
        (6, 6, 768, 768),
        (37, 53, 768, 1),
        (300, 400, 7, 11),
        (3, 20_000, 48, 48),
        (1, 60_000, 48, 1),
    ],
)
@pytest.mark.parametrize("draw", [scene, noise])
def test_resize_equals_pillow(resize, draw, height, width, target_height, target_width):
    pixels = draw(height, width)
    expected = Image.fromarray(pixels).resize((target_width, target_height), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(resize(pixels, target_height, target_width), np.asarray(expected))


def test_resize_equals_pillow_for_random_sizes(resize):
    random = np.random.default_rng(2)
    for seed, (height, width, target_height, target_width) in enumerate(
        np.exp(random.uniform(0, 6.5, (60, 4))).astype(int).tolist()
    ):
        pixels = noise(height, width, seed=seed)
        expected = np.asarray(
            Image.fromarray(pixels).resize((target_width, target_height), Image.Resampling.BICUBIC)
        )
        np.testing.assert_array_equal(
            resize(pixels, target_height, target_width), expected, str((height, width, *expected.shape))
        )


@pytest.mark.parametrize("over_the_limit", [0, 1, 2])
def test_resize_takes_rows_first_where_pillow_does(resize, over_the_limit):
    for seed in range(4):
        pixels = noise(400, 130, seed=seed)
        size = (240 - over_the_limit, 50)
        expected = np.asarray(Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BICUBIC))
        np.testing.assert_array_equal(resize(pixels, *size), expected)
        np.testing.assert_array_equal(twin.resize_bicubic(pixels, *size), expected)


def test_resize_equals_pillow_on_a_large_image_in_several_steps(resize):
    pixels = np.tile(scene(750, 1000), (4, 4, 1))
    expected = np.asarray(Image.fromarray(pixels).resize((912, 672), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(resize(pixels, 672, 912), expected)


def test_resize_equals_pillow_on_black_and_white_which_overshoot(resize):
    pixels = np.where(noise(90, 130) < 128, 0, 255).astype(np.uint8)
    for size in ((768, 768), (48, 48), (41, 300)):
        expected = np.asarray(Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BICUBIC))
        np.testing.assert_array_equal(resize(pixels, *size), expected)


@pytest.mark.parametrize("weights_at_once", [1, 5_000, 1 << 24])
def test_resize_is_the_same_in_one_step_and_in_many(weights_at_once):
    pixels = scene(61, 83)
    expected = np.asarray(Image.fromarray(pixels).resize((144, 96), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(resize_one(pixels, 96, 144, weights_at_once=weights_at_once), expected)


def test_resize_is_exact_with_constant_sizes():
    # Graph optimisation computes in advance, or rewrites, what depends on constants only.
    for height, width in ((49, 101), (333, 777)):
        pixels = noise(height, width)
        expected = np.asarray(Image.fromarray(pixels).resize((912, 672), Image.Resampling.BICUBIC))
        known = tf.function(lambda pixels: resize_one(pixels, 672, 912), autograph=False)
        unknown = tf.function(
            known.python_function, input_signature=[tf.TensorSpec([None, None, 3], tf.uint8)], autograph=False
        )
        np.testing.assert_array_equal(known(tf.constant(pixels)), expected)
        np.testing.assert_array_equal(unknown(tf.constant(pixels)), expected)


def test_resize_of_known_sizes_has_no_float64_left():
    signature = [tf.TensorSpec([300, 400, 3], tf.uint8)]
    graph = (
        tf.function(
            lambda pixels: resize_one(pixels, 672, 912),
            input_signature=signature,
            autograph=False,
        )
        .get_concrete_function()
        .graph
    )
    assert tf.float64 not in {
        output.dtype for operation in graph.get_operations() for output in operation.outputs
    }


def test_weights_equal_the_twin():
    for in_size, out_size in ((5, 17), (100, 48), (3000, 960), (7, 7), (1, 9)):
        start, weight = (part.numpy() for part in resizing.bicubic_weights(in_size, out_size))
        weight = weight.reshape(-1, weight.shape[-1])
        for output in range(out_size):
            first, expected = twin.weights(in_size, out_size, output)
            dense = np.zeros(in_size)
            dense[start[output // resizing.BLOCK] :][: weight.shape[-1]] = weight[output]
            np.testing.assert_array_equal(dense[first : first + len(expected)], expected)
            assert np.count_nonzero(dense) <= len(expected)


def test_the_twin_resizes_as_pillow_does():
    pixels = scene(31, 45)
    expected = np.asarray(Image.fromarray(pixels).resize((96, 48), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(twin.resize_bicubic(pixels, 48, 96), expected)
    assert math.isclose(sum(twin.weights(31, 48, 20)[1]), 2**22, abs_tol=8)


@settings(REPEATABLE, max_examples=10)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 30), st.integers(1, 30), st.integers(0, 255))
def test_resize_leaves_one_colour_alone(height, width, target_height, target_width, level):
    pixels = np.full((height, width, 3), level, np.uint8)
    resized = resize_one(pixels, target_height, target_width)
    assert (resized.numpy() == np.full((target_height, target_width, 3), level)).all()


def test_an_axis_is_known_only_if_both_sizes_are():
    known = resizing.known_axis(5, 7)
    assert known is not None
    start, weight = resizing.bicubic_weights(5, 7)
    for part, other in zip(known, (start, *resizing.halves(weight)), strict=True):
        np.testing.assert_array_equal(part, other)
    found = []

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32)], autograph=False)
    def step(size):
        found.extend([resizing.known_axis(size, 7), resizing.known_axis(5, size)])
        return size

    step(tf.constant(3))
    assert found == [None, None]


@pytest.mark.parametrize(
    ("height", "width", "target"), [(61, 83, (96, 144)), (400, 130, (238, 50)), (9, 7, (9, 7))]
)
def test_images_of_one_size_are_resized_as_each_alone(resize, height, width, target):
    images = np.stack([noise(height, width, seed=seed) for seed in range(5)])
    together = resizing.resize_bicubic(tf.constant(images), *target)
    for pixels, resized in zip(images, together, strict=True):
        np.testing.assert_array_equal(resized, resize(pixels, *target))


def test_halves_of_weights_keep_float32_sums_exact_over_any_exact_window():
    for in_size, out_size in ((256 * 48, 48), (255 * 7 + 3, 7), (4000, 912), (40, 960)):
        weight = resizing.bicubic_weights(in_size, out_size, block=1)[1].numpy()
        assert weight.shape[2] <= resizing.EXACT_WINDOW
        high, low = (half.numpy() for half in resizing.halves(weight))
        np.testing.assert_array_equal((high.astype(np.float64) + low) * 2**resizing.LOW_BITS, weight)
        assert 255 * np.abs(high).sum(axis=-1).max() < 2**24
        assert 255 * np.abs(low).sum(axis=-1).max() * 2**resizing.LOW_BITS < 2**24
    # whatever the weights are: their positive ones sum up to 1.3 at most, and each is rounded by a half
    most = 1.3 * 2 ** (resizing.WEIGHT_BITS - resizing.LOW_BITS) + resizing.EXACT_WINDOW / 2
    assert 255 * most < 2**24
    assert 255 * resizing.EXACT_WINDOW / 2 * 2**resizing.LOW_BITS <= 2**24


def test_weights_keep_sums_within_int32_at_any_shrink():
    for in_size, out_size in ((4096 * 48, 48), (255 * 7 + 3, 7), (4000, 912), (40, 960), (1, 9)):
        weight = resizing.bicubic_weights(in_size, out_size)[1].numpy().astype(np.int64)
        half = 1 << resizing.WEIGHT_BITS - 1
        assert 255 * np.maximum(weight, 0).sum(axis=-1).max() + half < 2**31
        assert 255 * np.minimum(weight, 0).sum(axis=-1).min() >= -(2**31)


@pytest.mark.parametrize("window", [0, 10**9])
def test_both_ways_to_sum_give_pillows_bytes(monkeypatch, window):
    monkeypatch.setattr(resizing, "EXACT_WINDOW", window)
    pixels = np.where(noise(90, 131) < 128, 0, noise(90, 131))
    for height, width in ((96, 144), (48, 48), (7, 300), (90, 131)):
        expected = np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))
        np.testing.assert_array_equal(resize_one(pixels, height, width), expected)


@pytest.mark.parametrize(("width", "target"), [(13 * 257, 13), (1_000_003, 336), (400_000, 48)])
def test_resize_equals_pillow_beyond_a_256_fold_shrink(resize, width, target):
    pixels = noise(2, width)
    expected = np.asarray(Image.fromarray(pixels).resize((target, 48), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(resize(pixels, 48, target), expected)


@pytest.mark.parametrize("known", [True, False])
def test_a_branch_on_what_is_known_traces_one_side_only(known):
    traced = []

    def side(number):
        traced.append(number)
        return tf.constant(number)

    step = tf.function(
        lambda condition: resizing.branch(condition, lambda: side(1), lambda: side(2)), autograph=False
    )
    assert step(True if known else tf.constant(True)) == 1
    assert traced == ([1] if known else [1, 2])
