"""One request to a LiteRT bundle, as an app would make it: bytes, pixels and samples in, arrays out."""

import functools
import json
import math
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from export.budgets import check_budgets
from export.litert.fitting import COUNTED, fitted, row_in_parts
from export.litert.write import DESCRIPTION, MODEL, VOCABULARY
from export.media import MEDIA_IN_EXPORTS, pack_arrays
from export.outputs import Arrays
from export.videos import with_sources
from graph_ops.media.table import MEDIA
from graph_ops.text.vocabulary.vocabulary import Vocabulary, load_vocabulary

ROW = "generate_preprocess"
"""Signature of a prompt with its media, which a static bundle makes of several."""


class Bundle(NamedTuple):
    """A loaded bundle.

    Attributes:
        folder: where it lies.
        interpreter: `ai_edge_litert`'s.
        description: what `signatures.json` says.
        vocabulary: for readers; the interpreter has tables of its own.
    """

    folder: pathlib.Path
    interpreter: Any
    description: dict[str, Any]
    vocabulary: Vocabulary

    def run(self, signature: str, **inputs: np.ndarray) -> Arrays:
        """The outputs of a signature; of a static bundle's, the name may lack the size, which is then the
        smallest that holds the inputs.

        Raises:
            ValueError: the outputs' `status`, as its sentence; or no size holds the inputs.
        """
        name, given = fitted(self.description["signatures"], signature, inputs)
        outputs = self.interpreter.get_signature_runner(name)(**given)
        if code := int(outputs["status"][0]):
            raise ValueError(
                self.description["statuses"][str(code)].format(*outputs["status_detail"][0].tolist())
            )
        return outputs


def read_bundle_description(folder: "str | os.PathLike[str]") -> dict[str, Any]:
    """What `signatures.json` says.

    Raises:
        FileNotFoundError: the folder is not a bundle.
    """
    path = pathlib.Path(folder, DESCRIPTION)
    if not path.is_file():
        raise FileNotFoundError(
            f"`folder`: must hold a LiteRT bundle; no {DESCRIPTION} in {folder}. Pass what "
            f"`gemma4-graph litert` wrote."
        )
    return json.loads(path.read_text())


def load_bundle(folder: "str | os.PathLike[str]", *, num_threads: int | None = None) -> Bundle:
    """Loads a folder that `gemma4-graph litert` wrote.

    Raises:
        FileNotFoundError: it is not one.
        ValueError: ai-edge-litert is not installed.
    """
    description = read_bundle_description(folder)
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise ValueError(
            f"`folder`: a LiteRT bundle runs on ai-edge-litert ({error}). Run `pip install "
            f"'gemma4-graph[litert]'`."
        ) from error
    folder = pathlib.Path(folder)
    interpreter = Interpreter(str(folder / MODEL), num_threads=num_threads)
    return Bundle(folder, interpreter, description, load_vocabulary(folder / VOCABULARY))


def text_inputs(name: str, text: bytes) -> Arrays:
    """A text's two inputs; a buffer is never empty, which not every runtime takes."""
    return {name: np.frombuffer(text or b"\0", np.uint8), f"{name}_length": np.array([len(text)], np.int32)}


def request(
    bundle: Bundle,
    prompt: bytes,
    media: Mapping[str, Sequence[Any]],
    *,
    max_soft_tokens: Sequence[int] = (),
    signature: str = ROW,
) -> Arrays:
    """Runs `generate_preprocess`, or a signature that takes the same, on one prompt and its items by the
    medium's name, for example pixels uint8 [H, W, 3] and samples float32 [T] at 16 kHz; with a budget for all
    images, or one for each.

    Raises:
        ValueError: more items than the bundle has slots for, budgets that it does not take, or the row's
            status.
    """
    return prepared(bundle, prompt, media, max_soft_tokens=max_soft_tokens, signature=signature)()


def prepared(
    bundle: Bundle,
    prompt: bytes,
    media: Mapping[str, Sequence[Any]],
    *,
    max_soft_tokens: Sequence[int] = (),
    signature: str = ROW,
) -> Callable[[], Arrays]:
    """`request` with its inputs packed: a function that runs the signature, and raises the row's status.

    Raises:
        ValueError: more items than the bundle has slots for, or budgets that it does not take.
    """
    signatures = bundle.description["signatures"]
    at_once = signature != ROW or ROW in signatures
    accepted = signatures.get(signature, {}).get("inputs") or _counted(signatures)
    slots = {
        medium.name: _slots(accepted, medium.argument if at_once else medium.soft_tokens) for medium in MEDIA
    }
    _check_slots(media, slots)
    budgets = _budgets(max_soft_tokens, media, slots, accepted)
    text = text_inputs("prompts", prompt)
    if not at_once:
        return functools.partial(row_in_parts, bundle.run, text, media, accepted=accepted, budgets=budgets)
    arrays = {
        key: value.astype(accepted[key]["dtype"])
        for medium in MEDIA
        if slots[medium.name]
        for key, value in pack_arrays(medium, media.get(medium.name, ()), slots=slots[medium.name]).items()
    }
    return functools.partial(bundle.run, signature, **text, **arrays, **budgets)


def _counted(signatures: Mapping[str, Any]) -> Mapping[str, Any]:
    """The inputs of a static bundle's rows, which are the same in each bucket but for the text."""
    return next((found["inputs"] for name, found in signatures.items() if name.startswith(COUNTED)), {})


def _slots(accepted: Mapping[str, Any], name: str) -> int:
    return accepted[name]["shape"][1] if name in accepted else 0


def _check_slots(media: Mapping[str, Sequence[Any]], slots: Mapping[str, int]) -> None:
    for medium in MEDIA:
        count, most = len(media.get(medium.name, ())), slots[medium.name]
        if count > most:
            raise ValueError(
                f"`{medium.argument}`: this bundle has {most} slot(s); got {count}. Leave some out, or "
                "export with more slots."
            )


def _budgets(
    chosen: Sequence[int],
    media: Mapping[str, Sequence[Any]],
    slots: Mapping[str, int],
    accepted: Mapping[str, Any],
) -> Arrays:
    """int32 [1, K], 0 for the bundle's own, by the input's name, where the bundle takes them."""
    found: Arrays = {}
    for medium in MEDIA:
        if medium.budget:
            count, takes = len(media.get(medium.name, ())), medium.budget in accepted
            budgets = check_budgets(chosen, count, medium, accepted=takes)
            if takes:
                found[medium.budget] = np.array([[*budgets, *[0] * (slots[medium.name] - count)]], np.int32)
    return found


def decoded(files: Mapping[str, Sequence[Any]], settings: dict[str, Any]) -> dict[str, list[Any]]:
    """Pixels and samples of files by the medium's name, as an app's own decoders would make them; videos as
    `VideoArray`.

    Raises:
        ValueError: a file that does not decode.
    """
    read: dict[str, list[Any]] = {}
    for name, found in files.items():
        if found:
            exported = MEDIA_IN_EXPORTS[name]
            converter = settings.get(exported.medium.converter) or {}
            parity = {"parity": settings["parity"]} if "parity" in settings else {}
            items = exported.read_files(list(found), converter.get("config", {}) | parity)
            read[name] = with_sources(found, items) if exported.medium.frames else items
    return read


class CompiledRunner:
    """LiteRT's CompiledModel with the Interpreter's `get_signature_runner`.

    Inputs are resized to what comes; outputs of varying size get a buffer that is always large enough.
    """

    def __init__(self, model: pathlib.Path, description: dict[str, Any]) -> None:
        from ai_edge_litert.compiled_model import CompiledModel

        self._model = CompiledModel.from_file(str(model))
        self._signatures = description["signatures"]

    def get_signature_runner(self, name: str) -> Any:
        """A function from the signature's inputs to its outputs, by name."""
        return functools.partial(self._run, name)

    def _run(self, name: str, **given: np.ndarray) -> Arrays:
        from ai_edge_litert.tensor_buffer import TensorBuffer

        signature = self._signatures[name]
        buffers = {}
        for key, value in given.items():
            if None in signature["inputs"][key]["shape"]:
                self._model.resize_input_tensor_by_name(name, key, list(value.shape))
            buffers[key] = self._model.create_input_buffer_by_name(name, key)
            buffers[key].write(np.ascontiguousarray(value))
        most = MOST_OUTPUTS_PER_INPUT * max(value.size for value in given.values())
        shapes = {
            key: [most if size is None else size for size in output["shape"]]
            for key, output in signature["outputs"].items()
        }
        dtypes = {key: np.dtype(output["dtype"]) for key, output in signature["outputs"].items()}
        outputs = {
            key: TensorBuffer.create_from_host_memory(np.zeros(shape, dtypes[key]))
            for key, shape in shapes.items()
        }
        self._model.run_by_name(name, buffers, outputs)
        return {
            key: np.reshape(buffer.read(math.prod(shapes[key]), dtypes[key]), shapes[key])
            for key, buffer in outputs.items()
        }


MOST_OUTPUTS_PER_INPUT = 256
"""An id becomes at most so many bytes, a byte fewer ids."""
