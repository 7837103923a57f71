"""Pictures that the tests of images share, and the released model's settings."""

import numpy as np

from graph_ops.config import ImageConfig

CONFIG = ImageConfig()


def scene(height: int, width: int, *, seed: int = 0) -> np.ndarray:
    """uint8 [height, width, 3] that has what a photograph has: gradients, soft and hard edges, texture,
    clipped highlights.
    """
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    random = np.random.default_rng(seed)
    sky = np.stack([120 + 130 * y, 160 + 90 * x, 255 - 150 * y], axis=-1)
    sky[np.hypot(y - 0.3, x - 0.4) < 0.15] = 262, 250, 190
    sky[(x * 37 % 3 < 1) & (y > 0.6)] = 20, 60, -4
    return np.clip(sky + random.normal(0, 6, sky.shape), 0, 255).astype(np.uint8)


def noise(height: int, width: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
