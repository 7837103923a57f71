"""The size that an image is resized to, in whole numbers only.

Of a height h and a width w and a budget of m soft tokens, each a square of `side_multiple` pixels, the
largest image of the same shape is sqrt(m h / w) squares high. The number of whole ones is the largest k with
k² <= m h / w, and since k² is whole, with k² <= floor(m h / w).

transformers computes the square root in float64. That is close enough for every size but those where m h / w
is exactly k²: there the rounding decides whether k or k - 1 comes out. Such sizes are n p × n q with p / q =
k² / m in lowest terms, some 22,000 within 64 Mpx; for 1,391 of them k - 1 comes out, and these are a table.
"""

import dataclasses
import functools
import math

import numpy as np
import tensorflow as tf

from graph_ops.config import ImageConfig


def target_size(
    height: tf.Tensor, width: tf.Tensor, budgets: tf.Tensor | None = None, *, config: ImageConfig
) -> tuple[tf.Tensor, tf.Tensor]:
    """The size that an image of `height` × `width` is resized to.

    Args:
      height: int32 [...], in pixels.
      width: int32 [...], in pixels; `height` × `width` at most `config.max_image_pixels`.
      budgets: int32 [...], most soft tokens of each image, of `config.budgets`; by default
        `config.max_soft_tokens`.
      config: patch and pooling sizes and the soft-token budget.

    Returns:
      Target height and width, int32 [...], multiples of `config.side_multiple`: for 480 × 640, 672 × 912.
      Both are 0 where nothing is left of the image (the reference's "0 x 0" error) or where a side is not
      positive.

    Source: transformers' `get_aspect_ratio_preserving_size`, equal to it for every size.
    """
    most = config.max_soft_tokens if budgets is None else budgets
    good = (height > 0) & (width > 0)
    tall, wide = tf.maximum(height, 1), tf.maximum(width, 1)
    rows = _whole_squares(tall, wide, budgets, config=config)
    columns = _whole_squares(wide, tall, budgets, config=config)
    good &= (rows > 0) | (columns > 0)
    # A strip is one square thick, whatever its ideal length.
    strip_rows, strip_columns = tf.minimum(tall // wide, most), tf.minimum(wide // tall, most)
    target_rows = tf.where(columns > 0, tf.maximum(rows, 1), strip_rows)
    target_columns = tf.where(rows > 0, tf.maximum(columns, 1), strip_columns)
    return tf.where(good, target_rows * config.side_multiple, 0), tf.where(
        good, target_columns * config.side_multiple, 0
    )


def _whole_squares(
    side: tf.Tensor, other: tf.Tensor, budgets: tf.Tensor | None, *, config: ImageConfig
) -> tf.Tensor:
    """int32 [...]: the reference's floor(sqrt(m side / other)), for positive sides; what exceeds m is m."""
    most = config.max_soft_tokens if budgets is None else budgets
    # m side / other without overflow: m times the whole part, and m times the remainder, which is less than
    # `other`. Where that could
    # still overflow, an image has 10^13 pixels.
    square = most * tf.minimum(side // other, most) + most * (side % other) // other
    # A rounded square root, however coarse, is one too large at most.
    root = tf.cast(tf.floor(tf.sqrt(tf.cast(square, tf.float32)) + 0.5), tf.int32)
    root = tf.minimum(tf.where(root * root > square, root - 1, root), most)
    return tf.where(_is_rounded_down(side, other, budgets, config=config), root - 1, root)


def _is_rounded_down(
    side: tf.Tensor, other: tf.Tensor, budgets: tf.Tensor | None, *, config: ImageConfig
) -> tf.Tensor:
    """Bool [...]: whether (side, other) is in the table of its budget."""
    found = tf.zeros_like(side, tf.bool)
    for most in (config.max_soft_tokens,) if budgets is None else config.budgets:
        table = _rounded_down(dataclasses.replace(config, max_soft_tokens=most))
        sides, others = (tf.constant(column) for column in table.T)
        is_case = tf.equal(side[..., tf.newaxis], sides) & tf.equal(other[..., tf.newaxis], others)
        is_listed = tf.reduce_any(is_case, axis=-1)
        found |= is_listed if budgets is None else is_listed & tf.equal(budgets, most)
    return found


@functools.cache
def _rounded_down(config: ImageConfig) -> np.ndarray:
    """int32 [cases, 2]: sizes (side, other) where sqrt(m side / other) is whole and comes out smaller in
    float64.
    """
    most, multiple = config.max_soft_tokens, config.side_multiple
    pixels = min(config.max_image_pixels, 2**31 - 1)
    cases = [np.zeros([0, 2], np.int32)]
    for whole in range(1, most + 1):
        common = math.gcd(whole**2, most)
        ratio = np.array([whole**2 // common, most // common])
        sides = np.arange(1, math.isqrt(pixels // int(np.prod(ratio))) + 1)[:, np.newaxis] * ratio
        side, other = sides.astype(np.float64).T
        # In the reference's order of operations.
        squares = np.sqrt(config.max_patches * config.patch_size**2 / (side * other)) * side / multiple
        cases.append(sides[squares < whole].astype(np.int32))
    return np.concatenate(cases)
