"""KerasHub's Gemma 4 layers, as objects, to ours: what the constructor and `from_keras_hub` accept beside our
own.
"""

import os
from typing import Any

from graph_ops.config import RowConfig
from graph_ops.layers.converters import CONVERTERS
from graph_ops.layers.tokenizer import Gemma4Tokenizer
from graph_ops.media.medium import Medium
from graph_ops.media.table import MEDIA
from graph_ops.presets.keras_hub_settings import (
    TOKENIZER_FLAGS,
    class_name,
    field_names,
    is_keras_hub,
    medium_config,
    row_settings,
    settings_of,
    tokenizer_settings,
)
from graph_ops.text.vocabulary.vocabulary import Vocabulary


def own_tokenizer(tokenizer: Any, cls: type[Gemma4Tokenizer] = Gemma4Tokenizer) -> Gemma4Tokenizer:
    """Our tokenizer as it is, KerasHub's as ours with the same vocabulary, a vocabulary (path or bytes) as a
    tokenizer.

    Args:
        tokenizer: one of these.
        cls: our class.

    Raises:
        TypeError: neither.
        ValueError: KerasHub's without a vocabulary, or one that adds or cuts tokens itself.
    """
    if isinstance(tokenizer, cls):
        return tokenizer
    if isinstance(tokenizer, str | os.PathLike | bytes | Vocabulary):
        return cls(tokenizer)
    _check_class("tokenizer", tokenizer, f"{cls.keras_hub_prefix}Tokenizer")
    if tokenizer.proto is None:
        raise ValueError(
            "`tokenizer`: must hold a vocabulary; got a KerasHub tokenizer without one. Make it with `proto`."
        )
    settings = tokenizer_settings(
        settings_of(tokenizer, (*TOKENIZER_FLAGS, "add_bos", "add_eos", "sequence_length"))
    )
    return cls(tokenizer.proto, **settings)


def own_converter(converter: Any, *, medium: Medium) -> Any:
    """Our converter of a medium, or None, as it is; KerasHub's as ours with the same settings.

    Raises:
        TypeError: neither.
        ValueError: that of keras-hub 0.27 for audio.
    """
    own = CONVERTERS[medium.name]
    if converter is None or isinstance(converter, own):
        return converter
    _check_class(medium.converter, converter, class_name(medium.name))
    given = settings_of(converter, field_names(medium.config))
    return own(**vars(medium_config(given, medium.name)))


def constructor_arguments(preprocessor: Any, class_name: str) -> dict[str, Any]:
    """Arguments of our preprocessor's constructor from KerasHub's preprocessor of that class; tokenizer and
    converters as they are.

    Raises:
        TypeError: not such a preprocessor.
    """
    _check_class("preprocessor", preprocessor, class_name)
    layers = {
        name: getattr(preprocessor, name, None)
        for name in ("tokenizer", *(medium.converter for medium in MEDIA))
    }
    return layers | row_settings(settings_of(preprocessor, field_names(RowConfig)))


def _check_class(argument: str, layer: Any, class_name: str) -> None:
    if not is_keras_hub(layer, class_name):
        given = f"{type(layer).__module__}.{type(layer).__name__}"
        raise TypeError(
            f"`{argument}`: must be a {class_name}, ours or KerasHub's; got {given}. Make one, or load it "
            f"with `from_preset`."
        )
