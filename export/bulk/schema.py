"""What a file of rows holds: each tensor's dtype and shape, and what stands in its padding, which is not
stored.

tensor [K, P, …]   stored: the first entries of each of the K items, up to the last that is not padding
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from export.outputs import Arrays
from graph_ops.features import FEATURES
from graph_ops.media.image import IMAGE

COUNT = "count"
"""Padding that is the place itself: 0, 1, 2, …"""
VERSION = 1
"""Of the files' layout."""


class Stored(NamedTuple):
    """A tensor of one row without its padding.

    Attributes:
        values: [N, …], the entries of all items one after the other.
        lengths: int64 [K], the entries of each item; of a vector, which is one item, [1].
    """

    values: np.ndarray
    lengths: np.ndarray


@dataclasses.dataclass(frozen=True)
class Tensor:
    """One tensor of a row."""

    name: str
    """Of the feature."""
    dtype: str
    """Of the row as the class gives it."""
    shape: tuple[int, ...]
    """Of one row, without batch axis."""
    padding: float | str
    """What stands where nothing is stored, or `COUNT`."""
    stored: str
    """Dtype in the file."""
    scale: tuple[float, ...] = ()
    """What stored values are multiplied by, of each channel or of all; none for values as they are."""
    offset: tuple[float, ...] = ()
    """What is added afterwards."""

    @property
    def is_list(self) -> bool:
        """Whether it is stored as a list of numbers, since it is a vector of whole ones."""
        return len(self.shape) == 1 and np.dtype(self.stored).kind in "iub"

    @property
    def length_name(self) -> str:
        """Of the field with the lengths of its items."""
        return f"{self.name}.lengths"

    def pad(self) -> np.ndarray:
        """The whole row's tensor where nothing is stored."""
        if self.padding == COUNT:
            return np.broadcast_to(np.arange(self.shape[-1]), self.shape).astype(self.dtype)
        return np.full(self.shape, self.padding, self.dtype)


@dataclasses.dataclass(frozen=True)
class Schema:
    """The layout of the files of one job."""

    tensors: tuple[Tensor, ...]
    format: str
    """Of the files, of `sinks.SINKS`."""
    packed: bool
    """Whether a row holds several samples."""
    job: Mapping[str, Any]
    """What the rows were made from: inputs, model and settings, for a second run to compare."""
    version: int = VERSION

    def to_json(self) -> str:
        """The schema file."""
        return json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Schema":
        """What `to_json` wrote.

        Raises:
            ValueError: of another version.
        """
        fields = json.loads(text)
        if fields["version"] != VERSION:
            raise ValueError(
                f"`schema`: must be of version {VERSION}; got {fields['version']}. Read it with the release "
                "that wrote it."
            )
        listed: list[dict[str, Any]] = [
            {k: tuple(v) if isinstance(v, list) else v for k, v in one.items()} for one in fields["tensors"]
        ]
        return cls(**fields | {"tensors": tuple(Tensor(**one) for one in listed)})


def tensors_of(row: Arrays, settings: Mapping[str, Any], *, compact: bool) -> tuple[Tensor, ...]:
    """The tensors of a model's rows.

    Args:
        row: of a short text without media, which ends with padding.
        settings: of the preprocessor.
        compact: whether pixels are stored as uint8.
    """
    tensors = []
    for name in (feature.name for feature in FEATURES if feature.name in row):
        array = row[name]
        counts = name == "position_ids"
        padding = COUNT if counts else array[(-1,) * array.ndim].item()
        tensor = Tensor(name, array.dtype.name, array.shape, padding, array.dtype.name)
        if name == IMAGE.values:
            tensor = _pixels(tensor, settings[IMAGE.converter]["config"], compact=compact)
        tensors.append(tensor)
    return tuple(tensors)


def _pixels(tensor: Tensor, image: Mapping[str, Any], *, compact: bool) -> Tensor:
    if not compact and tensor.dtype == "float32":
        return tensor
    scale, offset = (
        tuple(map(float, np.atleast_1d(default if image[name] is None else image[name])))
        for name, default in (("scale", 1.0), ("offset", 0.0))
    )
    return dataclasses.replace(tensor, dtype="float32", stored="uint8", scale=scale, offset=offset)


def store(array: np.ndarray, tensor: Tensor) -> Stored:
    """A row's tensor without its padding.

    Raises:
        ValueError: pixels that are no whole numbers once they are scaled back.
    """
    items = array if array.ndim > 1 else array[np.newaxis]
    differs = items != (np.arange(items.shape[1]) if tensor.padding == COUNT else tensor.padding)
    if differs.ndim > 2:
        differs = differs.any(axis=tuple(range(2, differs.ndim)))
    places = np.arange(1, items.shape[1] + 1)
    lengths = (differs * places).max(axis=1).astype(np.int64)
    values = np.concatenate([item[:length] for item, length in zip(items, lengths, strict=True)])
    last = np.flatnonzero(lengths)
    lengths = lengths if array.ndim == 1 else lengths[: last[-1] + 1 if last.size else 0]
    if values.dtype != tensor.stored:
        values = _as_levels(values, tensor)
    return Stored(values, lengths)


def restore(stored: Stored, tensor: Tensor) -> np.ndarray:
    """What `store` was given."""
    whole = tensor.pad()
    items = whole if whole.ndim > 1 else whole[np.newaxis]
    values, begin = from_levels(stored.values, tensor), 0
    for item, length in zip(items, stored.lengths.tolist(), strict=False):
        item[:length] = values[begin : begin + length]
        begin += length
    return whole


def from_levels(values: np.ndarray, tensor: Tensor) -> np.ndarray:
    """Stored values as the row has them."""
    if not tensor.scale or values.dtype == tensor.dtype:
        return values.astype(tensor.dtype, copy=False)
    scale, offset = _per_channel(tensor)
    return (values * scale).astype(np.float32) + offset.astype(np.float32)


def _as_levels(values: np.ndarray, tensor: Tensor) -> np.ndarray:
    scale, offset = _per_channel(tensor)
    levels = np.clip(np.rint((values - offset) / scale), 0, 255).astype(np.uint8)
    if not np.array_equal(from_levels(levels, tensor), values):
        raise ValueError(
            f"`pixels`: {tensor.name} must be whole levels that are scaled to be stored as uint8; got "
            "others. Pass --pixels float32."
        )
    return levels


def _per_channel(tensor: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset of each number of a patch, or one of all."""
    width = tensor.shape[-1]
    scale, offset = (
        np.float64(one[0]) if len(one) == 1 else np.resize(np.asarray(one), width)
        for one in (tensor.scale, tensor.offset)
    )
    return np.asarray(scale), np.asarray(offset)
