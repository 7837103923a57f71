"""Videos in lists: which lists are frames, and which are videos."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from graph_ops.image.host_files import decodable_image
from graph_ops.layers.inputs.forms import check_shape, described, file_bytes
from graph_ops.media.medium import Medium
from graph_ops.video.host_files import animation

_FRAME = 3  # axes of a frame


def videos_of(row: Any, *, medium: Medium, most_rows: int) -> list[Any]:
    """The videos of a row, each an array [T, H, W, 3] or a list of files.

    A list of frames (files, or arrays [H, W, 3]) is one video; a list of other things is several.

    Raises:
        TypeError, ValueError: names the argument, the rule, what was given and how to correct it.
    """
    if is_one_video(row, medium=medium):
        return [_video(row, medium=medium)]
    if isinstance(row, Sequence) and not hasattr(row, "dtype"):
        return [video for each in row for video in videos_of(each, medium=medium, most_rows=most_rows)]
    array = _array(row, medium)
    check_shape(tf.TensorShape(array.shape), medium=medium, most_rows=most_rows)
    if array.ndim != len(medium.item_shape) + 1:
        raise ValueError(
            f"`{medium.argument}`: {medium.item}; got an array of shape {array.shape}. Reshape it."
        )
    return list(array)


def is_one_video(value: Any, *, medium: Medium) -> bool:
    """Whether a value is a video: a file, an array [T, H, W, 3], or a list of frames."""
    if file_bytes(value, medium=medium) is not None:
        return True
    if hasattr(value, "dtype"):
        return len(value.shape) == len(medium.item_shape)
    if not isinstance(value, Sequence) or not value:
        return False
    first = value[0]
    return file_bytes(first, medium=medium) is not None or _axes(first) == _FRAME


def check_ragged(medium: Medium) -> None:
    """Refuses ragged tensors of a medium with frames.

    Raises:
        TypeError: it is one.
    """
    if medium.frames:
        raise TypeError(
            f"`{medium.argument}`: must be a list, an array or a tensor; got a ragged tensor. Pass a list of "
            f"videos, or a dense tensor with `{medium.sizes}`."
        )


def _video(value: Any, *, medium: Medium) -> Any:
    if (file := file_bytes(value, medium=medium)) is not None:
        return _frames_of(file)
    if hasattr(value, "dtype"):
        array = _array(value, medium)
        check_shape(tf.TensorShape(array.shape), medium=medium, most_rows=0)
        return array
    files = [file_bytes(frame, medium=medium) for frame in value]
    if any(file is None for file in files) and any(file is not None for file in files):
        raise TypeError(
            f"`{medium.argument}`: files and arrays must not be mixed in one video. Decode the files or "
            "encode the arrays."
        )
    if len(files) == 1 and files[0] is not None:
        return _frames_of(files[0])
    if files[0] is not None:
        return [decodable_image(file) for file in files if file is not None]
    frames = [_array(frame, medium) for frame in value]
    if len({frame.shape for frame in frames}) > 1:
        raise ValueError(
            f"`{medium.argument}`: frames that are arrays must all have one size; got "
            f"{sorted({frame.shape for frame in frames})[:3]}. Resize them, or pass them as files."
        )
    return np.stack(frames)


def _frames_of(file: bytes) -> list[bytes]:
    """The frames of an animation; another file is a frame."""
    strip = animation(file)
    return [decodable_image(file)] if strip is None else list(strip.frames)


def _axes(value: Any) -> int:
    """Axes of a number, an array, or a list, as its first entries have them."""
    if hasattr(value, "shape"):
        return len(value.shape)
    return 1 + (_axes(value[0]) if value else 0) if isinstance(value, list | tuple) else 0


def _array(value: Any, medium: Medium) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype == object:
        raise TypeError(f"`{medium.argument}`: {medium.item}; got {described(value)}. Convert it.")
    return array
