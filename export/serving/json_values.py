"""JSON values as arrays, by the rules and with the sentences of TF Serving's json_tensor.cc.

A list's shape is that of its first elements; everything else must agree with it. A string is text, or
`{"b64": …}` for bytes.
"""

import base64
import itertools
import json
from typing import Any

import numpy as np
import tensorflow as tf

from export.serving.prediction import type_name
from export.serving.refusals import Refusal, invalid
from export.tensorflow_formats import types_pb2

_MAX_QUOTED = 200
_MANTISSA = {types_pb2.DT_FLOAT: 24, types_pb2.DT_DOUBLE: 53}
"""Bits of a float's digits."""
_JSON_TYPES = {
    type(None): "Null",
    bool: "True",
    dict: "Object",
    list: "Array",
    str: "String",
    int: "Number",
    float: "Number",
}


def to_array(value: Any, dtype: int) -> np.ndarray:
    """The tensor of a JSON value.

    Raises:
        Refusal: ragged, nested too deep, or with an element that is not of the type.
    """
    shape = _shape(value)
    items = [value]
    for level, size in enumerate(shape):
        for item in items:
            if not isinstance(item, list):
                raise invalid(
                    f"JSON Value: {quoted(item)} found at incorrect level: {level + 1} in the JSON DOM. "
                    f"Expected at level: {len(shape)}"
                )
            if len(item) != size:
                raise invalid(
                    f"Encountered list at unexpected size: {len(item)} at level: {level} expected size: "
                    f"{size}"
                )
        items = list(itertools.chain.from_iterable(items))
    if list in set(map(type, items)):
        raise invalid(f"Encountered list at unexpected level: {len(shape)} expected < {len(shape)}")
    return _leaves(items, dtype).reshape(shape)


def is_base64(value: Any) -> bool:
    """Whether it is a string in base64."""
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


def _shape(value: Any) -> list[int]:
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return shape


def _leaves(items: list[Any], dtype: int) -> np.ndarray:
    """Scalars as an array [len(items)]."""
    if dtype == types_pb2.DT_STRING:
        strings = np.empty(len(items), object)
        strings[:] = [_string(item) for item in items]
        return strings
    allowed = (bool,) if dtype == types_pb2.DT_BOOL else (int, float) if dtype in _MANTISSA else (int,)
    if not set(map(type, items)) <= set(allowed):
        raise _type_error(next(item for item in items if type(item) not in allowed), dtype)
    if dtype in _MANTISSA:
        return _floats(items, dtype)
    kind = tf.as_dtype(dtype).as_numpy_dtype
    if dtype != types_pb2.DT_BOOL:
        low, high = np.iinfo(kind).min, np.iinfo(kind).max
        for item in (min(items, default=0), max(items, default=0)):
            if not low <= item <= high:
                raise _type_error(item, dtype)
    return np.array(items, kind)


def _floats(items: list[Any], dtype: int) -> np.ndarray:
    """Float32 or float64; an integer past the bits that it has for one, or a number past its range, is
    refused rather than rounded.
    """
    for item in items:
        if type(item) is int and abs(item) >= 1 << _MANTISSA[dtype]:
            raise _lossy(item, dtype)
    kind = tf.as_dtype(dtype).as_numpy_dtype
    doubles = np.array(items, np.float64)
    too_large = np.isfinite(doubles) & (np.abs(doubles) > np.finfo(kind).max)
    if too_large.any():
        raise _lossy(items[int(too_large.argmax())], dtype)
    return doubles.astype(kind)


def _string(item: Any) -> bytes:
    if isinstance(item, str):
        try:
            return item.encode()
        except UnicodeEncodeError:
            raise invalid("JSON Parse error: The surrogate pair in string is invalid.") from None
    if not isinstance(item, dict):
        raise _type_error(item, types_pb2.DT_STRING)
    if not is_base64(item):
        raise invalid(f"JSON Value: {quoted(item)} not formatted correctly for base64 data")
    try:
        text = item["b64"].rstrip("=")
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise invalid("Unable to base64 decode") from None


def _type_error(item: Any, dtype: int) -> Refusal:
    kind = "False" if item is False else _JSON_TYPES[type(item)]
    return invalid(f"JSON Value: {quoted(item)} Type: {kind} is not of expected type: {type_name(dtype)}")


def _lossy(item: Any, dtype: int) -> Refusal:
    return invalid(
        f"Cannot convert JSON value: {quoted(item)} to {type_name(dtype)} without loss of precision."
    )


def quoted(value: Any) -> str:
    """The value as JSON, cut where it is long."""
    text = json.dumps(value)
    return text if len(text) <= _MAX_QUOTED else text[:_MAX_QUOTED] + "…"
