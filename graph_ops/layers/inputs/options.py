"""What is said of items besides their sizes, in any form -> tensors with a batch axis."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from graph_ops.layers.inputs.forms import quoted
from graph_ops.media.medium import Medium, Option


def as_options(given: Mapping[str, Any], *, medium: Medium, batched: bool) -> dict[str, tf.Tensor]:
    """The medium's options among the inputs of a call, by name: [B, V, …] each.

    Args:
        given: the inputs; an option is of one item, or has an axis for items, and in a batch one for rows
            before that; lists may be ragged and hold None.
        medium: gives the options.
        batched: whether there is an axis for rows.

    Raises:
        TypeError, ValueError: names the option, the rule, what was given and how to correct it.
    """
    options = (option for option in medium.options if option.name in given)
    return {option.name: _option(given[option.name], option, batched) for option in options}


def _option(value: Any, option: Option, batched: bool) -> tf.Tensor:
    axes = len(option.shape)
    if not isinstance(value, Sequence):
        tensor = tf.cast(tf.convert_to_tensor(value), option.dtype)
        tensor = tensor if batched or tensor.shape.rank is None else tensor[tf.newaxis]
        if tensor.shape.rank == axes + 1:
            tensor = tf.expand_dims(tensor, 1)
        if tensor.shape.rank != axes + 2:
            raise _wrong_form(value, option)
        return tensor
    rows = list(value) if batched else [value]
    return _packed([[*_items(row, axes, option)] for row in rows], option)


def _items(row: Any, axes: int, option: Option) -> list[Any]:
    """What is said of each item of a row: a list of numbers, or of lists of numbers."""
    if row is None:
        return []
    depth = _depth(row)
    if depth == axes:
        return [row]
    if depth != axes + 1:
        raise _wrong_form(row, option)
    return list(row)


def _packed(rows: list[list[Any]], option: Option) -> tf.Tensor:
    slots = max((len(row) for row in rows), default=0)
    longest = max((len(item or ()) for row in rows for item in row), default=0) if option.shape else 0
    shape = (len(rows), slots, longest) if option.shape else (len(rows), slots)
    packed = np.full(shape, option.unknown, option.dtype.as_numpy_dtype)
    for b, row in enumerate(rows):
        for k, item in enumerate(row):
            if item is None:
                continue
            if option.shape:
                packed[b, k, : len(item)] = item
            else:
                packed[b, k] = item
    return tf.constant(packed)


def _depth(value: Any) -> int:
    """Axes of a number, a list or an array; of a list those of its first entry that is not None."""
    if hasattr(value, "shape"):
        return len(value.shape)
    if not isinstance(value, Sequence):
        return 0
    return 1 + max((_depth(each) for each in value if each is not None), default=0)


def _wrong_form(value: Any, option: Option) -> ValueError:
    one = "a list of numbers" if option.shape else "a number"
    return ValueError(
        f"`{option.name}`: must be {one} for each video, in a list for each prompt of a batch; got "
        f"{quoted(value)}. Reshape it."
    )
