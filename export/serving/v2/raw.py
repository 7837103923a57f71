"""Tensors as raw bytes: little endian, row by row; a string with its length in 4 bytes before it."""

import math
import struct

import numpy as np

from export.serving.refusals import invalid
from export.serving.v2.datatypes import BYTES, Datatype

_LENGTH = struct.Struct("<I")


def from_raw(name: str, datatype: Datatype, shape: tuple[int, ...], raw: bytes | memoryview) -> np.ndarray:
    """The array of a tensor's bytes.

    Raises:
        Refusal: there are more or fewer of them than the shape takes.
    """
    count = math.prod(shape)
    if datatype == BYTES:
        return _strings(name, count, raw).reshape(shape)
    wanted = count * datatype.dtype.itemsize
    if len(raw) != wanted:
        raise invalid(
            f"`{name}`: {datatype.name} of shape {list(shape)} must have {wanted:,} raw bytes; got "
            f"{len(raw):,}. Send all of its elements, without padding."
        )
    if datatype.dtype.kind == "b":  # any byte but 0 is true
        return (np.frombuffer(raw, np.uint8) != 0).reshape(shape)
    return np.frombuffer(raw, datatype.dtype).reshape(shape)


def to_raw(array: np.ndarray, datatype: Datatype) -> bytes:
    """The bytes of an array."""
    if datatype == BYTES:
        return b"".join(_LENGTH.pack(len(item)) + item for item in array.ravel().tolist())
    return np.ascontiguousarray(array, datatype.dtype).tobytes()


def _strings(name: str, count: int, raw: bytes | memoryview) -> np.ndarray:
    found: list[bytes] = []
    at = 0
    while at + _LENGTH.size <= len(raw) and len(found) <= count:
        (size,) = _LENGTH.unpack_from(raw, at)
        found.append(bytes(raw[at + _LENGTH.size : at + _LENGTH.size + size]))
        at += _LENGTH.size + size
    if at != len(raw) or len(found) != count:
        raise invalid(
            f"`{name}`: must have {count:,} strings, each behind its length in 4 bytes, little endian, in "
            f"its {len(raw):,} raw bytes; got {len(found):,} or more, which end at {at:,}. Write each length "
            "as UINT32."
        )
    strings = np.empty(count, object)
    strings[:] = found
    return strings
