"""Media through the encoders of a KerasHub model: what `call_with_cache` takes of them."""

from typing import Any

import tensorflow as tf

from export.fusing.keras_ops import output_spec
from export.media import MEDIA_IN_EXPORTS, Encoder
from export.signature import Tensors
from graph_ops.media.medium import Medium


def encoder_of(model: Any, medium: Medium) -> Any:
    """A model's encoder of a medium, or None."""
    attribute = MEDIA_IN_EXPORTS[medium.name].encoder.attribute
    return getattr(getattr(model, "backbone", model), attribute, None)


def encode_media(model: Any, features: Tensors, *, skip_empty: bool) -> Tensors:
    """What `call_with_cache` takes of the media that are there: embeddings and where their soft tokens stand.

    Args:
        model: a `keras_hub.models.Gemma4CausalLM`.
        features: those of `FEATURES`, their media dims static.
        skip_empty: whether an empty slot costs no encoder and gives 0; otherwise all slots are encoded alike,
            as where sizes must be static.
    """
    media: Tensors = {}
    for exported in MEDIA_IN_EXPORTS.values():
        medium, way = exported.medium, exported.encoder
        encoder = encoder_of(model, medium)
        if encoder is None or medium.values not in features:
            continue
        values, marks = features[medium.values], features[medium.marks]
        if skip_empty:
            media[way.embeddings] = encode_filled(way, encoder, values, marks)
        else:
            media[way.embeddings] = way.encode(encoder, values, marks)
        media |= {name: features[name] for name in (medium.mask, medium.indices)}
    return media


def encode_filled(way: Encoder, encoder: Any, values: tf.Tensor, marks: tf.Tensor) -> tf.Tensor:
    """The encoder's output [B, K, tokens, dim] for the slots that are filled, 0 for the others.

    Slots are encoded as rows of one item each, [N, 1, …], for N filled ones.
    """
    present = way.present(marks)
    where = tf.where(present)

    def encode(values: tf.Tensor, marks: tf.Tensor) -> tf.Tensor:
        return way.encode(encoder, values, marks)

    def encoded() -> tf.Tensor:
        rows = encode(*(tf.gather_nd(tensor, where)[:, tf.newaxis] for tensor in (values, marks)))[:, 0]
        shape = tf.concat([tf.shape(present, tf.int64), tf.shape(rows, tf.int64)[1:]], axis=0)
        return tf.scatter_nd(where, rows, shape)

    slots = [tf.TensorSpec([1, 1, *tensor.shape[2:]], tensor.dtype) for tensor in (values, marks)]
    like = output_spec(encode, slots)
    nothing = tf.zeros(tf.concat([tf.shape(present), like.shape[2:]], axis=0), like.dtype)
    embeddings = tf.cond(tf.size(where) > 0, encoded, lambda: nothing)
    return tf.ensure_shape(embeddings, [None, present.shape[1], *like.shape[2:]])
