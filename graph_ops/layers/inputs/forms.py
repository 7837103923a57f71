"""What one item of a medium looks like, and what is said of one that looks otherwise."""

import os
from typing import Any

import tensorflow as tf

from graph_ops.media.medium import Medium

_MOST_CHANNELS = 8
_QUOTED = 40  # characters of a value that a message quotes


def file_bytes(value: Any, *, medium: Medium) -> bytes | None:
    """A file's bytes, or None for what is no file.

    Raises:
        TypeError: a path or URL in place of a file.
    """
    if isinstance(value, str | os.PathLike):
        raise TypeError(
            f"`{medium.argument}`: a file must be given by its bytes; got the {_name_of(value)} "
            f"{quoted(os.fspath(value))}. Read the file first, for example with "
            "`pathlib.Path(path).read_bytes()`."
        )
    if isinstance(value, bytearray) or (isinstance(value, memoryview) and value.ndim == 1):
        value = bytes(value)
    return value if isinstance(value, bytes) else None


def check_shape(shape: tf.TensorShape, *, medium: Medium, most_rows: int) -> None:
    """Whether an array can hold items of a medium, as far as its static shape tells.

    Args:
        shape: of one item, or with axes for slots and rows in front.
        medium: of the items.
        most_rows: the longest that such an axis may be.

    Raises:
        ValueError: pixels without three channels last, or samples with channels last.
    """
    if shape.rank is None:
        raise ValueError(
            f"`{medium.argument}`: must have a known rank; {medium.item}, after axes for rows and slots. Set "
            f"it with `tf.ensure_shape`, None for sizes that vary."
        )
    rank = len(medium.item_shape)
    if rank >= 3 and shape.rank >= 3 and shape[-1] not in (medium.item_shape[-1], None):
        raise ValueError(
            f"`{medium.argument}`: {'an image' if rank == 3 else 'a frame'} must have 3 channels; got shape "
            f"{tuple(shape)}. {_to_three(shape)}"
        )
    if rank == 1 and shape.rank >= 2 and None not in shape[-2:]:
        channels = shape[-1]
        if 2 <= channels <= _MOST_CHANNELS and shape[-2] > max(most_rows, _MOST_CHANNELS):
            raise ValueError(
                f"`{medium.argument}`: a clip must be mono, float32 [T]; got shape {tuple(shape)}, as of "
                f"{channels} channels. Mix them down, for example with `clip.mean(axis=-1)`."
            )


def quoted(value: Any) -> str:
    """A value for a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"


def described(value: Any) -> str:
    """What a value is, without what it holds."""
    name = type(value).__name__
    if not hasattr(value, "dtype"):
        return name
    return f"{name} of dtype {getattr(value.dtype, 'name', value.dtype)} and shape {value.shape}"


def _to_three(shape: tf.TensorShape) -> str:
    if shape[-1] == 4:
        return (
            "Composite RGBA over a colour, for example with Pillow's "
            "`Image.alpha_composite(Image.new('RGBA', image.size, 'white'), image).convert('RGB')`, or pass "
            "the file."
        )
    if shape[-1] == 1:
        return "Repeat the grey channel, `np.repeat(image, 3, axis=-1)`."
    if shape[-3] == 3:
        return "Move the channels to the end, `np.moveaxis(image, -3, -1)`."
    return "Convert it to RGB; a grey image needs its value three times."


def _name_of(value: Any) -> str:
    return "path" if isinstance(value, os.PathLike) else "string"
