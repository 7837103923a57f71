"""Media of a batch of rows: [B, K] slots of files or arrays -> the model's media tensors and what rows need
to know of each slot.
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.audio.log_mel import encode_audio, encode_wavs, num_soft_tokens
from graph_ops.config import AudioConfig, ImageConfig
from graph_ops.faults import Fault, Finding, check, first_finding_of_slots
from graph_ops.image.patches import encode_image_arrays, encode_images
from graph_ops.shapes import with_shape


class Slots(NamedTuple):
    """What a row must know of its K slots of one medium.

    Attributes:
        present: bool [B, K]: whether the slot holds a medium.
        num_soft_tokens: int32 [B, K]: soft tokens that the medium really has; 0 where the slot is empty.
        finding: what is wrong with a row's media, [B].
    """

    present: tf.Tensor
    num_soft_tokens: tf.Tensor
    finding: Finding


class Vision(NamedTuple):
    """Images of a batch: `pixel_values` float32 [B, I, P, D], `pixel_position_ids` int32 [B, I, P, 2], and
    their slots.
    """

    pixel_values: tf.Tensor
    pixel_position_ids: tf.Tensor
    slots: Slots


class Audio(NamedTuple):
    """Clips of a batch: `audio_mel` float32 [B, A, F, M], `audio_mel_mask` int32 [B, A, F], and their
    slots.
    """

    audio_mel: tf.Tensor
    audio_mel_mask: tf.Tensor
    slots: Slots


def vision_from_files(images: tf.Tensor, *, config: ImageConfig) -> Vision:
    """Encoded images string [B, I], "" for an empty slot."""
    return _vision(tf.not_equal(images, ""), *encode_images(_flat(images), config=config))


def vision_from_arrays(
    images: tf.Tensor, sizes: tf.Tensor, *, config: ImageConfig, portable: bool = False
) -> Vision:
    """Pixels uint8 [B, I, H, W, 3] with their true sizes int32 [B, I, 2] as (height, width); (0, 0) for an
    empty slot.

    With `portable`, in ops that LiteRT has as builtins, for which B and I must be known while tracing.
    """
    return _vision(
        sized(sizes), *encode_image_arrays(_flat(images), _flat(sizes), config=config, portable=portable)
    )


def vision_from_features(
    pixel_values: tf.Tensor, pixel_position_ids: tf.Tensor, *, config: ImageConfig
) -> Vision:
    """Images that went through a converter before: float32 [B, I, P, D] and int32 [B, I, P, 2], where padding
    is -1.
    """
    patches = tf.reduce_sum(tf.cast(pixel_position_ids[..., 0] >= 0, tf.int32), axis=-1)
    return Vision(
        pixel_values,
        pixel_position_ids,
        Slots(patches > 0, patches // config.pooling_kernel_size**2, _no_finding(patches)),
    )


def audio_from_files(audio: tf.Tensor, *, config: AudioConfig, parity: str) -> Audio:
    """WAV files string [B, A], "" for an empty slot."""
    mel, mask, counts, fault, detail = encode_wavs(_flat(audio), parity=parity, config=config)
    present = tf.not_equal(audio, "")
    return _audio(
        present,
        mel,
        mask,
        counts,
        first_finding_of_slots(Finding(_slotted(fault, present), _slotted(detail, present))),
    )


def audio_from_arrays(
    audio: tf.Tensor, lengths: tf.Tensor, *, config: AudioConfig, parity: str, dft: str = "fft"
) -> Audio:
    """Samples float32 [B, A, T] at the configuration's rate, with their true lengths int32 [B, A]; 0 for an
    empty slot.
    """
    given = tf.shape(audio)[2]
    faulty = (lengths < 0) | (lengths > given)
    finding = first_finding_of_slots(check(faulty, Fault.AUDIO_LENGTH, lengths, given))
    heard = tf.where(faulty, 0, lengths)
    return _audio(
        heard > 0, *encode_audio(_flat(audio), _flat(heard), parity=parity, dft=dft, config=config), finding
    )


def audio_from_features(audio_mel: tf.Tensor, audio_mel_mask: tf.Tensor, *, config: AudioConfig) -> Audio:
    """Clips that went through a converter before: float32 [B, A, F, M] and int32 [B, A, F]."""
    frames = tf.reduce_sum(tf.cast(audio_mel_mask, tf.int32), axis=-1)
    return Audio(
        audio_mel,
        audio_mel_mask,
        Slots(frames > 0, num_soft_tokens(frames, config=config), _no_finding(frames)),
    )


def sized(sizes: tf.Tensor) -> tf.Tensor:
    """Bool [B, I]: which slots hold an image, from sizes int32 [B, I, 2]."""
    return tf.reduce_any(tf.not_equal(sizes, 0), axis=-1)


def limit_slots(
    slots: tf.Tensor, present: tf.Tensor, num_slots: int, fault: Fault
) -> tuple[tf.Tensor, Finding]:
    """Brings [B, K, …] slots to exactly `num_slots`, and reports the rows that fill more.

    Args:
        slots: [B, K, …] of any dtype.
        present: bool [B, K].
        num_slots: slots wanted.
        fault: what a row with a filled slot past `num_slots` is reported as.

    Returns:
        [B, num_slots, …], padded with zeros or "", and the finding of each row, [B].
    """
    missing = num_slots - tf.shape(slots)[1]
    paddings = [[0, 0], [0, tf.maximum(missing, 0)]] + [[0, 0]] * (slots.shape.rank - 2)
    nothing = "" if slots.dtype == tf.string else tf.cast(0, slots.dtype)
    padded = tf.cond(
        missing > 0, lambda: tf.pad(slots, paddings, constant_values=nothing), lambda: slots[:, :num_slots]
    )
    used = tf.reduce_sum(tf.cast(present, tf.int32), axis=1)
    finding = check(tf.reduce_any(present[:, num_slots:], axis=1), fault, used, num_slots)
    return with_shape(padded, [None, num_slots, *slots.shape[2:]]), finding


def _vision(
    present: tf.Tensor,
    pixel_values: tf.Tensor,
    position_ids: tf.Tensor,
    counts: tf.Tensor,
    fault: tf.Tensor,
    detail: tf.Tensor,
) -> Vision:
    finding = first_finding_of_slots(Finding(_slotted(fault, present), _slotted(detail, present)))
    slots = Slots(present, _slotted(counts, present), finding)
    return Vision(_slotted(pixel_values, present), _slotted(position_ids, present), slots)


def _audio(present: tf.Tensor, mel: tf.Tensor, mask: tf.Tensor, counts: tf.Tensor, finding: Finding) -> Audio:
    return Audio(
        _slotted(mel, present), _slotted(mask, present), Slots(present, _slotted(counts, present), finding)
    )


def _flat(slots: tf.Tensor) -> tf.Tensor:
    """[B, K, …] -> [B × K, …]."""
    shape, (rows, columns) = tf.shape(slots), slots.shape[:2]
    flat = tf.reshape(slots, tf.concat([[shape[0] * shape[1]], shape[2:]], axis=0))
    return with_shape(flat, [None if None in (rows, columns) else rows * columns, *slots.shape[2:]])


def _slotted(flat: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
    """[B × K, …] -> [B, K, …], with the B and K of `present`."""
    shape = tf.concat([tf.shape(present), tf.shape(flat)[1:]], axis=0)
    return with_shape(tf.reshape(flat, shape), [*present.shape, *flat.shape[1:]])


def _no_finding(slots: tf.Tensor) -> Finding:
    """Nothing wrong in any of B rows, from a tensor [B, K]."""
    zeros = tf.zeros_like(tf.reduce_sum(slots, axis=1))
    return Finding(zeros, tf.stack([zeros, zeros], axis=-1))
