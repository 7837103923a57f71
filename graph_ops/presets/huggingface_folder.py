"""Preset folders in Hugging Face's layout."""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

from graph_ops.config import AudioConfig, ImageConfig
from graph_ops.family import GEMMA4, GEMMA4_UNIFIED, Family
from graph_ops.presets.downloads import HUGGINGFACE_VOCABULARY
from graph_ops.presets.files import existing, read_json
from graph_ops.presets.settings import LARGE_CHAT, WITHOUT_AUDIO, PresetSettings
from graph_ops.text.vocabulary.vocabulary import load_vocabulary

Json = dict[str, Any]


def read_huggingface(folder: pathlib.Path, family: Family = GEMMA4) -> PresetSettings:
    """Settings of a folder of Hugging Face's with a model of a family, where Gemma 4 may be Gemma 4 unified;
    its vocabulary is read when asked for.

    Raises:
        ValueError: a damaged file, another model, or a setting that this project cannot follow.
    """
    processor = read_json(folder / "processor_config.json") or {}
    flat = read_json(folder / "preprocessor_config.json") or {}
    model = read_json(folder / "config.json")
    if family is GEMMA4 and _is_unified(model, processor):
        family = GEMMA4_UNIFIED
    _check_model(model, folder, family)
    _check_tokens(read_json(folder / "tokenizer_config.json") or {}, folder)
    image = processor.get("image_processor") or (flat if "patch_size" in flat else None)
    audio = processor.get("feature_extractor") or (flat if _AUDIO_KEYS & flat.keys() else None)
    if model is not None:  # a processor's files may name media that the model has no encoder for
        image, audio = (
            found if model.get(key) else None
            for found, key in ((image, "vision_config"), (audio, "audio_config"))
        )
    counts = {
        "num_vision_tokens_per_image": "image_seq_length",
        "num_audio_tokens_per_clip": "audio_seq_length",
    }
    return PresetSettings(
        {
            "image": _huggingface_image(image, folder, family) if image else None,
            "audio": _huggingface_audio(audio, processor, folder, family) if audio else None,
        },
        dict(family.row)
        | {ours: processor[theirs] for ours, theirs in counts.items() if theirs in processor}
        | ({} if audio else WITHOUT_AUDIO)
        | (LARGE_CHAT if _gives_empty_thought(folder) else {}),
        {},
        lambda: load_vocabulary(existing(folder, HUGGINGFACE_VOCABULARY)),
    )


def _is_unified(model: Json | None, processor: Json) -> bool:
    """Whether the folder's model is of `GEMMA4_UNIFIED`: `model_type` says so, or else its processor."""
    if model is not None:
        return str(model.get("model_type")).startswith(GEMMA4_UNIFIED.name)
    return processor.get("processor_class") == "Gemma4UnifiedProcessor"


def _gives_empty_thought(folder: pathlib.Path) -> bool:
    """Whether the folder's own chat template is the larger models': it writes an empty thought."""
    path = folder / _CHAT_TEMPLATE
    chat = GEMMA4.chat
    empty = rf"{chat.channel}thought\n{chat.channel_end}"
    return path.is_file() and empty in path.read_text(encoding="utf-8")


_CHAT_TEMPLATE = "chat_template.jinja"


def _huggingface_image(settings: Json, folder: pathlib.Path, family: Family) -> ImageConfig:
    """Rescaling and normalising in one step: `(x * rescale_factor - mean) / std = x * scale + offset`. Where
    the family merges patches, those that are pooled are one.
    """
    _check_fixed(settings, {"do_resize": True, "do_convert_rgb": True, "resample": 3}, folder)
    defaults = ImageConfig()
    factor = settings.get("rescale_factor", 1 / 255) if settings.get("do_rescale", True) else 1.0
    mean, deviation = settings.get("image_mean") or [0.0] * 3, settings.get("image_std") or [1.0] * 3
    is_normalised = settings.get("do_normalize", False) and (
        any(mean) or any(value != 1 for value in deviation)
    )
    sizes = {
        name: settings.get(name, getattr(defaults, name))
        for name in ("patch_size", "max_soft_tokens", "pooling_kernel_size")
    }
    if family.image and family.image.pooling_kernel_size == 1:
        sizes["patch_size"] *= sizes["pooling_kernel_size"]
        sizes["pooling_kernel_size"] = 1
    if not is_normalised:
        return ImageConfig(**sizes, scale=None if factor == 1 else factor)
    scale = tuple(factor / value for value in deviation)
    return ImageConfig(
        **sizes, scale=scale, offset=tuple(-m / d for m, d in zip(mean, deviation, strict=True))
    )


_AUDIO_FIELDS = {
    "feature_size": "num_mels",
    "sampling_rate": "sampling_rate",
    "min_frequency": "min_frequency",
    "max_frequency": "max_frequency",
    "mel_floor": "mel_floor",
    "per_bin_mean": "per_bin_mean",
    "per_bin_stddev": "per_bin_stddev",
}


_RAW_LENGTH = "audio_samples_per_token"
_AUDIO_KEYS = {"hop_length", _RAW_LENGTH}
"""By one of which a flat file is known to be that of an extractor too."""


def _huggingface_audio(settings: Json, processor: Json, folder: pathlib.Path, family: Family) -> AudioConfig:
    is_raw = family.audio is not None and family.audio.is_raw
    config = (_raw_audio if is_raw else _mel_audio)(settings, folder)
    milliseconds = 1000 * config.stride * config.frames_per_soft_token // config.sampling_rate
    _check_fixed(processor, {"audio_ms_per_token": milliseconds}, folder)
    return config


def _raw_audio(settings: Json, folder: pathlib.Path) -> AudioConfig:
    own = GEMMA4_UNIFIED.audio or AudioConfig()
    length = settings.get(_RAW_LENGTH, own.stride)
    _check_fixed(settings, {"feature_size": length, "padding_value": 0}, folder)
    rate = settings.get("sampling_rate", own.sampling_rate)
    return dataclasses.replace(own, stride=length, frame_length=length, sampling_rate=rate)


def _mel_audio(settings: Json, folder: pathlib.Path) -> AudioConfig:
    """Frame, hop and FFT length follow from durations, as in the reference, whatever the file says of
    them.
    """
    given: Json = {
        ours: settings[theirs] for theirs, ours in _AUDIO_FIELDS.items() if settings.get(theirs) is not None
    }
    given |= {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
    rate = given.get("sampling_rate", AudioConfig.sampling_rate)
    frame, hop = (
        round(rate * settings.get(name, value) / 1000)
        for name, value in (("frame_length_ms", 20.0), ("hop_length_ms", 10.0))
    )
    fft = 1 << (frame - 1).bit_length()
    derived = {"frame_length": frame, "hop_length": hop, "fft_length": fft}
    silent = {
        "dither": 0,
        "preemphasis": 0,
        "input_scale_factor": 1,
        "fft_overdrive": False,
        "padding_value": 0,
    }
    _check_fixed(settings, derived | silent, folder)
    return AudioConfig(**given, frame_length=frame, stride=hop, num_fft_bins=fft)


def _check_fixed(settings: Json, fixed: Mapping[str, Any], folder: pathlib.Path) -> None:
    """Refuses a setting that has an effect in the reference and only one value here."""
    for name, only in fixed.items():
        if settings.get(name, only) != only:
            raise ValueError(
                f"`preset`: `{name}` must be {only!r}, as the released models have it and the only value "
                f"that is supported; {folder} has {settings[name]!r}. Change it there, or build the "
                "converters by hand."
            )


def _check_model(model: Json | None, folder: pathlib.Path, family: Family) -> None:
    kind = str((model or {}).get("model_type", family.name))
    if not kind.startswith(family.name):
        raise ValueError(
            f"`preset`: config.json must be that of a {family.title} model; {folder} has model_type "
            f"{kind!r}. Pass a folder of {family.title}."
        )


def _check_tokens(settings: Json, folder: pathlib.Path) -> None:
    """The special tokens are found by name, so the folder must call them what we do."""
    ours = {"bos_token": GEMMA4.start, "eos_token": GEMMA4.end, "pad_token": GEMMA4.pad}
    for medium, keys in _TOKEN_KEYS.items():
        tokens = GEMMA4.tokens_of(medium)
        ours |= dict(zip(keys, (tokens.opening, tokens.placeholder, tokens.closing), strict=True))
    named = {
        key: value["content"] if isinstance(value, dict) else value
        for key, value in settings.items()
        if key in ours
    }
    _check_fixed({key: value for key, value in named.items() if value is not None}, ours, folder)


_TOKEN_KEYS = {
    "image": ("boi_token", "image_token", "eoi_token"),
    "audio": ("boa_token", "audio_token", "eoa_token"),
}
"""Keys of tokenizer_config.json for the opening, the placeholder and the closing token of each medium."""
