"""Slots whose frames know when they are shown."""

import tensorflow as tf

from graph_ops.faults import Fault
from graph_ops.media.slots import from_counts
from graph_ops.media.timing import timed
from graph_ops.media.video import VIDEO


def found_for(inputs):
    slots = from_counts(tf.constant([[2, 2, 2, 2, 0, 0], [3, 3, 3, 0, 0, 0]]), frames=3)
    return timed(slots, inputs, medium=VIDEO, default_rate=0.5, parity="keras_hub")


def test_what_is_not_said_is_the_default():
    found = found_for({})
    assert found.frames.seconds.numpy().tolist() == [[[0, 2, 4], [0, -1, -1]], [[0, 2, 4], [-1, -1, -1]]]
    assert found.finding.fault.numpy().tolist() == [0, 0]


def test_each_video_has_a_source_of_its_own():
    inputs = {
        "frame_indices": tf.constant([[[0, 10, 20], [7, -1, -1]], [[-1, -1, -1]] * 2]),
        "fps": tf.constant([[10, 0], [1, 0]], tf.float64),
    }
    found = found_for(inputs)
    assert found.frames.seconds.numpy().tolist() == [[[0, 1, 2], [14, -1, -1]], [[0, 1, 2], [-1, -1, -1]]]
    assert found.finding.fault.numpy().tolist() == [0, 0]


def test_what_is_wrong_with_a_source_is_its_rows_finding():
    inputs = {"fps": tf.constant([[10, 0], [-1, 0]], tf.float64)}
    assert found_for(inputs).finding.fault.numpy().tolist() == [0, Fault.VIDEO_FPS]
