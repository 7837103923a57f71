"""Videos to the patches of their frames."""

import numpy as np
import pytest
import tensorflow as tf

from export.verify import samples
from graph_ops.config import ImageConfig, VideoConfig
from graph_ops.faults import Fault
from graph_ops.image.encode import encode_image_arrays
from graph_ops.video.encode import encode_video_arrays, encode_videos, video_soft_tokens

CONFIG = VideoConfig(num_frames=3)


def frames(count, height, width, seed=0):
    return np.stack([samples.pixels(height, width, seed=seed + k) for k in range(count)])


def files(images):
    return [tf.io.encode_png(image).numpy() for image in images]


def packed(*videos):
    sizes = [video.shape[:3] for video in videos]
    array = np.zeros((len(videos), *np.max(sizes, axis=0), 3), np.uint8)
    for place, video in enumerate(videos):
        array[place][tuple(map(slice, video.shape))] = video
    return tf.constant(array), tf.constant(sizes)


@pytest.mark.parametrize("parity", ["keras_hub", "transformers"])
def test_each_frame_is_an_image_with_the_budget_of_a_frame(parity):
    videos = frames(7, 60, 80), frames(4, 90, 50, 20)
    found = encode_video_arrays(*packed(*videos), config=CONFIG, parity=parity)
    places = {"keras_hub": [[0, 3, 6], [0, 1, 3]], "transformers": [[0, 2, 4], [0, 1, 2]]}[parity]
    assert found.taken.numpy().tolist() == places
    image = ImageConfig(max_soft_tokens=70)
    for number, (video, taken) in enumerate(zip(videos, places, strict=True)):
        size = [list(video.shape[1:3])] * 3
        expected = encode_image_arrays(tf.constant(video[taken]), tf.constant(size), config=image)
        np.testing.assert_array_equal(found.values[number], expected.values)
        np.testing.assert_array_equal(found.positions[number], expected.positions)
        np.testing.assert_array_equal(found.num_soft_tokens[number], expected.num_soft_tokens)


def test_files_give_what_arrays_give_wherever_the_gaps_are():
    video = frames(5, 48, 70)
    encoded = files(video)
    given = tf.constant([["", *encoded[:2], "", *encoded[2:]], [""] * 7])
    found = encode_videos(given, config=CONFIG, parity="keras_hub")
    expected = encode_video_arrays(*packed(video), config=CONFIG, parity="keras_hub")
    for name in ("values", "positions", "num_soft_tokens", "taken", "totals"):
        np.testing.assert_array_equal(getattr(found, name)[0], getattr(expected, name)[0], name)
    assert found.totals.numpy().tolist() == [5, 0]
    assert not found.num_soft_tokens[1].numpy().any()
    assert found.finding.fault.numpy().tolist() == [0, 0]


def test_only_the_frames_that_are_taken_are_read():
    encoded = files(frames(4, 30, 30))
    given = tf.constant([[encoded[0], b"no file", encoded[2], encoded[3]]])
    found = encode_videos(given, config=VideoConfig(num_frames=2), parity="keras_hub")
    assert found.finding.fault.numpy().tolist() == [0]


def test_a_faulty_frame_is_its_videos_fault():
    good, thin = files(frames(2, 30, 30)), files(frames(1, 1, 4000))
    given = [[*good, b"no file"], [good[0], thin[0], good[1]], [*good, good[0]]]
    found = encode_videos(tf.constant(given), config=CONFIG, parity="keras_hub").finding
    assert found.fault.numpy().tolist() == [Fault.VIDEO_FRAME, Fault.NONE, Fault.NONE]
    assert found.detail.numpy()[0].tolist() == [Fault.IMAGE_UNDECODABLE, 2]


@pytest.mark.parametrize("size", [[6, 30, 30], [-1, 30, 30], [3, 0, 0], [0, 30, 30]])
def test_a_size_must_lie_within_the_array(size):
    videos = tf.constant(frames(5, 30, 30)[np.newaxis])
    found = encode_video_arrays(videos, tf.constant([size]), config=CONFIG, parity="keras_hub")
    assert found.finding.fault.numpy().tolist() == [Fault.VIDEO_SIZE]
    assert found.finding.detail.numpy()[0].tolist() == [size[0], 5]
    assert not found.num_soft_tokens.numpy().any()


def test_a_frame_beyond_its_array_is_a_fault():
    videos = tf.constant(frames(5, 30, 30)[np.newaxis])
    found = encode_video_arrays(videos, tf.constant([[5, 31, 30]]), config=CONFIG, parity="keras_hub")
    assert found.finding.detail.numpy().tolist() == [[Fault.IMAGE_SIZE, 0]]


def test_sizes_alone_give_the_soft_tokens():
    videos = packed(frames(7, 60, 80), frames(2, 90, 50))
    sizes = tf.concat([videos[1], [[0, 0, 0]]], axis=0)
    for parity in ("keras_hub", "transformers"):
        found = video_soft_tokens(sizes, config=CONFIG, parity=parity)
        expected = encode_video_arrays(*videos, config=CONFIG, parity=parity)
        np.testing.assert_array_equal(found.num_soft_tokens[:2], expected.num_soft_tokens)
        np.testing.assert_array_equal(found.taken[:2], expected.taken)
        assert not found.num_soft_tokens[2].numpy().any()
