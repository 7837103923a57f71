"""An inference request's body, JSON with or without raw bytes behind it, and that of its answer."""

import base64
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson

from export.serving import json_tensors
from export.serving.json_values import quoted, to_array
from export.serving.refusals import Refusal, invalid
from export.serving.v2.datatypes import BYTES, Datatype, datatype_named
from export.serving.v2.inference import MOST_DIMS, SIGNATURE, Inference, Output, SentTensor, check_count
from export.serving.v2.raw import from_raw, to_raw

HEADER_LENGTH = "inference-header-content-length"
"""Header with the bytes of JSON in a body that has raw bytes behind it."""
BINARY_SIZE, BINARY, BINARY_OUTPUT = "binary_data_size", "binary_data", "binary_data_output"
"""Parameters of the extension `binary_tensor_data`: of a tensor, of a wanted output, of a request."""
CONTENT_TYPE, BASE64 = "content_type", "base64"
"""Parameter of a tensor, and its value where its strings are in base64."""


class Parsed(NamedTuple):
    """A request, and the outputs that it wants as raw bytes: all, or some by name."""

    inference: Inference
    is_binary: Callable[[str], bool]


def parse(body: bytes, header_length: str | None) -> Parsed:
    """Reads the body of an inference request.

    Args:
        body: JSON, and raw bytes behind it.
        header_length: what `HEADER_LENGTH` says; None where the body is JSON alone.

    Raises:
        Refusal: it is not of the protocol's form.
    """
    size = _json_bytes(header_length, len(body))
    document = json_tensors.read_document(body[:size])
    parameters = _parameters(document, "parameters")
    signature = _text(parameters, SIGNATURE)
    inputs, left = [], memoryview(body)[size:]
    for item in _objects(document, "inputs"):
        tensor, left = _tensor(item, left)
        inputs.append(tensor)
    if left:
        raise invalid(
            f"body: must end behind the raw bytes of its tensors; {len(left):,} are left. Let "
            f"{BINARY_SIZE} of each input say how many it has."
        )
    wanted = {} if document.get("outputs") is None else _wanted(_objects(document, "outputs"))
    every = _flag(parameters, BINARY_OUTPUT, False)
    inference = Inference(_text(document, "id"), signature, inputs, list(wanted))
    return Parsed(inference, lambda name: every if wanted.get(name) is None else bool(wanted[name]))


def write(
    facts: Mapping[str, Any], outputs: Sequence[Output], is_binary: Callable[[str], bool]
) -> tuple[bytes, int | None]:
    """The body of an answer.

    Args:
        facts: what stands beside the outputs.
        outputs: the tensors.
        is_binary: whether one of a name is to be raw bytes.

    Returns:
        The body, and how much of it is JSON, or None for all.
    """
    written, raw = [], []
    for output in outputs:
        described: dict[str, Any] = {"name": output.name, "datatype": output.datatype.name}
        described["shape"] = list(output.array.shape)
        if is_binary(output.name):
            raw.append(to_raw(output.array, output.datatype))
            described["parameters"] = {BINARY_SIZE: len(raw[-1])}
        else:
            described |= _data(output)
        written.append(described)
    document = orjson.dumps({**facts, "outputs": written}, option=orjson.OPT_SERIALIZE_NUMPY)
    return b"".join([document, *raw]), len(document) if raw else None


def _json_bytes(header_length: str | None, most: int) -> int:
    if header_length is None:
        return most
    text = header_length.strip()
    if not (text.isascii() and text.isdecimal()) or int(text[:20]) > most:
        raise invalid(
            f"{HEADER_LENGTH}: must be the bytes of JSON, at most the body's {most:,}; got {text[:40]!r}. "
            "Count the JSON without what follows it."
        )
    return int(text)


def _tensor(item: dict[str, Any], left: memoryview) -> tuple[SentTensor, memoryview]:
    """An input, and the raw bytes that are not its own."""
    name = item.get("name")
    if not isinstance(name, str) or not name:
        raise invalid(f"`inputs`: each must have a name; got {quoted(item)}. Name the signature's input.")
    datatype, shape = datatype_named(item.get("datatype"), name), _shape(item.get("shape"), name)
    parameters = _parameters(item, name)
    size = parameters.get(BINARY_SIZE)
    if size is None:
        is_base64 = _text(parameters, CONTENT_TYPE) == BASE64
        if "data" not in item:
            raise invalid(
                f"`{name}`: must have data, or {BINARY_SIZE} in its parameters; got neither. Add one."
            )
        return SentTensor(
            name, datatype, shape, lambda: _array(item["data"], name, datatype, shape, is_base64)
        ), left
    if type(size) is not int or not 0 <= size <= len(left) or "data" in item:
        raise invalid(
            f"`{name}`: {BINARY_SIZE} must be its raw bytes behind the JSON, of which {len(left):,} are "
            f"left, in place of data; got {quoted(size)}{' and data' if 'data' in item else ''}. Send one of "
            f"them, with the header {HEADER_LENGTH}."
        )
    raw = left[:size]
    return SentTensor(name, datatype, shape, lambda: from_raw(name, datatype, shape, raw)), left[size:]


def _array(data: Any, name: str, datatype: Datatype, shape: tuple[int, ...], is_base64: bool) -> np.ndarray:
    """An array of data that are nested as the shape says, or flat."""
    try:
        array = to_array(data, datatype.number)
    except Refusal as refusal:
        raise invalid(f"`{name}`: {refusal.message}") from None
    count = math.prod(shape)
    if array.ndim == 0 or array.size != count or (array.ndim > 1 and array.shape != shape):
        raise invalid(
            f"`{name}`: data must be a list of the {count:,} elements of shape {list(shape)}, flat or nested "
            f"so; got {list(array.shape)}. Correct the shape, or send all elements."
        )
    array = array.reshape(shape)
    return _decoded(array, name) if is_base64 and datatype == BYTES else array


def _decoded(array: np.ndarray, name: str) -> np.ndarray:
    """Strings in base64 as what they hold."""
    decoded = np.empty(array.size, object)
    try:
        decoded[:] = [base64.b64decode(item, validate=True) for item in array.ravel().tolist()]
    except ValueError as error:
        raise invalid(f"`{name}`: data must be base64, as {CONTENT_TYPE} says; {error}. Encode it.") from None
    return decoded.reshape(array.shape)


def _data(output: Output) -> dict[str, Any]:
    """Elements in one flat list; strings that are no UTF-8, or called bytes, in base64."""
    flat = output.array.ravel()
    if output.datatype != BYTES:
        return {"data": json_tensors.plain(output.name, flat)}
    items: list[bytes] = flat.tolist()
    if not output.name.endswith(json_tensors.BYTES_SUFFIX):
        try:
            return {"data": [item.decode() for item in items]}
        except UnicodeDecodeError:
            pass
    return {
        "parameters": {CONTENT_TYPE: BASE64},
        "data": [base64.b64encode(item).decode() for item in items],
    }


def _wanted(items: list[dict[str, Any]]) -> dict[str, bool | None]:
    """name -> whether it is wanted as raw bytes, if that is said."""
    wanted: dict[str, bool | None] = {}
    for item in items:
        name = item.get("name")
        if not isinstance(name, str) or name in wanted:
            raise invalid(
                f"`outputs`: each must have a name of its own; got {quoted(item)}. Name each output once."
            )
        parameters = _parameters(item, name)
        wanted[name] = _flag(parameters, BINARY, False) if BINARY in parameters else None
    return wanted


def _shape(shape: Any, name: str) -> tuple[int, ...]:
    if isinstance(shape, list):
        check_count(f"shape of {name}", len(shape), most=MOST_DIMS)
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise invalid(
            f"`{name}`: shape must be a list of whole numbers from 0; got {quoted(shape)}. Send the sizes of "
            "its axes."
        )
    return tuple(shape)


def _objects(document: dict[str, Any], key: str) -> list[dict[str, Any]]:
    items = document.get(key)
    if isinstance(items, list):
        check_count(key, len(items))
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise invalid(f"`{key}`: must be a list of objects; got {quoted(items)}. Send one for each tensor.")
    return items


def _parameters(item: dict[str, Any], where: str) -> dict[str, Any]:
    parameters = item.get("parameters", {})
    if not isinstance(parameters, dict):
        raise invalid(
            f"`{where}`: parameters must be an object; got {quoted(parameters)}. Send names and values."
        )
    return parameters


def _text(item: dict[str, Any], key: str) -> str:
    value = item.get(key, "")
    if not isinstance(value, str):
        raise invalid(f"`{key}`: must be a string; got {quoted(value)}. Put it in quotes.")
    return value


def _flag(item: dict[str, Any], key: str, default: bool) -> bool:
    value = item.get(key, default)
    if not isinstance(value, bool):
        raise invalid(f"`{key}`: must be true or false; got {quoted(value)}. Send one of them.")
    return value
