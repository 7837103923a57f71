"""Pixels -> patches, positions and soft-token count, as Gemma 4's vision encoder takes them.

An image is shrunk or enlarged to the largest size, in multiples of 48 pixels, that keeps its aspect ratio
within 2,520 patches of 16 × 16 pixels, and cut into those patches.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.config import ImageConfig
from graph_ops.faults import Fault, Finding, check
from graph_ops.image.compact import Compact
from graph_ops.image.resize import resize_bicubic
from graph_ops.image.target_size import target_size
from graph_ops.target import TENSORFLOW, Target


class Patches(NamedTuple):
    """Images as the vision encoder takes them; of one image without the leading N.

    Attributes:
        values: float32 [N, max_patches, patch_dim], `pixel * scale + offset` in (row, column, channel) order,
            0.0 in the padding. uint8 before scaling, and if the configuration is `Compact`.
        positions: int32 [N, max_patches, 2], (x, y) of each patch, -1 in the padding.
        num_soft_tokens: int32 [N], patches / 9; 0 for no image and for a faulty one, which are all padding.
        finding: what is wrong with each image, [N].
    """

    values: tf.Tensor
    positions: tf.Tensor
    num_soft_tokens: tf.Tensor
    finding: Finding


def image_to_patches(pixels: tf.Tensor, *, config: ImageConfig) -> Patches:
    """One image as the vision encoder takes it.

    Args:
        pixels: uint8 [H, W, 3].
        config: sizes, scale and offset.

    Returns:
        Values are, without offset, equal to `Gemma4ImageProcessorPil`'s to the last bit. The finding is
        IMAGE_TOO_THIN with the image's height and width, or none.
    """
    return scaled(resized_patches(tf.convert_to_tensor(pixels), config=config), config=config)


def resized_patches(pixels: tf.Tensor, budget: tf.Tensor | None = None, *, config: ImageConfig) -> Patches:
    """`image_to_patches` before scaling: uint8 [max_patches, patch_dim], a quarter of the bytes to move. With
    a budget int32 [], which is one of `config.budgets`, of at most so many soft tokens.
    """
    size = tf.shape(pixels)[:2]
    target_height, target_width = target_size(size[0], size[1], budget, config=config)
    thin = tf.equal(target_height, 0)

    values = tf.cond(
        thin,
        lambda: no_patches(config=config),
        lambda: patches_of(pixels[tf.newaxis], target_height, target_width, config=config)[0],
    )
    values = tf.ensure_shape(values, [config.max_patches, config.patch_dim])
    rows, columns = target_height // config.patch_size, target_width // config.patch_size
    finding = check(thin, Fault.IMAGE_TOO_THIN, size[0], size[1])
    return Patches(
        values, positions(rows, columns, config=config), soft_tokens(rows, columns, config=config), finding
    )


def patches_of(
    images: tf.Tensor, target_height: tf.Tensor, target_width: tf.Tensor, *, config: ImageConfig
) -> tf.Tensor:
    """uint8 [N, H, W, 3], resized to int32 [] sides and cut: uint8 [N, max_patches, patch_dim]."""
    with tf.name_scope("resize"):
        resized = resize_bicubic(images, target_height, target_width)
    with tf.name_scope("patches"):
        return padded(cut(resized, config=config), config=config)


def no_image(*, config: ImageConfig) -> Patches:
    """An empty slot, before scaling."""
    zero = tf.zeros([], tf.int32)
    return Patches(no_patches(config=config), positions(zero, zero, config=config), zero, Finding.none(zero))


def no_patches(*, config: ImageConfig) -> tf.Tensor:
    """uint8 [max_patches, patch_dim] of zeros."""
    return tf.zeros([config.max_patches, config.patch_dim], tf.uint8)


def soft_tokens(
    patch_rows: tf.Tensor | int, patch_columns: tf.Tensor | int, *, config: ImageConfig
) -> tf.Tensor:
    """Soft tokens that the encoder pools from so many patches: int32 []."""
    return tf.convert_to_tensor(patch_rows * patch_columns // config.pooling_kernel_size**2)


def cut(pixels: tf.Tensor, *, config: ImageConfig) -> tf.Tensor:
    """uint8 [N, height, width, 3], multiples of the patch size -> uint8 [N, patches, patch_dim]."""
    side, shape = config.patch_size, tf.shape(pixels)
    count, rows, columns = shape[0], shape[1] // side, shape[2] // side
    # [N, rows, 16, columns, 16 * 3] -> [N, rows, columns, 16, 16 * 3]: whole runs of 48 bytes move.
    patches = tf.transpose(tf.reshape(pixels, [count, rows, side, columns, side * 3]), [0, 1, 3, 2, 4])
    return tf.reshape(patches, [count, -1, config.patch_dim])


def padded(patches: tf.Tensor, *, config: ImageConfig) -> tf.Tensor:
    """uint8 or float32 [..., patches, patch_dim] -> [..., max_patches, patch_dim], zeros in the padding."""
    batch = [[0, 0]] * (patches.shape.rank - 2)
    return tf.pad(patches, [*batch, [0, config.max_patches - tf.shape(patches)[-2]], [0, 0]])


def scaled(patches: Patches, *, config: ImageConfig) -> Patches:
    """The same with float32 values, `pixel * scale + offset`, 0 in the padding, where positions are -1;
    those of a compact configuration as they are.
    """
    if isinstance(config, Compact):
        return patches
    values = scaled_pixels(tf.cast(patches.values, tf.float32), config=config)
    if config.offset is not None:
        values = tf.where(patches.positions[..., :1] >= 0, values, 0.0)
    return patches._replace(values=values)


def scaled_pixels(values: tf.Tensor, *, config: ImageConfig, target: Target = TENSORFLOW) -> tf.Tensor:
    """float32 [..., patch_dim] `values * scale + offset` of values in 0…255."""
    if config.scale is not None:
        scale = _per_value(config.scale, config=config)
        values = _times(values, scale, divide=target.exact_division)
    if config.offset is not None:
        values += _per_value(config.offset, config=config).astype(np.float32)
    return values


def _times(values: tf.Tensor, scale: np.ndarray, *, divide: bool) -> tf.Tensor:
    """float32 values in 0…255 times a float64 scale: the float64 product, rounded (for 1/255 always, else
    nearly), as the reference's.

    `divide`: whether to divide where that gives the same. It is faster, but LiteRT's converter makes it a
    product with the reciprocal.
    """
    divisor = np.rint(1 / scale).astype(np.float32)
    levels = np.arange(256, dtype=np.float32)
    if divide and scale.size == 1 and np.array_equal(levels / divisor, (levels * scale).astype(np.float32)):
        return tf.math.divide_no_nan(values, divisor)  # not `/`: see bicubic_weights
    # The 16 leading bits of a float32 hold 8 of its significant bits; times a uint8 that is exact.
    coarse = (scale.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    return values * coarse + values * (scale - coarse).astype(np.float32)


def _per_value(setting: float | tuple[float, ...], *, config: ImageConfig) -> np.ndarray:
    """A number as float64 [1], three numbers (one per channel) as float64 [patch_dim]."""
    numbers = np.atleast_1d(np.asarray(setting, np.float64))
    return numbers if numbers.size == 1 else np.tile(numbers, config.patch_dim // numbers.size)


def positions(patch_rows: tf.Tensor, patch_columns: tf.Tensor, *, config: ImageConfig) -> tf.Tensor:
    """int32 [max_patches, 2]: (x, y) of each patch, row by row, -1 in the padding. 2 × 3 patches: 00 10 20 01
    11 21 -1-1 ...
    """
    index = tf.range(config.max_patches)
    columns = tf.maximum(patch_columns, 1)
    positions = tf.stack([index % columns, index // columns], axis=-1)
    return tf.where(index[:, tf.newaxis] < patch_rows * patch_columns, positions, -1)
