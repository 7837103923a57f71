"""The image steps once more, one number at a time, in NumPy and Python integers."""

import math

import numpy as np


def target_size(
    height: int, width: int, *, patch_size: int = 16, pool: int = 3, max_soft_tokens: int = 280
) -> tuple[int, int]:
    """Target height and width of an image; 0, 0 if nothing is left of it."""
    multiple, budget = patch_size * pool, max_soft_tokens * pool**2 * patch_size**2
    if height == 0 or width == 0:
        return 0, 0
    factor = math.sqrt(budget / (height * width))
    rows, columns = math.floor(factor * height / multiple), math.floor(factor * width / multiple)
    if rows == 0 and columns == 0:
        return 0, 0
    if rows == 0:
        rows, columns = 1, min(width // height, max_soft_tokens)
    elif columns == 0:
        rows, columns = min(height // width, max_soft_tokens), 1
    fits = rows * columns <= max_soft_tokens
    return (rows * multiple, columns * multiple) if fits else (0, 0)


def keys_cubic(x: float) -> float:
    """Keys' cubic with a = -0.5: 1 at 0, 0 at 1, negative between 1 and 2, 0 beyond."""
    x = abs(x)
    if x < 1:
        return (1.5 * x - 2.5) * x * x + 1
    return (((x - 5) * x + 8) * x - 4) * -0.5 if x < 2 else 0.0


def weights(in_size: int, out_size: int, output: int) -> tuple[int, list[int]]:
    """The first input that an output looks at, and the weight of each from there, in units of 2^-22."""
    scale = in_size / out_size
    stretch = max(scale, 1.0)
    center = (output + 0.5) * scale
    first = max(int(center - 2 * stretch + 0.5), 0)
    end = min(int(center + 2 * stretch + 0.5), in_size)
    raw = [keys_cubic((x - center + 0.5) * (1.0 / stretch)) for x in range(first, end)]
    total = 0.0
    for weight in raw:
        total += weight
    return first, [int(w / total * 2**22 + math.copysign(0.5, w)) for w in raw]


def resize_rows(rows: np.ndarray, out_size: int) -> np.ndarray:
    """uint8 [in_size, ...] -> uint8 [out_size, ...]."""
    if rows.shape[0] == out_size:
        return rows
    out = np.empty((out_size, *rows.shape[1:]), np.uint8)
    for output in range(out_size):
        first, weight = weights(rows.shape[0], out_size, output)
        total = sum(w * rows[first + tap].astype(np.int64) for tap, w in enumerate(weight))
        out[output] = np.clip((total + 2**21) >> 22, 0, 255)
    return out


def resize_bicubic(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """uint8 [H, W, 3] -> uint8 [height, width, 3]: one axis, rounded to bytes, then the other."""
    shrink_height, shrink_width = pixels.shape[0] - height, pixels.shape[1] - width
    if shrink_height > 0 and shrink_height > 2 * shrink_width:
        return resize_columns(resize_rows(pixels, height), width)
    return resize_rows(resize_columns(pixels, width), height)


def resize_columns(pixels: np.ndarray, width: int) -> np.ndarray:
    """uint8 [H, W, 3] -> uint8 [H, width, 3]."""
    return resize_rows(pixels.swapaxes(0, 1), width).swapaxes(0, 1)


def image_to_patches(
    pixels: np.ndarray, *, max_patches: int = 2520, side: int = 16
) -> tuple[np.ndarray, np.ndarray, int]:
    """pixel_values float32 [max_patches, 768] (scale 1/255), pixel_position_ids int32 [max_patches, 2],
    num_soft_tokens.
    """
    values = np.zeros((max_patches, 3 * side * side), np.float32)
    positions = np.full((max_patches, 2), -1, np.int32)
    height, width = target_size(*pixels.shape[:2])
    if height == 0:
        return values, positions, 0
    resized = resize_bicubic(pixels, height, width)
    patch = 0
    for top in range(0, height, side):
        for left in range(0, width, side):
            values[patch] = (
                resized[top : top + side, left : left + side].astype(np.float64) * (1 / 255)
            ).reshape(-1)
            positions[patch] = left // side, top // side
            patch += 1
    return values, positions, patch // 9
