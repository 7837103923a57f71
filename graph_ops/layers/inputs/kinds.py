"""What one item of a medium looks like, and what is said of one that looks otherwise."""

import os
from typing import Any, NamedTuple

import tensorflow as tf


class Kind(NamedTuple):
    """How one medium looks: argument, key of its sizes, rank of one item, dtype of an item, and what an item
    is called.
    """

    argument: str
    sizes: str
    rank: int
    dtype: tf.DType
    item: str


IMAGE = Kind("images", "image_sizes", 3, tf.uint8, "an image is uint8 [H, W, 3] or the bytes of a file")
CLIP = Kind(
    "audio", "audio_lengths", 1, tf.float32, "a clip is float32 [T] in -1…1 or the bytes of a WAV file"
)

_MOST_CHANNELS = 8
_QUOTED = 40  # characters of a value that a message quotes


def file_bytes(kind: Kind, value: Any) -> bytes | None:
    """A file's bytes, or None for what is no file.

    Raises:
        TypeError: a path or URL in place of a file.
    """
    if isinstance(value, str | os.PathLike):
        raise TypeError(
            f"`{kind.argument}`: a file must be given by its bytes; got the {_name_of(value)} "
            f"{quoted(os.fspath(value))}. Read the file first, for example with "
            f"`pathlib.Path(path).read_bytes()`."
        )
    if isinstance(value, bytearray) or (isinstance(value, memoryview) and value.ndim == 1):
        return bytes(value)
    return value if isinstance(value, bytes) else None


def check_shape(kind: Kind, shape: tf.TensorShape, *, most_rows: int) -> None:
    """Whether an array can hold items of this kind, as far as its static shape tells.

    Args:
        kind: the medium.
        shape: of one item, or with axes for slots and rows in front.
        most_rows: the longest that such an axis may be.

    Raises:
        ValueError: pixels without three channels last, or samples with channels last.
    """
    if shape.rank is None:
        raise ValueError(
            f"`{kind.argument}`: must have a known rank; {kind.item}, after axes for rows and slots. Set "
            f"it with `tf.ensure_shape`, None for sizes that vary."
        )
    if kind is IMAGE and shape.rank >= 3 and shape[-1] not in (3, None):
        raise ValueError(
            f"`images`: an image must have 3 channels; got shape {tuple(shape)}. {_to_three(shape)}"
        )
    if kind is CLIP and shape.rank >= 2 and None not in shape[-2:]:
        channels = shape[-1]
        if 2 <= channels <= _MOST_CHANNELS and shape[-2] > max(most_rows, _MOST_CHANNELS):
            raise ValueError(
                f"`audio`: a clip must be mono, float32 [T]; got shape {tuple(shape)}, as of {channels} "
                f"channels. Mix them down, for example with `clip.mean(axis=-1)`."
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
        return "Convert RGBA to RGB, for example with Pillow's `convert('RGB')`."
    if shape[-1] == 1:
        return "Repeat the grey channel, `np.repeat(image, 3, axis=-1)`."
    if shape[-3] == 3:
        return "Move the channels to the end, `np.moveaxis(image, -3, -1)`."
    return "Convert it to RGB; a grey image needs its value three times."


def _name_of(value: Any) -> str:
    return "path" if isinstance(value, os.PathLike) else "string"
