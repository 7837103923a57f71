"""How a KerasHub model takes each medium: which of its encoders, and under which name the embeddings go
on.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from export.fusing.keras_ops import output_spec
from export.signature import Tensors
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from graph_ops.media.medium import Medium


class Encoder(NamedTuple):
    """A medium's way into a model.

    Attributes:
        medium: the medium.
        attribute: of the model's backbone that is the encoder; None there for a model without one.
        embeddings: argument of `call_with_cache`.
        present: marks [B, K, …] to bool [B, K], which slots are filled.
        encode: (the encoder, values, marks) -> embeddings [B, K, tokens, dim].
    """

    medium: Medium
    attribute: str
    embeddings: str
    present: Callable[[tf.Tensor], tf.Tensor]
    encode: Callable[[Any, tf.Tensor, tf.Tensor], tf.Tensor]


ENCODERS = (
    Encoder(
        IMAGE,
        "vision_encoder",
        "img_embeddings",
        lambda positions: tf.reduce_any(positions[..., 0] >= 0, axis=2),
        lambda encoder, pixels, positions: encoder({IMAGE.values: pixels, IMAGE.marks: positions}),
    ),
    Encoder(
        AUDIO,
        "audio_encoder",
        "audio_embeddings",
        lambda mask: tf.reduce_any(mask > 0, axis=2),
        lambda encoder, mel, mask: encoder(mel, tf.cast(mask, tf.bool)),
    ),
)


def encoder_of(model: Any, medium: Medium) -> Any:
    """A model's encoder of a medium, or None."""
    attribute = next(each.attribute for each in ENCODERS if each.medium is medium)
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
    for each in ENCODERS:
        medium, encoder = each.medium, encoder_of(model, each.medium)
        if encoder is None or medium.values not in features:
            continue
        values, marks = features[medium.values], features[medium.marks]
        if skip_empty:
            media[each.embeddings] = _of_present(each, encoder, values, marks)
        else:
            media[each.embeddings] = each.encode(encoder, values, marks)
        media |= {name: features[name] for name in (medium.mask, medium.indices)}
    return media


def _of_present(each: Encoder, encoder: Any, values: tf.Tensor, marks: tf.Tensor) -> tf.Tensor:
    """The encoder's output [B, K, tokens, dim] for the slots that are filled, 0 for the others.

    Slots are encoded as rows of one item each, [N, 1, …], for N filled ones.
    """
    present = each.present(marks)
    where = tf.where(present)

    def encode(values: tf.Tensor, marks: tf.Tensor) -> tf.Tensor:
        return each.encode(encoder, values, marks)

    def encoded() -> tf.Tensor:
        rows = encode(*(tf.gather_nd(tensor, where)[:, tf.newaxis] for tensor in (values, marks)))[:, 0]
        shape = tf.concat([tf.shape(present, tf.int64), tf.shape(rows, tf.int64)[1:]], axis=0)
        return tf.scatter_nd(where, rows, shape)

    slots = [tf.TensorSpec([1, 1, *tensor.shape[2:]], tensor.dtype) for tensor in (values, marks)]
    like = output_spec(encode, slots)
    nothing = tf.zeros(tf.concat([tf.shape(present), like.shape[2:]], axis=0), like.dtype)
    embeddings = tf.cond(tf.size(where) > 0, encoded, lambda: nothing)
    return tf.ensure_shape(embeddings, [None, present.shape[1], *like.shape[2:]])
