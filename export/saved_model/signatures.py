"""The table of a SavedModel's signatures: name -> inputs, outputs, the function that computes them. What the
artifact offers is read off it.
"""

import functools

import tensorflow as tf

from export.budgets import with_budget_inputs
from export.saved_model.chat_signatures import chat_signatures
from export.saved_model.text_signatures import INPUTS as TEXT_INPUTS
from export.saved_model.text_signatures import OUTPUTS as TEXT_OUTPUTS
from export.saved_model.text_signatures import status_output, text_signatures
from export.signature import Input, Signature, Tensors
from graph_ops.faults import Finding
from graph_ops.features import BY_NAME, static_shape
from graph_ops.image.compact import compact as compacted
from graph_ops.media.image import IMAGE
from graph_ops.media.medium import Medium
from graph_ops.media.table import MEDIA
from graph_ops.media.video import VIDEO
from graph_ops.pipeline.chat import has_chat
from graph_ops.pipeline.counting import count_tokens
from graph_ops.pipeline.served import decode, encode
from graph_ops.settings import Settings

PIXELS = (IMAGE, VIDEO)
"""Media with values that may be pixels as they are."""
DEFAULT = "serving_default"
"""TensorFlow's name of the signature that a client gets without asking; here the same as
`generate_preprocess`.
"""


INPUTS = {
    "prompts": Input(tf.string, (None,), "UTF-8, with one placeholder such as `<|image|>` for each medium"),
    "responses": Input(tf.string, (None,), "UTF-8"),
    **TEXT_INPUTS,
    "padding_mask": Input(tf.bool, (None, None), "True on what is read"),
}


def option_inputs(medium: Medium) -> dict[str, Input]:
    """What is said of a medium's items, [B, K, …]."""
    return {
        option.name: Input(option.dtype, (None, None, *option.shape), option.meaning)
        for option in medium.options
    }


def file_inputs(medium: Medium) -> dict[str, Input]:
    """A medium's items as files [B, K, …], and what is said of them."""
    meaning = f'{medium.files}; "" for an empty slot'
    files = Input(tf.string, (None, None, *medium.file_shape), meaning)
    return {medium.argument: files} | option_inputs(medium)


PLAIN_OUTPUTS = {
    "status": 'what is wrong with the row and how to correct it; "" for a good row',
    **TEXT_OUTPUTS,
    "num_tokens": "tokens that the request takes, `<bos>` and soft tokens included",
    "fits": "True where nothing is wrong with the request and nothing is cut from it",
}


def array_inputs(medium: Medium) -> dict[str, Input]:
    """A medium's items as arrays [B, K, …], and their true sizes [B, K(, axes)]."""
    axes = (medium.varying,) if medium.varying > 1 else ()
    return {
        medium.argument: Input(medium.dtype, (None, None, *medium.item_shape), medium.array),
        medium.sizes: Input(tf.int32, (None, None, *axes), medium.size),
    } | option_inputs(medium)


ARRAY_INPUTS = {name: given for medium in MEDIA for name, given in array_inputs(medium).items()}


def signatures(
    settings: Settings, *, compact: bool = False, max_soft_tokens_input: bool = False
) -> dict[str, Signature]:
    """All signatures that the settings support, by name.

    Args:
        settings: of the preprocessor.
        compact: whether `pixel_values` are the pixels themselves, uint8, for the client to scale: a quarter
            of the bytes to send; and those of frames.
        max_soft_tokens_input: whether those that take images take `max_soft_tokens` too.
    """
    for medium in PIXELS if compact else ():
        if config := settings.config_of(medium):
            settings = settings.with_config(medium, compacted(config))
    media = tuple(each.medium for each in settings.media)
    preprocessing = functools.partial(_preprocessing, settings)
    table = {"generate_preprocess_text": preprocessing((), "text alone")}
    for medium in media:
        table[f"generate_preprocess_{medium.name}"] = preprocessing((medium,), f"text and {medium.files}")
    table["generate_preprocess"] = preprocessing(
        media, "everything that the preprocessor takes, to generate from"
    )
    if media:
        table["generate_preprocess_arrays"] = preprocessing(media, "the same from arrays", arrays=True)
    table["preprocess"] = preprocessing(media, "the same with responses, labels and weights", training=True)
    if has_chat(settings):
        files = {name: given for medium in media for name, given in file_inputs(medium).items()}
        finish = functools.partial(_finished, settings=settings)
        table |= chat_signatures(settings, files, finish)
    table["generate_postprocess"] = _postprocessing(settings)
    table |= text_signatures(settings)
    table["count_tokens"] = _counting(settings)
    table = with_budget_inputs(table) if max_soft_tokens_input else table
    table[DEFAULT] = table["generate_preprocess"]
    return table


def _preprocessing(
    settings: Settings,
    media: tuple[Medium, ...],
    meaning: str,
    *,
    arrays: bool = False,
    training: bool = False,
) -> Signature:
    groups = ("text", *(medium.group for medium in media), *(["labels"] if training else []))
    names = settings.feature_names(*groups)
    inputs = {name: INPUTS[name] for name in ("prompts", *(["responses"] if training else []))}
    for medium in media:
        inputs |= array_inputs(medium) if arrays else file_inputs(medium)

    def function(tensors: Tensors) -> Tensors:
        length = settings.row.sequence_length
        features, finding = encode(tensors, settings, sequence_length=length, training=training, served=True)
        return _finished(features, names, finding, settings=settings)

    return Signature(inputs, (*names, "status"), function, meaning)


def _finished(features: Tensors, names: list[str], finding: Finding, *, settings: Settings) -> Tensors:
    """The named features with the shapes of a signature, and each row's status."""
    sizes = settings.dim_sizes
    shaped = {name: tf.ensure_shape(features[name], static_shape(BY_NAME[name], sizes)) for name in names}
    return shaped | status_output(finding)


def _counting(settings: Settings) -> Signature:
    inputs = {"prompts": INPUTS["prompts"]}
    for each in settings.media:
        inputs[each.medium.sizes] = ARRAY_INPUTS[each.medium.sizes]
        inputs |= option_inputs(each.medium)

    def function(tensors: Tensors) -> Tensors:
        count = count_tokens(tensors, settings)
        found = {"num_tokens": count.num_tokens, "fits": count.finding.is_clean}
        return found | status_output(count.finding)

    meaning = "how many tokens a request takes, from the sizes of its media"
    return Signature(inputs, ("num_tokens", "fits", "status"), function, meaning)


def _postprocessing(settings: Settings) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        text, finding = decode(tensors["token_ids"], tensors["padding_mask"], settings)
        return {"text": text} | status_output(finding)

    inputs = {name: INPUTS[name] for name in ("token_ids", "padding_mask")}
    return Signature(inputs, ("text", "status"), function, "generated ids to text, special tokens left out")
