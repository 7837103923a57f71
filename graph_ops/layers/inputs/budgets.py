"""What a call chooses for its items -> int32 [B, K]."""

from typing import Any

import numpy as np
import tensorflow as tf

from graph_ops.layers.inputs.forms import described
from graph_ops.media.medium import Medium


def as_budgets(value: Any, items: tf.Tensor, *, medium: Medium, batched: bool) -> tf.Tensor:
    """Most soft tokens of each item, int32 [B, K].

    Args:
        value: a number for all items; or one for each item of a prompt; in a batch, one or several for each
            prompt. Lists may be ragged; None and 0 are the preprocessor's own.
        items: [B, K, …], files, arrays, their sizes or features.
        medium: of the items.
        batched: whether the prompts had a batch axis.

    Raises:
        TypeError: no whole numbers.
        ValueError: another shape than that of the items, or numbers for more than there are.
    """
    given = tf.convert_to_tensor(_padded(value, medium))
    if not given.dtype.is_integer:
        raise TypeError(
            f"`{medium.budget}`: must be whole numbers; got {described(value)}. Pass one, or one for each of "
            f"`{medium.argument}`."
        )
    rank, slots = given.shape.rank, tf.shape(items)[:2]
    if rank is None or rank > 1 + batched:
        raise ValueError(
            f"`{medium.budget}`: must be one number, or one for each of `{medium.argument}`; got shape "
            f"{given.shape} for {'a batch of prompts' if batched else 'one prompt'}. Reshape it."
        )
    given = tf.cast(given, tf.int32)
    if rank < 1 + batched:  # one number for all items of a prompt
        given = tf.broadcast_to(given[..., tf.newaxis], slots if batched else slots[1:])
    given = given if batched else given[tf.newaxis]
    columns, most = given.shape[1], items.shape[1]
    if columns is not None and most is not None and columns > most:
        raise ValueError(
            f"`{medium.budget}`: must be for items that are there; got {columns} for {most} of "
            f"`{medium.argument}`. Leave some out."
        )
    padded = tf.pad(given, [[0, 0], [0, tf.maximum(slots[1] - tf.shape(given)[1], 0)]])
    return tf.ensure_shape(padded[:, : slots[1]], items.shape[:2])


def _padded(value: Any, medium: Medium) -> Any:
    """Lists of lists as an array, 0 where one is shorter."""
    if not isinstance(value, list | tuple):
        return value
    if not any(isinstance(row, list | tuple) for row in value):
        return [0 if one is None else one for one in value]
    rows = [row if isinstance(row, list | tuple) else [row] for row in value]
    padded = np.zeros((len(rows), max(map(len, rows), default=0)), np.int64)
    for place, row in enumerate(rows):
        whole = [0 if one is None else one for one in row]
        if not all(isinstance(one, int | np.integer) for one in whole):
            raise TypeError(f"`{medium.budget}`: must be whole numbers; got {described(value)}. Round them.")
        padded[place, : len(row)] = whole
    return padded
