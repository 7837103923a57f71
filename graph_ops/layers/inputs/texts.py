"""Prompts and responses as string tensors."""

from typing import Any

import numpy as np
import tensorflow as tf

from graph_ops.layers.inputs.forms import described


def as_texts(value: Any, name: str, *, most_axes: int | None = 1) -> tf.Tensor:
    """A string, or strings in a list, array or tensor: string [] or [B]; of any rank with `most_axes` None.

    Raises:
        TypeError: no strings.
        ValueError: another rank, or a string that is not Unicode.
    """
    try:
        texts = tf.convert_to_tensor(_with_bytes(value), tf.string)
    except (TypeError, ValueError):
        _check_surrogates(value, name)
        raise TypeError(
            f"`{name}`: must be a string or a list of strings; got {described(value)}. Convert it to strings."
        ) from None
    rank = texts.shape.rank
    if rank is None:
        raise ValueError(
            f"`{name}`: must have a known rank. Set it, for example with `tf.ensure_shape(x, [None])`."
        )
    if most_axes is not None and rank > most_axes:
        raise ValueError(f"`{name}`: must have rank 0 or 1; got rank {rank}. Flatten it to one text a row.")
    return texts


def as_responses(value: Any, prompts: tf.Tensor) -> tf.Tensor:
    """Responses to prompts string [] or [B], of the same shape.

    Raises:
        TypeError: no strings.
        ValueError: another number than of prompts.
    """
    responses = as_texts(value, "responses")
    if not responses.shape.is_compatible_with(prompts.shape):
        raise ValueError(
            f"`responses`: there must be one for each prompt; got {_count(responses)} for "
            f"{_count(prompts)}. Pass as many as prompts."
        )
    return responses


def _with_bytes(value: Any) -> Any:
    """The same with `bytes` in place of the other buffers of bytes, which TensorFlow does not take."""
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    nested = bytearray | memoryview | list | tuple
    if isinstance(value, list | tuple) and any(isinstance(item, nested) for item in value):
        return [_with_bytes(item) for item in value]
    return value


def _check_surrogates(value: Any, name: str) -> None:
    items = value.ravel().tolist() if isinstance(value, np.ndarray) else value
    for text in items if isinstance(items, list | tuple) else [items]:
        for index, character in enumerate(text if isinstance(text, str) else ""):
            if "\ud800" <= character <= "\udfff":
                raise ValueError(
                    f"`{name}`: must be Unicode, which has no lone surrogates; got {character!r} as "
                    f"character {index}. Replace it, for example with `text.encode('utf-8', "
                    "'replace').decode()`."
                )


def _count(texts: tf.Tensor) -> str:
    return "one string" if texts.shape.rank == 0 else f"{texts.shape[0]} strings"
