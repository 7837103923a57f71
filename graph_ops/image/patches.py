"""Pixels -> patches, positions and soft-token count: what Gemma 4's vision encoder eats.

An image is shrunk or enlarged to the largest size, in multiples of 48 pixels, that keeps its aspect ratio
within 2,520 patches of 16 × 16 pixels, and cut into those patches. The resize is Pillow's bicubic bit for
bit, written as matrix products.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.config import LONGEST_DEVICE_SIDE, ImageConfig
from graph_ops.faults import Fault, Finding, check, first_finding
from graph_ops.image.decode import decode_image
from graph_ops.image.resize import branch, resize_bicubic
from graph_ops.image.resize_litert import Size, resize_to_patches
from graph_ops.image.target_size import target_size


def image_to_patches(
    pixels: tf.Tensor, *, config: ImageConfig
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """One image as the vision encoder takes it.

    Args:
      pixels: uint8 [H, W, 3].
      config: sizes, scale and offset.

    Returns:
      pixel_values: float32 [max_patches, patch_dim], `pixel * scale + offset` in (row, column, channel)
        order, 0.0 in the padding. Without offset equal to `Gemma4ImageProcessorPil`'s to the last bit.
      pixel_position_ids: int32 [max_patches, 2], (x, y) of each patch, -1 in the padding.
      num_soft_tokens: int32 [], patches / 9.
      fault: int32 [], NONE or IMAGE_TOO_THIN; then all is padding and the count 0.
      detail: int32 [2], the image's height and width if there is a fault, else 0.
    """
    patches, positions, *rest = _resized_patches(tf.convert_to_tensor(pixels), config=config)
    return _scaled(patches, positions, config=config), positions, *rest


def _resized_patches(
    pixels: tf.Tensor, *, config: ImageConfig
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """`image_to_patches` before scaling: uint8 [max_patches, patch_dim], a quarter of the bytes to move.
    Padding is 0.
    """
    size = tf.shape(pixels)[:2]
    target_height, target_width = target_size(size[0], size[1], config=config)
    thin = tf.equal(target_height, 0)
    patches = tf.cond(
        thin,
        lambda: tf.zeros([config.max_patches, config.patch_dim], tf.uint8),
        lambda: _padded(
            _patches(resize_bicubic(pixels, target_height, target_width), config=config), config=config
        ),
    )
    patches = tf.ensure_shape(patches, [config.max_patches, config.patch_dim])
    patch_rows, patch_columns = target_height // config.patch_size, target_width // config.patch_size
    num_soft_tokens = patch_rows * patch_columns // config.pooling_kernel_size**2
    fault = tf.where(thin, tf.constant(Fault.IMAGE_TOO_THIN, tf.int32), Fault.NONE)
    return (
        patches,
        _positions(patch_rows, patch_columns, config=config),
        num_soft_tokens,
        fault,
        tf.where(thin, size, 0),
    )


def _patches(pixels: tf.Tensor, *, config: ImageConfig) -> tf.Tensor:
    """uint8 [height, width, 3], multiples of the patch size -> uint8 [patches, patch_dim]."""
    side = config.patch_size
    rows, columns = tf.shape(pixels)[0] // side, tf.shape(pixels)[1] // side
    # [rows, 16, columns, 16 * 3] -> [rows, columns, 16, 16 * 3]: whole runs of 48 bytes move.
    patches = tf.transpose(tf.reshape(pixels, [rows, side, columns, side * 3]), [0, 2, 1, 3])
    return tf.reshape(patches, [-1, config.patch_dim])


def _padded(patches: tf.Tensor, *, config: ImageConfig) -> tf.Tensor:
    return tf.pad(patches, [[0, config.max_patches - tf.shape(patches)[0]], [0, 0]])


def _scaled(patches: tf.Tensor, positions: tf.Tensor, *, config: ImageConfig) -> tf.Tensor:
    """uint8 [..., P, D] -> float32 `patches * scale + offset`, 0 in the padding, whose positions are -1."""
    values = _scaled_pixels(tf.cast(patches, tf.float32), config=config)
    return values if config.offset is None else tf.where(positions[..., :1] >= 0, values, 0.0)


def _scaled_pixels(values: tf.Tensor, *, config: ImageConfig, portable: bool = False) -> tf.Tensor:
    """float32 `values * scale + offset`, values in 0…255."""
    if config.scale is not None:
        values = _times(values, _per_value(config.scale, config=config), divide=not portable)
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


def _positions(patch_rows: tf.Tensor, patch_columns: tf.Tensor, *, config: ImageConfig) -> tf.Tensor:
    """int32 [max_patches, 2]: (x, y) of each patch, row by row, -1 in the padding. 2 × 3 patches: 00 10 20 01
    11 21 -1-1 ...
    """
    index = tf.range(config.max_patches)
    columns = tf.maximum(patch_columns, 1)
    positions = tf.stack([index % columns, index // columns], axis=-1)
    return tf.where(index[:, tf.newaxis] < patch_rows * patch_columns, positions, -1)


def encode_images(
    encoded: tf.Tensor, *, config: ImageConfig
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """`image_to_patches` of encoded files.

    Args:
      encoded: string [N], JPEG, PNG, GIF, BMP or WebP files; "" = no image.
      config: sizes, scale, offset and `max_image_pixels`.

    Returns:
      pixel_values float32 [N, max_patches, patch_dim], pixel_position_ids int32 [N, max_patches, 2],
      num_soft_tokens int32 [N], fault int32 [N] and detail int32 [N, 2] (see `Fault`). "" and faulty images
      are all padding (0.0 and -1), with count 0.
    """

    def encode(index: tf.Tensor) -> tuple[tf.Tensor, ...]:
        pixels, fault, detail = decode_image(encoded[index], config=config)
        return _first_fault(fault, detail, _resized_patches(pixels, config=config))

    return _each(encode, absent=tf.equal(encoded, ""), config=config)


def encode_image_arrays(
    images: tf.Tensor, sizes: tf.Tensor, *, config: ImageConfig, portable: bool = False
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """`image_to_patches` of images that share one array, each in its top left corner.

    Args:
      images: uint8 [N, H, W, 3]; what lies outside an image's true size is ignored.
      sizes: int32 [N, 2], each image's height and width; 0, 0 = no image.
      config: sizes, scale, offset and `max_image_pixels`.
      portable: whether to use only what LiteRT has as builtin ops, for which N must be known while tracing.
        The outputs are the same, but for one value in hundreds of millions that is off by one level.

    Returns:
      As `encode_images`. An image with one side 0 is IMAGE_TOO_THIN, one beyond H or W or with a negative
      side IMAGE_SIZE (if `portable`, also one with a side longer than `LONGEST_DEVICE_SIDE`), one of more
      than `max_image_pixels` IMAGE_TOO_LARGE.

    Raises:
      ValueError: `portable` and N is unknown or 0.
    """
    images, sizes = tf.convert_to_tensor(images), tf.convert_to_tensor(sizes)
    if portable:
        return _encode_portably(images, sizes, config=config)
    finding = _size_finding(sizes, tf.shape(images)[1:3], config=config)

    def encode(index: tf.Tensor) -> tuple[tf.Tensor, ...]:
        # A faulty size becomes an empty image.
        size = tf.where(tf.equal(finding.fault[index], Fault.NONE), sizes[index], 0)
        outputs = _resized_patches(images[index, : size[0], : size[1]], config=config)
        return _first_fault(finding.fault[index], finding.detail[index], outputs)

    return _each(encode, absent=tf.reduce_all(tf.equal(sizes, 0), axis=-1), config=config)


def _size_finding(sizes: tf.Tensor, limits: tf.Tensor, *, config: ImageConfig) -> Finding:
    """What is wrong with sizes int32 [N, 2] before any pixel is looked at; `limits` int32 [2] are the sides
    of their array.
    """
    height, width = sizes[:, 0], sizes[:, 1]
    outside = tf.reduce_any((sizes < 0) | (sizes > limits), axis=-1)
    # height * width > most, without overflow.
    large = (height > 0) & (width > config.max_image_pixels // tf.maximum(height, 1))
    return first_finding(
        check(outside, Fault.IMAGE_SIZE, height, width), check(large, Fault.IMAGE_TOO_LARGE, height, width)
    )


def _encode_portably(images: tf.Tensor, sizes: tf.Tensor, *, config: ImageConfig) -> tuple[tf.Tensor, ...]:
    """One image after the other, unrolled."""
    if not images.shape[0]:
        raise ValueError(
            f"`images`: their number must be known while tracing, and positive, if `portable`; got "
            f"{images.shape[0]}. Fix dim 0 of the "
            "input's spec."
        )
    known, sides = tf.get_static_value(sizes), images.shape[1:3]
    if known is not None and sides.is_fully_defined():
        # Planned outside of the graph: sizes and targets are numbers in it.
        with tf.init_scope():
            plan = _plan(tf.constant(known), tf.constant(sides.as_list()), config=config)
            size, target, fault, detail = (
                tf.get_static_value(part) for part in (plan.sizes, plan.targets, *plan.finding)
            )
        pairs = zip(size.tolist(), target.tolist(), strict=True)
        finding = Finding(tf.constant(fault), tf.constant(detail))
    else:
        plan = _plan(sizes, tf.shape(images)[1:3], config=config)
        pairs = zip(
            *([tf.unstack(row) for row in tf.unstack(part)] for part in (plan.sizes, plan.targets)),
            strict=True,
        )
        finding = plan.finding
    rows = [
        _portable_image(images, index, size, target, config=config)
        for index, (size, target) in enumerate(pairs)
    ]
    return *(tf.stack(parts) for parts in zip(*rows, strict=True)), *finding


class _Plan(NamedTuple):
    """Sizes and targets of the good images, int32 [N, 2], 0 for the others, and what is wrong with those."""

    sizes: tf.Tensor
    targets: tf.Tensor
    finding: Finding


def _plan(sizes: tf.Tensor, limits: tf.Tensor, *, config: ImageConfig) -> _Plan:
    finding = _size_finding(sizes, tf.minimum(limits, LONGEST_DEVICE_SIDE), config=config)
    sizes = tf.where(tf.equal(finding.fault, Fault.NONE)[:, tf.newaxis], sizes, 0)
    targets = tf.stack(target_size(sizes[:, 0], sizes[:, 1], config=config), axis=-1)
    thin = tf.reduce_any(tf.not_equal(sizes, 0), axis=-1) & tf.equal(targets[:, 0], 0)
    return _Plan(
        sizes, targets, first_finding(finding, check(thin, Fault.IMAGE_TOO_THIN, sizes[:, 0], sizes[:, 1]))
    )


def _portable_image(
    images: tf.Tensor, index: int, size: Size, target: Size, *, config: ImageConfig
) -> tuple[tf.Tensor, ...]:
    """float32 [max_patches, patch_dim], int32 [max_patches, 2], int32 []: values, positions and soft tokens
    of one image.
    """
    patch_rows, patch_columns = (side // config.patch_size for side in target)
    patches = branch(
        tf.equal(patch_rows, 0),
        lambda: tf.zeros([0, config.patch_dim], tf.uint8),
        lambda: resize_to_patches(images, index, size, target, config=config),
    )
    values = _scaled_pixels(tf.cast(patches, tf.float32), config=config, portable=True)
    # Floats and not bytes are padded: LiteRT cannot pad bytes.
    values = tf.reshape(_padded(values, config=config), [config.max_patches, config.patch_dim])
    positions = _positions(patch_rows, patch_columns, config=config)
    return (
        values,
        positions,
        tf.convert_to_tensor(patch_rows * patch_columns // config.pooling_kernel_size**2),
    )


def _each(
    encode: Callable[[tf.Tensor], tuple[tf.Tensor, ...]], *, absent: tf.Tensor, config: ImageConfig
) -> tuple[tf.Tensor, ...]:
    """Unscaled patches of `encode(index)` for each index of `absent` [N], scaled; an absent image becomes
    padding without a fault.
    """

    def encode_if_present(index: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return tf.cond(absent[index], lambda: _no_image(config=config), lambda: encode(index))

    signature = tuple(tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in _no_image(config=config))
    # One at a time: the largest image that is allowed takes some 700 MB while it is resized.
    patches, positions, *rest = tf.map_fn(
        encode_if_present, tf.range(tf.shape(absent)[0]), fn_output_signature=signature, parallel_iterations=1
    )
    return _scaled(patches, positions, config=config), positions, *rest


def _no_image(*, config: ImageConfig) -> tuple[tf.Tensor, ...]:
    zero = tf.zeros([], tf.int32)
    patches = tf.zeros([config.max_patches, config.patch_dim], tf.uint8)
    return (
        patches,
        _positions(zero, zero, config=config),
        zero,
        tf.constant(Fault.NONE, tf.int32),
        tf.zeros([2], tf.int32),
    )


def _first_fault(
    fault: tf.Tensor, detail: tf.Tensor, outputs: tuple[tf.Tensor, ...]
) -> tuple[tf.Tensor, ...]:
    """A fault of decoding hides the one that its empty image would cause."""
    *features, later_fault, later_detail = outputs
    decoded = tf.equal(fault, Fault.NONE)
    return *features, tf.where(decoded, later_fault, fault), tf.where(decoded, later_detail, detail)
