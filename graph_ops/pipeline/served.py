"""From a signature's inputs to its outputs: the graph of the whole preprocessor, composed of the steps."""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from graph_ops.config import AudioConfig, RowConfig
from graph_ops.faults import Fault, Finding, check, first_finding
from graph_ops.media.slots import (
    Audio,
    Slots,
    Vision,
    audio_from_arrays,
    audio_from_features,
    audio_from_files,
    limit_slots,
    sized,
    vision_from_arrays,
    vision_from_features,
    vision_from_files,
)
from graph_ops.rows.encode import EncodedRows, encode_rows, medium_indices
from graph_ops.rows.packing import next_token_labels
from graph_ops.settings import Settings
from graph_ops.shapes import with_shape
from graph_ops.text.reading import prompt_reading, response_reading
from graph_ops.text.tokens import Tokenizer, TokenRows, is_valid_id


def encode(
    inputs: dict[str, tf.Tensor], settings: Settings, *, sequence_length: int, training: bool, served: bool
) -> tuple[dict[str, tf.Tensor], Finding]:
    """Strings and media to model tensors.

    Args:
        inputs: `prompts` string [B]; `responses` string [B] (training; without it, ""); one of `images`
            string [B, I], `images` uint8 [B, I, H, W, 3] with `image_sizes`, `pixel_values` with
            `pixel_position_ids`; one of `audio` string [B, A], `audio` float32 [B, A, T] with
            `audio_lengths`, `audio_mel` with `audio_mel_mask`.
        settings: what the graph is built from.
        sequence_length: tokens in a row.
        training: whether rows have responses, labels and loss weights.
        served: whether every output has the static dims of `FEATURES`. Otherwise media keep the slots that
            they came with and, in KerasHub's parity, audio tensors are as wide as the batch needs, as
            KerasHub's are.

    Returns:
        Features by name (text, those of the media given, labels), and what is wrong with each row. A faulty
        row is padding.
    """
    row = settings.row
    inputs, excess = _limit_media(inputs, row) if served else (inputs, None)
    responses = inputs.get("responses")
    return encode_tokens(
        settings.tokenizer.tokenize_rows(inputs["prompts"], reading=prompt_reading(row)),
        None
        if responses is None
        else settings.tokenizer.tokenize_rows(responses, reading=response_reading(row)),
        _vision(inputs, settings),
        _audio(inputs, settings),
        settings,
        sequence_length=sequence_length,
        training=training,
        served=served,
        also=excess,
    )


def encode_tokens(
    prompts: TokenRows,
    responses: TokenRows | None,
    vision: Vision | None,
    audio: Audio | None,
    settings: Settings,
    *,
    sequence_length: int,
    training: bool,
    served: bool,
    also: Finding | None = None,
) -> tuple[dict[str, tf.Tensor], Finding]:
    """`encode` after tokenizing and after the media's own steps; `also` is what was found wrong with rows
    before, [B].
    """
    row = settings.row
    none = _no_slots(prompts.lengths)
    encoded = encode_rows(
        prompts,
        responses,
        vision.slots if vision else none,
        audio.slots if audio else none,
        ids=settings.ids,
        config=row,
        sequence_length=sequence_length,
        labelled=training,
        add_start_token=row.add_start_token or (not training and row.parity == "keras_hub"),
        add_end_token=training and row.add_end_token,
        also=also,
    )
    features: dict[str, tf.Tensor] = {}
    rows = encoded.rows
    if training:
        rows, features["y"], features["sample_weight"] = next_token_labels(rows)
    features["token_ids"], features["padding_mask"] = rows.token_ids, rows.padding_mask
    features["position_ids"] = tf.broadcast_to(tf.range(sequence_length), tf.shape(rows.token_ids))
    if vision and settings.ids.image:
        features |= vision_features(vision, encoded, row)
        features["vision_mask"] = tf.equal(rows.token_ids, settings.ids.image.placeholder)
    if audio and settings.ids.audio and settings.audio:
        trim = not served and row.parity == "keras_hub"
        features |= audio_features(
            audio, encoded, settings.audio, trim_indices=trim, trim_frames=trim and training
        )
        features["audio_mask"] = tf.equal(rows.token_ids, settings.ids.audio.placeholder)
    return features, encoded.finding


def decode(token_ids: tf.Tensor, padding_mask: tf.Tensor, settings: Settings) -> tuple[tf.Tensor, Finding]:
    """Generated rows to text, without the special tokens that KerasHub strips.

    Args:
        token_ids: int32 [B, S].
        padding_mask: bool [B, S], True on what is read.
        settings: what the graph is built from.

    Returns:
        string [B], and what is wrong with each row; the text of a faulty row is "".
    """
    return decode_ids(token_ids, kept_ids(token_ids, padding_mask, settings), settings.tokenizer)


def kept_ids(token_ids: tf.Tensor, padding_mask: tf.Tensor, settings: Settings) -> tf.Tensor:
    """Bool [B, S]: which ids of generated rows become text: those of the mask that are not special."""
    stripped = tf.constant(settings.tokenizer.stripped_token_ids(with_audio=settings.audio is not None))
    return padding_mask & tf.reduce_all(tf.not_equal(token_ids[..., tf.newaxis], stripped), axis=-1)


def decode_ids(token_ids: tf.Tensor, keep: tf.Tensor, tokenizer: Tokenizer) -> tuple[tf.Tensor, Finding]:
    """The kept ids of each row to text: int32 [B, L], bool [B, L] -> string [B] and what is wrong with each
    row.
    """
    size = len(tokenizer.vocabulary)
    invalid = keep & ~is_valid_id(token_ids, size)
    faulty = tf.reduce_any(invalid, axis=1)
    worst = tf.reduce_sum(
        tf.where(invalid & tf.equal(tf.cumsum(tf.cast(invalid, tf.int32), axis=1), 1), token_ids, 0), axis=1
    )
    text = tokenizer.detokenize_rows(token_ids, keep & ~faulty[:, tf.newaxis])
    return text, check(faulty, Fault.TOKEN_ID_OUT_OF_RANGE, worst, size)


def vision_features(vision: Vision, encoded: EncodedRows, row: RowConfig) -> dict[str, tf.Tensor]:
    """`pixel_values`, `pixel_position_ids` and `vision_indices`, the last for all of a row's possible
    images.
    """
    block = row.num_vision_tokens_per_image
    indices = medium_indices(encoded.image_starts, encoded.image_counts, encoded.finding, block=block)
    width = row.max_images_per_prompt * block
    indices = tf.pad(indices, [[0, 0], [0, width - tf.shape(indices)[1]]])
    return {
        "pixel_values": _without_faulty(vision.pixel_values, encoded.finding, 0.0),
        "pixel_position_ids": _without_faulty(vision.pixel_position_ids, encoded.finding, -1),
        "vision_indices": with_shape(indices, [None, width]),
    }


def audio_features(
    audio: Audio, encoded: EncodedRows, config: AudioConfig, *, trim_indices: bool, trim_frames: bool
) -> dict[str, tf.Tensor]:
    """`audio_mel`, `audio_mel_mask` and `audio_indices`.

    Args:
        audio: the clips.
        encoded: their rows.
        config: how clips are converted.
        trim_indices: make a clip's block of indices as wide as the batch's longest clip needs, instead of the
            longest possible.
        trim_frames: leave out the frames that no soft token of the batch needs.
    """
    most = tf.reduce_max(tf.pad(encoded.audio_counts, [[0, 1], [0, 1]]))
    frames = config.frames_per_soft_token * tf.maximum(most, 1) if trim_frames else None
    mel = _without_faulty(audio.audio_mel[:, :, :frames], encoded.finding, 0.0)
    mask = _without_faulty(audio.audio_mel_mask[:, :, :frames], encoded.finding, 0)
    block = most if trim_indices else config.max_soft_tokens
    indices = medium_indices(encoded.audio_starts, encoded.audio_counts, encoded.finding, block=block)
    if not trim_indices and audio.audio_mel.shape[1] is not None:
        indices = with_shape(indices, [None, audio.audio_mel.shape[1] * config.max_soft_tokens])
    return {"audio_mel": mel, "audio_mel_mask": mask, "audio_indices": indices}


def _vision(inputs: dict[str, tf.Tensor], settings: Settings) -> Vision | None:
    if settings.image is None:
        return None
    if "pixel_values" in inputs:
        return vision_from_features(
            inputs["pixel_values"], inputs["pixel_position_ids"], config=settings.image
        )
    if "images" not in inputs:
        return None
    if inputs["images"].dtype == tf.string:
        return _shared(vision_from_files, config=settings.image)(inputs["images"])
    return _shared(vision_from_arrays, config=settings.image)(inputs["images"], inputs["image_sizes"])


def _audio(inputs: dict[str, tf.Tensor], settings: Settings) -> Audio | None:
    if settings.audio is None:
        return None
    parity = settings.row.parity
    if "audio_mel" in inputs:
        return audio_from_features(inputs["audio_mel"], inputs["audio_mel_mask"], config=settings.audio)
    if "audio" not in inputs:
        return None
    if inputs["audio"].dtype == tf.string:
        return _shared(audio_from_files, config=settings.audio, parity=parity)(inputs["audio"])
    return _shared(audio_from_arrays, config=settings.audio, parity=parity)(
        inputs["audio"], inputs["audio_lengths"]
    )


@functools.cache
def _shared(step: Callable[..., Any], **settings: Any) -> Callable[..., Any]:
    """The step as a function that is traced once for each kind of input, and that all signatures of a
    SavedModel then share.
    """
    return tf.function(functools.partial(step, **settings), autograph=False)


def _limit_media(inputs: dict[str, tf.Tensor], row: RowConfig) -> tuple[dict[str, tf.Tensor], Finding]:
    """Pads every medium to the slots of the configuration; rows that fill more are faulty."""
    nothing = tf.zeros_like(inputs["prompts"], tf.int32)
    findings = [Finding(nothing, tf.stack([nothing, nothing], axis=-1))]
    limited = dict(inputs)
    for key, sizes_key, most, fault in (
        ("images", "image_sizes", row.max_images_per_prompt, Fault.IMAGE_LIMIT),
        ("audio", "audio_lengths", row.max_audio_clips_per_prompt, Fault.AUDIO_LIMIT),
    ):
        if key not in inputs:
            continue
        present = (
            tf.not_equal(inputs[key], "") if inputs[key].dtype == tf.string else _filled(inputs[sizes_key])
        )
        for name in (key, sizes_key):
            if name in inputs:
                limited[name], finding = limit_slots(inputs[name], present, most, fault)
        findings.append(finding)
    return limited, first_finding(*findings)


def _filled(sizes: tf.Tensor) -> tf.Tensor:
    return sized(sizes) if sizes.shape.rank == 3 else sizes > 0


def _no_slots(lengths: tf.Tensor) -> Slots:
    """K = 0 slots for a batch as large as `lengths` int32 [B]."""
    none = tf.zeros_like(lengths)[:, tf.newaxis][:, :0]
    return Slots(
        tf.cast(none, tf.bool),
        none,
        Finding(tf.zeros_like(lengths), tf.zeros_like(tf.stack([lengths, lengths], axis=-1))),
    )


def _without_faulty(feature: tf.Tensor, finding: Finding, padding: float) -> tf.Tensor:
    """The feature [B, …], with padding in the faulty rows; untouched, and not copied, when there is none."""
    good = tf.reshape(tf.equal(finding.fault, 0), [-1] + [1] * (feature.shape.rank - 1))
    blanked = tf.cond(
        tf.reduce_all(good), lambda: feature, lambda: tf.where(good, feature, tf.cast(padding, feature.dtype))
    )
    return with_shape(blanked, feature.shape)
