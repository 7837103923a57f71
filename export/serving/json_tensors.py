"""TF Serving's JSON: tensors of a predict request in row ("instances") or column ("inputs") format, and of
its answer.

The rules and sentences are those of TF Serving's json_tensor.cc. A list's shape is that of its first
elements; everything else must agree with it. A string is text, or `{"b64": …}` for bytes. An answer has the
format of its request.
"""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import orjson

from export.serving.json_values import is_base64, quoted, to_array
from export.serving.refusals import Refusal, invalid

MAX_CONTAINERS = 1_000_000
"""Lists and objects in a request's body: each takes 80 bytes of memory or more, for as few as 3 bytes of
JSON.
"""
BYTES_SUFFIX = "_bytes"
"""Outputs with such a name are bytes and travel in base64; other strings are text."""
_INT32 = np.iinfo(np.int32)


class Parsed(NamedTuple):
    """A predict request: the signature's name as sent ("" if none was), whether it came in rows, and its
    tensors.
    """

    signature_name: str
    in_rows: bool
    arrays: dict[str, np.ndarray]


def parse(body: bytes, find_inputs: Callable[[str], Mapping[str, Any]]) -> Parsed:
    """Reads the body of a `:predict` request.

    Args:
        body: JSON.
        find_inputs: from the name of a signature to the TensorInfo of each of its inputs.

    Raises:
        Refusal: it is not JSON, or not of the form that the signature needs.
    """
    document = read_document(body)
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {quoted(document)} not formatted correctly. 'signature_name' key must be a "
            f"string value."
        )
    inputs = find_inputs(name)
    types = {key: info.dtype for key, info in sorted(inputs.items())}
    if "instances" in document and "inputs" in document:
        raise invalid(
            f"JSON Value: {quoted(document)} Not formatted correctly expecting only one of 'inputs' or "
            f"'instances' keys to exist "
        )
    if "instances" in document:
        return Parsed(name, True, _from_instances(document, types))
    if "inputs" in document:
        return Parsed(name, False, _from_columns(document["inputs"], types))
    raise invalid("Missing 'inputs' or 'instances' key")


def write(outputs: Mapping[str, np.ndarray], *, in_rows: bool) -> bytes:
    """The body of the answer: "predictions", a value or object a row, or "outputs", all rows of each
    tensor.
    """
    values = {key: plain(key, array) for key, array in outputs.items()}
    alone = next(iter(values.values())) if len(values) == 1 else None
    document: dict[str, Any]
    if not in_rows:
        document = {"outputs": values if alone is None else alone}
    elif alone is not None:
        document = {"predictions": alone}
    else:
        rows = len(next(iter(values.values())))
        document = {
            "predictions": [{key: value[row] for key, value in values.items()} for row in range(rows)]
        }
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def read_document(body: bytes) -> dict[str, Any]:
    """The object that a body holds.

    Raises:
        Refusal: it is no JSON, no object, or has too many containers.
    """
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    if body.count(b"[") + body.count(b"{") > MAX_CONTAINERS:
        raise invalid(
            f"JSON: must have at most {MAX_CONTAINERS:,} lists and objects. Send less at once, or files "
            f"instead of arrays."
        )
    try:
        document = json.loads(body.decode())
    except json.JSONDecodeError as error:
        raise invalid(f"JSON Parse error: {error.msg} at offset: {error.pos}") from None
    except UnicodeDecodeError as error:
        raise invalid(f"JSON Parse error: Invalid encoding in string. at offset: {error.start}") from None
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON Parse error: {error}") from None
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {quoted(document)} Is not object")
    return document


def _from_instances(document: dict[str, Any], types: dict[str, int]) -> dict[str, np.ndarray]:
    instances = document["instances"]
    if not isinstance(instances, list):
        raise invalid(f"JSON Value: {quoted(document)} Excepting 'instances' to be an list/array")
    if not instances:
        raise invalid(f"JSON Value: {quoted(document)} No values in 'instances' array")
    if not isinstance(instances[0], dict) and len(types) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors required "
            "as per tensorinfo_map"
        )
    named = _is_object(instances[0])
    only = next(iter(types))
    columns: dict[str, list[np.ndarray]] = {key: [] for key in types}
    for index, instance in enumerate(instances):
        if _is_object(instance) != named:
            wrong = (
                "Expecting object but got list at item"
                if named
                else "Expecting value/list but got object at item"
            )
            raise invalid(f"{wrong} {index} of input list")
        for key, value in (instance if named else {only: instance}).items():
            where = f"element: {index}" + (f" key: {key}" if named else "")
            _add_item(columns, key, value, types, where)
        if named and instance.keys() != types.keys():
            raise invalid(
                f"Failed to process element: {index} of 'instances' list. JSON object: {quoted(instance)} "
                f"keys must be equal to: {','.join(types)}"
            )
    return {key: np.stack(items) for key, items in columns.items()}


def _add_item(
    columns: dict[str, list[np.ndarray]], key: str, value: Any, types: dict[str, int], where: str
) -> None:
    try:
        if key not in types:
            raise invalid(f"JSON object: does not have named input: {key}")
        array = to_array(value, types[key])
        first = columns[key][0] if columns[key] else array
        if array.size != first.size:
            raise invalid(f"Expecting tensor size: {first.size} but got: {array.size}")
        if array.shape != first.shape:
            raise invalid(f"Expecting shape [{_joined(first.shape)}] but got: [{_joined(array.shape)}]")
    except Refusal as refusal:
        raise invalid(
            f"Failed to process {where} of 'instances' list. Error: INVALID_ARGUMENT: {refusal.message}"
        ) from None
    columns[key].append(array)


def _from_columns(columns: Any, types: dict[str, int]) -> dict[str, np.ndarray]:
    if not _is_object(columns):
        if len(types) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required "
                "as per tensorinfo_map"
            )
        ((key, dtype),) = types.items()
        return {key: to_array(columns, dtype)}
    for key in types:
        if key not in columns:
            raise invalid(f"Missing named input: {key} in 'inputs' object.")
    return {key: to_array(columns[key], dtype) for key, dtype in types.items()}


def _is_object(value: Any) -> bool:
    """Whether it holds named tensors, rather than being a tensor or a string in base64."""
    return isinstance(value, dict) and not is_base64(value)


def plain(name: str, array: np.ndarray) -> Any:
    """What orjson writes as the array; its numbers are the shortest that read back as the same float32."""
    if array.dtype == object:
        return _nested(
            array,
            _base64 if name.endswith(BYTES_SUFFIX) else lambda string: string.decode("utf-8", "replace"),
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return _nested(
            array,
            lambda number: number if np.isfinite(number) else orjson.Fragment(json.dumps(float(number))),
        )
    return np.ascontiguousarray(array)


def _nested(array: np.ndarray, write_item: Callable[[Any], Any]) -> list[Any]:
    items = np.empty(array.size, object)
    items[:] = [write_item(item) for item in array.ravel().tolist()]
    return items.reshape(array.shape).tolist()


def _base64(string: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(string).decode()}


def _joined(shape: tuple[int, ...]) -> str:
    return ",".join(map(str, shape))
