"""An artifact's outputs, as a client reads them."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graph_ops.family import GEMMA4
from graph_ops.media.image import IMAGE
from graph_ops.media.video import VIDEO

Arrays = dict[str, np.ndarray]
TENSOR_COLUMNS = ("tensor", "dtype", "shape", "from", "to")
"""What is said of each output."""


def scaled(outputs: Arrays, settings: dict[str, Any]) -> Arrays:
    """A compact export's outputs with `pixel_values` as others have them, float32; padding stays 0.

    `settings` are those of the artifact's description. Other outputs stay as they are.
    """
    for medium in (IMAGE, VIDEO):
        values = outputs.get(medium.values)
        if values is not None and values.dtype == np.uint8:
            is_patch = outputs[medium.marks][..., :1] >= 0
            outputs = outputs | {
                medium.values: _scaled(values, is_patch, settings[medium.converter]["config"])
            }
    return outputs


def _scaled(values: np.ndarray, is_patch: np.ndarray, image: dict[str, Any]) -> np.ndarray:
    channels = values.shape[-1] // 3
    scale, offset = (
        np.tile(np.resize(np.atleast_1d(image[name] or default), 3), channels)
        for name, default in (("scale", 1.0), ("offset", 0.0))
    )
    pixels = (values * scale).astype(np.float32) + offset.astype(np.float32)
    return np.where(is_patch, pixels, np.float32(0))


def soft_token_counts(
    token_ids: np.ndarray, pieces: Sequence[str] | Mapping[int, str]
) -> dict[str, list[int]]:
    """Soft tokens of each medium in one row, by the medium's name and in order: the lengths of the runs
    between opening and closing tokens.
    """
    names = [pieces[token] for token in token_ids]
    counts: dict[str, list[int]] = {}
    videos = [each for each in [GEMMA4.tokens_of("video")] if each.placeholder in names]
    for tokens in (*GEMMA4.media, *videos):
        other = {each.placeholder for each in (*GEMMA4.media, *videos)} - {tokens.placeholder}
        opened = [
            index
            for index, piece in enumerate(names)
            if piece == tokens.opening and not other & set(names[index + 1 : index + 2])
        ]
        counts[tokens.medium] = [
            names.index(tokens.closing, start) - start - 1
            for start in opened
            if tokens.closing in names[start:]
        ]
    return counts


def runs(token_ids: np.ndarray) -> list[tuple[int, int]]:
    """Where equal ids stand side by side in int32 [n]: start and end of each run."""
    edges = np.flatnonzero(np.diff(token_ids)) + 1
    bounds = [0, *edges.tolist(), len(token_ids)] if len(token_ids) else []
    return list(itertools.pairwise(bounds))
