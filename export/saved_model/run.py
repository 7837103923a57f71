"""One request to an exported SavedModel, as a client without this project's graph code would make it."""

import contextlib
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from export.litert import run as litert_running
from export.saved_model.write import read_description, read_vocabulary
from graph_ops.config import AUDIO_TOKENS, IMAGE_TOKENS


class Loaded(NamedTuple):
    """A loaded export: the object that keeps its resources alive, and its signatures."""

    module: Any
    signatures: dict[str, Any]


def load(folder: str | os.PathLike[str]) -> Loaded:
    """Loads `DIR/N`.

    Raises:
        FileNotFoundError: no SavedModel there.
    """
    if not pathlib.Path(folder, "saved_model.pb").is_file():
        raise FileNotFoundError(
            f"`folder`: must hold a SavedModel; no saved_model.pb in {folder}. Pass DIR/N, for example "
            f"models/gemma4/1."
        )
    with contextlib.suppress(ImportError):  # an export with the engine "builtin" does without
        import tensorflow_text  # noqa: F401  registers the SentencePiece ops that TF Serving has linked in
    module = tf.saved_model.load(os.fspath(folder))
    return Loaded(module, dict(module.signatures))


def request(loaded: Loaded, prompt: str, images: list[bytes], audio: list[bytes]) -> dict[str, np.ndarray]:
    """Runs `generate_preprocess` on one prompt and its encoded media.

    Raises:
        ValueError: media that the export does not take, or the row's `status`.
    """
    signature = loaded.signatures["generate_preprocess"]
    accepted = signature.structured_input_signature[1]
    given = {"prompts": tf.constant([prompt])}
    for name, files in (("images", images), ("audio", audio)):
        if name in accepted:
            given[name] = tf.constant([files], tf.string, shape=[1, len(files)])
        elif files:
            raise ValueError(
                f"`{name}`: this export takes {sorted(accepted)} only. Leave the files out or export with "
                f"that converter."
            )
    outputs = {name: value.numpy() for name, value in signature(**given).items()}
    if status := outputs["status"][0].decode():
        raise ValueError(status)
    return outputs


def scaled(outputs: dict[str, np.ndarray], settings: dict[str, Any]) -> dict[str, np.ndarray]:
    """A compact export's outputs with `pixel_values` as others have them, float32; padding stays 0. Other
    outputs as they are.
    """
    values = outputs.get("pixel_values")
    if values is None or values.dtype != np.uint8:
        return outputs
    image, channels = settings["image_converter"]["config"], values.shape[-1] // 3
    scale, offset = (
        np.resize(np.atleast_1d(image[name] or default), 3)
        for name, default in (("scale", 1.0), ("offset", 0.0))
    )
    pixels = (values * np.tile(scale, channels)).astype(np.float32) + np.tile(offset, channels).astype(
        np.float32
    )
    return outputs | {
        "pixel_values": np.where(outputs["pixel_position_ids"][..., :1] >= 0, pixels, np.float32(0))
    }


def run_once(
    folder: str | os.PathLike[str], prompt: str, images: list[bytes], audio: list[bytes]
) -> tuple[dict[str, np.ndarray], tuple[str, ...], dict[str, Any]]:
    """Loads an export or a bundle and runs one request: its features, its vocabulary's pieces and its
    settings.

    Raises:
        FileNotFoundError: neither an export nor a bundle.
        ValueError: media that it does not take, or the row's `status`.
    """
    if litert_running.is_bundle(folder):
        bundle = litert_running.load_bundle(folder)
        settings = bundle.description["preprocessor"]
        outputs = litert_running.request(
            bundle, prompt.encode(), *litert_running.decoded(images, audio, settings)
        )
        return outputs, bundle.vocabulary.pieces, settings
    outputs = request(load(folder), prompt, images, audio)
    return outputs, read_vocabulary(folder).pieces, read_description(folder)["preprocessor"]


def soft_token_counts(
    token_ids: np.ndarray, pieces: Sequence[str] | Mapping[int, str]
) -> dict[str, list[int]]:
    """Soft tokens of each medium in one row, in order: the lengths of the runs between opening and closing
    tokens.
    """
    counts: dict[str, list[int]] = {"image": [], "audio": []}
    for name, tokens in (("image", IMAGE_TOKENS), ("audio", AUDIO_TOKENS)):
        names = [pieces[token] for token in token_ids]
        opened = [index for index, piece in enumerate(names) if piece == tokens.opening]
        counts[name] = [
            names.index(tokens.closing, start) - start - 1
            for start in opened
            if tokens.closing in names[start:]
        ]
    return counts
