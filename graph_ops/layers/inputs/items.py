"""Lists of files or arrays -> padded slots and the true size of each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from graph_ops.layers.inputs.forms import check_shape, described, file_bytes
from graph_ops.layers.inputs.videos import videos_of
from graph_ops.media.arrays import pack_items
from graph_ops.media.medium import Medium


def slots_of_lists(
    rows: list[Any], *, medium: Medium, max_slots: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Slots of rows that each hold nothing, an item, or a list of items.

    Args:
        rows: of B prompts.
        medium: of the items.
        max_slots: slots of a row where rows or items differ.

    Returns:
        Files, an object array [B, K] with b"" in an empty slot, and None; or arrays [B, K, *item] and their
        sizes int32 [B, K, 2] for images, [B, K] for clips.

    Raises:
        TypeError, ValueError: names the argument, the rule, what was given and how to correct it.
    """
    listed = [_items(row, medium=medium, most_rows=max(max_slots, len(rows))) for row in rows]
    items = [item for row in listed for item in row]
    uniform = len({len(row) for row in listed}) == 1 and len({np.shape(item) for item in items}) <= 1
    slots = len(listed[0]) if uniform else max(max_slots, *(len(row) for row in listed), 0)
    files = [isinstance(item, bytes | list) for item in items]
    if all(files):
        return _packed_files(listed, medium=medium, slots=slots), None
    if any(files):
        raise TypeError(
            f"`{medium.argument}`: files and arrays must not be mixed in one call; {medium.item}. Decode the "
            f"files or encode the arrays."
        )
    return pack_items(listed, medium=medium, slots=slots)


def _packed_files(rows: list[list[Any]], *, medium: Medium, slots: int) -> np.ndarray:
    """Object array [B, K] of files, or [B, K, T] of those of frames, b"" where there is none."""
    longest = max((len(item) for row in rows for item in row if isinstance(item, list)), default=0)
    shape = (len(rows), slots, longest) if medium.frames else (len(rows), slots)
    packed = np.full(shape, b"", dtype=object)
    for b, row in enumerate(rows):
        for k, item in enumerate(row):
            if isinstance(item, list):
                packed[b, k, : len(item)] = item
            else:
                packed[b, k] = medium.decode_on_host(item)
    return packed


def is_number(value: Any) -> bool:
    """Whether a value is a number of Python or NumPy."""
    return isinstance(value, int | float | np.number)


def _items(row: Any, *, medium: Medium, most_rows: int) -> list[Any]:
    """One row's media as a list of bytes or arrays of the item's rank."""
    if row is None:
        return []
    if medium.frames:
        return videos_of(row, medium=medium, most_rows=most_rows)
    if (file := file_bytes(row, medium=medium)) is not None:
        return [file]
    if isinstance(row, Sequence) and not (row and is_number(row[0])):
        return [item for entry in row for item in _items(entry, medium=medium, most_rows=most_rows)]
    array = np.asarray(row)
    if array.dtype == object:
        raise TypeError(f"`{medium.argument}`: {medium.item}; got {described(row)}. Convert it.")
    check_shape(tf.TensorShape(array.shape), medium=medium, most_rows=most_rows)
    rank = len(medium.item_shape)
    if array.ndim not in (rank, rank + 1):
        raise ValueError(
            f"`{medium.argument}`: {medium.item}; got an array of shape {array.shape}. Reshape it."
        )
    return [array] if array.ndim == rank else list(array)
