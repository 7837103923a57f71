"""The medium image: counts from positions, sizes of its tensors, both kinds of items."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.config import ImageConfig, RowConfig
from graph_ops.media.image import IMAGE
from graph_ops.target import LITERT, TENSORFLOW

CONFIG = ImageConfig(max_soft_tokens=3)


def test_soft_tokens_are_counted_from_the_positions_of_patches():
    positions = np.full((2, 2, 27, 2), -1, np.int32)
    positions[0, 0], positions[1, 1, :9] = 0, 5
    assert IMAGE.count(tf.constant(positions), CONFIG).numpy().tolist() == [[3, 0], [0, 1]]


def test_only_keras_hubs_rows_give_every_image_the_same_number_of_soft_tokens():
    row = RowConfig(num_vision_tokens_per_image=70)
    assert IMAGE.fixed_soft_tokens(row) == 70
    assert IMAGE.fixed_soft_tokens(RowConfig(parity="transformers")) is None
    assert IMAGE.block(row, CONFIG) == 70


def test_sizes_follow_from_rows_and_configuration():
    row = RowConfig(max_images_per_prompt=4, num_vision_tokens_per_image=5)
    assert IMAGE.dims(row, CONFIG) == {"I": 4, "P": 27, "D": 768, "V": 20}


@pytest.mark.parametrize(("parity", "target"), [("keras_hub", TENSORFLOW), ("transformers", LITERT)])
def test_files_and_arrays_have_the_same_patches_and_as_many_as_are_counted(parity, target):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 50, 3), np.uint8)
    files = tf.stack([tf.io.encode_png(pixels), ""])
    arrays, sizes = tf.stack([pixels, np.zeros_like(pixels)]), tf.constant([[20, 50], [0, 0]])
    found = IMAGE.encode_files(files, config=CONFIG, parity=parity)
    again = IMAGE.encode_arrays(arrays, sizes, config=CONFIG, parity=parity, target=target)
    np.testing.assert_allclose(again.values, found.values, rtol=0, atol=1e-7)
    np.testing.assert_array_equal(again.positions, found.positions)
    counts = IMAGE.count(again.positions[tf.newaxis], CONFIG)[0]
    np.testing.assert_array_equal(counts, again.num_soft_tokens)
    assert found.num_soft_tokens.numpy().tolist() == [2, 0]
