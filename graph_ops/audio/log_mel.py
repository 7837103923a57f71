"""Samples to what Gemma 4's audio encoder eats: log-mel frames, their mask and the number of soft tokens.

    samples [N, T] ──▶ frames of 320 every 160 ──▶ |DFT| ──▶ mel ──▶ log ──▶ audio_mel [N, 3000, 128]
    lengths [N] ─────▶ valid frames ─────────────────────────────────────▶ audio_mel_mask [N, 3000]
                                   └─▶ ÷ 4, rounded up ──────────────────▶ num_soft_tokens [N]

Both references compute the same frames and differ in which of them count: see `num_valid_frames`.
"""

import itertools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from graph_ops.audio import wav
from graph_ops.config import AudioConfig

PARALLEL_PARTS = 2
"""Parts that frames are cut into, which TensorFlow then computes side by side. Ours: an FFT op runs on one
core.
"""
_GRID = 2.0**8
"""Steps per unit of the coarse numbers in `_magnitude_by_matmul`: two such factors and a sum of 160 (a full
window's) take 24 bits.
"""


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
    samples: tf.Tensor, lengths: tf.Tensor, *, parity: str, dft: str = "fft", config: AudioConfig
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Encodes a batch of waveforms, each as if it were alone.

    Only as many frames are computed as the longest clip needs, or for LiteRT as T samples need, 30 s where T
    varies; the others hold the constant that they would come to.

    Args:
        samples: float32 [N, T] at `config.sampling_rate`, about [-1, 1]; cut at `config.max_samples`. What
            lies beyond a row's length is not looked at, be it NaN.
        lengths: int32 [N], samples in each row; 0 for no clip.
        parity: "keras_hub" or "transformers".
        dft: "fft", or "matmul" for LiteRT; see `log_mel_spectrogram`.
        config: the numbers of the spectrogram.

    Returns:
        audio_mel: float32 [N, max_frames, num_mels], natural logarithm of the mel magnitude. Frames that are
            not valid hold, in "keras_hub" parity, what the clip padded with silence to 30 s has there
            (log(mel_floor), normalised, from the end of the sound on), and 0 in "transformers" parity.
        audio_mel_mask: int32 [N, max_frames], 1 for valid frames.
        num_soft_tokens: int32 [N], ceil(valid frames / 4).

    Raises:
        ValueError: `parity` or `dft` is neither of its two.
    """
    samples, lengths = _only_sound(samples, lengths, dft=dft, config=config)
    num_valid = num_valid_frames(lengths, parity=parity, config=config)
    if parity == "keras_hub":
        num_frames, fill = num_sounding_frames(lengths, config=config), silent_frame(config=config)
    else:
        num_frames, fill = num_valid, np.zeros(config.num_mels, np.float32)
    mel = _filled_spectrogram(samples, num_frames, fill=fill, dft=dft, config=config)
    mask = tf.sequence_mask(num_valid, config.max_frames, tf.int32)
    return mel, mask, num_soft_tokens(num_valid, config=config)


def num_valid_frames(lengths: tf.Tensor, *, parity: str, config: AudioConfig) -> tf.Tensor:
    """Frames that a clip's mask marks as audio, in closed form.

    * "keras_hub": min(length // 160, 3000), as many whole hops as the clip has. Source: `_preprocess_audio`.
    * "transformers": (min(length, 480000) − 1) // 160 and never negative. Its extractor cuts windows of 321
      samples, one more than a frame, and counts window i if its last sample is audio: with 160 samples padded
      on the left that is sample 160 i + 160 of the clip. Padding to a multiple of 128 adds windows but none
      that counts. Source: `Gemma4AudioFeatureExtractor`.

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
    """Frames that touch a clip's samples, int32 [...]: min(ceil(length / 160) + 1, 3000), and 0 for no clip;
    later ones see silence.
    """
    touching = tf.where(lengths > 0, -(-lengths // config.stride) + 1, 0)
    return tf.minimum(touching, config.max_frames)


def num_soft_tokens(num_frames: tf.Tensor, *, config: AudioConfig) -> tf.Tensor:
    """Soft tokens that the encoder makes of valid frames: min(ceil(num_frames / 4), 750).

    The encoder's two convolutions each keep every second entry of the mask, beginning with the first; on a
    mask that is a run of ones this rounds up twice, which is rounding up once. Source:
    `Gemma4Processor.replace_audio_token` and `Gemma4CausalLMPreprocessor`, which agree.

    Args:
        num_frames: int32 [...], valid frames of each clip.
        config: time reduction and most soft tokens.

    Returns:
        int32 [...].
    """
    return tf.minimum(-(-num_frames // config.frames_per_soft_token), config.max_soft_tokens)


def log_mel_spectrogram(
    samples: tf.Tensor, *, num_frames: int | tf.Tensor, dft: str = "fft", config: AudioConfig
) -> tf.Tensor:
    """Natural logarithm of the mel magnitude, frame by frame.

    Frame i covers samples 160 i − 160 … 160 i + 159; what lies before the clip or beyond its end reads as 0.
    The steps: periodic Hann window, magnitude of the DFT of 512, mel triangles, log(mel + mel_floor), then
    mean and deviation of each bin if there are any.

    Args:
        samples: float32 [..., T].
        num_frames: int or int32 [], frames to compute.
        dft: "fft", a float64 FFT, within 1e-6 of the references; or "matmul", float32 matrix products that
            LiteRT has as builtins, within 5e-5. See `_magnitude_by_fft` and `_magnitude_by_matmul` for why
            plain float32 is not enough.
        config: the numbers of the spectrogram.

    Returns:
        float32 [..., num_frames, num_mels].

    Raises:
        ValueError: `dft` is neither of the two.
    """
    _check_dft(dft)
    first, second = _windowed_halves(samples, num_frames, config=config)
    leading = tf.shape(first)[:-1]
    # One matrix product over all rows is faster than one for each: [..., num_frames, 160] → [rows, 160].
    first, second = (tf.reshape(half, [-1, config.stride]) for half in (first, second))

    def log_mel_of(rows: slice) -> tf.Tensor:
        mel = tf.matmul(
            _MAGNITUDES[dft](first[rows], second[rows], config), linear_to_mel_weight_matrix(config=config)
        )
        return _normalise(tf.math.log(mel + config.mel_floor), config=config)

    parts = 1 if dft == "matmul" else PARALLEL_PARTS  # LiteRT computes one op after the other
    bounds = [tf.shape(first)[0] * part // parts for part in range(parts + 1)]
    log_mel = tf.concat([log_mel_of(slice(begin, end)) for begin, end in itertools.pairwise(bounds)], 0)
    log_mel = tf.reshape(log_mel, tf.concat([leading, [config.num_mels]], 0))
    log_mel.set_shape(
        [*samples.shape[:-1], num_frames if isinstance(num_frames, int) else None, config.num_mels]
    )
    return log_mel


def linear_to_mel_weight_matrix(*, config: AudioConfig) -> np.ndarray:
    """Triangles that sum a magnitude spectrum into mel bins, float32 [num_fft_bins // 2 + 1, num_mels], for
    use while tracing.

    Corners are equally spaced in mel = 2595 log10(1 + f / 700), the HTK scale, from `min_frequency` to
    `max_frequency`; each triangle rises from 0 at its left corner to 1 at the next one and falls to 0 at the
    one after; no area normalisation. Source: The HTK Book, 5.4; both references use it. Computed in float64.
    """
    low, high = 2595 * np.log10(1 + np.array([config.min_frequency, config.max_frequency]) / 700)
    corners = 700 * (10 ** (np.linspace(low, high, config.num_mels + 2) / 2595) - 1)
    hertz = np.arange(config.num_fft_bins // 2 + 1)[:, np.newaxis] * (
        config.sampling_rate / config.num_fft_bins
    )
    left, peak, right = corners[:-2], corners[1:-1], corners[2:]
    rising, falling = (hertz - left) / (peak - left), (right - hertz) / (right - peak)
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def hann_window(*, config: AudioConfig) -> np.ndarray:
    """The periodic Hann window 0.5 − 0.5 cos(2 π n / 320), float32 [frame_length]; what both references
    multiply a frame by.
    """
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(config.frame_length) / config.frame_length)).astype(
        np.float32
    )


def silent_frame(*, config: AudioConfig) -> np.ndarray:
    """The log-mel frame of silence, float32 [num_mels]: log(mel_floor), less the mean, over the deviation."""
    floor = np.full(config.num_mels, np.log(config.mel_floor))
    mean = 0 if config.per_bin_mean is None else np.asarray(config.per_bin_mean)
    stddev = 1 if config.per_bin_stddev is None else np.asarray(config.per_bin_stddev)
    return ((floor - mean) / stddev).astype(np.float32)


def _only_sound(
    samples: tf.Tensor, lengths: tf.Tensor, *, dft: str, config: AudioConfig
) -> tuple[tf.Tensor, tf.Tensor]:
    """Cut to the longest clip, zeros beyond each row's length (chosen, not multiplied: NaN × 0 is NaN), and
    the lengths that remain.
    """
    given = tf.minimum(tf.shape(samples)[1], config.max_samples)
    samples = _of_fixed_size(samples, config=config) if _sizes_are_fixed(dft) else samples
    lengths = tf.clip_by_value(lengths, 0, given)
    longest = samples.shape[1] if _sizes_are_fixed(dft) else _longest(lengths)
    samples = samples[:, :longest]
    silenced = _unless_all_full(
        lengths, longest, samples, lambda: tf.where(_is_sound(lengths, longest, config), samples, 0), dft=dft
    )
    return silenced, lengths


def _is_sound(lengths: tf.Tensor, size: int | tf.Tensor, config: AudioConfig) -> tf.Tensor:
    """`tf.sequence_mask(lengths, size)`, bool [N, size]; hop by hop, so that no LiteRT model holds a constant
    of 30 s of numbers.
    """
    hops = -(-size // config.stride)
    remaining = lengths[:, tf.newaxis] - tf.range(hops) * config.stride  # [N, hops]
    is_sound = tf.range(config.stride) < remaining[..., tf.newaxis]
    return tf.reshape(is_sound, tf.stack([tf.shape(lengths)[0], hops * config.stride]))[:, :size]


def _sizes_are_fixed(dft: str) -> bool:
    """Whether all tensors' sizes must be known before a run: on LiteRT.

    There XNNPACK may read what memory happens to hold, from the second run on, where it learns a size only
    while it runs (LiteRT 2.3).
    """
    return dft == "matmul"


def _of_fixed_size(samples: tf.Tensor, *, config: AudioConfig) -> tf.Tensor:
    """Samples [N, T] as they are where T is known while tracing, up to the longest clip; else with as many
    zeros as that has more.
    """
    samples = samples[:, : config.max_samples]
    if samples.shape[1] is not None:
        return samples
    padded = tf.pad(samples, [[0, 0], [0, config.max_samples - tf.shape(samples)[1]]])
    return tf.reshape(padded, [-1 if samples.shape[0] is None else samples.shape[0], config.max_samples])


def _unless_all_full(
    lengths: tf.Tensor, full: tf.Tensor, rows: tf.Tensor, cut: Callable[[], tf.Tensor], *, dft: str
) -> tf.Tensor:
    """`rows` as they are where every length is `full`, as for a single clip, which saves reading and writing
    them; else `cut()`.
    """
    if _sizes_are_fixed(dft):
        return cut()
    return tf.cond(tf.reduce_all(tf.equal(lengths, full)), lambda: rows, cut)


def _longest(lengths: tf.Tensor) -> tf.Tensor:
    """The largest of `lengths`, int32 []; 0 if there are none (the maximum of nothing is the lowest
    int32).
    """
    return tf.maximum(tf.reduce_max(lengths), 0)


def _filled_spectrogram(
    samples: tf.Tensor, num_frames: tf.Tensor, *, fill: np.ndarray, dft: str, config: AudioConfig
) -> tf.Tensor:
    """Each row's first `num_frames` [N] frames, then `fill` [num_mels]: float32 [N, max_frames, num_mels]."""
    audible = min(
        (samples.shape[1] or 0) // config.stride + 2, config.max_frames
    )  # all that any length sounds in
    num_computed = audible if _sizes_are_fixed(dft) else _longest(num_frames)
    mel = log_mel_spectrogram(samples, num_frames=num_computed, dft=dft, config=config)
    mel = _unless_all_full(
        num_frames,
        num_computed,
        mel,
        lambda: tf.where(tf.sequence_mask(num_frames, num_computed)[..., tf.newaxis], mel, fill),
        dft=dft,
    )
    missing = config.max_frames - num_computed
    if np.ptp(fill) == 0:
        full = tf.pad(mel, [[0, 0], [0, missing], [0, 0]], constant_values=fill[0])
    else:
        full = tf.concat(
            [mel, tf.broadcast_to(fill, tf.stack([tf.shape(samples)[0], missing, config.num_mels]))], 1
        )
    full.set_shape([samples.shape[0], config.max_frames, config.num_mels])
    return full


def _windowed_halves(
    samples: tf.Tensor, num_frames: int | tf.Tensor, *, config: AudioConfig
) -> tuple[tf.Tensor, tf.Tensor]:
    """First and second half of each frame, times the window's: float32 [..., num_frames, 160] each.

    A frame is two neighbouring hops, so no gather is needed. The product with the window is rounded to
    float32, as the references' is.

        160 zeros | hop 0 | hop 1 | hop 2 …     [..., num_frames + 1, 160]
        └── frame 0 ────┘       │
                  └── frame 1 ──┘
    """
    hop, window = config.stride, hann_window(config=config)
    unpadded = [[0, 0]] * (samples.shape.rank - 1)
    missing = tf.maximum(num_frames * hop - tf.shape(samples)[-1], 0)
    padded = tf.pad(samples, [*unpadded, [hop, missing]])[..., : (num_frames + 1) * hop]
    hops = tf.reshape(padded, tf.concat([tf.shape(samples)[:-1], tf.stack([num_frames + 1, hop])], 0))
    return hops[..., :-1, :] * window[:hop], hops[..., 1:, :] * window[hop:]


def _magnitude_by_fft(first: tf.Tensor, second: tf.Tensor, config: AudioConfig) -> tf.Tensor:
    """Magnitude of the DFT of frames in two halves [rows, 160], float32 [rows, num_fft_bins // 2 + 1], by a
    float64 FFT.

    In float32 a loud tone (magnitude 80) leaves rounding noise of about 1e-6 in every bin, which beside
    mel_floor = 1e-3 moves a quiet bin's logarithm by 3e-3; both references transform in float64. What comes
    out may be rounded: a magnitude is a relative thing.
    """
    zeros = tf.zeros([tf.shape(first)[0], config.num_fft_bins - config.frame_length])
    frames = tf.cast(tf.concat([first, second, zeros], 1), tf.float64)
    spectrum = tf.cast(tf.signal.rfft(frames, [config.num_fft_bins]), tf.complex64)
    return tf.sqrt(tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum)))


def _magnitude_by_matmul(first: tf.Tensor, second: tf.Tensor, config: AudioConfig) -> tf.Tensor:
    """The same by float32 matrix products, for devices that have neither an FFT nor float64.

    *Half the size.* A magnitude does not change when time is shifted, so time 0 may lie in the frame's
    middle, x[160]. Then the cosines see only the frame's even part and the sines only its odd part, each of
    160 numbers:

        after[m]  = x[160 + m],  m = 0 … 159
        before[m] = x[160 − m]               x[160] is in both; x[0], where the window is 0, is in neither

    *Twice the precision.* Samples and coefficients are each split into a coarse part, a multiple of 2⁻⁸, and
    a small rest:

        x · c = coarse x · coarse c  +  x · rest of c  +  rest of x · coarse c

    The first product, the large one, is a sum of multiples of 2⁻¹⁶ below 2⁸ and so exact in float32's 24 bits
    (up to full scale; louder input only loses precision); the other two are 2⁻⁸ as large, and so are their
    rounding errors.
    """
    before, after = tf.reverse(tf.concat([first[:, 1:], second[:, :1]], 1), [1]), second
    coarse_before, coarse_after = tf.round(before * _GRID) / _GRID, tf.round(after * _GRID) / _GRID
    rest_before, rest_after = before - coarse_before, after - coarse_after
    real = _split_product(coarse_after + coarse_before, rest_after + rest_before, _cosines(config))
    imaginary = _split_product(coarse_after - coarse_before, rest_after - rest_before, _sines(config))
    return tf.sqrt(tf.square(real) + tf.square(imaginary))


_MAGNITUDES = {"fft": _magnitude_by_fft, "matmul": _magnitude_by_matmul}


def _split_product(coarse: tf.Tensor, rest: tf.Tensor, matrix: np.ndarray) -> tf.Tensor:
    """(coarse + rest) @ matrix with the large product exact; float32 [rows, 160] and float64 [160, bins] to
    float32 [rows, bins].
    """
    coarse_matrix = np.round(matrix * _GRID) / _GRID
    rest_matrix = (matrix - coarse_matrix).astype(np.float32)
    coarse_matrix = coarse_matrix.astype(np.float32)
    small = tf.matmul(coarse + rest, rest_matrix) + tf.matmul(rest, coarse_matrix)
    return tf.matmul(coarse, coarse_matrix) + small


def _angles(config: AudioConfig) -> np.ndarray:
    """2 π m k / 512 for times m = 0 … 159 from a frame's middle and bins k = 0 … 256, float64 [160, 257]."""
    times, bins = np.arange(config.stride)[:, np.newaxis], np.arange(config.num_fft_bins // 2 + 1)
    return 2 * np.pi * (times * bins % config.num_fft_bins) / config.num_fft_bins


def _cosines(config: AudioConfig) -> np.ndarray:
    once = np.where(np.arange(config.stride) == 0, 0.5, 1)  # the middle sample is in both halves
    return np.cos(_angles(config)) * once[:, np.newaxis]


def _sines(config: AudioConfig) -> np.ndarray:
    return np.sin(_angles(config))


def _normalise(log_mel: tf.Tensor, *, config: AudioConfig) -> tf.Tensor:
    if config.per_bin_mean is not None:
        log_mel = log_mel - np.asarray(config.per_bin_mean, np.float32)
    if config.per_bin_stddev is not None:
        log_mel = log_mel / np.asarray(config.per_bin_stddev, np.float32)
    return log_mel


def _check_dft(dft: str) -> None:
    if dft not in _MAGNITUDES:
        raise ValueError(f"`dft` must be one of {sorted(_MAGNITUDES)}; got {dft!r}. Pass one of these.")
