"""The table of a LiteRT bundle's signatures: one row at a time, bytes for strings, raw media, and only
float32, int32 and uint8.

Native runtimes resize their inputs, so lengths vary. A static bundle has each signature once for every
bucket, with inputs and outputs of fixed size.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from export.budgets import with_budget_inputs
from export.litert.buckets import Buckets
from export.litert.text_signatures import INPUTS as TEXT_INPUTS
from export.litert.text_signatures import OUTPUTS as TEXT_OUTPUTS
from export.litert.text_signatures import (
    STATUS,
    most_bytes,
    most_ids,
    status_outputs,
    text_inputs,
    text_outputs,
    text_signatures,
)
from export.media import MEDIA_IN_EXPORTS
from export.saved_model.signatures import Input, Signature, Tensors
from graph_ops.features import BY_NAME
from graph_ops.media.slots import MediumBatch, from_arrays, given_budgets
from graph_ops.media.table import MEDIA
from graph_ops.pipeline import litert as pipeline
from graph_ops.pipeline.counting import count_row_tokens
from graph_ops.pipeline.litert import Text
from graph_ops.pipeline.videos import with_times
from graph_ops.settings import Configured, Settings
from graph_ops.target import LITERT
from graph_ops.text.tokens import TokenRows

INPUTS = {
    **TEXT_INPUTS,
    "padding_mask": "not 0 on what is read",
    **{medium.argument: medium.array for medium in MEDIA},
    **{medium.sizes: medium.size for medium in MEDIA},
    **{
        medium.soft_tokens: f"what `preprocess_{medium.name}` gave for each slot; 0 for an empty slot"
        for medium in MEDIA
    },
    **{option.name: option.meaning for medium in MEDIA for option in medium.options},
}
OUTPUTS = {
    **TEXT_OUTPUTS,
    "num_tokens": "tokens that the request takes, `<bos>` and soft tokens included",
    "fits": "1 where nothing is wrong with the request and nothing is cut from it, else 0",
    "soft_tokens": "soft tokens of the medium; 0 without one",
    "status": "0, or what is wrong: a code of `statuses`",
    "logits": "of the next id, one for each piece of the vocabulary",
    "cache": "keys and values of the model's layers, to hand on",
    "status_detail": "the two numbers that the status' sentence quotes",
}


def device_signatures(
    settings: Settings, buckets: Buckets | None = None, *, max_soft_tokens_input: bool = False
) -> dict[str, Signature]:
    """All signatures that the settings support, by name; with buckets, each of fixed size with the size in
    its name; with `max_soft_tokens` where they take images, if it is wanted.
    """
    table = _varying(settings) if buckets is None else _fixed(settings, buckets)
    table = with_budget_inputs(table) if max_soft_tokens_input else table
    table = {name: _rewritten(signature, _with_known_shapes) for name, signature in table.items()}
    if buckets is None:
        return table
    return {name: _rewritten(signature, _ending_elementwise) for name, signature in table.items()}


def describe_output(name: str) -> str:
    """The meaning of an output for readers."""
    if name in OUTPUTS:
        return OUTPUTS[name]
    return BY_NAME[name].meaning if name in BY_NAME else "an output of the model"


def _varying(settings: Settings) -> dict[str, Signature]:
    table = text_signatures(settings)
    for each in settings.media:
        axes = (None,) * each.medium.varying
        table[f"preprocess_{each.medium.name}"] = _one_item(each, settings.row.parity, axes)
    table["generate_preprocess"] = _whole_row(settings)
    if settings.media:
        table["generate_preprocess_counts"] = _counted_row(settings, None)
    table["count_tokens"] = _counting(settings, None)
    table["generate_postprocess"] = _postprocessing(settings, fixed=False)
    return table


def _fixed(settings: Settings, buckets: Buckets) -> dict[str, Signature]:
    table: dict[str, Signature] = {}
    for size in buckets.text:
        table |= text_signatures(settings, size)
        table[f"generate_preprocess_counts_{size}"] = _counted_row(settings, size)
        table[f"count_tokens_{size}"] = _counting(settings, size)
    for each in settings.media:
        kind = MEDIA_IN_EXPORTS[each.medium.name].buckets
        for numbers in buckets.media.get(each.medium.name, ()):
            name = f"preprocess_{each.medium.name}_{kind.label.format(*numbers)}"
            table[name] = _one_item(each, settings.row.parity, kind.axes(numbers, each.config))
    table["generate_postprocess"] = _postprocessing(settings, fixed=True)
    return table


def _input(name: str, dtype: tf.DType, *shape: int | None) -> Input:
    return Input(dtype, shape, INPUTS[name])


def _item_inputs(
    each: Configured, leading: tuple[int, ...], axes: tuple[int | None, ...]
) -> dict[str, Input]:
    """A medium's arrays [*leading, *axes, …] and their sizes [*leading(, number of axes)]."""
    medium = each.medium
    sizes = (medium.varying,) if medium.varying > 1 else ()
    return {
        medium.argument: _input(
            medium.argument, medium.dtype, *leading, *axes, *medium.item_shape[len(axes) :]
        ),
        medium.sizes: _input(medium.sizes, tf.int32, *leading, *sizes),
    }


def _option_inputs(each: Configured, settings: Settings, *, fixed: bool = False) -> dict[str, Input]:
    """What is said of a medium's items, [1, K, …], in dtypes that devices have; of fixed size for as many
    frames as are taken.
    """
    medium, slots = each.medium, each.medium.num_slots(settings.row)
    most = medium.frames(each.config) if fixed and medium.frames else None
    found = {}
    for option in medium.options:
        dtype = tf.float32 if option.dtype.is_floating else option.dtype
        axes = (most if size is None else size for size in option.shape)
        found[option.name] = _input(option.name, dtype, 1, slots, *axes)
    return found


def _postprocessing(settings: Settings, *, fixed: bool) -> Signature:
    size = settings.row.sequence_length if fixed else None
    capacity = most_bytes(settings, size)

    def function(tensors: Tensors) -> Tensors:
        ids, mask = tensors["token_ids"], tensors["padding_mask"]
        return text_outputs(*pipeline.generate_postprocess(ids, mask, settings, capacity=capacity))

    inputs = {name: _input(name, tf.int32, 1, size) for name in ("token_ids", "padding_mask")}
    meaning = "generated ids to text, special tokens left out"
    return Signature(inputs, ("text", "text_length", *STATUS), function, meaning)


def _one_item(each: Configured, parity: str, axes: tuple[int | None, ...]) -> Signature:
    """One item of a medium, without a row."""
    medium, config = each.medium, each.config

    def function(tensors: Tensors) -> Tensors:
        items, sizes = (tensors[name][:, tf.newaxis] for name in (medium.argument, medium.sizes))
        budgets = given_budgets(tensors, medium=medium)
        budgets = None if budgets is None else budgets[:, tf.newaxis]
        batch = from_arrays(items, sizes, budgets, medium=medium, config=config, parity=parity, target=LITERT)
        features = {medium.values: batch.values[:, 0], medium.marks: batch.marks[:, 0]}
        counts = batch.slots.num_soft_tokens
        if medium.frames:
            features = {medium.values: batch.values, medium.marks: batch.marks}
        else:
            counts = counts[:, 0]
        return features | {"soft_tokens": counts} | status_outputs(batch.slots.finding)

    outputs = (medium.values, medium.marks, "soft_tokens", *STATUS)
    return Signature(_item_inputs(each, (1,), axes), outputs, function, medium.item.partition(" is ")[0])


def _whole_row(settings: Settings) -> Signature:
    parity = settings.row.parity
    inputs = text_inputs("prompts", None)
    for each in settings.media:
        leading = (1, each.medium.num_slots(settings.row))
        inputs |= _item_inputs(each, leading, (None,) * each.medium.varying)
        inputs |= _option_inputs(each, settings)

    def function(tensors: Tensors) -> Tensors:
        media = {}
        for each in settings.media:
            medium = each.medium
            batch = from_arrays(
                tensors[medium.argument],
                tensors[medium.sizes],
                given_budgets(tensors, medium=medium),
                medium=medium,
                config=each.config,
                parity=parity,
                target=LITERT,
            )
            slots = with_times(batch.slots, tensors, each, settings, target=LITERT)
            media[medium.name] = batch._replace(slots=slots)
        return _row(tensors, media, settings)

    meaning = "a prompt and its media, to generate from"
    return Signature(inputs, (*settings.feature_names(*settings.groups), *STATUS), function, meaning)


def _counted_row(settings: Settings, size: int | None) -> Signature:
    """A row without the media's own tensors, which the app has from before."""
    row, inputs, kept = settings.row, text_inputs("prompts", size), settings.feature_names("text")
    for each in settings.media:
        name, frames = each.medium.soft_tokens, each.medium.frames
        slots = each.medium.num_slots(row) * (frames(each.config) if frames else 1)
        inputs[name] = _input(name, tf.int32, 1, slots)
        inputs |= _option_inputs(each, settings, fixed=size is not None)
        kept += [each.medium.indices, each.medium.mask]

    def function(tensors: Tensors) -> Tensors:
        media = {each.medium.name: _counted(each, tensors, settings) for each in settings.media}
        features = _row(tensors, media, settings)
        return {name: features[name] for name in (*kept, *STATUS)}

    return Signature(inputs, (*kept, *STATUS), function, "a prompt with media that were preprocessed before")


def _counting(settings: Settings, size: int | None) -> Signature:
    """What a row would take, from the ids of its text and the sizes of its media."""
    ids = _input("token_ids", tf.int32, 1, most_ids(settings, size))
    inputs = {"token_ids": ids, "lengths": _input("lengths", tf.int32, 1)}
    for each in settings.media:
        leading = (1, each.medium.num_slots(settings.row))
        name, varying = each.medium.sizes, (None,) * each.medium.varying
        inputs[name] = _item_inputs(each, leading, varying)[name]
        inputs |= _option_inputs(each, settings, fixed=size is not None)

    def function(tensors: Tensors) -> Tensors:
        ids, lengths = tensors["token_ids"], tensors["lengths"]
        finding = pipeline.length_finding(lengths, tf.shape(ids)[1])
        prompts = TokenRows(ids, tf.where(finding.is_clean, lengths, 0))
        count = count_row_tokens(prompts, tensors, settings, also=finding, target=LITERT)
        fits = tf.cast(count.finding.is_clean, tf.int32)
        return {"num_tokens": count.num_tokens, "fits": fits} | status_outputs(count.finding)

    meaning = "how many tokens a request takes, from what `tokenize` gives and the sizes of its media"
    return Signature(inputs, ("num_tokens", "fits", *STATUS), function, meaning)


def _counted(each: Configured, tensors: Tensors, settings: Settings) -> MediumBatch:
    """Slots of which only the soft tokens are known; values and marks that nobody asks for."""
    most = each.medium.block(settings.row, each.config)
    frames = each.medium.frames and each.medium.frames(each.config)
    counts, budgets = tensors[each.medium.soft_tokens], given_budgets(tensors, medium=each.medium)
    slots = pipeline.counted_slots(counts, budgets, most=most, frames=frames, config=each.config)
    slots = with_times(slots, tensors, each, settings, target=LITERT)
    nothing = tf.zeros_like(slots.num_soft_tokens)[..., tf.newaxis, tf.newaxis]
    return MediumBatch(tf.cast(nothing, tf.float32), nothing, slots)


def _row(tensors: Tensors, media: Mapping[str, MediumBatch], settings: Settings) -> Tensors:
    prompt = Text(tensors["prompts"], tensors["prompts_length"])
    features, finding = pipeline.generate_preprocess(prompt, media, settings)
    numbers = {
        name: tf.cast(tensor, tf.int32) if tensor.dtype == tf.bool else tensor
        for name, tensor in features.items()
    }
    return numbers | status_outputs(finding)


def _rewritten(signature: Signature, rewrite: Any) -> Signature:
    function = signature.function
    return signature._replace(
        function=lambda tensors: {name: rewrite(tensor) for name, tensor in function(tensors).items()}
    )


def _with_known_shapes(tensor: tf.Tensor) -> tf.Tensor:
    """An output of a shape known while tracing is known to have it in the bundle too, where IF hides
    it.
    """
    return tf.reshape(tensor, tensor.shape) if tensor.shape.is_fully_defined() else tensor


def _ending_elementwise(tensor: tf.Tensor) -> tf.Tensor:
    """The output, of the size it says, as the minimum of itself and its dtype's largest number; bytes as they
    are.

    LiteRT.js returns garbage, without an error, for outputs that come straight out of segment ops, WHILE or
    RANGE (bytes are the outcome of a cast), and cannot hand out one if the model does not say its size, which
    the converter forgets behind a branch.
    """
    if tensor.dtype == tf.uint8:
        return tensor
    return tf.minimum(tf.reshape(tensor, tensor.shape), tensor.dtype.max)
