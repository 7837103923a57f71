"""When the frames of a batch's videos are shown, from what is said of their sources."""

from collections.abc import Mapping

import tensorflow as tf

from graph_ops.faults import Finding, first_finding
from graph_ops.media.medium import Medium, Option
from graph_ops.media.slots import Slots
from graph_ops.target import TENSORFLOW, Target
from graph_ops.video.sampling import shown_at, source_finding


def timed(
    slots: Slots,
    inputs: Mapping[str, tf.Tensor],
    *,
    medium: Medium,
    default_rate: float,
    parity: str,
    target: Target = TENSORFLOW,
) -> Slots:
    """Slots of a medium with frames, with their `seconds` int32 [B, V, F].

    Args:
        slots: those of V items a row.
        inputs: the medium's options, [B, V, …] each, or not.
        medium: of the items.
        default_rate: frames a second where nothing is said.
        parity: one of `PARITIES`.
        target: where it runs.
    """
    frames = slots.frames
    assert frames is not None
    shape = tf.shape(frames.totals)
    indices, rates = (_flat(_given(option, inputs, shape)) for option in medium.options)
    taken, totals = tf.reshape(frames.taken, [-1, frames.taken.shape[2]]), tf.reshape(frames.totals, [-1])
    wrong = source_finding(totals, indices, rates)
    seconds = shown_at(
        taken,
        indices,
        tf.where(wrong.is_clean, rates, 0),
        default_rate=default_rate,
        parity=parity,
        target=target,
    )
    of_items = Finding(*(tf.reshape(part, tf.concat([shape, tf.shape(part)[1:]], axis=0)) for part in wrong))
    return slots._replace(
        finding=first_finding(slots.finding, of_items.of_rows()),
        frames=frames._replace(seconds=tf.reshape(seconds, tf.shape(frames.taken))),
    )


def _given(option: Option, inputs: Mapping[str, tf.Tensor], shape: tf.Tensor) -> tf.Tensor:
    if option.name in inputs:
        return inputs[option.name]
    axes = tf.concat([shape, [0] * len(option.shape)], axis=0)
    return tf.fill(axes, tf.cast(option.unknown, option.dtype))


def _flat(values: tf.Tensor) -> tf.Tensor:
    """[B, V, …] -> [B × V, …]."""
    shape = tf.shape(values)
    return tf.reshape(values, tf.concat([[shape[0] * shape[1]], shape[2:]], axis=0))
