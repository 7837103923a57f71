"""Media in any form -> slots of a batch of rows."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from graph_ops.layers.inputs.forms import check_shape, file_bytes
from graph_ops.layers.inputs.items import is_number, slots_of_lists
from graph_ops.layers.inputs.videos import check_ragged, is_one_video, videos_of
from graph_ops.media.medium import Medium


def as_slots(
    value: Any, sizes: Any = None, *, medium: Medium, rows: int | None, max_slots: int | None
) -> dict[str, tf.Tensor]:
    """The tensors of a medium: files, or arrays with their sizes.

    Args:
        value: files or arrays, alone, in lists, stacked or ragged.
        sizes: of arrays that are padded; by default each is as large as its tensor.
        medium: of the items.
        rows: prompts in the batch, 0 if their number is not known; None for one prompt without batch axis.
        max_slots: slots of a row with ragged lists; None for as many as the longest has.

    Returns:
        By argument, string [B, K]; or the medium's dtype [B, K, *item] and, under the sizes' name, int32 [B,
        K, 2] or [B, K].

    Raises:
        TypeError, ValueError: names the argument, the rule, what was given and how to correct it.
    """
    slots, sizes = _slots(medium, value, sizes, rows, max_slots)
    if sizes is None:
        return {medium.argument: tf.convert_to_tensor(slots, tf.string)}
    return {
        medium.argument: _as_dtype(medium, tf.convert_to_tensor(slots)),
        medium.sizes: tf.convert_to_tensor(sizes, tf.int32),
    }


def is_single(value: Any, *, medium: Medium) -> bool:
    """Whether a value is one item, with no axis in front."""
    if file_bytes(value, medium=medium) is not None:
        return True
    if hasattr(value, "dtype"):
        is_files = value.dtype == tf.string
        return len(value.shape) == len(medium.file_shape if is_files else medium.item_shape)
    if medium.frames:
        return len(videos_of(value, medium=medium, most_rows=0)) == 1 and is_one_video(value, medium=medium)
    return isinstance(value, Sequence) and is_number(next(iter(value), None))


def _slots(
    medium: Medium, value: Any, sizes: Any, rows: int | None, max_slots: int | None
) -> tuple[Any, Any]:
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "OU":
        value = value.tolist()
    file = file_bytes(value, medium=medium)
    value = value if file is None else medium.decode_on_host(file)
    if file is not None and medium.frames:
        (frames,) = videos_of(file, medium=medium, most_rows=0)
        value = tf.constant(frames)
    if isinstance(value, tf.RaggedTensor):
        check_ragged(medium)
        check_shape(value.shape, medium=medium, most_rows=0)
        return _from_ragged(medium, value, rows is not None, max_slots)
    if file is None and not hasattr(value, "dtype"):
        listed = list(value) if rows is not None and isinstance(value, Iterable) else [value]
        return slots_of_lists(listed, medium=medium, max_slots=max_slots or 0)
    array = tf.convert_to_tensor(value)
    if array.dtype == tf.string:
        return _with_axes(medium, array, len(medium.file_shape), rows is not None), None
    check_shape(array.shape, medium=medium, most_rows=max(max_slots or 0, rows or 0))
    array = _with_axes(medium, array, len(medium.item_shape), rows is not None)
    if sizes is None:
        return array, _full_sizes(medium, array)
    return array, _with_axes(medium, tf.cast(sizes, tf.int32), int(medium.varying > 1), rows is not None)


def _full_sizes(medium: Medium, slots: tf.Tensor) -> tf.Tensor:
    """Sizes of slots that are all as large as their tensor: int32 [B, K, axes], or [B, K] for one axis."""
    shape = tf.shape(slots)
    size = shape[2 : 2 + medium.varying]
    sizes = tf.broadcast_to(size, tf.concat([shape[:2], [medium.varying]], axis=0))
    return sizes if medium.varying > 1 else sizes[..., 0]


def _with_axes(medium: Medium, slots: tf.Tensor, item_rank: int, batched: bool) -> tf.Tensor:
    """Adds the axes that are missing in front of an item: [B, K, item]. One axis means K slots unbatched, one
    a row batched.
    """
    extra = -1 if slots.shape.rank is None else slots.shape.rank - item_rank
    if extra not in (0, 1, 2) or (extra == 2 and not batched):
        raise ValueError(
            f"`{medium.argument}`: must be items, after at most a slot axis and, for a batch of prompts, a "
            f"batch axis ({medium.item}); got shape {slots.shape} for "
            f"{'a batch of prompts' if batched else 'one prompt'}. Reshape it."
        )
    if extra == 0:
        slots = slots[tf.newaxis]
    return slots if extra == 2 else slots[:, tf.newaxis] if batched else slots[tf.newaxis]


def _as_dtype(medium: Medium, slots: tf.Tensor) -> tf.Tensor:
    """Pixels of any dtype if their values are whole and in 0…255; samples of any float dtype."""
    if slots.dtype == medium.dtype:
        return slots
    return _as_floats(medium, slots) if medium.dtype.is_floating else _as_whole_numbers(medium, slots)


def _as_floats(medium: Medium, slots: tf.Tensor) -> tf.Tensor:
    if not slots.dtype.is_floating:
        raise TypeError(
            f"`{medium.argument}`: samples must be floats in -1…1; got {slots.dtype.name}. Divide by the "
            "largest magnitude, for int16 `samples.astype('float32') / 32768`."
        )
    return tf.cast(slots, medium.dtype)


def _as_whole_numbers(medium: Medium, slots: tf.Tensor) -> tf.Tensor:
    pixels = tf.cast(slots, medium.dtype)
    whole = tf.reduce_all(tf.equal(tf.cast(pixels, slots.dtype), slots))
    rule = (
        f"`{medium.argument}`: pixels must be whole numbers in 0…255; got {slots.dtype.name} with others. "
        "Scale to 0…255, round, pass uint8."
    )
    if tf.executing_eagerly():
        if not bool(whole):
            raise ValueError(rule)
        return pixels
    with tf.control_dependencies([tf.debugging.Assert(whole, [rule])]):
        return tf.identity(pixels)


def _from_ragged(
    medium: Medium, value: tf.RaggedTensor, batched: bool, max_slots: int | None
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Ragged slots to padded ones and their sizes; a ragged tensor without slot axis holds one item a row."""
    item_rank = 0 if value.dtype == tf.string else len(medium.item_shape)
    value = value if batched else tf.expand_dims(value, 0)
    value = tf.expand_dims(value, 1) if value.shape.rank == item_rank + 1 else value
    slots = value.to_tensor(shape=[None, max_slots, *[None] * item_rank])
    if item_rank == 0:
        return slots, None
    lengths = _dense(value.row_lengths(axis=2), max_slots)
    if medium.varying == 1:
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
