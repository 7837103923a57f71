"""How Gemma 4 unified merges patches, once more: by sorting the small ones, as its processor does."""

import numpy as np


def merged(patches: np.ndarray, positions: np.ndarray, *, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Squares of `side` × `side` patches as one patch each.

    Args:
        patches: float32 [L, d² · 3], without padding.
        positions: int [L, 2], (x, y) of each.
        side: patches on a side of a square.

    Returns:
        float32 [L / side², (side · d)² · 3] and int [L / side², 2]. Source: `patches_merge` of transformers'
        models/gemma4_unified/image_processing_gemma4_unified.py, which needs PyTorch.
    """
    pixels = int(np.sqrt(patches.shape[1] // 3))
    width = positions[:, 0].max() + 1
    square, within = positions // side, positions % side
    order = side**2 * square[:, 0] + side * width * square[:, 1] + within[:, 0] + side * within[:, 1]
    order = np.argsort(order)
    count = len(patches) // side**2
    grouped = patches[order].reshape(count, side, side, pixels, pixels, 3)
    rows = grouped.transpose(0, 1, 3, 2, 4, 5)  # [square, row, y, column, x, channel]
    places = (positions[order].reshape(count, side**2, 2) // side).min(axis=1)
    return rows.reshape(count, -1), places


def padded(patches: np.ndarray, positions: np.ndarray, *, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The same with zeros, and positions of -1, up to `most`."""
    missing = [(0, most - len(patches)), (0, 0)]
    return np.pad(patches, missing), np.pad(positions, missing, constant_values=-1)
