"""Resizing in strips, op by op, against Pillow."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from graph_ops.config import ImageConfig
from graph_ops.image.resize_litert import resize_to_patches
from tests.graph_ops.image.pictures import noise, scene

CONFIG = ImageConfig(patch_size=4, pooling_kernel_size=3)


def patches_of(pixels, height, width):
    """Pillow's resize, cut into patches of 4 x 4."""
    resized = np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))
    tiles = resized.reshape(height // 4, 4, width // 4, 4, 3).swapaxes(1, 2)
    return tiles.reshape(-1, 48)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("size", "target"),
    [
        ((1, 1), (12, 12)),
        ((31, 45), (24, 36)),
        ((90, 11), (12, 12)),
        ((5, 60), (36, 12)),
        ((24, 12), (24, 12)),
        ((53, 8), (36, 12)),
    ],
)
def test_patches_are_those_of_pillows_resize(size, target, known):
    pixels = scene(*size)
    sides = (size, target) if known else (tuple(map(tf.constant, size)), tuple(map(tf.constant, target)))
    found = resize_to_patches(tf.constant(pixels[np.newaxis]), *sides, index=0, config=CONFIG)
    np.testing.assert_array_equal(found, patches_of(pixels, *target))


def test_the_image_of_an_index_is_read_up_to_its_size():
    images = np.stack([noise(20, 30, seed=seed) for seed in range(3)])
    for index in range(3):
        found = resize_to_patches(tf.constant(images), (7, 13), (12, 24), index=index, config=CONFIG)
        np.testing.assert_array_equal(found, patches_of(images[index, :7, :13], 12, 24))
