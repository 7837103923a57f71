"""Sizes of images -> what they are resized to, how many soft tokens they take, and what is wrong with them;
without a pixel.
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.config import ImageConfig
from graph_ops.faults import Fault, Finding, check, first_finding
from graph_ops.image.sizes import size_finding
from graph_ops.image.target_size import target_size
from graph_ops.target import TENSORFLOW, Target

_LONGEST = 2**31 - 1


class PlannedSizes(NamedTuple):
    """What becomes of N images.

    Attributes:
        sizes: int32 [N, 2], height and width of the good images, 0 for the others.
        targets: int32 [N, 2], what these are resized to.
        finding: what is wrong with the others, [N].
    """

    sizes: tf.Tensor
    targets: tf.Tensor
    finding: Finding


def planned_sizes(
    sizes: tf.Tensor, limits: tf.Tensor, budgets: tf.Tensor | None = None, *, config: ImageConfig
) -> PlannedSizes:
    """The plan for images int32 [N, 2], height and width; 0, 0 for no image.

    Args:
        sizes: int32 [N, 2].
        limits: int32 [2], the longest sides that there may be.
        budgets: int32 [N], as for `target_size`.
        config: patch and pooling sizes, the soft-token budget, `max_image_pixels`.
    """
    finding = size_finding(sizes, limits, config=config)
    sizes = tf.where(finding.is_clean[:, tf.newaxis], sizes, 0)
    targets = tf.stack(target_size(sizes[:, 0], sizes[:, 1], budgets, config=config), axis=-1)
    thin = tf.reduce_any(tf.not_equal(sizes, 0), axis=-1) & tf.equal(targets[:, 0], 0)
    too_thin = check(thin, Fault.IMAGE_TOO_THIN, sizes[:, 0], sizes[:, 1])
    return PlannedSizes(sizes, targets, first_finding(finding, too_thin))


def image_soft_tokens(
    sizes: tf.Tensor,
    budgets: tf.Tensor | None = None,
    *,
    config: ImageConfig,
    target: Target = TENSORFLOW,
) -> tuple[tf.Tensor, Finding]:
    """Soft tokens int32 [N] of images of the sizes int32 [N, 2] with budgets int32 [N], 0 for no image and
    for a faulty one, and what is wrong with each.
    """
    limits = tf.fill([2], target.longest_side or _LONGEST)
    plan = planned_sizes(sizes, limits, budgets, config=config)
    squares = plan.targets // config.side_multiple
    return squares[:, 0] * squares[:, 1], plan.finding
