"""One request to a LiteRT bundle, as an app would make it: bytes, pixels and samples in, arrays out."""

import json
import os
import pathlib
from typing import Any, NamedTuple

import numpy as np

from export.litert import DESCRIPTION, MODEL, VOCABULARY
from graph_ops.vocabulary import Vocabulary, load_vocabulary

Arrays = dict[str, np.ndarray]


class Bundle(NamedTuple):
    """A loaded bundle.

    Attributes:
        interpreter: `ai_edge_litert`'s.
        description: what `signatures.json` says.
        vocabulary: for readers; the interpreter has tables of its own.
    """

    interpreter: Any
    description: dict[str, Any]
    vocabulary: Vocabulary

    def run(self, signature: str, **inputs: np.ndarray) -> Arrays:
        """The outputs of a signature.

        Raises:
            ValueError: the outputs' `status`, as its sentence.
        """
        outputs = self.interpreter.get_signature_runner(signature)(**inputs)
        if code := int(outputs["status"][0]):
            raise ValueError(self.description["statuses"][str(code)].format(*outputs["status_detail"][0].tolist()))
        return outputs


def is_bundle(folder: "str | os.PathLike[str]") -> bool:
    """Whether a folder holds a LiteRT bundle."""
    return pathlib.Path(folder, DESCRIPTION).is_file()


def load_bundle(folder: "str | os.PathLike[str]", *, num_threads: int | None = None) -> Bundle:
    """Loads a folder that `export litert` wrote.

    Raises:
        FileNotFoundError: it is not one.
        ValueError: ai-edge-litert is not installed.
    """
    if not is_bundle(folder):
        raise FileNotFoundError(f"`folder`: must hold a LiteRT bundle; no {DESCRIPTION} in {folder}. Pass what `export litert` wrote.")
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise ValueError(
            f"`folder`: a LiteRT bundle runs on ai-edge-litert ({error}). Run `pip install 'gemma4-graph[litert]'`."
        ) from error
    folder = pathlib.Path(folder)
    interpreter = Interpreter(str(folder / MODEL), num_threads=num_threads)
    return Bundle(interpreter, json.loads((folder / DESCRIPTION).read_text()), load_vocabulary(folder / VOCABULARY))


def text_inputs(name: str, text: bytes) -> Arrays:
    """A text's two inputs; a buffer is never empty, which not every runtime takes."""
    return {name: np.frombuffer(text or b"\0", np.uint8), f"{name}_length": np.array([len(text)], np.int32)}


def request(bundle: Bundle, prompt: bytes, images: list[np.ndarray], clips: list[np.ndarray]) -> Arrays:
    """Runs `generate_preprocess` on one prompt, pixels uint8 [H, W, 3] and samples float32 [T] at 16 kHz.

    Raises:
        ValueError: more media than the bundle has slots for, or the row's status.
    """
    accepted = bundle.description["signatures"]["generate_preprocess"]["inputs"]
    inputs = text_inputs("prompts", prompt)
    for name, media, sizes_name in (("images", images, "image_sizes"), ("audio", clips, "audio_lengths")):
        slots = accepted[name]["shape"][1] if name in accepted else 0
        if len(media) > slots:
            raise ValueError(f"`{name}`: this bundle has {slots} slot(s); got {len(media)}. Leave some out, or export with more slots.")
        if slots:
            inputs |= _slots(name, sizes_name, media, slots)
    return bundle.run("generate_preprocess", **inputs)


def _slots(name: str, sizes_name: str, media: list[np.ndarray], slots: int) -> Arrays:
    """Media side by side in one array, each from index 0 on, and their sizes."""
    rank, dtype = (3, np.uint8) if name == "images" else (1, np.float32)
    varying = rank - (name == "images")
    largest: list[int] = [max([1, *(medium.shape[axis] for medium in media)]) for axis in range(varying)]
    packed = np.zeros([1, slots, *largest, *([3] if name == "images" else [])], dtype)
    sizes = np.zeros([1, slots, varying], np.int32)
    for slot, medium in enumerate(media):
        packed[0, slot][tuple(map(slice, medium.shape[:varying]))] = medium
        sizes[0, slot] = medium.shape[:varying]
    return {name: packed, sizes_name: sizes if name == "images" else sizes[..., 0]}
