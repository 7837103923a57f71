"""One request to an exported SavedModel, as a client without this project's graph code would make it."""

import contextlib
import os
import pathlib
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from export.budgets import check_budgets
from export.media import pack_files
from export.outputs import Arrays
from export.saved_model.loaded_signature import LoadedSignature
from graph_ops.media.medium import Medium
from graph_ops.media.table import MEDIA


class Loaded(NamedTuple):
    """A loaded export: the object that keeps its resources alive, and its signatures."""

    module: Any
    signatures: dict[str, LoadedSignature]


def load(folder: str | os.PathLike[str]) -> Loaded:
    """Loads `DIR/N`.

    Raises:
        FileNotFoundError: no SavedModel there.
    """
    if not pathlib.Path(folder, "saved_model.pb").is_file():
        raise FileNotFoundError(
            f"`folder`: must hold a SavedModel; no saved_model.pb in {folder}. Pass DIR/N, for example "
            "models/gemma4/1."
        )
    with contextlib.suppress(ImportError):  # an export with the engine "builtin" does without
        import tensorflow_text  # noqa: F401  registers the SentencePiece ops that TF Serving has linked in
    module = tf.saved_model.load(os.fspath(folder))
    return Loaded(module, {name: LoadedSignature(each) for name, each in module.signatures.items()})


def request(
    loaded: Loaded,
    prompt: str,
    media: Mapping[str, Sequence[bytes]],
    *,
    max_soft_tokens: Sequence[int] = (),
) -> Arrays:
    """Runs `generate_preprocess`, or `embed_preprocess` without a task, on one prompt and its encoded files,
    by the medium's name, with a budget for all images, or one for each.

    Raises:
        ValueError: media or budgets that the export does not take, or the row's `status`.
    """
    return prepared(loaded, prompt, media, max_soft_tokens=max_soft_tokens)()


def prepared(
    loaded: Loaded,
    prompt: str,
    media: Mapping[str, Sequence[bytes]],
    *,
    max_soft_tokens: Sequence[int] = (),
) -> Callable[[], Arrays]:
    """`request` with its inputs packed: a function that runs the signature, and raises the row's `status`.

    Raises:
        ValueError: media or budgets that the export does not take.
    """
    embeds = "embed_preprocess" in loaded.signatures
    signature = loaded.signatures["embed_preprocess" if embeds else "generate_preprocess"]
    accepted = signature.structured_input_signature[1]
    texts = {"texts": prompt, "tasks": ""} if embeds else {"prompts": prompt}
    given = {name: tf.constant([text]) for name, text in texts.items()}
    for medium in MEDIA:
        name, files = medium.argument, list(media.get(medium.name, ()))
        if name in accepted:
            packed = pack_files(medium, files)
            given |= {key: tf.constant(value, accepted[key].dtype) for key, value in packed.items()}
        elif files:
            raise ValueError(
                f"`{name}`: this export takes {sorted(accepted)} only. Leave the files out or export with "
                "that converter."
            )
        given |= budget_inputs(medium, len(files), max_soft_tokens, accepted)
    return lambda: checked(signature(**given))


def budget_inputs(
    medium: Medium, items: int, chosen: Sequence[int], accepted: Container[str]
) -> dict[str, tf.Tensor]:
    """The input with the budgets of one row's items, int32 [1, K], where a signature takes it.

    Raises:
        ValueError: budgets that it does not take.
    """
    if not medium.budget:
        return {}
    takes = medium.budget in accepted
    budgets = check_budgets(chosen, items, medium, accepted=takes)
    return {medium.budget: tf.constant([budgets], tf.int32, shape=[1, items])} if takes else {}


def checked(answer: dict[str, tf.Tensor]) -> Arrays:
    """The outputs for one row, as arrays.

    Raises:
        ValueError: the row's `status`.
    """
    outputs = {name: value.numpy() for name, value in answer.items()}
    if status := outputs["status"][0].decode():
        raise ValueError(status)
    return outputs
