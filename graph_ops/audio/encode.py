"""WAV files and samples -> log-mel frames (or raw ones, see `waveform`), their mask and the number of soft
tokens of each clip.

samples [N, T] ──▶ frames of 320 every 160 ──▶ |DFT| ──▶ mel ──▶ log ──▶ values [N, 3000, 128]
lengths [N] ─────▶ valid frames ─────────────────────────────────────▶ mask [N, 3000]
└─▶ ÷ 4, rounded up ──────────────────▶ num_soft_tokens [N]
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.audio.frames import num_soft_tokens, num_sounding_frames, num_valid_frames
from graph_ops.audio.mel import log_mel_spectrogram, silent_frame
from graph_ops.audio.soft_tokens import too_short_finding
from graph_ops.audio.wav import Waveforms, decode_wavs, value_findings
from graph_ops.audio.waveform import raw_frames
from graph_ops.config import AudioConfig
from graph_ops.faults import Fault, Finding, check, first_finding
from graph_ops.shapes import constant_items, with_shape
from graph_ops.target import TENSORFLOW, Target


class LogMel(NamedTuple):
    """Clips as the audio encoder takes them.

    Attributes:
        values: float32 [N, max_frames, frame_size], natural logarithm of the mel magnitude, or with
            "waveform" features samples as they are. Frames that are not valid hold, in "keras_hub" parity,
            what the clip padded with silence to 30 s has there (log(mel_floor), normalised, from the end of
            the sound on), and 0 in "transformers" parity and where frames hold samples.
        mask: int32 [N, max_frames], 1 for valid frames.
        num_soft_tokens: int32 [N], ceil(valid frames / 4).
        finding: what is wrong with each clip, [N]; a faulty clip counts as none.
    """

    values: tf.Tensor
    mask: tf.Tensor
    num_soft_tokens: tf.Tensor
    finding: Finding


def encode_wavs(
    encoded: tf.Tensor, *, parity: str, config: AudioConfig, target: Target = TENSORFLOW
) -> LogMel:
    """Encodes a batch of WAV files.

    Args:
        encoded: string [N]; N may be 0; "" stands for no clip.
        parity: "keras_hub" or "transformers".
        config: the numbers of the spectrogram.
        target: where it runs.
    """

    def encode() -> LogMel:
        with tf.name_scope("decode"):
            waveforms = decode_wavs(encoded, config=config)
        samples, lengths = _only_sound(waveforms.samples, waveforms.lengths, config=config, target=target)
        sound = Waveforms(samples, lengths, waveforms.finding)
        return _encode_sound(sound, parity=parity, config=config, target=target)

    return _unless_absent(tf.equal(encoded, ""), encode, parity=parity, config=config)


def encode_audio(
    samples: tf.Tensor,
    lengths: tf.Tensor,
    *,
    parity: str,
    config: AudioConfig,
    target: Target = TENSORFLOW,
) -> LogMel:
    """Encodes a batch of waveforms, each as if it were alone.

    Only as many frames are computed as the longest clip needs, or where sizes are static as T samples need,
    30 s where T varies; the others hold the constant that they would come to.

    Args:
        samples: float32 [N, T] at `config.sampling_rate`, about [-1, 1]; cut at `config.max_samples`. What
            lies beyond a row's length is not looked at, be it NaN.
        lengths: int32 [N], samples in each row; 0 for no clip.
        parity: "keras_hub" or "transformers".
        config: the numbers of the spectrogram.
        target: where it runs.

    Returns:
        A finding is AUDIO_LENGTH (a length outside 0 … T), AUDIO_VALUE, or AUDIO_TOO_SHORT (samples, but
        none of them gives a soft token) with (samples, least samples).

    Raises:
        ValueError: `parity` is neither of the two.
    """

    def encode() -> LogMel:
        given = tf.shape(samples)[1]
        wrong = check((lengths < 0) | (lengths > given), Fault.AUDIO_LENGTH, lengths, given)
        rightful = tf.where(wrong.is_clean, lengths, 0)
        heard, length = _only_sound(samples, rightful, config=config, target=target)
        sound = Waveforms(heard, length, first_finding(wrong, value_findings(heard)))
        return _encode_sound(sound, parity=parity, config=config, target=target)

    if target.static_sizes:
        return encode()
    return _unless_absent(tf.equal(lengths, 0), encode, parity=parity, config=config)


def _unless_absent(
    absent: tf.Tensor, encode: Callable[[], LogMel], *, parity: str, config: AudioConfig
) -> LogMel:
    """`encode()`, or the same at next to no cost where all clips, bool [N], are absent."""

    def nothing() -> LogMel:
        count, shape = tf.size(absent), tf.TensorShape([config.max_frames, config.frame_size])
        none, fill = tf.zeros([count], tf.int32), _fill(parity=parity, config=config)
        if np.ptp(fill) == 0:
            values = constant_items(float(fill[0]), count, shape)
        else:
            values = tf.broadcast_to(fill, tf.stack([count, *shape]))
        return LogMel(values, tf.zeros([count, config.max_frames], tf.int32), none, Finding.none(none))

    made = tf.cond(tf.reduce_all(absent), nothing, encode)
    count = absent.shape[0]
    with_shape(made.values, [count, config.max_frames, config.frame_size])
    with_shape(made.mask, [count, config.max_frames])
    return made


def _fill(*, parity: str, config: AudioConfig) -> np.ndarray:
    """Float32 [frame_size], what a frame that is not computed holds."""
    if parity == "keras_hub" and not config.is_raw:
        return silent_frame(config=config)
    return np.zeros(config.frame_size, np.float32)


def _encode_sound(sound: Waveforms, *, parity: str, config: AudioConfig, target: Target) -> LogMel:
    """Clips that are zeros beyond their length; a faulty one, as is one too short, counts as none."""
    too_short = too_short_finding(sound.lengths, parity=parity, config=config)
    finding = first_finding(sound.finding, too_short)
    lengths = tf.where(finding.is_clean, sound.lengths, 0)
    num_valid = num_valid_frames(lengths, parity=parity, config=config)
    num_frames, fill = num_valid, _fill(parity=parity, config=config)
    if parity == "keras_hub" and not config.is_raw:
        num_frames = num_sounding_frames(lengths, config=config)
    with tf.name_scope(config.features):
        values = _filled_frames(sound.samples, num_frames, fill=fill, config=config, target=target)
    mask = tf.sequence_mask(num_valid, config.max_frames, tf.int32)
    return LogMel(values, mask, num_soft_tokens(num_valid, config=config), finding)


def _only_sound(
    samples: tf.Tensor, lengths: tf.Tensor, *, config: AudioConfig, target: Target
) -> tuple[tf.Tensor, tf.Tensor]:
    """Samples cut to the longest clip, zeros beyond each row's length, and the lengths that remain.

    Zeros are chosen, not multiplied with: NaN × 0 is NaN.
    """
    given = tf.minimum(tf.shape(samples)[1], config.max_samples)
    samples = _of_fixed_size(samples, config=config) if target.static_sizes else samples
    lengths = tf.clip_by_value(lengths, 0, given)
    longest = samples.shape[1] if target.static_sizes else _longest(lengths)
    samples = samples[:, :longest]

    def silenced() -> tf.Tensor:
        return tf.where(_is_sound(lengths, longest, config), samples, 0)

    return _unless_all_full(lengths, longest, samples, silenced, target=target), lengths


def _is_sound(lengths: tf.Tensor, size: int | tf.Tensor, config: AudioConfig) -> tf.Tensor:
    """`tf.sequence_mask(lengths, size)`, bool [N, size]; hop by hop, so that no LiteRT model holds a constant
    of 30 s of numbers.
    """
    hops = -(-size // config.stride)
    remaining = lengths[:, tf.newaxis] - tf.range(hops) * config.stride  # [N, hops]
    is_sound = tf.range(config.stride) < remaining[..., tf.newaxis]
    return tf.reshape(is_sound, tf.stack([tf.shape(lengths)[0], hops * config.stride]))[:, :size]


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
    lengths: tf.Tensor, full: tf.Tensor, rows: tf.Tensor, cut: Callable[[], tf.Tensor], *, target: Target
) -> tf.Tensor:
    """`rows` as they are where every length is `full`, as for a single clip, which saves reading and writing
    them; else `cut()`.
    """
    if target.static_sizes:
        return cut()
    return tf.cond(tf.reduce_all(tf.equal(lengths, full)), lambda: rows, cut)


def _longest(lengths: tf.Tensor) -> tf.Tensor:
    """The largest of `lengths`, int32 []; 0 if there are none, of which the maximum is the lowest int32."""
    return tf.maximum(tf.reduce_max(lengths), 0)


def _filled_frames(
    samples: tf.Tensor, num_frames: tf.Tensor, *, fill: np.ndarray, config: AudioConfig, target: Target
) -> tf.Tensor:
    """Each row's first `num_frames` [N] frames, then `fill` [frame_size]: float32 [N, max_frames,
    frame_size].
    """
    if target.static_sizes:  # all frames that a clip of any length sounds in
        num_computed = min(samples.shape[1] // config.stride + 2, config.max_frames)
    else:
        num_computed = _longest(num_frames)
    if config.is_raw:
        frames = raw_frames(samples, num_frames=num_computed, config=config)
    else:
        frames = log_mel_spectrogram(samples, num_frames=num_computed, config=config, target=target)

    def filled() -> tf.Tensor:
        return tf.where(tf.sequence_mask(num_frames, num_computed)[..., tf.newaxis], frames, fill)

    frames = _unless_all_full(num_frames, num_computed, frames, filled, target=target)
    missing = config.max_frames - num_computed
    if np.ptp(fill) == 0:
        full = tf.pad(frames, [[0, 0], [0, missing], [0, 0]], constant_values=fill[0])
    else:
        rest = tf.broadcast_to(fill, tf.stack([tf.shape(samples)[0], missing, config.frame_size]))
        full = tf.concat([frames, rest], 1)
    full.set_shape([samples.shape[0], config.max_frames, config.frame_size])
    return full
