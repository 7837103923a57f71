"""Encoded image files and pixel arrays -> patches, one image after the other."""

import functools
from collections.abc import Callable

import tensorflow as tf

from graph_ops.config import ImageConfig, RowConfig
from graph_ops.faults import Finding, first_finding
from graph_ops.image.compact import values_dtype
from graph_ops.image.decode import decode_image
from graph_ops.image.encode_litert import encode_unrolled
from graph_ops.image.patches import Patches, no_image, resized_patches, scaled
from graph_ops.image.sizes import size_finding
from graph_ops.shapes import constant_items
from graph_ops.target import TENSORFLOW, Target


def encode_images(
    encoded: tf.Tensor,
    budgets: tf.Tensor | None = None,
    *,
    config: ImageConfig,
    parity: str = RowConfig.parity,
) -> Patches:
    """Patches of encoded files.

    Args:
        encoded: string [N], JPEG, PNG, GIF, BMP or WebP files; "" = no image.
        budgets: int32 [N], most soft tokens of each image, of `config.budgets`; by default
            `config.max_soft_tokens`.
        config: all of it.
        parity: one of `PARITIES`, for a `background_color` that follows it.
    """

    def encode(index: tf.Tensor) -> Patches:
        with tf.name_scope("decode"):
            pixels, finding = decode_image(encoded[index], config=config, parity=parity)
        budget = None if budgets is None else budgets[index]
        return _after(finding, resized_patches(pixels, budget, config=config))

    nothing = functools.partial(no_image, config=config)
    return encode_each(tf.equal(encoded, ""), encode, nothing=nothing, config=config)


def encode_image_arrays(
    images: tf.Tensor,
    sizes: tf.Tensor,
    budgets: tf.Tensor | None = None,
    *,
    config: ImageConfig,
    target: Target = TENSORFLOW,
) -> Patches:
    """Patches of images that share one array, each in its top left corner.

    Args:
        images: uint8 [N, H, W, 3]; what lies outside an image's true size is ignored.
        sizes: int32 [N, 2], each image's height and width; 0, 0 = no image.
        budgets: int32 [N], as for `encode_images`.
        config: sizes, scale, offset and `max_image_pixels`.
        target: where it runs. For static sizes N must be known while tracing; the outputs are the same, but
            for one value in hundreds of millions that is off by one level.

    Returns:
        A finding is IMAGE_SIZE (a side beyond H or W, negative, or longer than the target's longest),
        IMAGE_TOO_LARGE (more than `max_image_pixels`), or IMAGE_TOO_THIN (one side 0 among others).

    Raises:
        ValueError: static sizes, and N is unknown or 0.
    """
    images, sizes = tf.convert_to_tensor(images), tf.convert_to_tensor(sizes)
    if target.static_sizes:
        return encode_unrolled(images, sizes, budgets, config=config, target=target)
    finding = size_finding(sizes, tf.shape(images)[1:3], config=config)

    def encode(index: tf.Tensor) -> Patches:
        # A faulty size becomes an empty image.
        size = tf.where(finding.is_clean[index], sizes[index], 0)
        budget = None if budgets is None else budgets[index]
        pixels = images[index, : size[0], : size[1]]
        return _after(finding.at(index), resized_patches(pixels, budget, config=config))

    absent = tf.reduce_all(tf.equal(sizes, 0), axis=-1)
    nothing = functools.partial(no_image, config=config)
    return encode_each(absent, encode, nothing=nothing, config=config)


def encode_each(
    absent: tf.Tensor,
    encode: Callable[[tf.Tensor], Patches],
    *,
    nothing: Callable[[], Patches],
    config: ImageConfig,
) -> Patches:
    """Patches of N items, one after the other.

    Args:
        absent: bool [N], which are not there.
        encode: from the index int32 [] of one that is to its patches, before scaling.
        nothing: those of one that is not: padding without a fault.
        config: scale and offset.

    Returns:
        The same with an axis N in front, scaled.
    """
    empty = nothing()
    spec = tf.nest.map_structure(lambda part: tf.TensorSpec(part.shape, part.dtype), empty)

    def encode_if_present(index: tf.Tensor) -> Patches:
        return tf.cond(absent[index], nothing, lambda: encode(index))

    def encode_all() -> Patches:
        # One at a time: the largest image that is allowed takes some 700 MB while it is resized.
        patches = tf.map_fn(
            encode_if_present, tf.range(tf.size(absent)), fn_output_signature=spec, parallel_iterations=1
        )
        with tf.name_scope("scale"):
            return scaled(patches, config=config)

    def encode_none() -> Patches:
        """The same where no image is there."""
        count = tf.size(absent)
        repeated = tf.nest.map_structure(lambda part: tf.repeat(part[tf.newaxis], count, axis=0), empty)
        return repeated._replace(
            values=constant_items(0, count, empty.values.shape, dtype=values_dtype(config))
        )

    patches = tf.cond(tf.reduce_all(absent), encode_none, encode_all)
    return tf.nest.map_structure(
        lambda part, one: tf.ensure_shape(part, [absent.shape[0], *one.shape]), patches, empty
    )


def _after(finding: Finding, patches: Patches) -> Patches:
    """Patches with what was wrong before, which hides what its empty image would be reported as."""
    return patches._replace(finding=first_finding(finding, patches.finding))
