"""Generation a step a call, for clients that drive the loop: the fused signatures `prefill` and `decode`.

    prefill   prompts, media              -> logits, token_id, position, cache, status
    decode    token_id, position, cache   -> logits, token_id, position, cache, status

A client calls `prefill` once, then `decode` with each id that it chooses, and with the position and the cache
of the call before. No call knows of another. A row's position is its own, and its cache is as long as a row,
so that a server may batch calls of clients that are at different places.
"""

from typing import Any

import tensorflow as tf

from export.fusing.generate import cache_shape, prefilled
from export.fusing.keras_ops import core_ops
from export.signature import Input, Signature, Tensors
from graph_ops.faults import Fault, Finding, check, first_finding, status_messages
from graph_ops.settings import Settings
from graph_ops.text.tokens import is_valid_id

OUTPUTS = ("logits", "token_id", "position", "cache", "status")


def step_signatures(table: dict[str, Signature], model: Any, settings: Settings) -> dict[str, Signature]:
    """`prefill` and `decode` of a model that generates, from the preprocessor's table."""
    return {
        "prefill": _prefilling(table["generate_preprocess"], model, settings),
        "decode": _decoding(model, settings),
    }


def prefill_rows(model: Any, features: Tensors, *, pad: int) -> Tensors:
    """The prompts in a cache, and what may come next.

    Args:
        model: a `keras_hub.models.Gemma4CausalLM`.
        features: those of `FEATURES`, their media dims static.
        pad: id of a row that has no next one.

    Returns:
        `logits` float32 [B, V] of the first id of each answer; `token_id` int32 [B], the likeliest;
        `position` int32 [B], its place; `cache` [B, layers, 2, S, heads, dim] in the model's dtype, 0 from
        there on. A row without a token has position 0, the id `pad`, and zeros.
    """
    ids, given = features["token_ids"], features["padding_mask"]
    starts = tf.reduce_sum(tf.cast(given, tf.int32), axis=1)
    cache = prefilled(model, features, ids, given, tf.maximum(tf.reduce_max(starts), 1))
    is_prompt = tf.sequence_mask(starts, ids.shape[1])
    cache = tf.where(is_prompt[:, tf.newaxis, tf.newaxis, :, tf.newaxis, tf.newaxis], cache, 0)
    places = tf.maximum(starts - 1, 0)
    last = tf.gather(ids, places, axis=1, batch_dims=1)
    logits, _ = _each(model, last, places, cache, is_kept=True)
    return _outputs(logits, starts, cache, starts > 0, pad=pad)


def decode_rows(
    model: Any, token_id: tf.Tensor, position: tf.Tensor, cache: tf.Tensor, is_good: tf.Tensor, *, pad: int
) -> Tensors:
    """One id into the cache of each row, and what may come next.

    Args:
        model: a `keras_hub.models.Gemma4CausalLM`.
        token_id: int32 [B].
        position: int32 [B]; its place in the row.
        cache: [B, layers, 2, S, heads, dim] in the model's dtype.
        is_good: bool [B]; the others are left as they are.
        pad: id of a row that has no next one.

    Returns:
        As `prefill_rows`.
    """
    ids, places = tf.where(is_good, token_id, 0), tf.where(is_good, position, 0)
    logits, grown = _each(model, ids, places, cache, is_kept=False)
    cache = tf.where(_on_rows(is_good, cache), grown, cache)
    return _outputs(logits, tf.where(is_good, position + 1, position), cache, is_good, pad=pad)


def step_finding(token_id: tf.Tensor, position: tf.Tensor, settings: Settings) -> Finding:
    """What is wrong with each row of a call of `decode`, from int32 [B] each."""
    size, vocabulary = settings.row.sequence_length, len(settings.tokenizer.vocabulary)
    is_id = is_valid_id(token_id, vocabulary_size=vocabulary)
    return first_finding(
        check((position < 1) | (position >= size), Fault.POSITION, position, size - 1),
        check(~is_id, Fault.TOKEN_ID_OUT_OF_RANGE, token_id, vocabulary),
    )


def _each(
    model: Any, ids: tf.Tensor, places: tf.Tensor, cache: tf.Tensor, *, is_kept: bool
) -> tuple[tf.Tensor, tf.Tensor]:
    """Logits float32 [B, V] behind ids int32 [B], and the cache, for a row at a time: the model takes one
    place for all rows of a call. The cache stays as it is if `is_kept`.
    """
    vocabulary = model.backbone.token_embedding.input_dim

    def step(row: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, tf.Tensor]:
        token, place, own = row
        logits, _, grown = model.call_with_cache(
            token_ids=tf.reshape(token, [1, 1]),
            cache=own[tf.newaxis],
            cache_update_index=place,
            cache_update_mask=tf.fill([1, 1], not is_kept),
        )
        return tf.cast(logits[0, 0], tf.float32), own if is_kept else grown[0]

    specs = tf.TensorSpec([vocabulary], tf.float32), tf.TensorSpec(cache.shape[1:], cache.dtype)
    if is_kept:
        return tf.map_fn(lambda row: step(row)[0], (ids, places, cache), fn_output_signature=specs[0]), cache
    return tf.map_fn(step, (ids, places, cache), fn_output_signature=specs)


def _on_rows(condition: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """A condition bool [B] as [B, 1, …] with the rank of a tensor."""
    return tf.reshape(condition, [-1, *[1] * (like.shape.rank - 1)])


def _outputs(
    logits: tf.Tensor, position: tf.Tensor, cache: tf.Tensor, is_good: tf.Tensor, *, pad: int
) -> Tensors:
    logits = tf.where(is_good[:, tf.newaxis], logits, 0)
    likeliest = tf.argmax(logits, axis=1, output_type=tf.int32)
    token_id = tf.where(is_good, likeliest, pad)
    return {"logits": logits, "token_id": token_id, "position": position, "cache": cache}


def _prefilling(preprocess: Signature, model: Any, settings: Settings) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        features = preprocess.function(tensors)
        status = features.pop("status")
        with core_ops(model):
            return prefill_rows(model, features, pad=settings.ids.pad) | {"status": status}

    return Signature(preprocess.inputs, OUTPUTS, function, "a prompt into the cache, and what may come next")


def _decoding(model: Any, settings: Settings) -> Signature:
    shape = cache_shape(model, None, settings.row.sequence_length)
    inputs = {
        "token_id": Input(tf.int32, (None,), "the id that was chosen"),
        "position": Input(tf.int32, (None,), "its place, as `prefill` or `decode` returned it"),
        "cache": Input(tf.as_dtype(model.compute_dtype), tuple(shape), "what the call before returned"),
    }

    def function(tensors: Tensors) -> Tensors:
        token_id, position, cache = (tensors[name] for name in inputs)
        finding = step_finding(token_id, position, settings)
        with core_ops(model):
            found = decode_rows(model, token_id, position, cache, finding.is_clean, pad=settings.ids.pad)
        return found | {"status": status_messages(finding)}

    return Signature(inputs, OUTPUTS, function, "one id into the cache, and what may come next")
