"""Lists of files or arrays -> padded slots and the true size of each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from graph_ops.layers.inputs.kinds import IMAGE, Kind, check_shape, described, file_bytes


def slots_of_lists(kind: Kind, rows: list[Any], *, max_slots: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Slots of rows that each hold nothing, an item, or a list of items.

    Args:
        kind: the medium.
        rows: of B prompts.
        max_slots: slots of a row where rows or items differ.

    Returns:
        Files, an object array [B, K] with b"" in an empty slot, and None; or arrays [B, K, *item] and their
        sizes int32 [B, K, 2] for images, [B, K] for clips.

    Raises:
        TypeError, ValueError: names the argument, the rule, what was given and how to correct it.
    """
    listed = [_items(kind, row, most_rows=max(max_slots, len(rows))) for row in rows]
    items = [item for row in listed for item in row]
    uniform = len({len(row) for row in listed}) == 1 and len({np.shape(item) for item in items}) <= 1
    slots = len(listed[0]) if uniform else max(max_slots, *(len(row) for row in listed), 0)
    files = [isinstance(item, bytes) for item in items]
    if all(files):
        padded = [row + [b""] * (slots - len(row)) for row in listed]
        return np.array(padded, dtype=object).reshape(len(listed), slots), None
    if any(files):
        raise TypeError(
            f"`{kind.argument}`: files and arrays must not be mixed in one call; {kind.item}. Decode the "
            f"files or encode the arrays."
        )
    return _padded(kind, listed, slots)


def is_number(value: Any) -> bool:
    """Whether a value is a number of Python or NumPy."""
    return isinstance(value, int | float | np.number)


def _items(kind: Kind, row: Any, *, most_rows: int) -> list[Any]:
    """One row's media as a list of bytes or arrays of the item's rank."""
    if row is None:
        return []
    if (file := file_bytes(kind, row)) is not None:
        return [file]
    if isinstance(row, Sequence) and not (row and is_number(row[0])):
        return [item for entry in row for item in _items(kind, entry, most_rows=most_rows)]
    array = np.asarray(row)
    if array.dtype == object:
        raise TypeError(f"`{kind.argument}`: {kind.item}; got {described(row)}. Convert it.")
    check_shape(kind, tf.TensorShape(array.shape), most_rows=most_rows)
    if array.ndim not in (kind.rank, kind.rank + 1):
        raise ValueError(f"`{kind.argument}`: {kind.item}; got an array of shape {array.shape}. Reshape it.")
    return [array] if array.ndim == kind.rank else list(array)


def _padded(kind: Kind, rows: list[list[np.ndarray]], slots: int) -> tuple[np.ndarray, np.ndarray]:
    items = [item for row in rows for item in row]
    sized = kind.rank - (kind is IMAGE)  # axes that vary: height and width, or time
    largest = np.max([item.shape[:sized] for item in items], axis=0)
    padded = np.zeros((len(rows), slots, *largest, *items[0].shape[sized:]), np.result_type(*items))
    sizes = np.zeros((len(rows), slots, sized), np.int32)
    for b, row in enumerate(rows):
        for k, item in enumerate(row):
            box: Any = (b, k, *(slice(size) for size in item.shape[:sized]))
            padded[box] = item
            sizes[b, k] = item.shape[:sized]
    return padded, sizes if kind is IMAGE else sizes[..., 0]
