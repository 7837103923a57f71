"""Writing one SavedModel of a preprocessor and a model: strings and media in, the model's answers out."""

import gc
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from export.fusing.embedding import check_embedder, fused_embedding_signatures
from export.fusing.fusable import check_model, generation_settings, is_causal_lm
from export.fusing.shared_blocks import shared_blocks
from export.fusing.signatures import fused_signatures
from export.publish import Report
from export.saved_model.signatures import DEFAULT, signatures
from export.saved_model.warmup import write_warmup_requests
from export.saved_model.write import AnyPreprocessor, describe, publish_version, save_checked
from export.signature import Signature, trace_signatures, variables_used
from export.tensorflow_formats import functions_by_name
from graph_ops import EmbeddingGemma2TextEmbedderPreprocessor
from graph_ops.family import GEMMA4


class _Fused(tf.Module):
    """What is saved: one traced function a signature, the vocabularies that they use, and each variable
    once.
    """

    def __init__(
        self,
        preprocessor: AnyPreprocessor,
        model: Any,
        table: dict[str, Signature],
        report: Report,
    ) -> None:
        super().__init__()
        self.functions = trace_signatures(table, report)
        self.vocabularies = preprocessor.tokenizer.models()
        self.weights = variables_used(self.functions)
        if isinstance(model, tf.Module):
            self.model = model  # for what it holds besides variables, such as lookup tables


def fuse(
    preprocessor: AnyPreprocessor,
    model: Any,
    out: str | os.PathLike[str],
    *,
    version: int | None = None,
    max_new_tokens: int | None = None,
    stop_tokens: Sequence[str] = GEMMA4.stop,
    strip_prompt: bool = False,
    max_soft_tokens_input: bool = False,
    steps: bool = False,
    report: Report = lambda _: None,
) -> pathlib.Path:
    """Writes `out/version`: the preprocessor's signatures, and `predict`, `loss` and `generate`, or `embed`,
    through the model.

    Args:
        preprocessor: what makes the features.
        model: a Keras model (TensorFlow backend) or a callable on the dict of features, with the batch
            as dim 0 of outputs. A `keras_hub.models.Gemma4CausalLM` generates, with the sampler that it is
            compiled with; an `EmbeddingGemma2TextEmbedder` embeds, and has no use for the next three options
            after `version`.
        out: folder of the model; made if missing.
        version: number of the version; by default one more than the highest that is there.
        max_new_tokens: most tokens in an answer; by default all that `sequence_length` leaves.
        stop_tokens: pieces that end an answer.
        strip_prompt: whether `text` is the answer alone, without its prompt.
        max_soft_tokens_input: whether signatures that take images take `max_soft_tokens` too.
        steps: whether there are `prefill` and `decode` too, for clients that drive the loop; of a model that
            generates.
        report: called with a line before each slow step.

    Returns:
        The folder that was written. It needs neither Keras nor KerasHub.

    Raises:
        ValueError: the model does not fit the preprocessor (says where), a stop token is not in the
            vocabulary, or the graph has an op that a server lacks.
        TypeError: the model is not callable.
        FileExistsError: the version is there already.
    """
    choice = {"max_soft_tokens_input": max_soft_tokens_input}
    if isinstance(preprocessor, EmbeddingGemma2TextEmbedderPreprocessor):
        given = {"max_new_tokens": max_new_tokens, "strip_prompt": strip_prompt, "steps": steps}
        _check_generates_nothing(given | {"stop_tokens": tuple(stop_tokens) != GEMMA4.stop})
        return _fuse_embedder(preprocessor, model, out, version, report, **choice)
    settings = preprocessor.settings
    check_model(model, settings)
    if steps and not is_causal_lm(model):
        raise ValueError(
            f"`steps`: needs a model that generates; {type(model).__name__} does not. Leave it out."
        )
    generation = generation_settings(settings, tuple(stop_tokens), max_new_tokens, strip_prompt)

    def write(folder: pathlib.Path) -> None:
        table = fused_signatures(settings, model, generation, steps=steps, **choice)
        _save(preprocessor, model, table, folder, report)
        describe(preprocessor, folder)
        own = signatures(settings, **choice)
        write_warmup_requests({name: own[name] for name in own if name != DEFAULT}, folder)

    return publish_version(out, version, write, report)


def _save(
    preprocessor: AnyPreprocessor,
    model: Any,
    table: dict[str, Signature],
    folder: pathlib.Path,
    report: Report,
) -> None:
    with functions_by_name():
        with shared_blocks(model):
            fused = _Fused(preprocessor, model, table, report)
        gc.collect()  # what blocks were traced to before they were found alike
        report("saving")
        save_checked(fused, folder)


def _check_generates_nothing(given: dict[str, Any]) -> None:
    for name, value in given.items():
        if value:
            raise ValueError(
                f"`{name}`: must be left out for a preprocessor of rows to embed. Leave it out, or fuse a "
                "`Gemma4CausalLMPreprocessor`."
            )


def _fuse_embedder(
    preprocessor: EmbeddingGemma2TextEmbedderPreprocessor,
    model: Any,
    out: str | os.PathLike[str],
    version: int | None,
    report: Report,
    **choice: bool,
) -> pathlib.Path:
    check_embedder(model, preprocessor)

    def write(folder: pathlib.Path) -> None:
        table = fused_embedding_signatures(preprocessor, model, **choice)
        _save(preprocessor, model, table, folder, report)
        describe(preprocessor, folder)
        write_warmup_requests({name: table[name] for name in table if name != DEFAULT}, folder)

    return publish_version(out, version, write, report)
