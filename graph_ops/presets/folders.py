"""Preset folders in the two layouts that are published, KerasHub's and Hugging Face's: settings and
vocabulary from files.

```
KerasHub                          Hugging Face
preprocessor.json                 processor_config.json or preprocessor_config.json
tokenizer.json                    tokenizer_config.json, config.json
image_converter.json              tokenizer.json
audio_converter.json
assets/tokenizer/vocabulary.spm
```
"""

import json
import os
import pathlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from graph_ops.config import (
    AUDIO_TOKENS,
    END_TOKEN,
    IMAGE_TOKENS,
    PAD_TOKEN,
    START_TOKEN,
    AudioConfig,
    ImageConfig,
)
from graph_ops.presets.downloads import HUGGINGFACE_VOCABULARY, KERAS_HUB_VOCABULARY
from graph_ops.presets.keras_hub_settings import audio_config, image_config, row_settings, tokenizer_settings
from graph_ops.text.vocabulary.vocabulary import Vocabulary, load_vocabulary

Json = dict[str, Any]

_LAYOUTS = {
    "KerasHub's": ("preprocessor.json", KERAS_HUB_VOCABULARY),
    "Hugging Face's": (HUGGINGFACE_VOCABULARY, "processor_config.json", "preprocessor_config.json"),
}

OWN_SETTINGS = "gemma4_graph"
"""Key of `metadata.json` under which `save_to_preset` keeps what KerasHub's layout has no place for."""


class PresetSettings(NamedTuple):
    """What a preset says.

    Attributes:
        image: how images are converted, or None for a model that sees none.
        audio: how clips are converted, or None for a model that hears none.
        row: arguments of the preprocessor that differ from its defaults.
        tokenizer: arguments of the tokenizer besides the vocabulary.
        read_vocabulary: reads, and where needed downloads, the vocabulary.
        vocabulary_sha256: what the vocabulary must be, or None.
    """

    image: ImageConfig | None
    audio: AudioConfig | None
    row: Json
    tokenizer: Json
    read_vocabulary: Callable[[], Vocabulary]
    vocabulary_sha256: str | None = None

    def checked_vocabulary(self, sha256: str | None = None) -> Vocabulary:
        """The vocabulary, after comparing its sha256 with `sha256` or, without that, with the preset's.

        Raises:
            ValueError: another vocabulary than the pinned one.
        """
        vocabulary = self.read_vocabulary()
        check_vocabulary(vocabulary, sha256 or self.vocabulary_sha256)
        return vocabulary


def check_vocabulary(vocabulary: Vocabulary, sha256: str | None) -> None:
    """Compares a vocabulary with the one that is pinned, if any.

    Raises:
        ValueError: another vocabulary.
    """
    if sha256 is not None and vocabulary.sha256 != sha256.lower():
        raise ValueError(
            f"`tokenizer`: the vocabulary's sha256 must be the pinned {sha256}; got {vocabulary.sha256} "
            f"({len(vocabulary):,} pieces). "
            "Fetch the file that was pinned, or pin this one with `vocabulary_sha256`."
        )


def read_folder(folder: pathlib.Path) -> PresetSettings:
    """Settings of a folder; its vocabulary is read when asked for.

    Raises:
        FileNotFoundError: neither layout; lists what was looked for.
        ValueError: a damaged file, a preset of another model, or a setting that this project cannot follow.
    """
    layouts = [name for name, files in _LAYOUTS.items() if any((folder / file).is_file() for file in files)]
    if not layouts:
        looked_for = "; ".join(f"for {name} layout {' or '.join(files)}" for name, files in _LAYOUTS.items())
        raise FileNotFoundError(
            f"`preset`: a folder must be in KerasHub's or Hugging Face's layout; {folder} has neither. "
            f"Looked {looked_for}."
        )
    return _read_keras_hub(folder) if layouts[0] == "KerasHub's" else _read_huggingface(folder)


def read_vocabulary(source: "str | os.PathLike[str] | bytes | Vocabulary") -> Vocabulary:
    """A vocabulary from its file, the bytes of one, or a preset folder of either layout that holds one.

    Raises:
        FileNotFoundError: no such file, or none in the folder.
        TypeError, ValueError: see `load_vocabulary`.
    """
    if isinstance(source, Vocabulary):
        return source
    if not isinstance(source, str | os.PathLike) or not os.path.isdir(os.path.expanduser(source)):
        return load_vocabulary(source)
    folder = pathlib.Path(source).expanduser()
    for file in (KERAS_HUB_VOCABULARY, HUGGINGFACE_VOCABULARY):
        if (folder / file).is_file():
            return load_vocabulary(folder / file)
    raise FileNotFoundError(
        f"`tokenizer`: a preset folder must hold {KERAS_HUB_VOCABULARY} or {HUGGINGFACE_VOCABULARY}; "
        f"{folder} holds neither. Fetch the "
        "whole preset, or pass a vocabulary file."
    )


def _read_keras_hub(folder: pathlib.Path) -> PresetSettings:
    preprocessor = _layer(folder / "preprocessor.json", "Gemma4CausalLMPreprocessor") or {}
    layers = {
        name: (preprocessor.get(name) or {}).get("config")
        for name in ("tokenizer", "image_converter", "audio_converter")
    }
    if not preprocessor:
        classes = {
            "tokenizer": "Gemma4Tokenizer",
            "image_converter": "Gemma4ImageConverter",
            "audio_converter": "Gemma4AudioConverter",
        }
        layers = {name: _layer(folder / f"{name}.json", expected) for name, expected in classes.items()}
    own = (_json(folder / "metadata.json") or {}).get(OWN_SETTINGS, {})
    return PresetSettings(
        _converter(layers["image_converter"], image_config, own.get("image", {})),
        _converter(layers["audio_converter"], audio_config, own.get("audio", {})),
        row_settings(preprocessor) | own.get("row", {}),
        tokenizer_settings(layers["tokenizer"] or {}),
        lambda: load_vocabulary(_existing(folder, KERAS_HUB_VOCABULARY)),
        own.get("vocabulary_sha256"),
    )


def _converter(layer: Json | None, config: Callable[[Json], Any], own: Json) -> Any:
    return None if layer is None else config({**layer, **own})


def _layer(path: pathlib.Path, class_name: str) -> Json | None:
    """The `config` of a serialized Keras layer, or None without the file."""
    serialized = _json(path)
    if serialized is None:
        return None
    if serialized.get("class_name") != class_name or not isinstance(serialized.get("config"), dict):
        raise ValueError(
            f"`preset`: {path.name} must describe a {class_name}; {path} describes "
            f"{serialized.get('class_name')!r}. Pass a Gemma 4 preset."
        )
    return serialized["config"]


def _read_huggingface(folder: pathlib.Path) -> PresetSettings:
    processor = _json(folder / "processor_config.json") or {}
    flat = _json(folder / "preprocessor_config.json") or {}
    model = _json(folder / "config.json")
    _check_model(model, folder)
    _check_tokens(_json(folder / "tokenizer_config.json") or {}, folder)
    image = processor.get("image_processor") or (flat if "patch_size" in flat else None)
    audio = processor.get("feature_extractor") or (flat if "hop_length" in flat else None)
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
        _huggingface_image(image, folder) if image else None,
        _huggingface_audio(audio, processor, folder) if audio else None,
        {ours: processor[theirs] for ours, theirs in counts.items() if theirs in processor},
        {},
        lambda: load_vocabulary(_existing(folder, HUGGINGFACE_VOCABULARY)),
    )


def _huggingface_image(settings: Json, folder: pathlib.Path) -> ImageConfig:
    """Rescaling and normalising in one step: `(x * rescale_factor - mean) / std = x * scale + offset`."""
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


def _huggingface_audio(settings: Json, processor: Json, folder: pathlib.Path) -> AudioConfig:
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
    config = AudioConfig(**given, frame_length=frame, stride=hop, num_fft_bins=fft)
    milliseconds = 1000 * config.stride * config.frames_per_soft_token // config.sampling_rate
    _check_fixed(processor, {"audio_ms_per_token": milliseconds}, folder)
    return config


def _check_fixed(settings: Json, fixed: Mapping[str, Any], folder: pathlib.Path) -> None:
    """Refuses a setting that has an effect in the reference and only one value here."""
    for name, only in fixed.items():
        if settings.get(name, only) != only:
            raise ValueError(
                f"`preset`: `{name}` must be {only!r}, as the released models have it and the only value "
                f"that is supported; {folder} has "
                f"{settings[name]!r}. Change it there, or build the converters by hand."
            )


def _check_model(model: Json | None, folder: pathlib.Path) -> None:
    kind = "gemma4" if model is None else str(model.get("model_type", "gemma4"))
    if not kind.startswith("gemma4"):
        raise ValueError(
            f"`preset`: config.json must be that of a Gemma 4 model; {folder} has model_type {kind!r}. "
            f"Pass a Gemma 4 folder."
        )


def _check_tokens(settings: Json, folder: pathlib.Path) -> None:
    """The control tokens are found by name, so the folder must call them what we do."""
    ours = {"bos_token": START_TOKEN, "eos_token": END_TOKEN, "pad_token": PAD_TOKEN}
    for tokens, keys in (
        (IMAGE_TOKENS, ("boi_token", "image_token", "eoi_token")),
        (AUDIO_TOKENS, ("boa_token", "audio_token", "eoa_token")),
    ):
        ours |= dict(zip(keys, (tokens.opening, tokens.placeholder, tokens.closing), strict=True))
    named = {
        key: value["content"] if isinstance(value, dict) else value
        for key, value in settings.items()
        if key in ours
    }
    _check_fixed({key: value for key, value in named.items() if value is not None}, ours, folder)


def _existing(folder: pathlib.Path, file: str) -> pathlib.Path:
    path = folder / file
    if not path.is_file():
        raise FileNotFoundError(
            f"`preset`: a folder must hold its vocabulary; {path} is missing. Fetch the whole preset, or "
            f"pass a vocabulary as `tokenizer=`."
        )
    return path


def _json(path: pathlib.Path) -> Json | None:
    """A file's JSON object, or None without the file."""
    if not path.is_file():
        return None
    try:
        parsed = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(
            f"`preset`: {path.name} must be JSON; {path} is not: {error}. Fetch the file again."
        ) from error
    if not isinstance(parsed, dict):
        raise ValueError(
            f"`preset`: {path.name} must hold a JSON object; {path} holds a {type(parsed).__name__}. Fetch "
            f"the file again."
        )
    return parsed
