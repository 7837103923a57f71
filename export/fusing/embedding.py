"""The table of a fused artifact that embeds: strings and files in, vectors of length 1 out.

    embed              texts, tasks, truncate_dim, media -> embeddings, status
    embed_preprocess   texts, tasks, media               -> the model's inputs, status

A row with a `status` other than "" has zeros for its vector, and no other row depends on it.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf

from export.budgets import with_budget_inputs
from export.fusing.encoders import encode_filled, encoder_of
from export.fusing.fusable import check_backbone, check_model
from export.fusing.keras_ops import core_ops
from export.fusing.replacing import replaced
from export.fusing.signatures import call_model
from export.media import MEDIA_IN_EXPORTS, Encoder
from export.saved_model.embedding import embedding_inputs, embedding_rows, embedding_signatures
from export.saved_model.signatures import DEFAULT
from export.signature import Input, Signature, Tensors
from graph_ops import EmbeddingGemma2TextEmbedderPreprocessor
from graph_ops.faults import first_finding
from graph_ops.media.medium import Medium
from graph_ops.pipeline.embedding import cut_vectors, text_messages

TRUNCATE_DIM = Input(tf.int32, (None,), "numbers that are kept of the row's vector; 0 for all")
OUTPUTS = {"embeddings": "vectors of length 1, 0 beyond `truncate_dim` numbers"}


def fused_embedding_signatures(
    preprocessor: EmbeddingGemma2TextEmbedderPreprocessor,
    model: Any,
    *,
    max_soft_tokens_input: bool = False,
) -> dict[str, Signature]:
    """The preprocessor's signatures, and `embed`, which is the default; arguments as for
    `embedding_signatures`.
    """
    table = embedding_signatures(preprocessor, max_soft_tokens_input=max_soft_tokens_input)
    embed = {"embed": _embedding(preprocessor, model)}
    table |= with_budget_inputs(embed) if max_soft_tokens_input else embed
    table[DEFAULT] = table["embed"]
    return table


def check_embedder(model: Any, preprocessor: EmbeddingGemma2TextEmbedderPreprocessor) -> None:
    """Whether the preprocessor makes what the model takes, and the model gives a vector a row.

    Raises:
        TypeError, ValueError: as `check_model`, or the model gives something else.
    """
    check_model(model, preprocessor.settings)
    if hasattr(model, "backbone"):
        check_backbone(model.backbone, preprocessor.settings)
    shape = getattr(getattr(model, "output", None), "shape", None)
    if shape is None or len(shape) != 2 or shape[1] is None:
        raise ValueError(
            "`model`: must give one tensor of as many numbers for each row, such as "
            f"`keras_hub.models.EmbeddingGemma2TextEmbedder`; got {type(model).__name__} with output of "
            f"shape {shape and tuple(shape)}. Pass a functional Keras model that pools its tokens."
        )


def _embedding(preprocessor: EmbeddingGemma2TextEmbedderPreprocessor, model: Any) -> Signature:
    embedding = preprocessor.settings.family.embedding
    media = [each.medium for each in preprocessor.settings.media]

    def function(tensors: Tensors) -> Tensors:
        tensors = dict(tensors)
        sizes = tensors.pop("truncate_dim")
        features, finding = embedding_rows(tensors, preprocessor)
        with core_ops(model), filled_slots(model, media):
            vectors = tf.cast(call_model(model, features), tf.float32)
        vectors, wrong_size = cut_vectors(vectors, sizes, embedding=embedding)
        finding = first_finding(finding, wrong_size)
        embeddings = tf.where(finding.is_clean[:, tf.newaxis], vectors, 0.0)
        return {"embeddings": embeddings, "status": text_messages(finding)}

    inputs = embedding_inputs(preprocessor.settings) | {"truncate_dim": TRUNCATE_DIM}
    return Signature(inputs, ("embeddings", "status"), function, "vectors of texts and their media")


@contextlib.contextmanager
def filled_slots(model: Any, media: Sequence[Medium]) -> Iterator[None]:
    """While it lasts, the model's encoders of media encode the slots that are filled in this thread, and give
    0 for the others.
    """
    with contextlib.ExitStack() as stack:
        for medium in media:
            encoder = encoder_of(model, medium)
            if encoder is not None:
                make = _of_filled(medium, MEDIA_IN_EXPORTS[medium.name].encoder)
                stack.enter_context(replaced(encoder, "call", make))
        yield


def _of_filled(
    medium: Medium, way: Encoder
) -> Callable[[Callable[..., tf.Tensor]], Callable[..., tf.Tensor]]:
    def make(call: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
        def encode(*given: Any, **_: Any) -> tf.Tensor:
            is_dict = isinstance(given[0], dict)
            values, marks = (given[0][medium.values], given[0][medium.marks]) if is_dict else given
            return encode_filled(way, call, values, tf.cast(marks, tf.int32))

        return encode

    return make
