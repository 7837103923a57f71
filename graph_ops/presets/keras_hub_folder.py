"""Preset folders in KerasHub's layout."""

import pathlib
from typing import Any

from graph_ops.config import MEDIUM_CONFIGS, converter_argument
from graph_ops.presets.downloads import KERAS_HUB_VOCABULARY
from graph_ops.presets.files import existing, read_json
from graph_ops.presets.keras_hub_settings import class_name, medium_config, row_settings, tokenizer_settings
from graph_ops.presets.settings import LARGE_CHAT, WITHOUT_AUDIO, PresetSettings
from graph_ops.text.vocabulary.vocabulary import load_vocabulary

Json = dict[str, Any]

OWN_SETTINGS = "gemma4_graph"
"""Key of `metadata.json` under which `save_to_preset` keeps what KerasHub's layout has no place for."""


def read_keras_hub(folder: pathlib.Path) -> PresetSettings:
    """Settings of a folder of KerasHub's; its vocabulary is read when asked for.

    Raises:
        ValueError: a damaged file, another model, or a setting that this project cannot follow.
    """
    preprocessor = layer_config(folder / "preprocessor.json", "Gemma4CausalLMPreprocessor") or {}
    converters = {name: converter_argument(name) for name in MEDIUM_CONFIGS}
    classes = {"tokenizer": "Gemma4Tokenizer"}
    classes |= {converter: class_name(name) for name, converter in converters.items()}
    layers = {name: (preprocessor.get(name) or {}).get("config") for name in classes}
    if not preprocessor:
        layers = {name: layer_config(folder / f"{name}.json", expected) for name, expected in classes.items()}
    own = (read_json(folder / "metadata.json") or {}).get(OWN_SETTINGS, {})
    has_audio = _has_audio(folder, layers)
    return PresetSettings(
        {
            name: medium_config({**layer, **own.get(name, {})}, name)
            for name, converter in converters.items()
            if (layer := layers[converter]) is not None
        },
        ({} if has_audio else LARGE_CHAT)  # the models without audio are the larger ones
        | row_settings(preprocessor)
        | own.get("row", {})
        | ({} if has_audio else WITHOUT_AUDIO),
        tokenizer_settings(layers["tokenizer"] or {}),
        lambda: load_vocabulary(existing(folder, KERAS_HUB_VOCABULARY)),
        own.get("vocabulary_sha256"),
    )


def _has_audio(folder: pathlib.Path, layers: dict[str, Json | None]) -> bool:
    """Whether the folder's model takes audio; unless `config.json` describes it, any may be meant."""
    model = (read_json(folder / "config.json") or {}).get("config") or {}
    return layers["audio_converter"] is not None or model.get("audio_encoder", True) is not None


def layer_config(path: pathlib.Path, class_name: str) -> Json | None:
    """The `config` of a serialized Keras layer, or None without the file.

    Raises:
        ValueError: another layer.
    """
    serialized = read_json(path)
    if serialized is None:
        return None
    if serialized.get("class_name") != class_name or not isinstance(serialized.get("config"), dict):
        raise ValueError(
            f"`preset`: {path.name} must describe a {class_name}; {path} describes "
            f"{serialized.get('class_name')!r}. Pass a preset of that model."
        )
    return serialized["config"]
