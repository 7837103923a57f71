"""Writing a LiteRT bundle of a preprocessor and a model: the preprocessor's signatures, and the model's, in
one file of builtin ops.

    predict   as generate_preprocess                       -> the model's outputs
    prefill   the features of a row                        -> cache
    decode    token_id, position, cache                    -> logits of the next id, cache

An app that generates calls `generate_preprocess`, `prefill`, and `decode` with the row's last id and its
place, then with each id that it chooses from the logits, and `generate_postprocess` at the end. The cache has
the length of a row.
"""

import os
import pathlib
from typing import Any

import tensorflow as tf

from export.fusing.encoders import encode_media
from export.fusing.fusable import check_model, is_causal_lm
from export.fusing.generate import cache_shape
from export.fusing.keras_ops import own_grids
from export.fusing.signatures import call_model, named_outputs
from export.litert.signatures import device_signatures
from export.litert.write import write_bundle
from export.publish import Report
from export.signature import Input, Signature, Tensors
from graph_ops import Gemma4CausalLMPreprocessor
from graph_ops.features import BY_NAME, feature_names, static_shape
from graph_ops.settings import Settings

_STATUS = ("status", "status_detail")


def fuse_litert(
    preprocessor: Gemma4CausalLMPreprocessor,
    model: Any,
    out: str | os.PathLike[str],
    *,
    max_soft_tokens_input: bool = False,
    report: Report = lambda _: None,
) -> pathlib.Path:
    """Writes the folder `out`: the preprocessor's signatures and `predict`, or `prefill` and `decode` for a
    model that generates.

    Args:
        preprocessor: what makes the features; its tokenizer's engine must be "builtin".
        model: as for `fuse`; what it computes must convert to builtin ops for one row.
        out: folder; must not exist.
        max_soft_tokens_input: whether signatures that take images take `max_soft_tokens` too.
        report: called with a line before each slow step.

    Returns:
        The folder.

    Raises:
        ValueError, TypeError: the model does not fit the preprocessor, the tokenizer's engine, or an op that
        LiteRT lacks.
        FileExistsError: the folder is there already.
    """
    settings = preprocessor.settings
    check_model(model, settings)
    table = device_signatures(settings, max_soft_tokens_input=max_soft_tokens_input)
    if is_causal_lm(model):
        table |= {"prefill": _prefilling(model, settings), "decode": _decoding(model, settings)}
    else:
        table["predict"] = _predicting(table["generate_preprocess"], model)
    return write_bundle(preprocessor, table, out, report)


def _predicting(preprocess: Signature, model: Any) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        features = preprocess.function(tensors)
        status = {name: features.pop(name) for name in _STATUS}
        outputs = named_outputs(call_model(model, features))
        return {name: _portable(tensor) for name, tensor in outputs.items()} | status

    specs = {name: tf.TensorSpec(given.shape, given.dtype) for name, given in preprocess.inputs.items()}
    outputs = (
        tf.function(function, input_signature=[specs], autograph=False)
        .get_concrete_function()
        .structured_outputs
    )
    return Signature(preprocess.inputs, tuple(outputs), function, "a prompt and its media through the model")


def _prefilling(model: Any, settings: Settings) -> Signature:
    sizes = settings.dim_sizes | {"B": 1}
    inputs = {
        name: Input(
            tf.int32 if BY_NAME[name].dtype == tf.bool else BY_NAME[name].dtype,
            tuple(shape),
            BY_NAME[name].meaning,
        )
        for name in feature_names(*settings.groups)
        if name != "position_ids"
        for shape in [static_shape(BY_NAME[name], sizes)]
    }

    def function(tensors: Tensors) -> Tensors:
        with own_grids(model):
            media = encode_media(model, tensors, skip_empty=False)
        _, _, cache = model.call_with_cache(
            token_ids=tensors["token_ids"],
            cache=tf.zeros(cache_shape(model, 1, settings.row.sequence_length), model.compute_dtype),
            cache_update_index=0,
            padding_mask=tf.cast(tensors["padding_mask"], tf.bool),
            **media,
        )
        return {"cache": _portable(cache)}

    return Signature(inputs, ("cache",), function, "a row into the cache, to generate from")


def _decoding(model: Any, settings: Settings) -> Signature:
    inputs = {
        "token_id": Input(tf.int32, (1, 1), "the row's last id"),
        "position": Input(tf.int32, (1,), "its place in the row, from 0"),
        "cache": Input(
            tf.float32,
            tuple(cache_shape(model, 1, settings.row.sequence_length)),
            "what `prefill` or `decode` returned",
        ),
    }

    def function(tensors: Tensors) -> Tensors:
        logits, _, cache = model.call_with_cache(
            token_ids=tensors["token_id"],
            cache=tf.cast(tensors["cache"], model.compute_dtype),
            cache_update_index=tensors["position"][0],
        )
        return {"logits": _portable(logits[:, 0]), "cache": _portable(cache)}

    return Signature(inputs, ("logits", "cache"), function, "one id into the cache, and what may come next")


def _portable(tensor: tf.Tensor) -> tf.Tensor:
    """As float32 or int32, what LiteRT.js takes and gives."""
    return tf.cast(tensor, tf.float32 if tensor.dtype.is_floating else tf.int32)
