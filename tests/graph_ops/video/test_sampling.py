"""Which frames are taken, and when they are shown, beside the references' own functions."""

from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from transformers.models.gemma4.processing_gemma4 import Gemma4Processor
from transformers.video_utils import VideoMetadata, default_sample_indices_fn

from graph_ops.faults import Fault
from graph_ops.target import LITERT
from graph_ops.video.sampling import sampled_frames, shown_at, source_finding

TOTALS = [*range(1, 40), 63, 64, 65, 100, 250, 1_000, 1_439, 7_200, 65_537, 1_000_003]


def taken(totals, count, parity):
    return sampled_frames(tf.constant(totals), num_frames=count, parity=parity).numpy()


@pytest.mark.parametrize("count", [1, 4, 32])
def test_frames_are_those_that_keras_hub_takes(count):
    expected = [keras.ops.cast(keras.ops.linspace(0, total - 1, count), "int32").numpy() for total in TOTALS]
    np.testing.assert_array_equal(taken(TOTALS, count, "keras_hub"), expected)


@pytest.mark.parametrize("count", [1, 4, 32])
def test_frames_are_those_that_transformers_takes(count):
    totals = [total for total in TOTALS if total >= count]
    expected = [
        default_sample_indices_fn(VideoMetadata(total_num_frames=total), num_frames=count) for total in totals
    ]
    np.testing.assert_array_equal(taken(totals, count, "transformers"), expected)


def test_a_short_video_is_taken_as_it_is_or_some_frames_several_times():
    assert taken([3], 5, "transformers").tolist() == [[0, 1, 2, -1, -1]]
    assert taken([3], 5, "keras_hub").tolist() == [[0, 0, 1, 1, 2]]
    assert taken([0], 3, "keras_hub").tolist() == taken([0], 3, "transformers").tolist() == [[-1] * 3]


def times(places, rate, **settings: Any):
    places = tf.constant([places])
    of_videos: dict[str, Any] = {"default_rate": 24.0, "parity": "transformers"} | settings
    frames = tf.range(places.shape[1])[tf.newaxis]
    return shown_at(frames, places, tf.constant([rate], tf.float64), **of_videos).numpy()[0]


@pytest.mark.parametrize("rate", [24.0, 23.976, 29.97, 30.0, 30_000 / 1001, 60.0, 1.0, 0.5, 1000.0])
def test_times_are_those_that_transformers_writes(rate):
    places = list(range(0, 400_000, 977)) + [round(k * rate) for k in range(9_000, 9_100)]
    places = sorted(places)
    inputs = {
        "num_soft_tokens_per_video": [0],
        "video_metadata": [VideoMetadata(total_num_frames=len(places), fps=rate, frames_indices=places)],
    }
    itself: Any = SimpleNamespace(boi_token="", video_token="", eoi_token="")
    expected = Gemma4Processor.replace_video_token(itself, inputs, 0).split()
    seconds = times(places, rate)
    assert [f"{second // 60:02d}:{second % 60:02d}" for second in seconds.tolist()] == expected


def test_without_a_source_frames_are_counted_by_keras_hub_and_are_the_source_for_transformers():
    frames, nothing = tf.constant([[0, 40, 80]]), tf.zeros([1, 0], tf.int32)
    rates = tf.constant([0.0], tf.float64)
    for parity, expected in (("keras_hub", [0, 0, 0]), ("transformers", [0, 1, 3])):
        found = shown_at(frames, nothing, rates, default_rate=24.0, parity=parity)
        assert found.numpy().tolist() == [expected]
    places = tf.fill([1, 3], -1)
    found = shown_at(frames, places, rates, default_rate=24.0, parity="transformers")
    assert found.numpy().tolist() == [[0, 1, 3]]


def test_devices_reckon_times_in_float32():
    assert times([0, 48, 1440 * 60], 24.0, target=LITERT).tolist() == [0, 2, 3600]


@pytest.mark.parametrize(
    ("places", "rate", "fault", "detail"),
    [
        ([0, 1, 1, 9], 30.0, Fault.NONE, [0, 0]),
        ([-1, -1, -1, -1], 0.0, Fault.NONE, [0, 0]),
        ([], 0.0, Fault.NONE, [0, 0]),
        ([0, 5, 4, 9], 30.0, Fault.VIDEO_FRAME_INDICES, [2, 4]),
        ([0, 1, 2], 30.0, Fault.VIDEO_FRAME_INDICES, [3, -1]),
        ([0, 1, -1, -1], 30.0, Fault.VIDEO_FRAME_INDICES, [2, -1]),
        ([0, 1, 2, 3], -2.0, Fault.VIDEO_FPS, [-1, 0]),
        ([0, 1, 2, 3], float("nan"), Fault.VIDEO_FPS, [-1, 0]),
        ([0, 1, 2, 3], float("inf"), Fault.VIDEO_FPS, [-1, 0]),
    ],
)
def test_what_is_said_of_a_source_is_checked(places, rate, fault, detail):
    given = tf.constant([places], tf.int32), tf.constant([rate], tf.float64)
    found = source_finding(tf.constant([4]), *given)
    assert (found.fault.numpy().tolist(), found.detail.numpy().tolist()) == ([int(fault)], [detail])
    assert source_finding(tf.constant([0]), *given).fault.numpy().tolist() == [0]
