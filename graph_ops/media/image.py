"""The medium image."""

from typing import Any

import tensorflow as tf

from graph_ops.config import ImageConfig, RowConfig
from graph_ops.faults import Fault, Finding
from graph_ops.image.encode import encode_image_arrays, encode_images
from graph_ops.image.host_files import decodable_image
from graph_ops.image.patches import Patches
from graph_ops.image.planned_size import image_soft_tokens
from graph_ops.media.medium import Medium
from graph_ops.target import Target


def _encode_files(
    files: tf.Tensor, budgets: tf.Tensor | None = None, *, config: ImageConfig, parity: str
) -> Patches:
    return encode_images(files, budgets, config=config, parity=parity)


def _encode_arrays(
    arrays: tf.Tensor,
    sizes: tf.Tensor,
    budgets: tf.Tensor | None = None,
    *,
    config: ImageConfig,
    parity: str,
    target: Target,
) -> Patches:
    del parity  # arrays are opaque
    return encode_image_arrays(arrays, sizes, budgets, config=config, target=target)


def _count_sizes(
    sizes: tf.Tensor,
    budgets: tf.Tensor | None = None,
    *,
    config: ImageConfig,
    parity: str,
    target: Target,
) -> tuple[tf.Tensor, Finding]:
    del parity  # soft tokens of an item are the same in both; how many a row takes is not said here
    return image_soft_tokens(sizes, budgets, config=config, target=target)


def _count(positions: tf.Tensor, config: ImageConfig) -> tf.Tensor:
    """Soft tokens of patches at int32 [B, K, P, 2], -1 in the padding."""
    patches = tf.reduce_sum(tf.cast(positions[..., 0] >= 0, tf.int32), axis=-1)
    return patches // config.pooling_kernel_size**2


def _fixed_soft_tokens(row: RowConfig) -> int | None:
    return row.num_vision_tokens_per_image if row.parity == "keras_hub" else None


def _dims(row: RowConfig, config: Any) -> dict[str, int]:
    slots = row.max_images_per_prompt
    return {
        "I": slots,
        "P": config.max_patches,
        "D": config.patch_dim,
        "V": slots * row.num_vision_tokens_per_image,
    }


IMAGE = Medium(
    name="image",
    argument="images",
    sizes="image_sizes",
    group="vision",
    values="pixel_values",
    marks="pixel_position_ids",
    item_shape=(None, None, 3),
    dtype=tf.uint8,
    item="an image is uint8 [H, W, 3] or the bytes of a file",
    array="pixels, each image in the top left corner of its place",
    size="true (height, width); (0, 0) for an empty slot",
    files="JPEG, PNG, GIF, BMP or WebP files",
    slots="max_images_per_prompt",
    count_fault=Fault.IMAGE_COUNT,
    limit_fault=Fault.IMAGE_LIMIT,
    encode_files=_encode_files,
    encode_arrays=_encode_arrays,
    count_sizes=_count_sizes,
    decode_on_host=decodable_image,
    count=_count,
    fixed_soft_tokens=_fixed_soft_tokens,
    block=lambda row, config: row.num_vision_tokens_per_image,
    dims=_dims,
    is_trimmed=False,
    budget="max_soft_tokens",
)
