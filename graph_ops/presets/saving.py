"""A preprocessor as a preset folder in KerasHub's layout, which keras-hub and `from_preset` read."""

import json
import os
import pathlib
from typing import Any

from graph_ops.config import RowConfig
from graph_ops.media.audio import AUDIO
from graph_ops.media.medium import Medium
from graph_ops.media.table import MEDIA
from graph_ops.presets.downloads import KERAS_HUB_VOCABULARY
from graph_ops.presets.keras_hub_folder import OWN_SETTINGS
from graph_ops.presets.keras_hub_settings import (
    OWN_FIELDS,
    TOKENIZER_FLAGS,
    class_name,
    field_names,
    serialized,
)
from graph_ops.settings import Settings

Json = dict[str, Any]
Folder = str | os.PathLike[str]

_INSTALLED = ("keras_hub_version",)
"""Settings that are always written, because what is installed where they are read is their default."""


def write_folder(settings: Settings, folder: Folder) -> None:
    """Writes every file of the layout that preprocessing needs; a model's own files in the folder stay as
    they are, but for the preprocessor that `task.json` describes.

    What KerasHub's layers have no place for goes to `metadata.json`, together with the vocabulary's sha256.

    Raises:
        OSError: the folder cannot be written.
    """
    target = write_tokenizer(settings.tokenizer, folder)
    with_audio = settings.config_of(AUDIO) is not None
    layers = {"tokenizer": _tokenizer(settings.tokenizer, with_audio=with_audio)}
    for medium in MEDIA:
        config = settings.config_of(medium)
        if config is None:
            (target / f"{medium.converter}.json").unlink(missing_ok=True)
        else:
            layers[medium.converter] = _converter(config, medium)
    row = {name: getattr(settings.row, name) for name in field_names(RowConfig)}
    tokenizer: Any = settings.tokenizer
    row = {name: row[name] for name in tokenizer.saved_row or row}
    prefix = tokenizer.keras_hub_prefix
    preprocessor = serialized(f"{prefix}CausalLMPreprocessor", "causal_lm_preprocessor", row | layers)
    for name, layer in ({"preprocessor": preprocessor} | layers).items():
        _write(target / f"{name}.json", layer)
    if not (target / "config.json").exists():  # keras-hub asks it which model this is
        _write(target / "config.json", serialized(f"{prefix}Backbone", "backbone", {}))
    _write_task(target / "task.json", preprocessor)
    _write_metadata(settings, target / "metadata.json")


def write_tokenizer(tokenizer: Any, folder: Folder) -> pathlib.Path:
    """Writes a tokenizer's settings and vocabulary; returns the folder.

    Raises:
        OSError: the folder cannot be written.
    """
    target = pathlib.Path(folder).expanduser()
    vocabulary = target / KERAS_HUB_VOCABULARY
    vocabulary.parent.mkdir(parents=True, exist_ok=True)
    vocabulary.write_bytes(tokenizer.vocabulary.proto)
    _write(target / "tokenizer.json", _tokenizer(tokenizer, with_audio=False))
    return target


def write_converter(config: Any, medium: Medium, folder: Folder) -> None:
    """Writes the settings of a medium's converter, as far as KerasHub's has them.

    Raises:
        OSError: the folder cannot be written.
    """
    target = pathlib.Path(folder).expanduser()
    target.mkdir(parents=True, exist_ok=True)
    _write(target / f"{medium.converter}.json", _converter(config, medium))


def _tokenizer(tokenizer: Any, *, with_audio: bool) -> Json:
    flags = {name: getattr(tokenizer, name) for name in TOKENIZER_FLAGS}
    flags["has_audio_tokens"] |= with_audio
    kept = {name: flags[name] for name in tokenizer.saved_flags}
    return serialized(f"{tokenizer.keras_hub_prefix}Tokenizer", "tokenizer", {"proto": None, **kept})


def _converter(config: Any, medium: Medium) -> Json:
    fields = {field: getattr(config, field) for field in field_names(medium.config)}
    return serialized(class_name(medium.name), medium.converter, fields)


def _write_task(path: pathlib.Path, preprocessor: Json) -> None:
    """Puts KerasHub's preprocessor in the place of ours in the task that KerasHub has saved before its
    preprocessor, so that the folder can be loaded where this project is not installed.
    """
    task = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    if task.get("config", {}).get("preprocessor"):
        task["config"]["preprocessor"] = preprocessor
        _write(path, task)


def _write_metadata(settings: Settings, path: pathlib.Path) -> None:
    own: Json = {"vocabulary_sha256": settings.tokenizer.vocabulary.sha256}
    unused = {medium.slots for medium in MEDIA if settings.config_of(medium) is None}
    configs = {"row": settings.row} | {each.medium.name: each.config for each in settings.media}
    for name, config in configs.items():
        default, fields = type(config)(), OWN_FIELDS[type(config)]
        changed = {
            field: getattr(config, field)
            for field in fields
            if field not in unused
            and (field in _INSTALLED or getattr(config, field) != getattr(default, field))
        }
        own |= {name: changed} if changed else {}
    metadata = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    _write(path, metadata | {OWN_SETTINGS: own})


def _write(path: pathlib.Path, content: Json) -> None:
    path.write_text(json.dumps(content, indent=4) + "\n", "utf-8")
