"""WebP files: their size, and pixels against Pillow."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.image.formats import webp
from tests.graph_ops.image.formats.against_pillow import drawing, pillow_pixels, saved

KINDS: dict[str, dict[str, Any]] = {
    "lossy": {},
    "lossless": {"lossless": True},
    "animated": {"save_all": True, "append_images": [drawing().rotate(180)], "lossless": True},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_pixels_and_size_are_pillows(kind, mode):
    file = saved(drawing().convert(mode), "WEBP", **KINDS[kind])
    assert [int(side) for side in webp.size(tf.constant(file))] == [61, 83]
    np.testing.assert_array_equal(webp.pixels(tf.constant(file)), pillow_pixels(file))


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_file_has_no_size(kind):
    file = saved(drawing(), "WEBP", **KINDS[kind])
    assert [int(side) for side in webp.size(tf.constant(file[:-1]))] == [0, 0]


def test_alpha_is_among_the_layers():
    file = saved(drawing(), "WEBP", lossless=True, exact=True)
    np.testing.assert_array_equal(webp.layers(tf.constant(file)), drawing())
