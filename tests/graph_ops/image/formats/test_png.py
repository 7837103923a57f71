"""PNG files: their size, and pixels against Pillow."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from graph_ops.image.formats import png
from tests.graph_ops.image.formats.against_pillow import drawing, pillow_pixels, saved


@pytest.mark.parametrize("size", [(1, 1), (300, 2), (2, 70_000)])
def test_a_size_is_height_and_width(size):
    file = saved(Image.new("L", size), "PNG")
    assert [int(side) for side in png.size(tf.constant(file))] == [size[1], size[0]]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_pixels_are_pillows(mode):
    file = saved(drawing().convert(mode), "PNG")
    np.testing.assert_array_equal(png.pixels(tf.constant(file)), pillow_pixels(file))


def test_grey_of_16_bits_is_clipped_as_by_pillow():
    levels = np.arange(0, 65_000, 113)[:576].reshape(24, 24).astype(np.uint16)
    file = saved(Image.fromarray(levels), "PNG")
    np.testing.assert_array_equal(png.pixels(tf.constant(file)), pillow_pixels(file))


@pytest.mark.parametrize("length", [0, 8, 20, 60])
def test_a_file_that_ends_early_raises(length):
    file = tf.constant(saved(drawing(), "PNG")[:length])
    # an eager op that quotes bytes which are no text raises another kind
    with pytest.raises((tf.errors.InvalidArgumentError, UnicodeDecodeError)):
        png.pixels(file)
