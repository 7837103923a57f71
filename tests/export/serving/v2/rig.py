"""Requests of the Open Inference Protocol: tensors of nested lists, as JSON, as raw bytes, as messages."""

import base64
import struct
from typing import Any

import numpy as np

from export.serving.v2.messages import MESSAGES

DATATYPES = {"O": "BYTES", "i": "INT32", "f": "FP32", "b": "BOOL", "u": "UINT8"}
CONTENTS = {"BYTES": "bytes_contents", "INT32": "int_contents", "FP32": "fp32_contents"}
CONTENTS |= {"BOOL": "bool_contents", "UINT8": "uint_contents"}
KINDS: dict[str, Any] = {"BYTES": object, "INT32": "<i4", "FP32": "<f4", "BOOL": "?", "UINT8": "u1"}
TEXTS = {"text": [b"ab", "é".encode()]}
"""Inputs of the tiny model's `tokenize`."""


def arrays(inputs):
    """name -> array; strings are objects of bytes, whole numbers int32 (uint8 stays), floats float32."""
    made = {}
    for name, value in inputs.items():
        array = value if isinstance(value, np.ndarray) else np.array(value)
        if array.dtype.kind in "SU":
            array = np.array(value, object)
            flat = [item.encode() if isinstance(item, str) else item for item in array.ravel()]
            array.ravel()[:] = flat
        made[name] = array.astype({"i": np.int32, "f": np.float32}.get(array.dtype.kind, array.dtype))
    return made


def described(name, array, **more):
    return {"name": name, "shape": list(array.shape), "datatype": DATATYPES[array.dtype.kind], **more}


def json_request(signature, inputs, **more):
    """A document, with flat data; bytes that are no UTF-8 are in base64."""
    listed = [described(name, array, **json_data(array)) for name, array in arrays(inputs).items()]
    return {"parameters": {"signature_name": signature}, "inputs": listed, **more}


def json_data(array):
    items = array.ravel().tolist()
    if array.dtype != object:
        return {"data": items}
    try:
        return {"data": [item.decode() for item in items]}
    except UnicodeDecodeError:
        encoded = [base64.b64encode(item).decode() for item in items]
        return {"data": encoded, "parameters": {"content_type": "base64"}}


def from_json(document):
    """name -> array of an answer."""
    found = {}
    for item in document["outputs"]:
        data = [each.encode() if isinstance(each, str) else each for each in item["data"]]
        if item.get("parameters") == {"content_type": "base64"}:
            data = [base64.b64decode(each) for each in data]
        found[item["name"]] = np.array(data, KINDS[item["datatype"]]).reshape(item["shape"])
    return found


def raw_bytes(array):
    if array.dtype == object:
        return b"".join(struct.pack("<I", len(item)) + item for item in array.ravel())
    return array.tobytes()


def message(signature, inputs, *, raw=False, name="tiny", **more):
    """A ModelInferRequest."""
    request = MESSAGES["ModelInferRequest"](model_name=name, **more)
    if signature:
        request.parameters["signature_name"].string_param = signature
    for key, array in arrays(inputs).items():
        tensor = request.inputs.add(**described(key, array))
        if raw:
            request.raw_input_contents.append(raw_bytes(array))
        else:
            getattr(tensor.contents, CONTENTS[tensor.datatype]).extend(array.ravel().tolist())
    return request


def from_message(response):
    """name -> array of a ModelInferResponse."""
    found = {}
    for place, tensor in enumerate(response.outputs):
        if response.raw_output_contents:
            raw = response.raw_output_contents[place]
            flat = unpacked(raw) if tensor.datatype == "BYTES" else np.frombuffer(raw, KINDS[tensor.datatype])
        else:
            flat = np.array(list(getattr(tensor.contents, CONTENTS[tensor.datatype])), KINDS[tensor.datatype])
        found[tensor.name] = flat.reshape(tensor.shape)
    return found


def unpacked(raw):
    """object [n]: strings behind their lengths."""
    found = []
    while raw:
        (size,) = struct.unpack_from("<I", raw)
        found.append(raw[4 : 4 + size])
        raw = raw[4 + size :]
    return np.array(found, object)
