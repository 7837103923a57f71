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
    size = len(dialogues), max(map(len, dialogues), default=0)
    strings = {name: _empty(*size) for name in ("roles", "names", "thoughts")}
    lists = {
        name: _empty(*size, max((len(getattr(each, name)) for row in dialogues for each in row), default=0))
        for name in ("parts", "calls", "responses")
    }
    part_types = np.full_like(lists["parts"], "")
    roles, parts = strings["roles"], lists["parts"]
    for row, messages in enumerate(dialogues):
        for column, message in enumerate(messages):
            roles[row, column] = message.role
            for place, (kind, text) in enumerate(message.parts):
                part_types[row, column, place] = kind
                parts[row, column, place] = text
            _put_in(message, strings, lists, (row, column))
    listed = _empty(len(tools), max(map(len, tools), default=0))
    for row, native in enumerate(tools):
        listed[row, : len(native)] = native
    return Dialogues(
        **{name: _strings(array) for name, array in strings.items()},
        parts=_strings(lists["parts"]),
        part_types=_strings(part_types),
        calls=_native(lists["calls"]),
        responses=_native(lists["responses"]),
        tools=_native(listed),
        **{name: _switch(name, switches[name], len(dialogues)) for name in SWITCHES},
    )


def _put_in(
    message: Message, strings: dict[str, np.ndarray], lists: dict[str, np.ndarray], at: tuple[int, int]
) -> None:
    """Puts in what few messages have."""
    if message.name:
        strings["names"][at] = message.name
    if message.thought:
        strings["thoughts"][at] = message.thought
    if message.calls:
        lists["calls"][at][: len(message.calls)] = message.calls
    if message.responses:
        lists["responses"][at][: len(message.responses)] = message.responses


def _empty(*shape: int) -> np.ndarray:
    return np.full(shape, "", object)


def _switch(name: str, value: Any, rows: int) -> tf.Tensor:
    """Bool [B]."""
    flags = np.asarray(value)
    if flags.dtype != bool or flags.shape not in ((), (rows,)):
        raise ValueError(
            f"`{name}`: must be True or False, one for all dialogues or one for each of {rows}; got "
            f"{value!r}. Pass such."
        )
    return tf.constant(np.broadcast_to(flags, [rows]))


def _strings(array: np.ndarray) -> tf.Tensor:
    return as_texts(array, "messages", most_axes=None)


def _native(array: np.ndarray) -> tf.Tensor:
    """The same of native text, in which a quote may be a mark, a string that is not Unicode."""
    if not array.size:
        return tf.zeros(array.shape, tf.string)
    encoded = [text.encode("utf-8", "surrogateescape") for text in array.ravel()]
    return tf.constant(encoded, tf.string, shape=array.shape)
