"""Frames of one size, resized side by side: the very patches of each frame alone."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.config import VideoConfig
from graph_ops.faults import Fault
from graph_ops.image.encode import encode_image_arrays
from graph_ops.video import frames as sides
from graph_ops.video.frames import encode_frames, no_frames
from tests.graph_ops.video.test_encode import frames

CONFIG = VideoConfig(num_frames=5)


@pytest.mark.parametrize("values_at_once", [1, 3 * 40 * 90 * 2, sides.VALUES_AT_ONCE])
def test_patches_are_those_of_each_frame_alone(monkeypatch, values_at_once):
    monkeypatch.setattr(sides, "VALUES_AT_ONCE", values_at_once)
    videos = tf.constant(np.stack([frames(7, 60, 90, seed) for seed in range(3)]))
    sizes = [(40, 90), (60, 31), (0, 0)]
    taken = [[0, 2, 3, 5, 6], [1, 4, 6, -1, -1], [-1] * 5]
    found = encode_frames(videos, tf.constant(sizes), tf.constant(taken), config=CONFIG)
    for video, (size, places) in enumerate(zip(sizes, taken, strict=True)):
        alone = encode_image_arrays(
            tf.gather(videos[video], np.maximum(places, 0)),
            tf.constant([size if place >= 0 else (0, 0) for place in places]),
            config=CONFIG,
        )
        for ours, theirs in zip(tf.nest.flatten(found), tf.nest.flatten(alone), strict=True):
            np.testing.assert_array_equal(ours[video * 5 : video * 5 + 5], theirs)


def test_a_frame_that_is_too_thin_is_padding_with_a_fault():
    videos = tf.constant(frames(2, 2, 3000)[np.newaxis])
    found = encode_frames(videos, tf.constant([[0, 3000]]), tf.constant([[0, 1, -1, -1, -1]]), config=CONFIG)
    assert found.finding.fault.numpy().tolist() == [Fault.IMAGE_TOO_THIN] * 5
    assert found.finding.detail.numpy()[0].tolist() == [0, 3000]
    assert not found.values.numpy().any()
    assert not found.num_soft_tokens.numpy().any()
    assert (found.positions.numpy() == -1).all()


def test_no_frames_are_empty_slots():
    nothing = no_frames(config=CONFIG)
    assert nothing.values.shape == (5, CONFIG.max_patches, CONFIG.patch_dim)
    assert not nothing.num_soft_tokens.numpy().any()
