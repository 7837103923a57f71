"""Pixel arrays -> patches where sizes are static: the images of a batch are unrolled in the graph."""

import tensorflow as tf

from graph_ops.config import ImageConfig
from graph_ops.faults import Finding
from graph_ops.image.patches import Patches, padded, positions, scaled_pixels, soft_tokens
from graph_ops.image.planned_size import planned_sizes
from graph_ops.image.resize import branch
from graph_ops.image.resize_litert import Size, resize_to_patches
from graph_ops.target import Target


def encode_unrolled(
    images: tf.Tensor,
    sizes: tf.Tensor,
    budgets: tf.Tensor | None = None,
    *,
    config: ImageConfig,
    target: Target,
) -> Patches:
    """`encode_image_arrays`, uint8 [N, H, W, 3] and int32 [N, 2], of an N that is known while tracing, with
    or without budgets int32 [N].

    Raises:
        ValueError: the number is unknown or 0.
    """
    if not images.shape[0]:
        raise ValueError(
            f"`images`: their number must be known while tracing, and positive, for {target.name}; got "
            f"{images.shape[0]}. Fix dim 0 of the input's spec."
        )
    known, sides = tf.get_static_value(sizes), images.shape[1:3]
    if known is not None and budgets is None and sides.is_fully_defined():
        # Planned outside of the graph: sizes and targets are numbers in it.
        with tf.init_scope():
            limits = tf.minimum(tf.constant(sides.as_list()), target.longest_side)
            plan = planned_sizes(tf.constant(known), limits, config=config)
            size, to, fault, detail = map(tf.get_static_value, (plan.sizes, plan.targets, *plan.finding))
        pairs = zip(size.tolist(), to.tolist(), strict=True)
        finding = Finding(tf.constant(fault), tf.constant(detail))
    else:
        limits = tf.minimum(tf.shape(images)[1:3], target.longest_side)
        plan = planned_sizes(sizes, limits, budgets, config=config)
        unstacked = ([tf.unstack(row) for row in tf.unstack(part)] for part in (plan.sizes, plan.targets))
        pairs, finding = zip(*unstacked, strict=True), plan.finding
    rows = [
        _image(images, index, size, to, config=config, target=target)
        for index, (size, to) in enumerate(pairs)
    ]
    values, places, counts = (tf.stack(parts) for parts in zip(*rows, strict=True))
    return Patches(values, places, counts, finding)


def _image(
    images: tf.Tensor, index: int, size: Size, to: Size, *, config: ImageConfig, target: Target
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """float32 [max_patches, patch_dim], int32 [max_patches, 2], int32 []: values, positions and soft tokens
    of one image.
    """
    patch_rows, patch_columns = (side // config.patch_size for side in to)
    patches = branch(
        tf.equal(patch_rows, 0),
        lambda: tf.zeros([0, config.patch_dim], tf.uint8),
        lambda: resize_to_patches(images, size, to, index=index, config=config),
    )
    values = scaled_pixels(tf.cast(patches, tf.float32), config=config, target=target)
    # Floats and not bytes are padded: LiteRT cannot pad bytes.
    values = tf.reshape(padded(values, config=config), [config.max_patches, config.patch_dim])
    return (
        values,
        positions(patch_rows, patch_columns, config=config),
        soft_tokens(patch_rows, patch_columns, config=config),
    )
