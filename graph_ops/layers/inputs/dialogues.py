"""Dialogues as Python holds them -> string tensors with a batch axis."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from graph_ops.chat.dialogue import Dialogues
from graph_ops.layers.inputs.messages import Message
from graph_ops.layers.inputs.texts import as_texts

SWITCHES = ("add_generation_prompt", "enable_thinking", "preserve_thinking")


def as_dialogues(
    dialogues: Sequence[Sequence[Message]], tools: Sequence[Sequence[str]], switches: dict[str, Any]
) -> Dialogues:
    """The tensors of B dialogues.

    Args:
        dialogues: their messages.
        tools: of each dialogue, the native text of its tools.
        switches: each of `SWITCHES`, one for all or one a dialogue.

    Raises:
        ValueError: a string that is not Unicode, or another number of switches than of dialogues.
    """
    parts = [[[text for _, text in message.parts] for message in each] for each in dialogues]
    types = [[[kind for kind, _ in message.parts] for message in each] for each in dialogues]
    return Dialogues(
        roles=_strings([[message.role for message in each] for each in dialogues], axes=2),
        parts=_strings(parts, axes=3),
        part_types=_strings(types, axes=3),
        names=_strings([[message.name for message in each] for each in dialogues], axes=2),
        thoughts=_strings([[message.thought for message in each] for each in dialogues], axes=2),
        calls=_native([[message.calls for message in each] for each in dialogues], axes=3),
        responses=_native([[message.responses for message in each] for each in dialogues], axes=3),
        tools=_native(tools, axes=2),
        **{name: _switch(name, switches[name], len(dialogues)) for name in SWITCHES},
    )


def _switch(name: str, value: Any, rows: int) -> tf.Tensor:
    """Bool [B]."""
    flags = np.asarray(value)
    if flags.dtype != bool or flags.shape not in ((), (rows,)):
        raise ValueError(
            f"`{name}`: must be True or False, one for all dialogues or one for each of {rows}; got "
            f"{value!r}. Pass such."
        )
    return tf.constant(np.broadcast_to(flags, [rows]))


def _strings(nested: Any, *, axes: int) -> tf.Tensor:
    """Lists of lists of strings as one tensor, filled up with ""."""
    return as_texts(_array(nested, axes), "messages", most_axes=None)


def _native(nested: Any, *, axes: int) -> tf.Tensor:
    """The same of native text, in which a quote may be a mark (see `QUOTE_MARK`)."""
    array = _array(nested, axes)
    encoded = [text.encode("utf-8", "surrogateescape") for text in array.ravel()]
    return tf.constant(encoded, tf.string, shape=array.shape) if encoded else tf.zeros(array.shape, tf.string)


def _array(nested: Any, axes: int) -> np.ndarray:
    shape = [0] * axes
    _widen(nested, shape, 0)
    array = np.full(shape, "", object)
    _fill(array, nested)
    return array


def _widen(nested: Any, shape: list[int], axis: int) -> None:
    shape[axis] = max(shape[axis], len(nested))
    if axis + 1 < len(shape):
        for inner in nested:
            _widen(inner, shape, axis + 1)


def _fill(array: np.ndarray, nested: Any) -> None:
    for place, inner in enumerate(nested):
        if array.ndim > 1:
            _fill(array[place], inner)
        else:
            array[place] = inner
