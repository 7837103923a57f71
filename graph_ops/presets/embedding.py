"""The released models that embed, as far as preprocessing goes."""

import os
import pathlib

from graph_ops.config import converter_argument
from graph_ops.family import EMBEDDING_GEMMA2
from graph_ops.presets import downloads
from graph_ops.presets.catalogue import Preset, built_in
from graph_ops.presets.downloads import KERAS_HUB_VOCABULARY
from graph_ops.presets.files import existing
from graph_ops.presets.huggingface_folder import read_huggingface
from graph_ops.presets.keras_hub_folder import layer_config
from graph_ops.presets.keras_hub_settings import medium_config, tokenizer_settings
from graph_ops.presets.settings import PresetSettings
from graph_ops.text.vocabulary.vocabulary import load_vocabulary

EMBEDDING_PRESETS = {
    "embedding_gemma2": Preset(
        744_371_992,
        ("text", "image", "audio"),
        "kaggle://keras/embedding-gemma2/keras/embedding_gemma2/1",
        "google/embeddinggemma-2",
        "EmbeddingGemma 2: 24 layers, vectors of 768 numbers of text, images and audio",
        {},
        EMBEDDING_GEMMA2,
    )
}
"""By name. Source: `keras_hub/src/models/embedding_gemma2/embedding_gemma2_presets.py` of keras-hub 0.33."""


_CLASS = "EmbeddingGemma2TextEmbedderPreprocessor"
_MEDIA = ("image", "audio")
_ROW = ("sequence_length", "truncate")


def load_embedding_preset(preset: "str | os.PathLike[str]") -> PresetSettings:
    """Settings of a built-in preset, a folder in KerasHub's or Hugging Face's layout, or a handle.

    Args:
        preset: see `catalogue`.

    Raises:
        ValueError: no such preset or handle, or a folder of another model or with settings that this project
            cannot follow.
        FileNotFoundError: a folder in neither layout.
        downloads.DownloadError: a handle that cannot be downloaded; says what to install, accept or pass
            instead.
    """
    name = os.fspath(preset)
    if name in EMBEDDING_PRESETS:
        return built_in(EMBEDDING_PRESETS[name])
    folder = downloads.fetch(name) if "://" in name else pathlib.Path(name).expanduser()
    if not folder.is_dir():
        raise ValueError(
            f"`preset`: must be a built-in preset of a model that embeds, {', '.join(EMBEDDING_PRESETS)}, a "
            f"folder, 'hf://owner/name' or 'kaggle://owner/model/keras/variant'; got {name!r}, which is none "
            "of them. Correct its spelling."
        )
    if (folder / "preprocessor.json").is_file():
        return _from_keras_hub(folder)
    return read_huggingface(folder, EMBEDDING_GEMMA2)._replace(row={})


def _from_keras_hub(folder: pathlib.Path) -> PresetSettings:
    preprocessor = layer_config(folder / "preprocessor.json", _CLASS) or {}
    layers = {name: preprocessor.get(converter_argument(name)) for name in _MEDIA}
    return PresetSettings(
        {name: medium_config(layer["config"], name) for name, layer in layers.items() if layer},
        {name: preprocessor[name] for name in _ROW if name in preprocessor},
        tokenizer_settings((preprocessor.get("tokenizer") or {}).get("config") or {}),
        lambda: load_vocabulary(existing(folder, KERAS_HUB_VOCABULARY)),
    )
