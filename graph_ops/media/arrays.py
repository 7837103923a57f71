"""Items of different sizes side by side in one NumPy array, as signatures take them."""

from collections.abc import Sequence

import numpy as np

from graph_ops.media.medium import Medium


def unknown_options(medium: Medium, *, rows: int, slots: int) -> dict[str, np.ndarray]:
    """The medium's options where nothing is said: [B, K, …] each, an axis that varies of length 1."""
    return {
        option.name: np.full(
            (rows, slots, *(size or 1 for size in option.shape)),
            option.unknown,
            option.dtype.as_numpy_dtype,
        )
        for option in medium.options
    }


def pack_items(
    rows: Sequence[Sequence[np.ndarray]], *, medium: Medium, slots: int
) -> tuple[np.ndarray, np.ndarray]:
    """Pads the items of each row to the largest of all, and the rows to as many slots.

    Args:
        rows: B rows of at most `slots` items of the medium's shape.
        medium: of the items.
        slots: K.

    Returns:
        Items [B, K, *largest, …], each from index 0 on, of a dtype that holds all of them; the medium's own
        dtype if there are none. True sizes int32 [B, K, axes], or [B, K] where one axis varies; 0 for an
        empty slot.
    """
    items = [item for row in rows for item in row]
    varying = medium.varying
    dtype = np.result_type(*items) if items else medium.dtype.as_numpy_dtype
    largest = np.max([item.shape[:varying] for item in items], axis=0) if items else (1,) * varying
    packed = np.zeros((len(rows), slots, *largest, *medium.item_shape[varying:]), dtype)
    sizes = np.zeros((len(rows), slots, varying), np.int32)
    for b, row in enumerate(rows):
        for k, item in enumerate(row):
            packed[b, k][tuple(map(slice, item.shape[:varying]))] = item
            sizes[b, k] = item.shape[:varying]
    return packed, sizes if varying > 1 else sizes[..., 0]
