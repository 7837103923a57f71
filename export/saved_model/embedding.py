"""The signatures of a SavedModel of a preprocessor that makes rows to embed.

embed_preprocess   texts, tasks, media -> the model's inputs, status
"""

import tensorflow as tf

from export.budgets import with_budget_inputs
from export.saved_model.signatures import DEFAULT, file_inputs
from export.signature import Input, Signature, Tensors
from graph_ops import EmbeddingGemma2TextEmbedderPreprocessor
from graph_ops.faults import Finding
from graph_ops.features import BY_NAME, static_shape
from graph_ops.pipeline.embedding import default_texts, encode_embedding, text_messages
from graph_ops.settings import Settings

INPUTS = {
    "texts": Input(
        tf.string,
        (None,),
        "UTF-8, with a placeholder such as `<|image|>` for each of its media; an empty one stands for these",
    ),
    "tasks": Input(tf.string, (None,), 'name of what the vector is for, such as `query`; "" for none'),
}


def embedding_signatures(
    preprocessor: EmbeddingGemma2TextEmbedderPreprocessor, *, max_soft_tokens_input: bool = False
) -> dict[str, Signature]:
    """All signatures of the preprocessor, by name.

    Args:
        preprocessor: makes the rows.
        max_soft_tokens_input: whether those that take images take `max_soft_tokens` too.
    """
    names = tensor_names(preprocessor.settings)

    def function(tensors: Tensors) -> Tensors:
        features, finding = embedding_rows(tensors, preprocessor)
        return features | {"status": text_messages(finding)}

    inputs = embedding_inputs(preprocessor.settings)
    table = {"embed_preprocess": Signature(inputs, (*names, "status"), function, "rows to embed")}
    table = with_budget_inputs(table) if max_soft_tokens_input else table
    table[DEFAULT] = table["embed_preprocess"]
    return table


def embedding_inputs(settings: Settings) -> dict[str, Input]:
    """Texts, tasks, and files of the media that are taken."""
    files = (file_inputs(each.medium) for each in settings.media)
    return INPUTS | {name: given for inputs in files for name, given in inputs.items()}


def tensor_names(settings: Settings) -> list[str]:
    """Of the model's inputs that are made, in order."""
    without = [each.medium.mask for each in settings.media]
    return [name for name in settings.feature_names(*settings.groups) if name not in without]


def embedding_rows(
    tensors: Tensors, preprocessor: EmbeddingGemma2TextEmbedderPreprocessor
) -> tuple[Tensors, Finding]:
    """The model's inputs, of static size but for the batch, and what is wrong with each row."""
    settings = preprocessor.settings
    given = {
        each.medium.name: tf.reduce_any(tf.not_equal(tensors[each.medium.argument], ""), axis=1)
        for each in settings.media
    }
    features, finding = encode_embedding(
        tensors | {"texts": default_texts(tensors["texts"], given, settings)},
        settings,
        reading=preprocessor.reading,
        sequence_length=settings.row.sequence_length,
        served=True,
    )
    sizes = settings.dim_sizes
    names = tensor_names(settings)
    shaped = {name: tf.ensure_shape(features[name], static_shape(BY_NAME[name], sizes)) for name in names}
    return shaped, finding
