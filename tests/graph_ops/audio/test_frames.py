"""Which frames count, against counting windows one by one; the frames themselves."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.audio.frames import (
    hann_window,
    num_soft_tokens,
    num_sounding_frames,
    num_valid_frames,
    windowed_halves,
)
from tests.graph_ops.audio.sounds import CONFIG, PARITIES, SHORT, SIGNALS
from tests.twins import audio as twin
from tests.twins.vocabularies import REPEATABLE


@pytest.mark.parametrize("parity", PARITIES)
def test_frame_counts_equal_counting_windows(parity):
    lengths = [
        *range(0, 2_001, 7),
        *range(159, 2_001, 160),
        *range(479_600, 480_400, 13),
        479_999,
        480_000,
        480_001,
        10**6,
    ]
    counts = num_valid_frames(tf.constant(lengths), parity=parity, config=CONFIG).numpy()
    expected = [twin.count_valid_frames(length, parity=parity) for length in lengths]
    np.testing.assert_array_equal(counts, expected)


def test_soft_tokens_equal_halving_the_mask_twice():
    counts = num_soft_tokens(tf.range(3_001), config=CONFIG).numpy()
    assert counts.tolist() == [twin.count_soft_tokens(np.arange(3_000) < n) for n in range(3_001)]
    assert num_soft_tokens(tf.constant(10**6), config=CONFIG) == 750


@REPEATABLE
@given(st.integers(0, 2**31 - 1))
def test_frames_that_sound_are_those_that_touch_a_sample(length):
    counts = num_sounding_frames(tf.constant([length]), config=SHORT).numpy().tolist()
    firsts = range(-SHORT.stride, SHORT.max_samples - SHORT.stride, SHORT.stride)
    assert counts == [sum(first < length for first in firsts) if length else 0]


@pytest.mark.parametrize("count", [num_valid_frames, num_sounding_frames])
def test_no_clip_has_no_frames_and_the_longest_length_has_the_most(count):
    how = {"parity": "keras_hub"} if count is num_valid_frames else {}
    counts = count(tf.constant([[0, 1], [2**31 - 1, 480_000]]), config=CONFIG, **how).numpy()
    assert counts[:, 0].tolist() == [0, 3_000]
    assert counts[1, 1] == 3_000


def test_a_parity_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match=r"`parity` must be one of .*; got 'hf'"):
        num_valid_frames(tf.constant([1]), parity="hf", config=CONFIG)


def test_the_window_is_the_extractors(extractor):
    window = hann_window(config=CONFIG)
    assert window.dtype == np.float32
    np.testing.assert_array_equal(window, extractor.window)


@pytest.mark.parametrize(("length", "num_frames"), [(0, 2), (1, 1), (160, 2), (700, 3), (700, 8)])
def test_halves_are_windows_of_the_padded_clip(length, num_frames):
    samples = SIGNALS["noise"](length)
    first, second = windowed_halves(tf.constant(samples), num_frames, config=CONFIG)
    padded = np.concatenate([np.zeros(160, np.float32), samples, np.zeros(320 * num_frames, np.float32)])
    for frame in range(num_frames):
        whole = np.concatenate([first[frame], second[frame]])
        np.testing.assert_array_equal(whole, padded[160 * frame :][:320] * hann_window(config=CONFIG))
    assert first.shape == second.shape == (num_frames, 160)
