"""The table of a fused artifact: the preprocessor's signatures, and the same inputs through a model.

    predict    prompts, media             -> the model's outputs, status
    generate   prompts, media (, seed)    -> text, token_ids, finish_reason, log_probabilities, …, status
    chat       messages, media (, seed)   -> see `export.fusing.chat`
    loss       prompts, media, responses  -> loss, loss_tokens, status
    prefill, decode                       -> see `export.fusing.steps`; if asked for

`generate_with_limits` takes where each row's answer ends, too.

A row with a `status` other than "" is all padding to the model, and no other row depends on it.
"""

from typing import Any

import keras
import tensorflow as tf

from export.fusing.answering import COUNTS, Answer, Marks, answer_inputs, answered, answering, counts
from export.fusing.chat import chat_marks, chat_signatures
from export.fusing.fusable import is_causal_lm, named_inputs, speaks_ids
from export.fusing.generate import Generated, Generation
from export.fusing.keras_ops import core_ops
from export.fusing.steps import step_signatures
from export.fusing.stop_strings import cut_texts
from export.saved_model.signatures import DEFAULT, signatures
from export.signature import Input, Signature, Tensors
from graph_ops.pipeline.served import decode
from graph_ops.settings import Settings

FUSED_OUTPUTS = {
    "outputs": "what the model returns, if that is one tensor",
    "loss": "mean cross-entropy of the response's tokens, in nats; 0 where there is none",
    "loss_tokens": "tokens that the mean is over",
    "log_probabilities": "of each id of the answer, in nats, before temperature and choice; 0 behind it",
    "num_prompt_tokens": "ids of the prompt, `<bos>` and soft tokens included",
    "num_new_tokens": "ids of the answer, the one that ended it included",
    "logits": "of what may come next, 0 where nothing may",
    "token_id": "the likeliest of them",
    "position": "its place in the row",
    "cache": "for the next call of `decode`",
}
OWN_OUTPUTS = ("status",)


def fused_signatures(
    settings: Settings,
    model: Any,
    generation: Generation,
    *,
    max_soft_tokens_input: bool = False,
    steps: bool = False,
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
        inputs = answer_inputs(model, settings)
        ending_at = answering(model, settings, generation)
        answer = ending_at(Marks(generation.stop_ids))
        for ending, more in inputs:
            preprocess = table["generate_preprocess"]
            table["generate" + ending] = _generating(preprocess, answer, settings, generation, more)
        answer = ending_at(chat_marks(generation, settings))
        table |= chat_signatures(table, answer, settings, *inputs)
        table |= step_signatures(table, model, settings) if steps else {}
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


def _generating(
    preprocess: Signature,
    answer: Answer,
    settings: Settings,
    generation: Generation,
    inputs: dict[str, Input],
) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        asked = answered(preprocess, answer, tensors, inputs)
        return {
            "text": _text(asked.rows, settings, generation),
            "token_ids": asked.rows.token_ids,
            "finish_reason": tf.where(asked.rows.is_stopped, "stop", "length"),
            **counts(asked.rows),
            "status": asked.status,
        }

    outputs = ("text", "token_ids", "finish_reason", *COUNTS, "status")
    return Signature(preprocess.inputs | inputs, outputs, function, "the model's answers")


def _text(rows: Generated, settings: Settings, generation: Generation) -> tf.Tensor:
    """String [B], cut before a stop string; with or without the prompts."""
    size = tf.shape(rows.token_ids)[1]
    all_ids = tf.sequence_mask(rows.ends, size)
    answer, _ = decode(rows.token_ids, all_ids & ~tf.sequence_mask(rows.starts, size), settings)
    if generation.strip_prompt:
        return cut_texts(answer, rows.seen.cuts)
    text, _ = decode(rows.token_ids, all_ids, settings)
    before = tf.strings.length(text) - tf.strings.length(answer)
    return cut_texts(text, tf.where(rows.seen.cuts < 0, -1, before + rows.seen.cuts))


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
