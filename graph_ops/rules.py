"""What a field of a configuration must be. Each function raises a ValueError that names the field."""

import math
import numbers
from typing import Any


def check_positive(config: object, *names: str) -> None:
    """Whether the fields with these names are whole numbers from 1 on."""
    for name in names:
        value = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or int(value) < 1:
            raise ValueError(
                f"`{name}`: must be a positive whole number; got {value!r}. Leave it out for the released "
                f"model's."
            )
        _keep_int(config, name, value)


def check_whole(config: object, *names: str, least: int) -> None:
    """Whether the fields with these names are whole numbers from `least` on."""
    for name in names:
        value = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or int(value) < least:
            raise ValueError(
                f"`{name}`: must be a whole number, at least {least}; got {value!r}. Leave it out for the "
                f"released model's."
            )
        _keep_int(config, name, value)


def _keep_int(config: object, name: str, value: numbers.Integral) -> None:
    """NumPy's whole numbers become Python's, which JSON can hold."""
    object.__setattr__(config, name, int(value))


def check_choice(config: object, name: str, choices: tuple[Any, ...]) -> None:
    """Whether a field is one of some words or numbers."""
    value = getattr(config, name)
    if value not in choices:
        raise ValueError(f"`{name}`: must be one of {choices}; got {value!r}. Pass one of them.")


def check_flag(config: object, name: str) -> None:
    """Whether a field is True or False."""
    value = getattr(config, name)
    if not isinstance(value, bool):
        raise ValueError(f"`{name}`: must be True or False; got {value!r}. Pass one of them.")


def check_rate(config: object, name: str) -> None:
    """Whether a field is a positive, finite number."""
    value = getattr(config, name)
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < float(value) < float("inf"):
        raise ValueError(f"`{name}`: must be a positive number; got {value!r}. Pass frames a second.")
    object.__setattr__(config, name, float(value))


def check_color(config: object, name: str, *, otherwise: tuple[str | None, ...]) -> None:
    """Whether a field is a colour (red, green, blue) of levels in 0…255, or one of the other values."""
    value = getattr(config, name)
    is_color = isinstance(value, tuple) and len(value) == 3 and all(map(_is_level, value))
    if not is_color and not (isinstance(value, str | None) and value in otherwise):
        raise ValueError(
            f"`{name}`: must be three whole numbers in 0…255, {' or '.join(map(repr, otherwise))}; got "
            f"{value!r}. Pass "
            f"(255, 255, 255) for white."
        )


def _is_level(value: object) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and 0 <= int(value) <= 255


def check_audio(config: Any) -> None:
    """Whether the frames of a clip are those of a spectrogram, or those of raw samples."""
    check_positive(config, "num_mels", "num_fft_bins", "stride", "sampling_rate")
    check_positive(config, "max_audio_length", "frame_length", "frames_per_soft_token")
    if config.features == "log_mel":
        check_windows(config)
        check_band(config)
        check_bins(config)
    else:
        check_raw_frames(config)


def check_raw_frames(config: Any) -> None:
    """Whether frames of raw samples stand side by side, each of them one soft token."""
    if config.frame_length != config.stride or config.frames_per_soft_token != 1:
        raise ValueError(
            "`features`: with 'waveform' `frame_length` must be `stride`, and `frames_per_soft_token` 1; got "
            f"{config.frame_length}, {config.stride} and {config.frames_per_soft_token}. Gemma 4 unified has "
            '640, 640 and 1: `Gemma4AudioConverter.from_preset("gemma4_unified_12b")`.'
        )
    if config.max_audio_length * config.sampling_rate % config.stride:
        raise ValueError(
            "`stride`: with 'waveform' the longest clip must be a whole number of frames; got "
            f"{config.max_audio_length} s at {config.sampling_rate} Hz in frames of {config.stride} samples. "
            "Change `max_audio_length`."
        )


def check_windows(config: Any) -> None:
    """Whether `frame_length` is that of the released spectrogram's windows, and not longer than its FFT."""
    if config.frame_length != 2 * config.stride:
        raise ValueError(
            f"`frame_length`: must be twice `stride`; got {config.frame_length} and {config.stride}. Gemma 4 "
            "has 320 and 160 samples."
        )
    if config.frame_length > config.num_fft_bins:
        raise ValueError(
            f"`frame_length`: must be at most `num_fft_bins`; got {config.frame_length} > "
            f"{config.num_fft_bins}. Make the FFT longer."
        )


def check_band(config: Any) -> None:
    """Whether the mel triangles lie between 0 Hz and half of the sampling rate."""
    if not 0 <= config.min_frequency < config.max_frequency <= config.sampling_rate / 2:
        raise ValueError(
            "`max_frequency`: must be above `min_frequency` and at most half of `sampling_rate`; got "
            f"{config.min_frequency}…{config.max_frequency} Hz at {config.sampling_rate} Hz. Choose 0 ≤ min "
            "< max ≤ rate / 2."
        )


def check_bins(config: Any) -> None:
    """Whether what is done to mel bins leaves numbers."""
    if not 0 < config.mel_floor < math.inf:
        raise ValueError(
            f"`mel_floor`: must be positive and finite, since its logarithm is taken; got "
            f"{config.mel_floor}. Pass 0.001."
        )
    for name in ("per_bin_mean", "per_bin_stddev"):
        value = getattr(config, name)
        if value is not None and len(value) != config.num_mels:
            raise ValueError(
                f"`{name}`: must have one number for each of {config.num_mels} mel bins; got {len(value)}. "
                "Pass as many."
            )
    if config.per_bin_stddev is not None and not all(value > 0 for value in config.per_bin_stddev):
        raise ValueError(
            "`per_bin_stddev`: must be positive numbers, since bins are divided by them; got "
            f"{min(config.per_bin_stddev)}. Pass 1 for a bin that is to stay as it is."
        )
