"""Signals, settings and tolerances that the tests of audio share."""

import io
import wave

import numpy as np

from graph_ops.config import AudioConfig
from graph_ops.target import LITERT, TENSORFLOW
from tests.twins import audio as twin

CONFIG = AudioConfig()
SHORT = AudioConfig(max_audio_length=1)  # 100 frames: the same numbers in little memory
PARITIES = ["keras_hub", "transformers"]
TOLERANCES = {TENSORFLOW: twin.LOG_MEL_ERROR, LITERT: 5e-5}  # of a natural logarithm
TOLERANCE = TOLERANCES[TENSORFLOW]


def extract(extractor, samples):
    """Frames and mask of one clip; the extractor wants a list (it cannot take a bare array)."""
    result = extractor([samples], sampling_rate=CONFIG.sampling_rate, return_tensors="np")
    return result["input_features"][0], result["input_features_mask"][0]


def speech_like(length):
    """Harmonics of a gliding voice in syllables, with breath."""
    time = np.arange(length) / CONFIG.sampling_rate
    phase = 2 * np.pi * (120 * time + 20 * np.sin(2 * np.pi * 0.7 * time))
    voice = sum(np.sin(k * phase) / k for k in range(1, 40))
    breath = np.random.default_rng(1).normal(size=length)
    return (0.1 * np.maximum(np.sin(2 * np.pi * 3 * time), 0) * voice + 0.003 * breath).astype(np.float32)


def clicks(length):
    samples = np.zeros(length, np.float32)
    samples[::997] = 1
    samples[500::1_777] = -1
    return samples


SIGNALS = {
    "speech-like": speech_like,
    "silence": lambda length: np.zeros(length, np.float32),
    "noise": lambda length: np.random.default_rng(0).uniform(-1, 1, (length,)).astype(np.float32),
    "faint noise": lambda length: 1e-5 * np.random.default_rng(0).normal(size=(length,)).astype(np.float32),
    "clicks": clicks,
    "square": lambda length: np.where(np.arange(length) // 37 % 2, 1, -1).astype(np.float32),
    "fastest square": lambda length: np.where(np.arange(length) % 2, 1, -1).astype(np.float32),
    "constant": lambda length: np.ones(length, np.float32),
    "sine": lambda length: np.sin(2 * np.pi * 1_000 / 16_000 * np.arange(length)).astype(np.float32),
}


def wav_file(samples, rate=16_000, channels=1):
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(np.repeat(np.round(samples * 32_767).astype("<i2"), channels).tobytes())
    return stream.getvalue()


def samples_of(file):
    """The samples of a 16-bit mono file at 16 kHz, by Python's own reader."""
    with wave.open(io.BytesIO(file)) as opened:
        assert (opened.getframerate(), opened.getnchannels(), opened.getsampwidth()) == (16_000, 1, 2)
        return np.frombuffer(opened.readframes(opened.getnframes()), "<i2").astype(np.float32) / 2**15
