"""Compact configurations give the pixels, with bytes alone in their graphs."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from export.verify import samples
from graph_ops.config import ImageConfig, VideoConfig
from graph_ops.image.compact import compact, values_dtype
from graph_ops.image.encode import encode_image_arrays
from graph_ops.video.frames import encode_frames

PIXELS = samples.pixels(60, 90)


@pytest.mark.parametrize("config", [ImageConfig(scale=0.5, offset=1.0), VideoConfig(num_frames=2)])
def test_settings_stay_but_for_scale_and_offset(config):
    found = compact(config)
    assert isinstance(found, type(config))
    assert {**vars(found), "scale": config.scale, "offset": config.offset} == vars(config)
    assert found != config
    assert found == compact(config)
    assert (values_dtype(found), values_dtype(config)) == (tf.uint8, tf.float32)


@pytest.mark.parametrize("sizes", [[[60, 90], [0, 0]], [[0, 0], [0, 0]], [[0, 5], [50, 80]]])
def test_images_are_bytes_of_the_same_value(sizes):
    config = ImageConfig(max_soft_tokens=70, scale=None)
    given = np.stack([PIXELS] * 2), np.array(sizes, np.int32)
    expected = encode_image_arrays(*given, config=config)
    found = encode_image_arrays(*given, config=compact(config))
    assert found.values.dtype == tf.uint8
    np.testing.assert_array_equal(found.values, expected.values)
    np.testing.assert_array_equal(found.positions, expected.positions)


def test_frames_are_bytes_of_the_same_value():
    config = VideoConfig(num_frames=2, scale=None)
    given = np.stack([PIXELS] * 3)[np.newaxis], np.array([[60, 90]], np.int32), np.array([[0, 2]], np.int32)
    found = encode_frames(*map(tf.constant, given), config=compact(config))
    assert found.values.dtype == tf.uint8
    np.testing.assert_array_equal(found.values, encode_frames(*map(tf.constant, given), config=config).values)


def scaling_nodes(config):
    """Names of those in the graph of images."""
    specs = [tf.TensorSpec([None, None, None, 3], tf.uint8), tf.TensorSpec([None, 2], tf.int32)]
    step = functools.partial(encode_image_arrays, config=config)
    graph = tf.function(step, input_signature=specs, autograph=False).get_concrete_function().graph
    library = graph.as_graph_def().library.function
    return [node.name for function in library for node in function.node_def if "scale/" in node.name]


def test_nothing_is_scaled():
    config = ImageConfig(max_soft_tokens=70, scale=None)
    assert scaling_nodes(config)
    assert not scaling_nodes(compact(config))
