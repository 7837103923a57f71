"""KerasHub's Gemma 4 layers and their serialized configurations <-> our configurations, field by field.

KerasHub itself is never imported: a layer is recognised by its class, and read through its attributes.
"""

import dataclasses
import re
from collections.abc import Iterable
from typing import Any

from graph_ops.config import (
    MEDIUM_CONFIGS,
    AudioConfig,
    ImageConfig,
    RowConfig,
    VideoConfig,
    converter_argument,
)

Settings = dict[str, Any]

BARE_DEFAULTS: dict[type, Settings] = {
    ImageConfig: {"scale": None},
    AudioConfig: {"mel_floor": 1e-5},
    VideoConfig: {"scale": None},
    RowConfig: {},
}
"""Where KerasHub's bare constructors differ from the released model's numbers; used when a setting is not
given.
"""

OWN_FIELDS: dict[type, tuple[str, ...]] = {
    ImageConfig: ("max_image_pixels", "apply_exif_orientation", "background_color"),
    AudioConfig: ("features", "frames_per_soft_token", "strict"),
    VideoConfig: ("max_image_pixels", "apply_exif_orientation", "background_color"),
    RowConfig: (
        *("parity", "keras_hub_version", "allow_special_tokens"),
        *("chat_version", "chat_variant", "allow_special_tokens_in_chat", "max_videos_per_prompt"),
    ),
}
"""Our fields that KerasHub's layers do not have."""

TOKENIZER_FLAGS = ("has_vision_tokens", "has_audio_tokens", "has_video_tokens")

_LAYER_KEYS = {"name", "trainable", "dtype", "config_file"}
_RESIZING_KEYS = {
    "image_size",
    "interpolation",
    "antialias",
    "crop_to_aspect_ratio",
    "pad_to_aspect_ratio",
    "bounding_box_format",
    "data_format",
}  # of KerasHub's base class; Gemma4ImageConverter resizes in its own way whatever they say
_IGNORED = {
    ImageConfig: _LAYER_KEYS | _RESIZING_KEYS,
    AudioConfig: _LAYER_KEYS,
    VideoConfig: _LAYER_KEYS | _RESIZING_KEYS,
    RowConfig: _LAYER_KEYS | {"tokenizer", *map(converter_argument, MEDIUM_CONFIGS)},
}


def medium_config(settings: Settings, medium: str) -> Any:
    """The configuration of the medium with that name from the `config` of its serialized converter.

    Raises:
        ValueError: a setting that has no counterpart here; a converter of keras-hub 0.27, which computes
            another spectrogram than the released model's.
    """
    if medium == "audio" and settings and "frame_length" not in settings:
        raise ValueError(
            "`audio_converter`: must have a `frame_length`; that of keras-hub before 0.28 has none and "
            "computes another spectrogram than the released model's. Upgrade keras-hub, or pass "
            "`audio_converter=Gemma4AudioConverter()`."
        )
    config = MEDIUM_CONFIGS[medium]
    return config(**_fields(config, settings))


def class_name(medium: str) -> str:
    """KerasHub's class of a medium's converter."""
    return f"Gemma4{medium.capitalize()}Converter"


def row_settings(settings: Settings) -> Settings:
    """Constructor arguments of our preprocessor from the `config` of a serialized Gemma4CausalLMPreprocessor.

    Raises:
        ValueError: a setting that has no counterpart here.
    """
    return _fields(RowConfig, settings)


def tokenizer_settings(settings: Settings) -> Settings:
    """Constructor arguments of our tokenizer, besides the vocabulary, from the `config` of a serialized
    Gemma4Tokenizer.

    Raises:
        ValueError: a tokenizer that adds or cuts tokens itself.
    """
    check_adds_nothing(settings)
    return {name: settings[name] for name in TOKENIZER_FLAGS if name in settings}


def check_adds_nothing(settings: Settings) -> None:
    """Whether the settings of a tokenizer leave it to the preprocessor to add and cut tokens.

    Raises:
        ValueError: one of them does not.
    """
    for name in ("add_bos", "add_eos", "sequence_length"):
        if settings.get(name):
            raise ValueError(
                f"`tokenizer`: `{name}` must be off, since the preprocessor adds and cuts tokens; got "
                f"{settings[name]!r}. Make the tokenizer without it."
            )


def is_keras_hub(layer: Any, class_name: str) -> bool:
    """Whether a layer is of KerasHub's class of that name, or of a class derived from it."""
    return any(
        base.__name__ == class_name and base.__module__.split(".")[0] == "keras_hub"
        for base in type(layer).__mro__
    )


def settings_of(layer: Any, names: Iterable[str]) -> Settings:
    """A KerasHub layer's settings: the attributes with these names that it has. Some are not in its
    `get_config()`.
    """
    return {name: getattr(layer, name) for name in names if hasattr(layer, name)}


def field_names(config_class: type) -> list[str]:
    """The fields of a configuration that KerasHub's layer has too."""
    return [
        field.name for field in dataclasses.fields(config_class) if field.name not in OWN_FIELDS[config_class]
    ]


def serialized(class_name: str, module: str, config: Settings) -> Settings:
    """What KerasHub writes for a layer: `config` under its class, which the module of that name has among
    those of its model.
    """
    package = re.split("(?<=.)(?=[A-Z])", class_name)[0].lower()
    return {
        "module": f"keras_hub.src.models.{package}.{package}_{module}",
        "class_name": class_name,
        "config": config,
        "registered_name": f"keras_hub>{class_name}",
    }


def _fields(config_class: type, settings: Settings) -> Settings:
    known = {field.name for field in dataclasses.fields(config_class)}
    if unknown := settings.keys() - known - _IGNORED[config_class]:
        raise ValueError(
            f"`preset`: settings of KerasHub's preprocessor must have a counterpart here; {sorted(unknown)} "
            "have none. Remove them, or build the preprocessor by hand."
        )
    given = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in settings.items()
        if name in known
    }
    return BARE_DEFAULTS[config_class] | given
