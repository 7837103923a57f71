"""Resampling against the direct windowed-sinc sum, and by what it does to sines."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.audio import resample as resampling
from graph_ops.config import AudioConfig
from tests.twins import audio as twin

CONFIG = AudioConfig()
OUT = CONFIG.sampling_rate
COMMON = [8_000, 11_025, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000]
ODD = [1, 7, 999, 7_999, 15_999, 16_001, 44_099, 191_999, 767_999, 768_000]

traced = tf.function(
    lambda samples, rate: resampling.resample(samples, rate, config=CONFIG),
    input_signature=[tf.TensorSpec([None], tf.float32), tf.TensorSpec([], tf.int32)],
    autograph=False,
)


def noise(length, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, length).astype(np.float32)


def sine(hertz, rate, seconds):
    return np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def interior(samples):
    """Without the ends, where the filter sees the silence around the clip."""
    edge = len(samples) // 4
    return samples[edge:-edge]


def decibels(samples):
    return 20 * np.log10(np.sqrt(np.mean(np.square(samples))) * np.sqrt(2) + 1e-12)  # of a full-scale sine


@pytest.mark.parametrize("rate", COMMON + ODD)
def test_equals_the_direct_sum(rate):
    samples = noise(min(max(rate // 10, 60), 9_000))
    result = traced(samples, rate).numpy()
    some = np.unique(
        np.concatenate(
            [np.arange(20), np.linspace(0, len(result) - 1, 80).astype(int), len(result) - 1 - np.arange(20)]
        )
    )
    np.testing.assert_allclose(
        result[some], twin.resample(samples, rate, some), rtol=0, atol=twin.RESAMPLING_ERROR
    )


@pytest.mark.parametrize("rate", COMMON + ODD)
@pytest.mark.parametrize("length", [0, 1, 2, 159, 441])
def test_length_is_the_closed_form(rate, length):
    expected = -(-length * OUT // rate)
    assert traced(noise(length), rate).shape[0] == expected
    assert resampling.num_resampled(length, rate, config=CONFIG) == expected


def test_own_rate_is_the_identity_bit_for_bit():
    samples = noise(12_345) * np.float32(1e-3)
    np.testing.assert_array_equal(traced(samples, OUT).numpy(), samples)


@pytest.mark.parametrize("rate", [*COMMON, 44_099, 7_999])
def test_passband_sines_keep_amplitude_and_time(rate):
    lower_nyquist = min(rate, OUT) / 2
    for hertz in (100, 0.5 * lower_nyquist, 0.9 * lower_nyquist):
        result = traced(sine(hertz, rate, 0.2).astype(np.float32), rate).numpy()
        error = result - sine(hertz, OUT, 1)[: len(result)]
        assert decibels(interior(error)) < -110, hertz


@pytest.mark.parametrize("rate", [22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 44_099])
def test_tones_above_the_new_nyquist_are_rejected(rate):
    for hertz in np.linspace(8_005, rate / 2 - 100, 12):
        result = traced(sine(hertz, rate, 0.2).astype(np.float32), rate).numpy()
        assert decibels(interior(result)) < -110, hertz


def test_an_impulse_keeps_its_place_and_symmetry():
    impulse = np.zeros(4_801, np.float32)
    impulse[2_400] = 1
    result = traced(impulse, 48_000).numpy()
    assert np.argmax(result) == 800
    np.testing.assert_allclose(result[800 - 200 : 800], result[801 : 801 + 200][::-1], atol=1e-8)


@pytest.mark.parametrize("rate", [44_100, 44_099])
def test_a_prefix_depends_on_no_more_than_the_context(rate):
    samples = noise(rate // 4)
    cut = rate // 8 + int(resampling.context(rate, config=CONFIG))
    prefix = traced(samples[:cut], rate).numpy()
    samples[cut:] = 1e6  # so that even the filter's outermost tap would show
    whole = traced(samples, rate).numpy()
    np.testing.assert_allclose(prefix[: OUT // 8], whole[: OUT // 8], rtol=0, atol=2 * twin.RESAMPLING_ERROR)


def test_stopband_begins_at_the_lower_nyquist():
    design = resampling.ResamplerDesign()
    attenuation = design.beta / 0.1102 + 8.7  # Kaiser's formulas, for A > 50 dB
    transition = (attenuation - 8) / (2.285 * 2 * design.zero_crossings * np.pi)  # a share of the cutoff
    assert design.roll_off * (1 + transition / 2) == pytest.approx(1, abs=1e-3)
    assert design.roll_off * (1 - transition / 2) == pytest.approx(0.914, abs=1e-3)


def test_eager_equals_traced():
    samples = noise(2_000)
    for rate in (11_025, OUT, 44_099):
        eager = resampling.resample(tf.constant(samples), tf.constant(rate), config=CONFIG)
        np.testing.assert_allclose(eager, traced(samples, rate), rtol=0, atol=2 * twin.RESAMPLING_ERROR)
