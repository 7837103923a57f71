"""Items of a batch of rows: [B, K] slots of files or arrays -> the medium's tensors, and what rows need to
know.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from graph_ops.faults import Fault, Finding, check, first_finding
from graph_ops.media.budgets import Budgets, read_budgets
from graph_ops.media.medium import Medium
from graph_ops.shapes import with_shape
from graph_ops.target import TENSORFLOW, Target


class FrameSlots(NamedTuple):
    """The frames of V items of a row.

    Attributes:
        taken: int32 [B, V, F]: which of the given frames each is; -1 for none.
        totals: int32 [B, V]: frames that were given; 0 for an empty slot.
        seconds: int32 [B, V, F]: when each is shown, -1 for none; None as long as that is not known.
    """

    taken: tf.Tensor
    totals: tf.Tensor
    seconds: tf.Tensor | None = None


class Slots(NamedTuple):
    """What a row must know of its K slots of one medium.

    Attributes:
        present: bool [B, K]: whether the slot holds an item.
        num_soft_tokens: int32 [B, K]: soft tokens that the item really has; 0 where the slot is empty.
        finding: what is wrong with a row's items, [B].
        budgets: int32 [B, K]: soft tokens that the item may have, where a request chooses; else None.
        frames: of a medium with frames; its K slots are those of V items one after the other.
    """

    present: tf.Tensor
    num_soft_tokens: tf.Tensor
    finding: Finding
    budgets: tf.Tensor | None = None
    frames: FrameSlots | None = None


class MediumBatch(NamedTuple):
    """Items of a batch.

    Attributes:
        values: float32 [B, K, …]: `pixel_values` or `audio_mel`.
        marks: int32 [B, K, …]: `pixel_position_ids` or `audio_mel_mask`.
        slots: what rows need to know.
    """

    values: tf.Tensor
    marks: tf.Tensor
    slots: Slots


def from_files(
    files: tf.Tensor, budgets: tf.Tensor | None = None, *, medium: Medium, config: Any, parity: str
) -> MediumBatch:
    """Encoded files string [B, K, *file_shape], "" for an empty slot; with or without budgets [B, K]."""
    present = medium.has_files(files)
    chosen = _chosen(budgets, present, config)
    items = medium.encode_files(_flat(files), *_flat_budgets(chosen), config=config, parity=parity)
    return _slotted(items, present, chosen)


def from_arrays(
    arrays: tf.Tensor,
    sizes: tf.Tensor,
    budgets: tf.Tensor | None = None,
    *,
    medium: Medium,
    config: Any,
    parity: str,
    target: Target = TENSORFLOW,
) -> MediumBatch:
    """Items [B, K, *item_shape] with their true sizes int32 [B, K(, axes)], 0 for an empty slot, with or
    without budgets int32 [B, K].

    For static sizes B and K must be known while tracing.
    """
    present = medium.is_filled(sizes)
    chosen = _chosen(budgets, present, config)
    given = (_flat(arrays), _flat(sizes), *_flat_budgets(chosen))
    items = medium.encode_arrays(*given, config=config, parity=parity, target=target)
    return _slotted(items, present, chosen)


def items_of(inputs: Mapping[str, tf.Tensor], *, medium: Medium, config: Any, parity: str) -> MediumBatch:
    """The items of a medium: files string [B, K], or arrays [B, K, …] with their sizes int32, under its
    names.
    """
    items = inputs[medium.argument]
    if items.dtype == tf.string:
        return from_files(items, medium=medium, config=config, parity=parity)
    return from_arrays(items, inputs[medium.sizes], medium=medium, config=config, parity=parity)


def given_budgets(inputs: Mapping[str, tf.Tensor], *, medium: Medium) -> tf.Tensor | None:
    """What a request chooses for the items of a medium, int32 [B, K], or None."""
    return inputs.get(medium.budget) if medium.budget else None


def from_features(
    values: tf.Tensor, marks: tf.Tensor, budgets: tf.Tensor | None = None, *, medium: Medium, config: Any
) -> MediumBatch:
    """Items that went through a converter before: values float32 [B, K, …] and marks int32 [B, K, …], with or
    without budgets int32 [B, K].
    """
    frames = medium.frames and medium.frames(config)
    slots = from_counts(medium.count(marks, config), budgets, config=config, frames=frames)
    return MediumBatch(values, marks, slots)


def from_counts(
    counts: tf.Tensor,
    budgets: tf.Tensor | None = None,
    *,
    config: Any = None,
    frames: int | None = None,
) -> Slots:
    """Slots of items with so many soft tokens int32 [B, K], 0 for an empty slot.

    Args:
        counts: soft tokens; of a medium with frames, those of each frame.
        budgets: int32 [B, K], that the items were converted with; more soft tokens than that are reported.
        config: of the medium, which says which budgets there are.
        frames: how many of them an item is made of; None for a medium without.
    """
    present = counts > 0
    if budgets is not None:
        most, finding = read_budgets(budgets, present, config=config)
        finding = first_finding(finding, check(counts > most, Fault.SOFT_TOKENS, counts, most))
        return Slots(present, counts, finding.of_rows(), most)
    slots = Slots(present, counts, Finding.none(tf.reduce_sum(counts, axis=1)))
    if frames is None:
        return slots
    taken = tf.where(tf.reshape(present, [tf.shape(counts)[0], -1, frames]), tf.range(frames), -1)
    return slots._replace(frames=FrameSlots(taken, tf.reduce_max(taken, axis=2) + 1))


def from_sizes(
    sizes: tf.Tensor,
    budgets: tf.Tensor | None = None,
    *,
    medium: Medium,
    config: Any,
    parity: str,
    target: Target = TENSORFLOW,
) -> Slots:
    """Slots of items of which only the sizes int32 [B, K(, axes)] are known, 0 for an empty slot, with or
    without budgets int32 [B, K].
    """
    present = medium.is_filled(sizes)
    chosen = _chosen(budgets, present, config)
    frames: list[tf.Tensor]
    given = (_flat(sizes), *_flat_budgets(chosen))
    counts, finding, *frames = medium.count_sizes(*given, config=config, parity=parity, target=target)
    return _slots(counts, finding, frames, present, chosen)


def no_slots(lengths: tf.Tensor) -> Slots:
    """K = 0 slots for a batch as large as `lengths` int32 [B]."""
    nothing = tf.zeros_like(lengths)[:, tf.newaxis][:, :0]
    return Slots(tf.cast(nothing, tf.bool), nothing, Finding.none(lengths))


def limit_slots(
    slots: tf.Tensor, present: tf.Tensor, *, medium: Medium, most: int
) -> tuple[tf.Tensor, Finding]:
    """Brings [B, K, …] slots to exactly `most`, and reports the rows that fill more.

    Args:
        slots: [B, K, …] of any dtype.
        present: bool [B, K].
        medium: gives the fault of a row with a filled slot past `most`.
        most: slots wanted.

    Returns:
        [B, most, …], padded with zeros or "", and the finding of each row, [B].
    """
    missing = most - tf.shape(slots)[1]
    paddings = [[0, 0], [0, tf.maximum(missing, 0)]] + [[0, 0]] * (slots.shape.rank - 2)
    nothing = "" if slots.dtype == tf.string else tf.cast(0, slots.dtype)
    padded = tf.cond(
        missing > 0,
        lambda: tf.pad(slots, paddings, constant_values=nothing),
        lambda: slots[:, :most],
    )
    used = tf.reduce_sum(tf.cast(present, tf.int32), axis=1)
    finding = check(tf.reduce_any(present[:, most:], axis=1), medium.limit_fault, used, most)
    return with_shape(padded, [None, most, *slots.shape[2:]]), finding


def _slotted(items: Any, present: tf.Tensor, chosen: Budgets | None) -> MediumBatch:
    """Values, marks, soft tokens and findings of B × K items in the slots of `present` [B, K]."""
    values, marks, counts, finding, *frames = items
    slots = _slots(counts, finding, frames, present, chosen)
    values, marks = _unflat(values, present), _unflat(marks, present)
    if frames:
        values, marks = _joined(values), _joined(marks)
    return MediumBatch(values, marks, slots)


def _joined(frames: tf.Tensor) -> tf.Tensor:
    """[B, V, F, …] -> [B, V × F, …]."""
    shape, (items, each) = tf.shape(frames), frames.shape[1:3]
    joined = tf.reshape(frames, tf.concat([shape[:1], [shape[1] * shape[2]], shape[3:]], axis=0))
    return with_shape(
        joined, [frames.shape[0], None if None in (items, each) else items * each, *frames.shape[3:]]
    )


def _slots(
    counts: tf.Tensor,
    finding: Finding,
    frames: Sequence[tf.Tensor],
    present: tf.Tensor,
    chosen: Budgets | None,
) -> Slots:
    """Soft tokens and findings of B × K items in the slots of `present` [B, K]; `frames` are their `taken`
    and `totals`, or none.
    """
    slotted = Finding(*(_unflat(part, present) for part in finding))
    slotted = first_finding(chosen.finding, slotted) if chosen else slotted
    counts = _unflat(counts, present)
    if not frames:
        return Slots(present, counts, slotted.of_rows(), chosen and chosen.most)
    taken, totals = (_unflat(part, present) for part in frames)
    slots = FrameSlots(taken, totals)
    return Slots(_joined(taken) >= 0, _joined(counts), slotted.of_rows(), frames=slots)


def _chosen(budgets: tf.Tensor | None, present: tf.Tensor, config: Any) -> Budgets | None:
    return None if budgets is None else read_budgets(budgets, present, config=config)


def _flat_budgets(chosen: Budgets | None) -> tuple[tf.Tensor, ...]:
    """The budgets int32 [B × K] as an argument, if there are any."""
    return (_flat(chosen.most),) if chosen else ()


def _flat(slots: tf.Tensor) -> tf.Tensor:
    """[B, K, …] -> [B × K, …]."""
    shape, (rows, columns) = tf.shape(slots), slots.shape[:2]
    flat = tf.reshape(slots, tf.concat([[shape[0] * shape[1]], shape[2:]], axis=0))
    return with_shape(flat, [None if None in (rows, columns) else rows * columns, *slots.shape[2:]])


def _unflat(flat: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
    """[B × K, …] -> [B, K, …], with the B and K of `present`."""
    shape = tf.concat([tf.shape(present), tf.shape(flat)[1:]], axis=0)
    return with_shape(tf.reshape(flat, shape), [*present.shape, *flat.shape[1:]])
