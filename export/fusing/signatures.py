"""The table of a fused artifact: the preprocessor's signatures, and the same inputs through a model.

    predict    prompts, media             -> the model's outputs, status
    generate   prompts, media (, seed)    -> text, token_ids, status
    chat       messages, media (, seed)   -> see `export.fusing.chat`
    loss       prompts, media, responses  -> loss, loss_tokens, status

A row with a `status` other than "" is all padding to the model, and no other row depends on it.
"""

from typing import Any

import keras
import tensorflow as tf

from export.fusing.chat import Answer, chat_generation, chat_signatures
from export.fusing.fusable import is_causal_lm, named_inputs, speaks_ids
from export.fusing.generate import Generation, generate_rows, is_random
from export.fusing.keras_ops import core_ops
from export.saved_model.signatures import DEFAULT, signatures
from export.signature import Input, Signature, Tensors
from graph_ops.pipeline.served import decode
from graph_ops.settings import Settings

SEED = Input(tf.int32, (None,), "a row's answer is drawn from it, whatever the other rows are")
FUSED_OUTPUTS = {
    "outputs": "what the model returns, if that is one tensor",
    "loss": "mean cross-entropy of the response's tokens, in nats; 0 where there is none",
    "loss_tokens": "tokens that the mean is over",
}
OWN_OUTPUTS = ("status",)


def fused_signatures(
    settings: Settings, model: Any, generation: Generation, *, max_soft_tokens_input: bool = False
) -> dict[str, Signature]:
    """All signatures of the preprocessor, and those through the model; the default one is the last of the
    model's that applies.
    """
    table = signatures(settings, max_soft_tokens_input=max_soft_tokens_input)
    del table[DEFAULT]
    table["predict"] = _predicting(table["generate_preprocess"], model)
    if speaks_ids(model, settings):
        table["loss"] = _losing(table["preprocess"], model)
    if is_causal_lm(model):
        seeds = {"seed": SEED} if is_random(model.sampler) else {}
        table["generate"] = _generating(table["generate_preprocess"], model, settings, generation, seeds)
        answer = _answering(model, chat_generation(generation, settings))
        table |= chat_signatures(table, answer, settings, seeds)
    table[DEFAULT] = table.get("generate", table["predict"])
    return table


def call_model(model: Any, features: Tensors) -> Any:
    """The model's outputs; a functional Keras model gets the features that it names, others all of them."""
    names = named_inputs(model)
    if names is None:
        return model(features, training=False) if isinstance(model, keras.layers.Layer) else model(features)
    given = {name: tf.cast(features[name], spec.dtype) for name, spec in names.items()}
    if isinstance(model.input, dict):
        return model({key: given[tensor.name] for key, tensor in model.input.items()}, training=False)
    inputs = [given[tensor.name] for tensor in model.inputs]
    return model(inputs if isinstance(model.input, list | tuple) else inputs[0], training=False)


def _predicting(preprocess: Signature, model: Any) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        features = preprocess.function(tensors)
        status = features.pop("status")
        with core_ops(model):
            return named_outputs(call_model(model, features)) | {"status": status}

    return Signature(preprocess.inputs, (), function, "the model's outputs")


def _answering(model: Any, generation: Generation) -> Answer:
    """`generate_rows` of a model as one function that signatures share."""

    def answer(features: Tensors, seeds: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        with core_ops(model):
            return generate_rows(model, features, seeds, generation)

    return tf.function(answer, autograph=False)


def _generating(
    preprocess: Signature, model: Any, settings: Settings, generation: Generation, seeds: dict[str, Input]
) -> Signature:
    answer = _answering(model, generation)

    def function(tensors: Tensors) -> Tensors:
        tensors = dict(tensors)
        seed = tensors.pop("seed", None)
        features = preprocess.function(tensors)
        status = features.pop("status")
        token_ids, lengths = answer(features, seed)
        keep = tf.sequence_mask(lengths, tf.shape(token_ids)[1])
        keep = keep & ~features["padding_mask"] if generation.strip_prompt else keep
        text, _ = decode(token_ids, keep, settings)
        return {"text": text, "token_ids": token_ids, "status": status}

    inputs = preprocess.inputs | seeds
    return Signature(inputs, ("text", "token_ids", "status"), function, "the model's answers")


def _losing(preprocess: Signature, model: Any) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        features = preprocess.function(tensors)
        y, weight, status = (features.pop(name) for name in ("y", "sample_weight", "status"))
        with core_ops(model):
            logits = _logits_where(weight, model, features)
        each = tf.nn.sparse_softmax_cross_entropy_with_logits(
            tf.boolean_mask(y, weight), tf.cast(logits, tf.float32)
        )
        count = tf.reduce_sum(tf.cast(weight, tf.int32), axis=1)
        total = tf.reduce_sum(tf.scatter_nd(tf.where(weight), each, tf.shape(weight, tf.int64)), axis=1)
        return {
            "loss": tf.math.divide_no_nan(total, tf.cast(count, tf.float32)),
            "loss_tokens": count,
            "status": status,
        }

    return Signature(
        preprocess.inputs,
        ("loss", "loss_tokens", "status"),
        function,
        "how surprising each row's response is to the model",
    )


def _logits_where(weight: tf.Tensor, model: Any, features: Tensors) -> tf.Tensor:
    """Logits [N, V] of the N places where `weight` bool [B, S] holds; with 262,144 pieces those of a whole
    row would take 1 GB.
    """
    if not is_causal_lm(model):
        return tf.boolean_mask(call_model(model, features), weight)
    hidden = tf.boolean_mask(call_model(model.backbone, features), weight)
    logits = model.backbone.token_embedding(hidden, reverse=True)
    cap = getattr(model, "final_logit_cap", None)
    return logits if cap is None else tf.tanh(logits / cap) * cap


def named_outputs(outputs: Any) -> Tensors:
    """One tensor, a dict or a list of them, by name."""
    if isinstance(outputs, dict):
        named = {str(name): tensor for name, tensor in outputs.items()}
    elif isinstance(outputs, list | tuple):
        named = {f"output_{index}": tensor for index, tensor in enumerate(outputs)}
    else:
        named = {"outputs": outputs}
    for name in OWN_OUTPUTS:
        if name in named:
            raise ValueError(
                f"`model`: none of its outputs may be called {name!r}, which says what is wrong with a "
                f"row. Rename it."
            )
    return {name: tf.convert_to_tensor(tensor) for name, tensor in named.items()}
