"""A medium's features: the tensors of its items, and where their soft tokens stand in the rows."""

import tensorflow as tf

from graph_ops.faults import Finding
from graph_ops.media.medium import Medium
from graph_ops.media.slots import MediumBatch
from graph_ops.shapes import with_shape


def item_features(
    batch: MediumBatch, finding: Finding, *, medium: Medium, entries: tf.Tensor | None
) -> dict[str, tf.Tensor]:
    """The items' values and marks, those of faulty rows as padding.

    Args:
        batch: the items.
        finding: what is wrong with each row, [B].
        medium: gives the features' names.
        entries: int32 [], leading entries of each item that are kept (frames), or None for all.
    """
    values, marks = batch.values[:, :, :entries], batch.marks[:, :, :entries]
    empty = -1 if medium.varying >= 2 else 0
    return {
        medium.values: _without_faulty(values, finding, 0.0),
        medium.marks: _without_faulty(marks, finding, empty),
    }


def padded_indices(indices: tf.Tensor, *, width: int) -> tf.Tensor:
    """Soft-token positions int32 [B, n] with zeros up to [B, width]."""
    padded = tf.pad(indices, [[0, 0], [0, width - tf.shape(indices)[1]]])
    return with_shape(padded, [None, width])


def _without_faulty(feature: tf.Tensor, finding: Finding, padding: float) -> tf.Tensor:
    """The feature [B, …], with padding in the faulty rows; untouched, and not copied, when there is none."""
    good = tf.reshape(finding.is_clean, [-1] + [1] * (feature.shape.rank - 1))
    blanked = tf.cond(
        tf.reduce_all(good),
        lambda: feature,
        lambda: tf.where(good, feature, tf.cast(padding, feature.dtype)),
    )
    return with_shape(blanked, feature.shape)
