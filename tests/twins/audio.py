"""The audio steps in NumPy: one frame, one output, one window at a time, in float64."""

import numpy as np

from graph_ops.audio.resample import DESIGN
from graph_ops.config import AudioConfig

CONFIG = AudioConfig()
PAD_MULTIPLE = 128  # the extractor pads clips to a multiple of this many samples

# Most that a result may differ from the exact one, and two runs of the same step from each other. The sums
# of a matrix product are taken in an order that its shape, the processor and the number of threads choose;
# u = 2⁻²⁴.
RESAMPLING_ERROR = 2e-6
"""Of a sample. A sum of K products x h is off by about √K u Σ|x h| (Higham & Mary, 2019): at 48 kHz K = 599,
and Σ|x h| is 1.3 for noise in [-1, 1], which makes 1.9e-6.
"""
LOG_MEL_ERROR = 2e-6
"""Of a natural logarithm. A mel bin is a sum of at most 11 magnitudes, none negative, so it is off by at most
14 u = 8e-7 of itself; the logarithm, up to 8, is rounded by 5e-7.
"""
RESAMPLED_LOG_MEL_ERROR = 6e-3
"""Of a natural logarithm, after resampling. An error of 1e-7 in each sample is one of 1e-7 √Σw² = 1.1e-6 in
each bin of the spectrum, so of up to 5.5 x 1.1e-6 in a mel bin; in a silent one that stands beside mel_floor,
1e-3.
"""


def encode(samples, *, parity, config=CONFIG):
    """One clip to (audio_mel [max_frames, num_mels], audio_mel_mask [max_frames], soft tokens)."""
    samples = np.asarray(samples, np.float64)[: config.max_samples]
    num_valid = count_valid_frames(len(samples), parity=parity, config=config)
    mask = (np.arange(config.max_frames) < num_valid).astype(np.int32)
    samples = samples if num_valid else samples[:0]  # too short a clip counts as none
    mel = log_mel(samples, config.max_frames, config=config)
    return (mel if parity == "keras_hub" else mel * mask[:, None]), mask, count_soft_tokens(mask)


def log_mel(samples, num_frames, *, config=CONFIG):
    """Frame by frame, with an FFT; a sample outside the clip is 0."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(config.frame_length) / config.frame_length)
    padded = np.concatenate(
        [
            np.zeros(config.frame_length // 2),
            samples,
            np.zeros(num_frames * config.stride + config.frame_length),
        ]
    )
    weights = mel_weights(config=config)
    rows = []
    for i in range(num_frames):
        frame = padded[i * config.stride : i * config.stride + config.frame_length] * window
        magnitude = np.abs(np.fft.rfft(frame, config.num_fft_bins))
        row = np.log(magnitude @ weights + config.mel_floor)
        row = row if config.per_bin_mean is None else row - config.per_bin_mean
        rows.append(row if config.per_bin_stddev is None else row / config.per_bin_stddev)
    return np.array(rows).reshape(num_frames, config.num_mels)


def mel_weights(*, config=CONFIG):
    """Triangle by triangle and bin by bin, as the HTK Book draws them."""

    def mel(hertz):
        return 2595 * np.log10(1 + hertz / 700)

    step = (mel(config.max_frequency) - mel(config.min_frequency)) / (config.num_mels + 1)
    corner = [
        700 * (10 ** ((mel(config.min_frequency) + i * step) / 2595) - 1) for i in range(config.num_mels + 2)
    ]
    weights = np.zeros([config.num_fft_bins // 2 + 1, config.num_mels])
    for k in range(len(weights)):
        hertz = k * config.sampling_rate / config.num_fft_bins
        for m in range(config.num_mels):
            left, peak, right = corner[m : m + 3]
            if left < hertz <= peak:
                weights[k, m] = (hertz - left) / (peak - left)
            elif peak < hertz < right:
                weights[k, m] = (right - hertz) / (right - peak)
    return weights


def count_valid_frames(length, *, parity, config=CONFIG):
    """By looking at every window, not by a formula."""
    length = min(length, config.max_samples)
    if parity == "keras_hub":
        return sum(1 for end in range(config.stride, config.max_samples + 1, config.stride) if end <= length)
    padded = -(-length // PAD_MULTIPLE) * PAD_MULTIPLE
    is_audio = np.concatenate([np.zeros(config.frame_length // 2, bool), np.arange(padded) < length])
    last_of_window = np.arange(config.frame_length, len(is_audio), config.stride)
    return int(is_audio[last_of_window].sum())


def count_soft_tokens(mask):
    """By halving the mask twice, as the encoder's two convolutions do."""
    return int(np.asarray(mask)[::2][::2].sum())


def resample(samples, rate, outputs=None, *, config=CONFIG):
    """The direct sum over the whole clip, for the output indices `outputs` (default: all)."""
    samples = np.asarray(samples, np.float64)
    total = -(-len(samples) * config.sampling_rate // rate)
    cutoff = DESIGN.roll_off * min(1, config.sampling_rate / rate)
    result = []
    for j in range(total) if outputs is None else outputs:
        crossings = (j * rate / config.sampling_rate - np.arange(len(samples))) * cutoff
        inside = np.maximum(0, 1 - (crossings / DESIGN.zero_crossings) ** 2)
        window = np.where(inside > 0, np.i0(DESIGN.beta * np.sqrt(inside)) / np.i0(DESIGN.beta), 0)
        result.append(np.sum(samples * cutoff * np.sinc(crossings) * window))
    return np.array(result)
