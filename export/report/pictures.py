"""What the model receives, as pictures: an image put together again from its patches, a clip as its log-mel
spectrogram or its samples.
"""

import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from graph_ops.media.video import VIDEO

GRID = (255, 64, 64)
"""Colour of the lines between soft tokens."""
MEL_ZOOM = 3
"""Screen pixels for each frame and mel bin."""
WAVE_HEIGHT, WAVE_COLUMNS = 129, 4
"""Rows of a picture of samples, of which the middle one is 0, and columns for each frame: one for 10 ms."""


def patch_picture(
    pixel_values: np.ndarray, position_ids: np.ndarray, *, pooling: int, scale: float, offset: float = 0.0
) -> np.ndarray:
    """The image of float32 [P, D] patches at int32 [P, 2] positions, a line around each soft token: uint8 [H,
    W, 3].
    """
    picture = unpatched(pixel_values, position_ids, scale=scale, offset=offset)
    side = patch_side(pixel_values)
    picture[:: side * pooling] = GRID
    picture[:, :: side * pooling] = GRID
    return picture


def patch_side(pixel_values: np.ndarray) -> int:
    """Pixels on a side of a patch, of which [P, D] has D numbers each."""
    return int((pixel_values.shape[1] // 3) ** 0.5)


def unpatched(
    pixel_values: np.ndarray, position_ids: np.ndarray, *, scale: float, offset: float = 0.0
) -> np.ndarray:
    """The image of float32 [P, D] patches at int32 [P, 2] positions, as the model receives it: uint8 [H, W,
    3].
    """
    present = position_ids[:, 0] >= 0
    columns, rows = position_ids[present].max(axis=0) + 1
    side = patch_side(pixel_values)
    patches = pixel_values[present].reshape(rows, columns, side, side, 3)
    image = patches.transpose(0, 2, 1, 3, 4).reshape(
        rows * side, columns * side, 3
    )  # [row, y, column, x, channel]
    return np.clip(np.rint((image - offset) / scale), 0, 255).astype(np.uint8)


def mel_picture(audio_mel: np.ndarray, audio_mel_mask: np.ndarray, *, zoom: int = MEL_ZOOM) -> np.ndarray:
    """The valid frames of float32 [F, M], low frequencies at the bottom, louder is brighter: uint8 [M × zoom,
    frames × zoom, 1].
    """
    mel = audio_mel[audio_mel_mask.astype(bool)].T[::-1]
    low, high = mel.min(), mel.max()
    grey = np.rint(255 * (mel - low) / max(high - low, 1e-9)).astype(np.uint8)
    return grey.repeat(zoom, axis=0).repeat(zoom, axis=1)[..., np.newaxis]


def wave_picture(frames: np.ndarray, mask: np.ndarray, *, zoom: int = MEL_ZOOM) -> np.ndarray:
    """The valid frames of samples float32 [F, M], each as columns from its lowest to its highest sample, 1 at
    the top and -1 at the bottom: uint8 [WAVE_HEIGHT, columns × zoom, 1].
    """
    stretches = frames[mask.astype(bool)].reshape(-1, frames.shape[1] // WAVE_COLUMNS)
    levels = np.linspace(1, -1, WAVE_HEIGHT)[:, np.newaxis]
    half = 1 / (WAVE_HEIGHT - 1)  # of a pixel, so that silence is a line
    drawn = (levels <= stretches.max(axis=1) + half) & (levels >= stretches.min(axis=1) - half)
    return (255 * drawn).astype(np.uint8).repeat(zoom, axis=1)[..., np.newaxis]


class Patching(NamedTuple):
    """How pixels became patches.

    Attributes:
        pooling: patches on a side of a soft token.
        scale: factor of pixels.
        offset: added after it.
    """

    pooling: int
    scale: float = 1.0
    offset: float = 0.0


def patchings(settings: Mapping[str, Any]) -> dict[str, Patching]:
    """How each medium of pixels became patches, by its name, as the settings of an artifact say."""
    found = {}
    for medium in (IMAGE, VIDEO):
        if layer := settings.get(medium.converter):
            config = layer["config"]
            found[medium.name] = Patching(
                config["pooling_kernel_size"], config["scale"] or 1.0, config["offset"] or 0.0
            )
    return found


def has_samples(settings: Mapping[str, Any]) -> bool:
    """Whether frames of audio hold samples, as the settings of an artifact say; older ones do not."""
    config = (settings.get(AUDIO.converter) or {}).get("config") or {}
    return config.get("features") == "waveform"


def write_pictures(
    outputs: dict[str, np.ndarray],
    folder: pathlib.Path,
    *,
    patching: Mapping[str, Patching],
    is_raw: bool = False,
) -> list[pathlib.Path]:
    """Writes `image-K.png`, `audio-K.png` and `frame-K.png` for each medium of the first row, with what
    `patching` says by the medium's name; returns their paths. Frames of audio are samples or mel bins.
    """
    pictures = {}
    for medium, name in ((IMAGE, "image"), (VIDEO, "frame")):
        for k, positions in enumerate(outputs.get(medium.marks, np.zeros((1, 0)))[0]):
            if positions.max() >= 0:
                picture = patch_picture(
                    outputs[medium.values][0, k], positions, **patching[medium.name]._asdict()
                )
                pictures[f"{name}-{k}.png"] = picture
    for k, mask in enumerate(outputs.get("audio_mel_mask", np.zeros((1, 0)))[0]):
        if mask.any():
            draw = wave_picture if is_raw else mel_picture
            pictures[f"audio-{k}.png"] = draw(outputs["audio_mel"][0, k], mask)
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        (folder / name).write_bytes(tf.io.encode_png(picture).numpy())
    return [folder / name for name in pictures]
