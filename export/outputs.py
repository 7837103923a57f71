"""An artifact's outputs, as a client reads them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graph_ops.family import GEMMA4
from graph_ops.media.image import IMAGE

Arrays = dict[str, np.ndarray]


def scaled(outputs: Arrays, settings: dict[str, Any]) -> Arrays:
    """A compact export's outputs with `pixel_values` as others have them, float32; padding stays 0.

    `settings` are those of the artifact's description. Other outputs stay as they are.
    """
    values = outputs.get(IMAGE.values)
    if values is None or values.dtype != np.uint8:
        return outputs
    image, channels = settings[IMAGE.converter]["config"], values.shape[-1] // 3
    scale, offset = (
        np.tile(np.resize(np.atleast_1d(image[name] or default), 3), channels)
        for name, default in (("scale", 1.0), ("offset", 0.0))
    )
    pixels = (values * scale).astype(np.float32) + offset.astype(np.float32)
    is_patch = outputs[IMAGE.marks][..., :1] >= 0
    return outputs | {IMAGE.values: np.where(is_patch, pixels, np.float32(0))}


def soft_token_counts(
    token_ids: np.ndarray, pieces: Sequence[str] | Mapping[int, str]
) -> dict[str, list[int]]:
    """Soft tokens of each medium in one row, by the medium's name and in order: the lengths of the runs
    between opening and closing tokens.
    """
    names = [pieces[token] for token in token_ids]
    counts: dict[str, list[int]] = {}
    for tokens in GEMMA4.media:
        opened = [index for index, piece in enumerate(names) if piece == tokens.opening]
        counts[tokens.medium] = [
            names.index(tokens.closing, start) - start - 1
            for start in opened
            if tokens.closing in names[start:]
        ]
    return counts
