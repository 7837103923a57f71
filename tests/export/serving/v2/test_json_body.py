"""Bodies of REST, JSON alone and with raw bytes behind."""

import json

import numpy as np
import pytest

from export.serving.refusals import Refusal
from export.serving.v2.datatypes import datatype_named
from export.serving.v2.inference import Output
from export.serving.v2.json_body import parse, write
from tests.export.serving.v2.rig import TEXTS, json_request


def tensor(name="x", datatype="INT32", shape=(2,), **more):
    return {"name": name, "datatype": datatype, "shape": list(shape), **more}


def parsed(*inputs, raw=b"", header=False, **more):
    """The first input's array, and all."""
    document = json.dumps({"inputs": list(inputs), **more}).encode()
    found = parse(document + raw, str(len(document)) if header or raw else None)
    return found.inference.inputs[0].read() if inputs else None, found


@pytest.mark.parametrize("data", [[1, 2, 3, 4], [[1, 2], [3, 4]]])
def test_data_are_flat_or_nested(data):
    array, _ = parsed(tensor(shape=(2, 2), data=data))
    np.testing.assert_array_equal(array, np.array([[1, 2], [3, 4]], np.int32))
    assert array.dtype == np.int32


@pytest.mark.parametrize(
    ("datatype", "data", "wanted"),
    [
        ("BOOL", [True, False], [True, False]),
        ("UINT8", [0, 255], [0, 255]),
        ("FP32", [1, 0.5], [1, 0.5]),
        ("FP64", [1, 1e300], [1, 1e300]),
        ("BYTES", ["a", "é"], [b"a", "é".encode()]),
        ("BYTES", ["a", {"b64": "/w=="}], [b"a", b"\xff"]),
    ],
)
def test_each_type_is_read(datatype, data, wanted):
    array, _ = parsed(tensor(datatype=datatype, data=data))
    assert array.tolist() == wanted


def test_strings_may_be_base64():
    array, _ = parsed(tensor(datatype="BYTES", data=["/w==", ""], parameters={"content_type": "base64"}))
    assert array.tolist() == [b"\xff", b""]


def test_raw_bytes_lie_behind_the_json_in_the_order_of_the_inputs():
    first = tensor(datatype="BYTES", shape=(1,), parameters={"binary_data_size": 6})
    second = tensor("y", parameters={"binary_data_size": 8})
    array, found = parsed(first, tensor("z", data=[5, 6]), second, raw=b"\2\0\0\0\xff\xfe\1\0\0\0\2\0\0\0")
    assert array.tolist() == [b"\xff\xfe"]
    assert [item.read().tolist() for item in found.inference.inputs[1:]] == [[5, 6], [1, 2]]


def test_a_request_names_itself_its_signature_and_outputs():
    outputs = [{"name": "a", "parameters": {"binary_data": False}}, {"name": "b"}]
    document = json_request("tokenize", TEXTS, id="7", outputs=outputs)
    document["parameters"]["binary_data_output"] = True
    found = parse(json.dumps(document).encode(), None)
    assert found.inference[:2] == ("7", "tokenize")
    assert found.inference.outputs == ["a", "b"]
    assert [found.is_binary(name) for name in ("a", "b", "c")] == [False, True, True]
    _, found = parsed(tensor(data=[1, 2]), outputs=[{"name": "a", "parameters": {"binary_data": True}}])
    assert [found.is_binary(name) for name in ("a", "b")] == [True, False]
    assert found.inference[:2] == ("", "")


SIZED = {"parameters": {"binary_data_size": 8}}
REFUSED = {
    "no tensor's list": ({"inputs": {}}, "`inputs`: must be a list of objects; got {}."),
    "none": ({}, "`inputs`: must be a list of objects; got null."),
    "no objects": ({"inputs": [1]}, "`inputs`: must be a list of objects; got [1]."),
    "no name": ({"inputs": [{"datatype": "INT32"}]}, "`inputs`: each must have a name; got"),
    "no datatype": ({"inputs": [{"name": "x", "shape": [1]}]}, "`x`: datatype must be one of"),
    "no shape": ({"inputs": [{"name": "x", "datatype": "INT32"}]}, "`x`: shape must be a list of whole"),
    "a negative shape": ({"inputs": [tensor(shape=(-1,))]}, "whole numbers from 0; got [-1]."),
    "a broken shape": ({"inputs": [tensor(shape=(1.5,))]}, "whole numbers from 0; got [1.5]."),
    "a true shape": ({"inputs": [tensor(shape=(True,))]}, "whole numbers from 0; got [true]."),
    "no data": ({"inputs": [tensor()]}, "`x`: must have data, or binary_data_size in its parameters; got"),
    "no such raw bytes": ({"inputs": [tensor(**SIZED)]}, "`x`: binary_data_size must be its raw bytes"),
    "raw bytes and data": (
        {"inputs": [tensor(data=[1, 2], parameters={"binary_data_size": 0})]},
        "in place of data; got 0 and data.",
    ),
    "a size in words": (
        {"inputs": [tensor(parameters={"binary_data_size": "0"})]},
        'in place of data; got "0".',
    ),
    "parameters": ({"inputs": [], "parameters": []}, "`parameters`: parameters must be an object; got []."),
    "a tensor's parameters": ({"inputs": [tensor(parameters=1)]}, "`x`: parameters must be an object; got 1"),
    "an id": ({"inputs": [], "id": 7}, "`id`: must be a string; got 7."),
    "a signature": (
        {"inputs": [], "parameters": {"signature_name": 7}},
        "`signature_name`: must be a string",
    ),
    "a flag": (
        {"inputs": [], "parameters": {"binary_data_output": 1}},
        "`binary_data_output`: must be true or false; got 1.",
    ),
    "outputs": ({"inputs": [], "outputs": {}}, "`outputs`: must be a list of objects; got {}."),
    "an output": ({"inputs": [], "outputs": [{}]}, "`outputs`: each must have a name of its own; got {}."),
    "many inputs": ({"inputs": [{}] * 1001}, "`inputs`: must have at most 1,000 entries; got 1,001."),
    "many outputs": ({"inputs": [], "outputs": [{}] * 1001}, "`outputs`: must have at most 1,000 entries"),
    "many axes": ({"inputs": [tensor(shape=[1] * 255)]}, "`shape of x`: must have at most 254 entries"),
    "an output twice": (
        {"inputs": [], "outputs": [{"name": "a"}, {"name": "a"}]},
        "`outputs`: each must have a name of its own",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_another_form_is_refused(case):
    document, message = REFUSED[case]
    with pytest.raises(Refusal) as refusal:
        parse(json.dumps(document).encode(), None)
    assert message in refusal.value.message
    assert refusal.value.http_status == 400


@pytest.mark.parametrize(
    ("datatype", "data", "message"),
    [
        (
            "INT32",
            [1],
            "`x`: data must be a list of the 2 elements of shape [2], flat or nested so; got",
        ),
        ("INT32", [[1, 2]], "flat or nested so; got [1, 2]."),
        ("INT32", 1, "flat or nested so; got []."),
        ("INT32", [[1], [2, 3]], "`x`: Encountered list at unexpected size"),
        ("INT32", [1, 0.5], "`x`: JSON Value: 0.5 Type: Number is not of expected type: int32"),
        ("INT32", [1, 1 << 40], "is not of expected type: int32"),
        ("UINT8", [1, -1], "is not of expected type: uint8"),
        ("BOOL", [1, 0], "is not of expected type: bool"),
        ("BYTES", [1, 2], "is not of expected type: string"),
        ("BYTES", ["a", None], "is not of expected type: string"),
        ("BYTES", ["\ud800", ""], "surrogate pair"),
    ],
)
def test_data_of_another_type_or_shape_are_refused(datatype, data, message):
    with pytest.raises(Refusal) as refusal:
        parsed(tensor(datatype=datatype, data=data))
    assert message in refusal.value.message


def test_data_that_are_no_base64_are_refused():
    with pytest.raises(Refusal, match="`x`: data must be base64, as content_type says"):
        parsed(tensor(datatype="BYTES", data=["a", "?"], parameters={"content_type": "base64"}))


@pytest.mark.parametrize("header", ["", "-1", "1e3", "²", "999999", "9" * 40])
def test_a_length_that_is_none_is_refused(header):
    with pytest.raises(Refusal, match="inference-header-content-length: must be the bytes of JSON"):
        parse(b'{"inputs": []}', header)


def test_bytes_that_belong_to_no_tensor_are_refused():
    with pytest.raises(Refusal, match="body: must end behind the raw bytes of its tensors; 3 are left"):
        parsed(raw=b"abc")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"inputs": ' + b"[" * 100_000])
def test_what_is_no_json_object_is_refused(body):
    with pytest.raises(Refusal, match="JSON"):
        parse(body, None)


def output(name, datatype, array):
    return Output(name, datatype_named(datatype, name), array)


def test_an_answer_is_json_or_json_with_raw_bytes_behind():
    outputs = [
        output("ids", "INT32", np.array([[1, 2]], np.int32)),
        output("text", "BYTES", np.array(["é".encode()], object)),
        output("tail_bytes", "BYTES", np.array([b"a"], object)),
        output("broken", "BYTES", np.array([b"\xff"], object)),
        output("level", "FP32", np.array([0.5, np.inf], np.float32)),
    ]
    body, size = write({"model_name": "m"}, outputs, lambda name: False)
    assert size is None
    document = json.loads(body)
    assert document["model_name"] == "m"
    base64 = {"parameters": {"content_type": "base64"}}
    assert document["outputs"] == [
        {"name": "ids", "datatype": "INT32", "shape": [1, 2], "data": [1, 2]},
        {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["é"]},
        {"name": "tail_bytes", "datatype": "BYTES", "shape": [1], **base64, "data": ["YQ=="]},
        {"name": "broken", "datatype": "BYTES", "shape": [1], **base64, "data": ["/w=="]},
        {"name": "level", "datatype": "FP32", "shape": [2], "data": [0.5, np.inf]},
    ]
    body, size = write({}, outputs[:2], lambda name: name == "ids")
    first, second = json.loads(body[:size])["outputs"]
    assert (first["parameters"], body[size:]) == ({"binary_data_size": 8}, b"\1\0\0\0\2\0\0\0")
    assert "data" not in first
    assert second["data"] == ["é"]
