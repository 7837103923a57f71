"""Writing a SavedModel with every signature, and reading back what it says of itself."""

import importlib.metadata
import json
import lzma
import os
import pathlib
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from export.publish import Report, check_new, publish, version_folder
from export.saved_model.branches import call_branches
from export.saved_model.embedding import embedding_signatures
from export.saved_model.fold import fold_saved_model
from export.saved_model.op_audit import count_ops, foreign_ops
from export.saved_model.signatures import signatures
from export.saved_model.unwrap import unwrap_signatures
from export.saved_model.warmup import write_warmup_requests
from export.signature import Signature, trace_signatures
from export.tensorflow_formats import SavedModel
from graph_ops import EmbeddingGemma2TextEmbedderPreprocessor, Gemma4CausalLMPreprocessor
from graph_ops.text.vocabulary.vocabulary import Vocabulary, load_vocabulary

AnyPreprocessor = Gemma4CausalLMPreprocessor | EmbeddingGemma2TextEmbedderPreprocessor
"""What is exported."""
DESCRIPTION = pathlib.PurePath("assets.extra", "preprocessor.json")
"""Settings and versions of an export; TensorFlow and TF Serving leave `assets.extra` alone."""
VOCABULARY = pathlib.PurePath("assets.extra", "vocabulary.spm.xz")
"""The vocabulary of an export with the engine "builtin", a third as large as it is otherwise: the graph holds
only tables made from it; for `run` and `verify`.
"""


class _Servable(tf.Module):
    """What is saved: one traced function a signature, and the vocabulary that they use."""

    def __init__(self, preprocessor: AnyPreprocessor, table: dict[str, Signature], report: Report) -> None:
        super().__init__()
        self.functions = trace_signatures(table, report)
        self.vocabularies = preprocessor.tokenizer.models()


def export_saved_model(
    preprocessor: AnyPreprocessor,
    out: str | os.PathLike[str],
    *,
    version: int | None = None,
    compact: bool = False,
    max_soft_tokens_input: bool = False,
    report: Report = lambda _: None,
) -> pathlib.Path:
    """Writes `out/version` with every signature that the preprocessor supports.

    It is written to a hidden folder beside and renamed, so that a server which watches `out` never loads half
    a model.

    Args:
        preprocessor: what to export.
        out: folder of the model; made if missing.
        version: number of the version; by default one more than the highest that is there.
        compact: whether `pixel_values` are uint8, for the client to multiply by the image converter's `scale`
            and add its `offset` to.
        max_soft_tokens_input: whether signatures that take images take `max_soft_tokens` too, int32 [B, I]: a
            smaller budget for each image, or 0.
        report: called with a line before each slow step.

    Returns:
        The folder that was written.

    Raises:
        ValueError: the version is not positive, or the graph has an op that a server lacks.
        FileExistsError: the version is there already.
    """

    def write(folder: pathlib.Path) -> None:
        table = _table(preprocessor, compact=compact, max_soft_tokens_input=max_soft_tokens_input)
        servable = _Servable(preprocessor, table, report)
        report("saving")
        save_checked(servable, folder)
        describe(preprocessor, folder, compact=compact)
        write_warmup_requests(table, folder)

    return publish_version(out, version, write, report)


def _table(
    preprocessor: AnyPreprocessor, *, compact: bool, max_soft_tokens_input: bool
) -> dict[str, Signature]:
    choices = {"max_soft_tokens_input": max_soft_tokens_input}
    if not isinstance(preprocessor, EmbeddingGemma2TextEmbedderPreprocessor):
        return signatures(preprocessor.settings, compact=compact, **choices)
    if compact:
        raise ValueError("`compact`: must be left out for rows to embed; got True. Export without it.")
    return embedding_signatures(preprocessor, **choices)


def publish_version(
    out: str | os.PathLike[str],
    version: int | None,
    write: Callable[[pathlib.Path], None],
    report: Report,
) -> pathlib.Path:
    """Publishes what `write` fills a folder with as `out/version`; see `version_folder` and `publish`."""
    target = version_folder(out, version)
    check_new(target, argument="version")
    return publish(target, write, report)


def save_checked(servable: Any, folder: pathlib.Path) -> None:
    """Saves a module that has its signatures as `functions`, and refuses ops that a server lacks."""
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)  # for servers
    tf.saved_model.save(servable, str(folder), signatures=servable.functions, options=options)
    unwrap_signatures(folder)
    call_branches(folder)
    fold_saved_model(folder)
    _check_ops(folder)


def read_description(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """The settings and versions that an export was made with.

    Raises:
        FileNotFoundError: not an export of this project.
    """
    path = pathlib.Path(folder, DESCRIPTION)
    if not path.is_file():
        raise FileNotFoundError(
            f"`folder`: must be a version folder that `gemma4-graph saved-model` wrote; {path} is missing. "
            f"Pass DIR/N, such as models/gemma4/1."
        )
    return json.loads(path.read_text())


def read_vocabulary(folder: str | os.PathLike[str]) -> Vocabulary:
    """The vocabulary inside an exported SavedModel."""
    protos = [
        node.attr["model"].s
        for graph in _graphs(pathlib.Path(folder))
        for node in _nodes(graph)
        if node.op == "SentencepieceOp"
    ]
    # A second, longer one reads special tokens in text.
    if protos:
        return load_vocabulary(min(protos, key=len))
    return load_vocabulary(lzma.decompress(pathlib.Path(folder, VOCABULARY).read_bytes()))


def _graphs(folder: pathlib.Path) -> list[Any]:
    saved = SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    return [meta_graph.graph_def for meta_graph in saved.meta_graphs]


def _nodes(graph: Any) -> list[Any]:
    return [*graph.node, *(node for function in graph.library.function for node in function.node_def)]


def _check_ops(folder: pathlib.Path) -> None:
    graphs = _graphs(folder)
    own = {function.signature.name for graph in graphs for function in graph.library.function}
    core = frozenset(dir(tf.raw_ops)) | own
    if foreign := foreign_ops(count_ops(graphs), core):
        raise ValueError(
            f"`preprocessor`: its graph must hold ops of stock TF Serving only; it also holds {foreign}."
        )


def describe_settings(preprocessor: AnyPreprocessor) -> dict[str, Any]:
    """The settings and versions that an artifact is made with; of the vocabulary, its size and sha256."""
    config = preprocessor.get_config() | {"family": preprocessor.family.name}
    vocabulary = preprocessor.tokenizer.vocabulary
    config["tokenizer"] = {
        "pieces": len(vocabulary),
        "sha256": vocabulary.sha256,
        "engine": preprocessor.tokenizer.engine_name,
    }
    packages = ("gemma4-graph", "tensorflow", "tensorflow-text", "keras")
    return {"preprocessor": config, "versions": {name: importlib.metadata.version(name) for name in packages}}


def describe(preprocessor: AnyPreprocessor, folder: pathlib.Path, *, compact: bool = False) -> None:
    """Writes what an artifact is made with beside its graph, and the vocabulary where the graph does not hold
    it.
    """
    path = folder / DESCRIPTION
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(describe_settings(preprocessor) | {"compact": compact}, indent=2) + "\n")
    if not preprocessor.tokenizer.models():
        path.with_name(VOCABULARY.name).write_bytes(lzma.compress(preprocessor.tokenizer.proto))
