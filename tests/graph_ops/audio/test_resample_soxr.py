"""Resampling against soxr's quality HQ: the response, and the log-mel spectrograms of speech and of noise.

soxr gets silence around a clip and loses it afterwards, since its stages read a clip's beginning otherwise.
"""

import math

import numpy as np
import pytest
import tensorflow as tf

from export.verify import samples
from graph_ops.audio import resample as resampling
from graph_ops.audio.mel import log_mel_spectrogram
from graph_ops.audio.wav import decode_wav
from graph_ops.config import AudioConfig

soxr = pytest.importorskip("soxr")

CONFIG = AudioConfig()
OUT = CONFIG.sampling_rate

BOUNDS = {  # rate: most that a mel bin of speech, and of noise, may differ; measured plus a fifth
    7_999: (0.012, 0.062),
    8_000: (0.0075, 0.042),
    11_025: (0.014, 0.083),
    12_000: (0.010, 0.052),
    16_001: (0.0095, 0.052),
    22_050: (0.0075, 0.036),
    24_000: (0.0085, 0.050),
    32_000: (0.0055, 0.036),
    37_123: (0.0075, 0.041),
    44_100: (0.0072, 0.038),
    48_000: (0.0090, 0.052),
    88_200: (0.018, 0.125),
    96_000: (0.0065, 0.023),
    192_000: (0.0125, 0.087),
}
OF_SUMS = 1e-3
"""By how much a quiet mel bin may move with the order of the sums, which the processor chooses: one that was
within 0.002 of soxr's was at 0.00207 without oneDNN.
"""
MEAN_OF_SPEECH, MEAN_OF_NOISE = 1.4e-4, 5.5e-4  # of all bins, at any rate

ours = tf.function(
    lambda samples, rate: resampling.resample(samples, rate, config=CONFIG),
    input_signature=[tf.TensorSpec([None], tf.float32), tf.TensorSpec([], tf.int32)],
    autograph=False,
)


@tf.function(input_signature=[tf.TensorSpec([None], tf.float32)], autograph=False)
def log_mel(signal):
    return log_mel_spectrogram(signal, num_frames=tf.size(signal) // CONFIG.stride, config=CONFIG)


def theirs(signal, rate):
    """soxr's samples, as many as ours, of float64 [T] with a fifth of a second of silence around it."""
    unit = rate // math.gcd(rate, OUT)  # input samples after which both rates meet
    silence = unit * max(rate // 5 // unit, 1)
    result = soxr.resample(np.pad(signal, silence), rate, OUT, quality="HQ")[silence * OUT // rate :]
    return result[: -(-len(signal) * OUT // rate)]


def speech(rate):
    """The demonstration's recording at another rate, by soxr's best quality."""
    file = samples.demonstration_file("speech.wav").read_bytes()
    recorded = decode_wav(tf.constant(file), config=CONFIG).samples.numpy()
    return soxr.resample(recorded.astype(np.float64), OUT, rate, quality="VHQ").astype(np.float32)


def voice_and_noise(rate):
    """Harmonics of a gliding voice and, between them, noise, both up to the Nyquist frequency."""
    time, noise = np.arange(4 * rate) / rate, np.random.default_rng(1).normal(size=4 * rate)
    phase = 2 * np.pi * (120 * time + 20 * np.sin(2 * np.pi * 0.7 * time))
    voice = sum(np.sin(k * phase) / k for k in range(1, min(rate // 320, 300)))
    beat = 2 * np.pi * 3 * time
    loud, hiss = np.maximum(np.sin(beat), 0), 0.05 * np.sqrt(rate / OUT) * np.maximum(np.sin(beat + 2), 0)
    return (0.1 * loud * voice + hiss * noise).astype(np.float32)


def differences(signal, rate):
    """|Δ log-mel| [frames, 128] between ours and soxr's."""
    result, expected = ours(signal, rate), theirs(signal.astype(np.float64), rate).astype(np.float32)
    return np.abs(log_mel(result) - log_mel(expected))


@pytest.mark.parametrize("rate", BOUNDS)
def test_the_log_mel_of_speech_is_that_of_soxr(rate):
    difference = differences(speech(rate), rate)
    assert difference.max() < BOUNDS[rate][0] + OF_SUMS
    assert difference.mean() < MEAN_OF_SPEECH


@pytest.mark.parametrize("rate", BOUNDS)
def test_the_log_mel_of_noise_differs_below_the_lower_nyquist_only(rate):
    difference = differences(voice_and_noise(rate), rate)
    assert difference.max() < BOUNDS[rate][1] + OF_SUMS
    assert difference.mean() < MEAN_OF_NOISE
    corners = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 8_000 / 700), 130) / 2595) - 1)  # mel, in Hz
    passed = corners[2:] < 0.9 * min(rate, OUT) / 2  # bins that end in the passband
    assert difference[:, passed].max() < 0.002 + OF_SUMS


@pytest.mark.parametrize("rate", [22_050, 44_100])
def test_soxr_reads_the_first_frame_otherwise_when_silence_comes_before_it(rate):
    signal = speech(rate).astype(np.float64)
    alone, within = soxr.resample(signal, rate, OUT, quality="HQ"), theirs(signal, rate)
    itself = np.abs(log_mel(alone.astype(np.float32)) - log_mel(within.astype(np.float32)))
    assert itself[0].max() > 0.05
    assert itself[1:].max() < 0.006 + OF_SUMS


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 48_000, 96_000, 192_000])
def test_the_response_is_that_of_soxr(rate):
    time, out = np.arange(rate // 2) / rate, np.arange(OUT // 2) / OUT
    for share in np.linspace(0.86, 0.99, 14):  # of the lower Nyquist frequency
        hertz = share * min(rate, OUT) / 2
        tone, reference = np.sin(2 * np.pi * hertz * time), np.sin(2 * np.pi * hertz * out)
        window = np.hanning(len(out) - 2_000)
        gains = [
            2 * np.mean(result[1_000:-1_000] * reference[1_000:-1_000] * window) / window.mean()
            for result in (ours(tone.astype(np.float32), rate).numpy(), theirs(tone, rate))
        ]
        assert abs(gains[0] - gains[1]) < 0.008
