"""A preprocessor as a preset folder in KerasHub's layout, which keras-hub and `from_preset` read."""

import json
import os
import pathlib
from typing import Any

from graph_ops.config import RowConfig
from graph_ops.media.audio import AUDIO
from graph_ops.media.table import MEDIA
from graph_ops.presets.downloads import KERAS_HUB_VOCABULARY
from graph_ops.presets.folders import OWN_SETTINGS
from graph_ops.presets.keras_hub_settings import OWN_FIELDS, TOKENIZER_FLAGS, field_names, serialized
from graph_ops.settings import Settings

Json = dict[str, Any]


def write_folder(settings: Settings, folder: "str | os.PathLike[str]") -> None:
    """Writes every file of the layout that preprocessing needs; a model's own files in the folder stay as
    they are.

    What KerasHub's layers have no place for goes to `metadata.json`, together with the vocabulary's sha256.

    Raises:
        OSError: the folder cannot be written.
    """
    target = pathlib.Path(folder).expanduser()
    vocabulary = target / KERAS_HUB_VOCABULARY
    vocabulary.parent.mkdir(parents=True, exist_ok=True)
    vocabulary.write_bytes(settings.tokenizer.vocabulary.proto)
    layers = _layers(settings)
    row = {name: getattr(settings.row, name) for name in field_names(RowConfig)}
    preprocessor = serialized("Gemma4CausalLMPreprocessor", "gemma4_causal_lm_preprocessor", row | layers)
    for name, layer in ({"preprocessor": preprocessor} | layers).items():
        _write(target / f"{name}.json", layer)
    for medium in MEDIA:
        if settings.config_of(medium) is None:
            (target / f"{medium.converter}.json").unlink(missing_ok=True)
    if not (target / "config.json").exists():  # keras-hub asks it which model this is
        _write(target / "config.json", serialized("Gemma4Backbone", "gemma4_backbone", {}))
    _write_metadata(settings, target / "metadata.json")


def _layers(settings: Settings) -> Json:
    flags = {name: getattr(settings.tokenizer, name) for name in TOKENIZER_FLAGS}
    flags["has_audio_tokens"] |= settings.config_of(AUDIO) is not None
    layers = {"tokenizer": serialized("Gemma4Tokenizer", "gemma4_tokenizer", {"proto": None, **flags})}
    for medium, config, _ in settings.media:
        fields = {field: getattr(config, field) for field in field_names(medium.config)}
        class_name = f"Gemma4{medium.name.capitalize()}Converter"
        layers[medium.converter] = serialized(class_name, f"gemma4_{medium.converter}", fields)
    return layers


def _write_metadata(settings: Settings, path: pathlib.Path) -> None:
    own: Json = {"vocabulary_sha256": settings.tokenizer.vocabulary.sha256}
    configs = {"row": settings.row} | {each.medium.name: each.config for each in settings.media}
    for name, config in configs.items():
        default, fields = type(config)(), OWN_FIELDS[type(config)]
        changed = {
            field: getattr(config, field)
            for field in fields
            if getattr(config, field) != getattr(default, field)
        }
        own |= {name: changed} if changed else {}
    metadata = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    _write(path, metadata | {OWN_SETTINGS: own})


def _write(path: pathlib.Path, content: Json) -> None:
    path.write_text(json.dumps(content, indent=4) + "\n", "utf-8")
