"""Samples to what Gemma 4's audio encoder eats: log-mel frames, their mask and the number of soft tokens.

    samples [N, T] ──▶ frames of 320 every 160 ──▶ |DFT| ──▶ mel ──▶ log ──▶ audio_mel [N, 3000, 128]
    lengths [N] ─────▶ valid frames ─────────────────────────────────────▶ audio_mel_mask [N, 3000]
                                   └─▶ ÷ 4, rounded up ──────────────────▶ num_soft_tokens [N]

Both references compute the same frames and differ in which of them count: see `num_valid_frames`.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from graph_ops import wav
from graph_ops.config import AudioConfig


def encode_wavs(encoded: tf.Tensor, *, parity: str, config: AudioConfig) -> tuple[tf.Tensor, ...]:
    """Encodes a batch of WAV files; "" stands for no clip, and a file with a fault counts as none.

    Args:
        encoded: string [N]; N may be 0.
        parity: "keras_hub" or "transformers".
        config: the numbers of the spectrogram.

    Returns:
        audio_mel, audio_mel_mask, num_soft_tokens: as `encode_audio`.
        fault: int32 [N], a `Fault` of `wav.decode_wav`; NONE for "".
        detail: int32 [N, 2], the two numbers of its sentence.
    """
    samples, lengths, fault, detail = wav.decode_wavs(encoded, config=config)
    return *encode_audio(samples, lengths, parity=parity, config=config), fault, detail


def encode_audio(
    samples: tf.Tensor, lengths: tf.Tensor, *, parity: str, config: AudioConfig
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Encodes a batch of waveforms, each as if it were alone.

    Only as many frames are computed as the longest clip needs; the others hold the constant that they would come to.

    Args:
        samples: float32 [N, T] at `config.sampling_rate`, about [-1, 1]; cut at `config.max_samples`. What lies beyond a row's length
            is not looked at, be it NaN.
        lengths: int32 [N], samples in each row; 0 for no clip.
        parity: "keras_hub" or "transformers".
        config: the numbers of the spectrogram.

    Returns:
        audio_mel: float32 [N, max_frames, num_mels], natural logarithm of the mel magnitude. Frames that are not valid hold, in
            "keras_hub" parity, what the clip padded with silence to 30 s has there (log(mel_floor), normalised, from the end of the
            sound on), and 0 in "transformers" parity.
        audio_mel_mask: int32 [N, max_frames], 1 for valid frames.
        num_soft_tokens: int32 [N], ceil(valid frames / 4).

    Raises:
        ValueError: `parity` is neither of the two.
    """
    samples, lengths = _only_sound(samples, lengths, config=config)
    num_valid = num_valid_frames(lengths, parity=parity, config=config)
    if parity == "keras_hub":
        num_frames, fill = num_sounding_frames(lengths, config=config), silent_frame(config=config)
    else:
        num_frames, fill = num_valid, np.zeros(config.num_mels, np.float32)
    mel = _filled_spectrogram(samples, num_frames, fill=fill, config=config)
    mask = tf.sequence_mask(num_valid, config.max_frames, tf.int32)
    return mel, mask, num_soft_tokens(num_valid, config=config)


def num_valid_frames(lengths: tf.Tensor, *, parity: str, config: AudioConfig) -> tf.Tensor:
    """Frames that a clip's mask marks as audio, in closed form.

    * "keras_hub": min(length // 160, 3000), as many whole hops as the clip has. Source: `_preprocess_audio`.
    * "transformers": (min(length, 480000) − 1) // 160 and never negative. Its extractor cuts windows of 321 samples, one more than
      a frame, and counts window i if its last sample is audio: with 160 samples padded on the left that is sample 160 i + 160 of the
      clip. Padding to a multiple of 128 adds windows but none that counts. Source: `Gemma4AudioFeatureExtractor`.

    Args:
        lengths: int32 [...], samples.
        parity: "keras_hub" or "transformers".
        config: hop and longest clip.

    Returns:
        int32 [...] in [0, max_frames].

    Raises:
        ValueError: `parity` is neither of the two.
    """
    rules: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
        "keras_hub": lambda length: length // config.stride,
        "transformers": lambda length: (length - 1) // config.stride,
    }
    if parity not in rules:
        raise ValueError(f"`parity` must be one of {sorted(rules)}; got {parity!r}. Pass one of these.")
    return tf.maximum(rules[parity](tf.minimum(lengths, config.max_samples)), 0)


def num_sounding_frames(lengths: tf.Tensor, *, config: AudioConfig) -> tf.Tensor:
    """Frames that touch a clip's samples, int32 [...]: min(ceil(length / 160) + 1, 3000), and 0 for no clip; later ones see silence."""
    touching = tf.where(lengths > 0, -(-lengths // config.stride) + 1, 0)
    return tf.minimum(touching, config.max_frames)


def num_soft_tokens(num_frames: tf.Tensor, *, config: AudioConfig) -> tf.Tensor:
    """Soft tokens that the encoder makes of valid frames: min(ceil(num_frames / 4), 750).

    The encoder's two convolutions each keep every second entry of the mask, beginning with the first; on a mask that is a run of ones
    this rounds up twice, which is rounding up once. Source: `Gemma4Processor.replace_audio_token` and
    `Gemma4CausalLMPreprocessor`, which agree.

    Args:
        num_frames: int32 [...], valid frames of each clip.
        config: time reduction and most soft tokens.

    Returns:
        int32 [...].
    """
    return tf.minimum(-(-num_frames // config.frames_per_soft_token), config.max_soft_tokens)


def log_mel_spectrogram(samples: tf.Tensor, *, num_frames: int | tf.Tensor, config: AudioConfig) -> tf.Tensor:
    """Natural logarithm of the mel magnitude, frame by frame.

    Frame i covers samples 160 i − 160 … 160 i + 159; what lies before the clip or beyond its end reads as 0. The steps: periodic Hann
    window, magnitude of the DFT of 512, mel triangles, log(mel + mel_floor), then mean and deviation of each bin if there are any.

    The DFT is a matrix product, which needs no FFT op on a device and is as fast here, at half the usual size: a magnitude does not
    change when time is shifted, so time 0 may lie in the frame's middle, about which the Hann window is symmetric. Then the cosines
    see only the frame's even part and the sines only its odd part, each of 160 numbers.

    Args:
        samples: float32 [..., T].
        num_frames: int or int32 [], frames to compute.
        config: the numbers of the spectrogram.

    Returns:
        float32 [..., num_frames, num_mels].

    Raises:
        ValueError: `config.frame_length` is not twice `config.stride`, or `config.num_fft_bins` is shorter than a frame.
    """
    _check_frame(config)
    half, num_mels = config.stride, config.num_mels
    cosines, sines, mel_weights = _transform_matrices(config=config)
    before, after = _frame_halves(samples, num_frames, half)  # both [..., num_frames, 160]
    # One matrix product over all rows is faster than one for each: [..., num_frames, 160] → [rows, 160].
    leading = tf.shape(after)[:-1]
    before, after = tf.reshape(before, [-1, half]), tf.reshape(after, [-1, half])
    real, imaginary = tf.matmul(after + before, cosines), tf.matmul(after - before, sines)
    mel = tf.matmul(tf.sqrt(tf.square(real) + tf.square(imaginary)), mel_weights)
    log_mel = tf.reshape(_normalise(tf.math.log(mel + config.mel_floor), config=config), tf.concat([leading, [num_mels]], 0))
    log_mel.set_shape([*samples.shape[:-1], num_frames if isinstance(num_frames, int) else None, num_mels])
    return log_mel


def linear_to_mel_weight_matrix(*, config: AudioConfig) -> np.ndarray:
    """Triangles that sum a magnitude spectrum into mel bins, float32 [num_fft_bins // 2 + 1, num_mels], for use while tracing.

    Corners are equally spaced in mel = 2595 log10(1 + f / 700), the HTK scale, from `min_frequency` to `max_frequency`; each triangle
    rises from 0 at its left corner to 1 at the next one and falls to 0 at the one after; no area normalisation. Source: The HTK Book,
    5.4; both references use it. Computed in float64.
    """
    to_mel = 2595 * np.log10(1 + np.array([config.min_frequency, config.max_frequency]) / 700)
    corners = 700 * (10 ** (np.linspace(*to_mel, config.num_mels + 2) / 2595) - 1)
    hertz = np.arange(config.num_fft_bins // 2 + 1)[:, np.newaxis] * (config.sampling_rate / config.num_fft_bins)
    left, peak, right = corners[:-2], corners[1:-1], corners[2:]
    rising, falling = (hertz - left) / (peak - left), (right - hertz) / (right - peak)
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def hann_window(*, config: AudioConfig) -> np.ndarray:
    """The periodic Hann window 0.5 − 0.5 cos(2 π n / 320), float32 [frame_length]; what both references multiply a frame by."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(config.frame_length) / config.frame_length)).astype(np.float32)


def silent_frame(*, config: AudioConfig) -> np.ndarray:
    """The log-mel frame of silence, float32 [num_mels]: log(mel_floor), less the mean, over the deviation."""
    floor = np.full(config.num_mels, np.log(config.mel_floor))
    mean = 0 if config.per_bin_mean is None else np.asarray(config.per_bin_mean)
    stddev = 1 if config.per_bin_stddev is None else np.asarray(config.per_bin_stddev)
    return ((floor - mean) / stddev).astype(np.float32)


def _only_sound(samples: tf.Tensor, lengths: tf.Tensor, *, config: AudioConfig) -> tuple[tf.Tensor, tf.Tensor]:
    """Cut to the longest clip, zeros beyond each row's length (chosen, not multiplied: NaN × 0 is NaN), and the lengths that remain."""
    lengths = tf.clip_by_value(lengths, 0, tf.minimum(tf.shape(samples)[1], config.max_samples))
    samples = samples[:, : _longest(lengths)]
    return tf.where(tf.sequence_mask(lengths, tf.shape(samples)[1]), samples, 0), lengths


def _longest(lengths: tf.Tensor) -> tf.Tensor:
    """The largest of `lengths`, int32 []; 0 if there are none (the maximum of nothing is the lowest int32)."""
    return tf.maximum(tf.reduce_max(lengths), 0)


def _filled_spectrogram(samples: tf.Tensor, num_frames: tf.Tensor, *, fill: np.ndarray, config: AudioConfig) -> tf.Tensor:
    """Each row's first `num_frames` [N] frames, then `fill` [num_mels]: float32 [N, max_frames, num_mels]."""
    num_computed = _longest(num_frames)
    mel = log_mel_spectrogram(samples, num_frames=num_computed, config=config)
    mel = tf.where(tf.sequence_mask(num_frames, num_computed)[..., tf.newaxis], mel, fill)
    rest = tf.broadcast_to(fill, tf.stack([tf.shape(samples)[0], config.max_frames - num_computed, config.num_mels]))
    full = tf.concat([mel, rest], 1)
    full.set_shape([samples.shape[0], config.max_frames, config.num_mels])
    return full


def _frame_halves(samples: tf.Tensor, num_frames: int | tf.Tensor, half: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Each frame seen from its middle: the 160 samples before it in reverse, and the 160 from it on, float32 [..., num_frames, 160].

        frame:       x[0] x[1] … x[159] x[160] x[161] … x[319]
        after[m]:                       x[160 + m], m = 0 … 159
        before[m]:                      x[160 − m]

    x[160] is in both, and x[0], where the window is 0, in neither. `after` is the clip cut into blocks of 160, and `before` is the
    clip 159 samples later, cut likewise, each block reversed.
    """
    total = num_frames * half
    missing = tf.maximum(total - tf.shape(samples)[-1], 0)
    unpadded = [[0, 0]] * (samples.shape.rank - 1)
    after = tf.pad(samples, [*unpadded, [0, missing]])[..., :total]
    before = tf.pad(after, [*unpadded, [half - 1, 0]])[..., :total]
    blocks = tf.concat([tf.shape(samples)[:-1], tf.stack([num_frames, half])], 0)
    return tf.reverse(tf.reshape(before, blocks), [-1]), tf.reshape(after, blocks)


def _transform_matrices(*, config: AudioConfig) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """DFT of a frame's even and odd part, window included, and the mel triangles: float32 [160, bins], [160, bins], [bins, num_mels].

    Computed in float64. Bins that no triangle sees (0 Hz) are left out.
    """
    mel_weights = linear_to_mel_weight_matrix(config=config)
    bins = np.flatnonzero(mel_weights.any(1))
    time = np.arange(config.stride)[:, np.newaxis]
    angle = 2 * np.pi * (time * bins % config.num_fft_bins) / config.num_fft_bins
    window = hann_window(config=config).astype(np.float64)[config.stride :, np.newaxis]
    once = np.where(time == 0, 0.5, 1)  # the middle sample is in both halves
    return (np.cos(angle) * window * once).astype(np.float32), (np.sin(angle) * window).astype(np.float32), mel_weights[bins]


def _normalise(log_mel: tf.Tensor, *, config: AudioConfig) -> tf.Tensor:
    if config.per_bin_mean is not None:
        log_mel = log_mel - np.asarray(config.per_bin_mean, np.float32)
    if config.per_bin_stddev is not None:
        log_mel = log_mel / np.asarray(config.per_bin_stddev, np.float32)
    return log_mel


def _check_frame(config: AudioConfig) -> None:
    if config.frame_length != 2 * config.stride:
        raise ValueError(
            f"`frame_length` must be twice `stride`; got {config.frame_length} and {config.stride}. Gemma 4 has 320 and 160."
        )
    if config.num_fft_bins < config.frame_length:
        raise ValueError(
            f"`num_fft_bins` must be at least `frame_length`; got {config.num_fft_bins} and {config.frame_length}. Gemma 4 has 512 and 320."
        )
