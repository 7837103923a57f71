"""Frames where sizes are static: the same bytes as elsewhere, in a loop."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.config import VideoConfig
from graph_ops.faults import Fault
from graph_ops.target import LITERT
from graph_ops.video.encode import encode_video_arrays
from graph_ops.video.encode_litert import encode_unrolled
from tests.graph_ops.video.test_encode import frames, packed

CONFIG = VideoConfig(num_frames=3)


@pytest.mark.slow
def test_patches_are_those_of_tensorflow():
    parity = "transformers"  # which leaves places empty
    videos, sizes = packed(frames(5, 60, 80), frames(2, 90, 50, 20))
    expected = encode_video_arrays(videos, sizes, config=CONFIG, parity=parity)
    step = tf.function(
        lambda given, size: encode_video_arrays(given, size, config=CONFIG, parity=parity, target=LITERT),
        input_signature=[tf.TensorSpec([2, None, None, None, 3], tf.uint8), tf.TensorSpec([2, 3], tf.int32)],
    )
    found = step(videos, sizes)
    for name in expected._fields:
        for ours, theirs in zip(
            tf.nest.flatten(getattr(found, name)), tf.nest.flatten(getattr(expected, name)), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs, name)


def test_a_faulty_size_gives_padding_and_a_fault():
    videos = tf.constant(frames(5, 30, 30)[np.newaxis])
    given = tf.constant([[5, 31, 30]])
    found = encode_video_arrays(videos, given, config=CONFIG, parity="keras_hub", target=LITERT)
    assert found.finding.detail.numpy().tolist() == [[Fault.IMAGE_SIZE, 0]]
    assert not found.values.numpy().any()


def test_the_number_of_videos_must_be_known():
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, None, 3], tf.uint8)])
    def step(videos):
        nothing = tf.zeros([1, 2], tf.int32)
        return encode_unrolled(videos, nothing, tf.zeros([1, 3], tf.int32), config=CONFIG, target=LITERT)

    with pytest.raises(ValueError, match="`videos`: their number must be known while tracing"):
        step.get_concrete_function()
