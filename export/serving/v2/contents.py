"""Tensors as gRPC's typed contents: a list of numbers or strings in the field of their type."""

import math
from typing import Any

import numpy as np

from export.serving.refusals import invalid
from export.serving.tensor_protos import packed
from export.serving.v2.datatypes import BYTES, Datatype

_PACKED = ("b", "f")
"""Kinds of arrays that are, as packed fields, their own bytes."""


def read(tensor: Any, datatype: Datatype, shape: tuple[int, ...]) -> np.ndarray:
    """The array of an input's contents.

    Raises:
        Refusal: they stand in another type's field, are too many or too few, or outside of their type.
    """
    used = [field.name for field, _ in tensor.contents.ListFields()]
    if [name for name in used if name != datatype.contents]:
        wanted = datatype.contents or "raw_input_contents"
        raise invalid(
            f"`{tensor.name}`: {datatype.name} must stand in {wanted}; got {', '.join(used)}. Use that field."
        )
    values = getattr(tensor.contents, datatype.contents) if datatype.contents else []
    if len(values) != math.prod(shape):
        raise invalid(
            f"`{tensor.name}`: contents must be the {math.prod(shape):,} elements of shape {list(shape)}; "
            f"got {len(values):,}. Correct the shape, or send all elements."
        )
    if datatype == BYTES:
        strings = np.empty(len(values), object)
        strings[:] = list(values)
        return strings.reshape(shape)
    array = np.array(values, None if values else datatype.dtype)
    if not _fits(array, datatype):
        raise invalid(
            f"`{tensor.name}`: each element must be {datatype.name}; got one outside of its range. Send "
            "smaller numbers."
        )
    return array.astype(datatype.dtype).reshape(shape)


def _fits(array: np.ndarray, datatype: Datatype) -> bool:
    """Whether whole numbers, which may share a field with a wider type, are in the range of their own."""
    if datatype.dtype.kind not in "iu" or not array.size:
        return True
    limits = np.iinfo(datatype.dtype)
    return limits.min <= int(array.min()) and int(array.max()) <= limits.max


def fill(contents: Any, datatype: Datatype, array: np.ndarray) -> None:
    """Writes an array into empty contents; millions of floats as they lie in memory."""
    if datatype.dtype.kind in _PACKED and datatype.contents:
        number = contents.DESCRIPTOR.fields_by_name[datatype.contents].number
        contents.MergeFromString(packed(number, np.ascontiguousarray(array, datatype.dtype).tobytes()))
    else:
        getattr(contents, datatype.contents).extend(array.ravel().tolist())
