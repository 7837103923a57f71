"""Composited pixels, against Pillow's `alpha_composite`."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from graph_ops.image.transparency import composited, keyed
from tests.graph_ops.image.shown import over

COLORS, ALPHAS = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))


@pytest.mark.parametrize("background", [(255, 255, 255), (0, 0, 0), (1, 127, 128), (254, 77, 200)])
def test_every_colour_at_every_alpha_equals_pillow(background):
    every = np.stack([COLORS, COLORS, COLORS, ALPHAS], axis=-1)
    pixels = composited(tf.constant(every), background=background)
    np.testing.assert_array_equal(pixels, over(Image.fromarray(every, "RGBA"), background))


def test_an_opaque_picture_is_itself():
    opaque = tf.constant(np.stack([COLORS, ALPHAS, COLORS], axis=-1))
    np.testing.assert_array_equal(composited(opaque, background=(1, 2, 3)), opaque)


def test_a_pixel_that_is_not_there_has_the_colour_of_the_background():
    pixels = keyed(tf.zeros([1, 2, 3], tf.uint8), tf.constant([[[True], [False]]]), background=(1, 2, 3))
    assert pixels.numpy().tolist() == [[[1, 2, 3], [0, 0, 0]]]
