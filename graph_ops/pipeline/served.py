"""From a signature's inputs to its outputs: the graph of the whole preprocessor, composed of the steps."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from graph_ops.faults import Fault, Finding, check, first_finding
from graph_ops.media.features import item_features, padded_indices
from graph_ops.media.slots import (
    MediumBatch,
    from_arrays,
    from_features,
    from_files,
    given_budgets,
    limit_slots,
    no_slots,
)
from graph_ops.media.video import VIDEO
from graph_ops.pipeline.videos import FrameRows, expand_frames, with_times
from graph_ops.rows.encode import MediumPlaces, RowMedium, encode_rows
from graph_ops.rows.packing import next_token_labels
from graph_ops.settings import POSITIONS, Configured, Settings
from graph_ops.shapes import with_shape
from graph_ops.text.reading import prompt_reading, response_reading
from graph_ops.text.tokens import Tokenizer, TokenRows, is_valid_id

Tensors = dict[str, tf.Tensor]

_SHARED_STEPS = 64  # traced media steps that are kept: one for each medium, kind of input and configuration


def encode(
    inputs: Tensors, settings: Settings, *, sequence_length: int, training: bool, served: bool
) -> tuple[Tensors, Finding]:
    """Strings and media to model tensors.

    Args:
        inputs: `prompts` string [B]; `responses` string [B] (training; without it, ""); of each medium its
            files string [B, K], or its arrays [B, K, …] with their sizes, or its features, such as
            `pixel_values` with `pixel_position_ids`; and its budgets int32 [B, K], if a request chooses.
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
    row, tokenizer = settings.row, settings.tokenizer
    media, excess = encode_media(inputs, settings, inputs["prompts"], served=served)
    responses = inputs.get("responses")
    with tf.name_scope("prompt"):
        prompt_rows = tokenizer.tokenize_rows(inputs["prompts"], reading=prompt_reading(row))
    if responses is not None:
        with tf.name_scope("response"):
            responses = tokenizer.tokenize_rows(responses, reading=response_reading(row))
    return encode_tokens(
        prompt_rows,
        responses,
        media,
        settings,
        sequence_length=sequence_length,
        training=training,
        served=served,
        also=excess,
    )


def encode_media(
    inputs: Tensors, settings: Settings, rows: tf.Tensor, *, served: bool
) -> tuple[dict[str, MediumBatch], Finding | None]:
    """The items of the media that are there, by name, and, where every row gets the slots of the
    configuration, what that finds wrong with rows.

    Args:
        inputs: as for `encode`; files string [B, K], arrays or features; the media's options.
        settings: what the graph is built from.
        rows: a tensor [B] of any dtype.
        served: whether every row gets these slots.
    """
    inputs, excess = _limit_media(inputs, settings, rows) if served else (inputs, None)
    found = ((each, _batch(inputs, each, settings)) for each in settings.media)
    return {each.medium.name: batch for each, batch in found if batch}, excess


def encode_tokens(
    prompts: TokenRows,
    responses: TokenRows | None,
    media: Mapping[str, MediumBatch],
    settings: Settings,
    *,
    sequence_length: int,
    training: bool,
    served: bool,
    also: Finding | None = None,
    learned: tf.Tensor | None = None,
) -> tuple[Tensors, Finding]:
    """`encode` after tokenizing and after the media's own steps.

    Args:
        prompts: ids int32 [B, L] and lengths int32 [B].
        responses: the same, or None.
        media: items of the media that are there, by name.
        settings: as for `encode`, and so are those that follow.
        sequence_length: tokens in a row.
        training: whether rows have responses, labels and loss weights.
        served: whether every output has static dims.
        also: what was found wrong with rows before, [B].
        learned: of prompts that are whole rows, start token included: what is to be learned of them, bool [B,
            L]; None for prompts that become rows here.
    """
    row, is_whole = settings.row, learned is not None
    trims = not served and row.parity == "keras_hub"
    prompts, learned, also = _with_frames(prompts, media, settings, also, learned)
    with tf.name_scope("rows"):
        encoded = encode_rows(
            prompts,
            responses,
            [
                _row_medium(each, media.get(each.medium.name), prompts, row, trims=trims)
                for each in settings.media
            ],
            ids=settings.ids,
            sequence_length=sequence_length,
            labelled=training,
            add_start_token=not is_whole and (row.add_start_token if training else row.generation_starts),
            add_end_token=not is_whole and training and row.add_end_token,
            also=also,
            learned=learned,
        )
        features: Tensors = {}
        rows = encoded.rows
        if training:
            rows, features["y"], features["sample_weight"] = next_token_labels(rows)
        features["token_ids"], features["padding_mask"] = rows.token_ids, rows.padding_mask
        if settings.family.has_positions:
            features[POSITIONS] = tf.broadcast_to(tf.range(sequence_length), tf.shape(rows.token_ids))
    for each, places in zip(settings.media, encoded.places, strict=True):
        if batch := media.get(each.medium.name):
            with tf.name_scope(f"{each.medium.name}_features"):
                features |= _features(
                    each,
                    batch,
                    places,
                    encoded.finding,
                    settings,
                    trims=trims,
                    trims_items=trims and training,
                )
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
    with_audio = any(each.medium.name == "audio" for each in settings.media)
    stripped = tf.constant(settings.tokenizer.stripped_token_ids(with_audio=with_audio))
    return padding_mask & tf.reduce_all(tf.not_equal(token_ids[..., tf.newaxis], stripped), axis=-1)


def decode_ids(token_ids: tf.Tensor, keep: tf.Tensor, tokenizer: Tokenizer) -> tuple[tf.Tensor, Finding]:
    """The kept ids of each row to text: int32 [B, L], bool [B, L] -> string [B] and what is wrong with each
    row.
    """
    finding = id_finding(token_ids, keep, tokenizer)
    return tokenizer.detokenize_rows(token_ids, keep & finding.is_clean[:, tf.newaxis]), finding


def id_finding(token_ids: tf.Tensor, keep: tf.Tensor, tokenizer: Tokenizer) -> Finding:
    """TOKEN_ID_OUT_OF_RANGE for each row of ids int32 [B, S] with an invalid one where `keep` bool [B, S];
    the detail is the first.
    """
    size = len(tokenizer.vocabulary)
    invalid = keep & ~is_valid_id(token_ids, vocabulary_size=size)
    is_first = invalid & tf.equal(tf.cumsum(tf.cast(invalid, tf.int32), axis=1), 1)
    worst = tf.reduce_sum(tf.where(is_first, token_ids, 0), axis=1)
    return check(tf.reduce_any(invalid, axis=1), Fault.TOKEN_ID_OUT_OF_RANGE, worst, size)


def _with_frames(
    prompts: TokenRows,
    media: Mapping[str, MediumBatch],
    settings: Settings,
    also: Finding | None,
    learned: tf.Tensor | None,
) -> FrameRows:
    videos = media.get(VIDEO.name)
    return expand_frames(prompts, videos and videos.slots, settings, also=also, learned=learned)


def _row_medium(
    each: Configured, batch: MediumBatch | None, prompts: TokenRows, row: Any, *, trims: bool
) -> RowMedium:
    medium = each.medium
    return RowMedium(
        each.ids,
        batch.slots if batch else no_slots(prompts.lengths),
        fixed=medium.fixed_soft_tokens(row),
        block=None if trims and medium.is_trimmed else medium.block(row, each.config),
        count_fault=medium.count_fault,
        is_compact=medium.frames is not None and row.parity == "keras_hub",
    )


def _features(
    each: Configured,
    batch: MediumBatch,
    places: MediumPlaces,
    finding: Finding,
    settings: Settings,
    *,
    trims: bool,
    trims_items: bool,
) -> Tensors:
    """A medium's features. `trims` leaves out the indices, `trims_items` the frames, that no item of the
    batch needs, as KerasHub does.
    """
    medium, entries = each.medium, None
    if trims_items and medium.frames_per_soft_token:
        entries = medium.frames_per_soft_token(each.config) * tf.maximum(places.longest, 1)
    features = item_features(batch, finding, medium=medium, entries=entries)
    indices = places.indices
    if not medium.is_trimmed:
        indices = padded_indices(indices, width=settings.indices_width(medium))
    elif not trims and batch.values.shape[1] is not None:
        block = medium.block(settings.row, each.config)
        indices = with_shape(indices, [None, batch.values.shape[1] * block])
    return features | {medium.indices: indices, medium.mask: places.mask}


def _batch(inputs: Tensors, each: Configured, settings: Settings) -> MediumBatch | None:
    """A medium's items, from whatever form they were given in."""
    batch = _untimed_batch(inputs, each, settings)
    return batch and batch._replace(slots=with_times(batch.slots, inputs, each, settings))


def _untimed_batch(inputs: Tensors, each: Configured, settings: Settings) -> MediumBatch | None:
    medium, config, parity = each.medium, each.config, settings.row.parity
    budgets = given_budgets(inputs, medium=medium)
    if medium.values in inputs:
        values, marks = inputs[medium.values], inputs[medium.marks]
        return from_features(values, marks, budgets, medium=medium, config=config)
    if medium.argument not in inputs:
        return None
    items = inputs[medium.argument]
    with tf.name_scope(medium.name):
        if items.dtype == tf.string:
            return _shared(from_files, medium=medium, config=config, parity=parity)(items, budgets)
        step = _shared(from_arrays, medium=medium, config=config, parity=parity)
        return step(items, inputs[medium.sizes], budgets)


@functools.lru_cache(maxsize=_SHARED_STEPS)
def _shared(step: Callable[..., Any], **settings: Any) -> Callable[..., Any]:
    """The step as a function that is traced once for each kind of input, and that all signatures of a
    SavedModel then share.
    """
    return tf.function(functools.partial(step, **settings), autograph=False)


def _limit_media(inputs: Tensors, settings: Settings, rows: tf.Tensor) -> tuple[Tensors, Finding]:
    """Brings every medium to the slots of the configuration; rows that fill more are faulty."""
    findings = [Finding.none(rows)]
    limited = dict(inputs)
    for each in settings.media:
        medium, most = each.medium, each.medium.num_slots(settings.row)
        if medium.argument not in inputs:
            continue
        items = inputs[medium.argument]
        is_files = items.dtype == tf.string
        present = medium.has_files(items) if is_files else medium.is_filled(inputs[medium.sizes])
        for name in (medium.argument, medium.sizes, medium.budget, *(said.name for said in medium.options)):
            if name and name in inputs:
                limited[name], finding = limit_slots(inputs[name], present, medium=medium, most=most)
        findings.append(finding)
    return limited, first_finding(*findings)
