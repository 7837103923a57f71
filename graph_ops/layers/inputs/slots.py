"""Media in any form -> slots of a batch of rows."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from graph_ops.layers.inputs.items import is_number, slots_of_lists
from graph_ops.layers.inputs.kinds import CLIP, Kind, check_shape, file_bytes


def as_slots(
    kind: Kind, value: Any, sizes: Any = None, *, rows: int | None, max_slots: int | None
) -> dict[str, tf.Tensor]:
    """The tensors of a medium: files, or arrays with their sizes.

    Args:
        kind: the medium.
        value: files or arrays, alone, in lists, stacked or ragged.
        sizes: of arrays that are padded; by default each is as large as its tensor.
        rows: prompts in the batch, 0 if their number is not known; None for one prompt without batch axis.
        max_slots: slots of a row with ragged lists; None for as many as the longest has.

    Returns:
        By argument, string [B, K]; or `kind.dtype` [B, K, *item] and, under `kind.sizes`, int32 [B, K, 2] or
        [B, K].

    Raises:
        TypeError, ValueError: names the argument, the rule, what was given and how to correct it.
    """
    slots, sizes = _slots(kind, value, sizes, rows, max_slots)
    if sizes is None:
        return {kind.argument: tf.convert_to_tensor(slots, tf.string)}
    return {
        kind.argument: _as_dtype(kind, tf.convert_to_tensor(slots)),
        kind.sizes: tf.convert_to_tensor(sizes, tf.int32),
    }


def is_single(kind: Kind, value: Any) -> bool:
    """Whether a value is one item, with no axis in front."""
    if file_bytes(kind, value) is not None:
        return True
    if hasattr(value, "dtype"):
        return len(value.shape) == (0 if value.dtype == tf.string else kind.rank)
    return isinstance(value, Sequence) and is_number(next(iter(value), None))


def _slots(kind: Kind, value: Any, sizes: Any, rows: int | None, max_slots: int | None) -> tuple[Any, Any]:
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "OU":
        value = value.tolist()
    file = file_bytes(kind, value)
    value = value if file is None else file
    if isinstance(value, tf.RaggedTensor):
        check_shape(kind, value.shape, most_rows=0)
        return _from_ragged(kind, value, rows is not None, max_slots)
    if file is None and not hasattr(value, "dtype"):
        listed = list(value) if rows is not None and isinstance(value, Iterable) else [value]
        return slots_of_lists(kind, listed, max_slots=max_slots or 0)
    array = tf.convert_to_tensor(value)
    if array.dtype == tf.string:
        return _with_axes(kind, array, 0, rows is not None), None
    check_shape(kind, array.shape, most_rows=max(max_slots or 0, rows or 0))
    array = _with_axes(kind, array, kind.rank, rows is not None)
    if sizes is None:
        return array, _full_sizes(kind, array)
    return array, _with_axes(kind, tf.cast(sizes, tf.int32), kind.rank // 2, rows is not None)


def _full_sizes(kind: Kind, slots: tf.Tensor) -> tf.Tensor:
    """Sizes of slots that are all as large as their tensor: int32 [B, I, 2] or [B, A]."""
    shape = tf.shape(slots)
    return (
        tf.fill(shape[:2], shape[2])
        if kind is CLIP
        else tf.broadcast_to(shape[2:4], tf.concat([shape[:2], [2]], axis=0))
    )


def _with_axes(kind: Kind, slots: tf.Tensor, item_rank: int, batched: bool) -> tf.Tensor:
    """Adds the axes that are missing in front of an item: [B, K, item]. One axis means K slots unbatched, one
    a row batched.
    """
    extra = -1 if slots.shape.rank is None else slots.shape.rank - item_rank
    if extra not in (0, 1, 2) or (extra == 2 and not batched):
        raise ValueError(
            f"`{kind.argument}`: must be items, after at most a slot axis and, for a batch of prompts, a "
            f"batch axis ({kind.item}); got shape {slots.shape} for "
            f"{'a batch of prompts' if batched else 'one prompt'}. Reshape it."
        )
    if extra == 0:
        slots = slots[tf.newaxis]
    return slots if extra == 2 else slots[:, tf.newaxis] if batched else slots[tf.newaxis]


def _as_dtype(kind: Kind, slots: tf.Tensor) -> tf.Tensor:
    """Pixels of any dtype, if they are whole and in 0…255; samples of any float dtype."""
    if slots.dtype == kind.dtype:
        return slots
    if kind is CLIP and slots.dtype.is_floating:
        return tf.cast(slots, tf.float32)
    if kind is CLIP:
        raise TypeError(
            f"`audio`: samples must be floats in -1…1; got {slots.dtype.name}. Divide by the largest "
            f"magnitude, for int16 `samples.astype('float32') / 32768`."
        )
    pixels = tf.cast(slots, tf.uint8)
    whole = tf.reduce_all(tf.equal(tf.cast(pixels, slots.dtype), slots))
    rule = (
        f"`images`: pixels must be whole numbers in 0…255; got {slots.dtype.name} with others. "
        "Scale to 0…255, round, pass uint8."
    )
    if tf.executing_eagerly():
        if not bool(whole):
            raise ValueError(rule)
        return pixels
    with tf.control_dependencies([tf.debugging.Assert(whole, [rule])]):
        return tf.identity(pixels)


def _from_ragged(
    kind: Kind, value: tf.RaggedTensor, batched: bool, max_slots: int | None
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Ragged slots to padded ones and their sizes; a ragged tensor without slot axis holds one item a row."""
    item_rank = 0 if value.dtype == tf.string else kind.rank
    value = value if batched else tf.expand_dims(value, 0)
    value = tf.expand_dims(value, 1) if value.shape.rank == item_rank + 1 else value
    slots = value.to_tensor(shape=[None, max_slots, *[None] * item_rank])
    if item_rank == 0:
        return slots, None
    lengths = _dense(value.row_lengths(axis=2), max_slots)
    if kind is CLIP:
        return slots, lengths
    widths = value.row_lengths(axis=3) if value.ragged_rank >= 3 else None
    widths = (
        lengths * 0 + tf.shape(slots)[3]
        if widths is None
        else _dense(tf.reduce_max(widths, axis=2), max_slots)
    )
    return slots, tf.stack([lengths, tf.where(lengths > 0, widths, 0)], axis=-1)


def _dense(lengths: tf.Tensor | tf.RaggedTensor, max_slots: int | None) -> tf.Tensor:
    """Sizes int32 [B, max_slots], 0 in the slots that a row lacks."""
    lengths = tf.cast(lengths, tf.int32)
    if isinstance(lengths, tf.RaggedTensor):
        return lengths.to_tensor(shape=[None, max_slots])
    return lengths if max_slots is None else tf.pad(lengths, [[0, 0], [0, max_slots - tf.shape(lengths)[1]]])
