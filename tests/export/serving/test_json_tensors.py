"""JSON tensors as TF Serving reads and writes them: both formats, every type, its sentences."""

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tensorflow.core.framework import types_pb2

from export.serving import json_tensors
from export.serving.refusals import Refusal

TYPES = {
    "string": types_pb2.DT_STRING,
    "int32": types_pb2.DT_INT32,
    "uint8": types_pb2.DT_UINT8,
    "float": types_pb2.DT_FLOAT,
}
TYPES |= {"bool": types_pb2.DT_BOOL}


def inputs(**types):
    """What a signature says of its inputs."""
    return {name: SimpleNamespace(dtype=TYPES[kind]) for name, kind in types.items()}


def parse(document, **types):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return json_tensors.parse(body, lambda _: inputs(**types))


VALUES: dict[str, tuple[str, Any, np.ndarray]] = {
    "text": ("string", ["a", "é", ""], np.array([b"a", "é".encode(), b""], object)),
    "bytes": ("string", [{"b64": "AP8="}, {"b64": "AP8"}], np.array([b"\x00\xff", b"\x00\xff"], object)),
    "no slots": ("string", [[], []], np.zeros((2, 0), object)),
    "int32": (
        "int32",
        [[1, -2], [2**31 - 1, -(2**31)]],
        np.array([[1, -2], [2**31 - 1, -(2**31)]], np.int32),
    ),
    "uint8": ("uint8", [[0, 255]], np.array([[0, 255]], np.uint8)),
    "float": ("float", [1, 0.1, -3e38, 2**24 - 1], np.array([1, 0.1, -3e38, 2**24 - 1], np.float32)),
    "bool": ("bool", [[True], [False]], np.array([[True], [False]])),
}


@pytest.mark.parametrize("case", VALUES)
def test_columns_are_tensors(case):
    kind, value, expected = VALUES[case]
    array = parse({"inputs": {"x": value}}, x=kind).arrays["x"]
    assert array.dtype == expected.dtype
    np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("case", VALUES)
def test_rows_are_tensors_with_and_without_the_inputs_name(case):
    kind, value, expected = VALUES[case]
    for instances in (value, [{"x": row} for row in value]):
        parsed = parse({"instances": instances, "signature_name": "s"}, x=kind)
        assert (parsed.signature_name, parsed.in_rows) == ("s", True)
        np.testing.assert_array_equal(parsed.arrays["x"], expected)


def test_the_only_input_needs_no_name_in_columns_either():
    assert parse({"inputs": ["a", "b"]}, x="string").arrays["x"].tolist() == [b"a", b"b"]
    assert parse({"inputs": {"b64": "AA=="}}, x="string").arrays["x"].tolist() == b"\x00"


def test_nan_and_infinities_are_numbers():
    array = parse(b'{"inputs": [NaN, Infinity, -Infinity]}', x="float").arrays["x"]
    np.testing.assert_array_equal(array, np.array([np.nan, np.inf, -np.inf], np.float32))


def test_other_keys_are_ignored_in_columns():
    assert parse({"inputs": {"x": [1], "other": [2]}, "more": 3}, x="int32").arrays.keys() == {"x"}


ONE, TWO = {"x": "string"}, {"x": "string", "y": "int32"}
FAULTS = {
    "nothing": (b"", ONE, "JSON Parse error: The document is empty"),
    "not JSON": (b'{"inputs": [', ONE, "JSON Parse error: Expecting value at offset: 12"),
    "not UTF-8": (
        b'{"inputs": ["\xff"]}',
        ONE,
        "JSON Parse error: Invalid encoding in string. at offset: 13",
    ),
    "half a surrogate pair": (b'{"inputs": ["\\ud800"]}', ONE, "The surrogate pair in string is invalid"),
    "too deep": (b"[" * 100_000, ONE, "JSON Parse error: maximum recursion depth exceeded"),
    "too many lists": (
        b'{"inputs": [' + b"[]," * 1_000_000,
        ONE,
        "must have at most 1,000,000 lists and objects",
    ),
    "a number of too many digits": (
        b'{"inputs": [' + b"1" * 5000 + b"]}",
        ONE,
        "JSON Parse error: Exceeds the limit",
    ),
    "not an object": ([1], ONE, "JSON Value: [1] Is not object"),
    "signature's name": (
        {"signature_name": 3, "inputs": ["a"]},
        ONE,
        "'signature_name' key must be a string value.",
    ),
    "no tensors": ({"signature_name": "s"}, ONE, "Missing 'inputs' or 'instances' key"),
    "both formats": (
        {"inputs": ["a"], "instances": ["a"]},
        ONE,
        "expecting only one of 'inputs' or 'instances' keys to exist",
    ),
    "instances": ({"instances": "a"}, ONE, "Excepting 'instances' to be an list/array"),
    "no instances": ({"instances": []}, ONE, "No values in 'instances' array"),
    "plain instances": (
        {"instances": ["a"]},
        TWO,
        "instances is a plain list, but expecting list of objects",
    ),
    "mixed instances": (
        {"instances": [{"x": "a"}, "a"]},
        ONE,
        "Expecting object but got list at item 1 of input list",
    ),
    "instances mixed": (
        {"instances": ["a", {"x": "a"}]},
        ONE,
        "Expecting value/list but got object at item 1 of input list",
    ),
    "missing key": ({"instances": [{"x": "a"}]}, TWO, 'JSON object: {"x": "a"} keys must be equal to: x,y'),
    "surplus key": (
        {"instances": [{"x": "a", "y": 1, "z": 2}]},
        TWO,
        "Failed to process element: 0 key: z of 'instances' list. Error: INVALID_ARGUMENT: JSON object: "
        "does not have named input: z",
    ),
    "rows of two sizes": (
        {"instances": [["a"], ["a", "b"]]},
        ONE,
        "INVALID_ARGUMENT: Expecting tensor size: 1 but got: 2",
    ),
    "rows of two shapes": (
        {"instances": [["a"], [["a"]]]},
        ONE,
        "INVALID_ARGUMENT: Expecting shape [1] but got: [1,1]",
    ),
    "plain inputs": ({"inputs": ["a"]}, TWO, "inputs is a plain value/list, but expecting an object"),
    "missing input": ({"inputs": {"x": ["a"]}}, TWO, "Missing named input: y in 'inputs' object."),
    "ragged": (
        {"inputs": [["a"], ["a", "b"]]},
        ONE,
        "Encountered list at unexpected size: 2 at level: 1 expected size: 1",
    ),
    "too deep a list": (
        {"inputs": ["a", ["b"]]},
        ONE,
        "Encountered list at unexpected level: 1 expected < 1",
    ),
    "too shallow": (
        {"inputs": [["a"], "b"]},
        ONE,
        'JSON Value: "b" found at incorrect level: 2 in the JSON DOM. Expected at level: 2',
    ),
    "number for text": ({"inputs": [1]}, ONE, "JSON Value: 1 Type: Number is not of expected type: string"),
    "null": ({"inputs": [None]}, ONE, "JSON Value: null Type: Null is not of expected type: string"),
    "text for a number": (
        {"inputs": ["1"]},
        {"x": "int32"},
        'JSON Value: "1" Type: String is not of expected type: int32',
    ),
    "fraction": (
        {"inputs": [1.0]},
        {"x": "int32"},
        "JSON Value: 1.0 Type: Number is not of expected type: int32",
    ),
    "true for a number": (
        {"inputs": [True]},
        {"x": "int32"},
        "JSON Value: true Type: True is not of expected type: int32",
    ),
    "one for true": (
        {"inputs": [1]},
        {"x": "bool"},
        "JSON Value: 1 Type: Number is not of expected type: bool",
    ),
    "too large an int32": (
        {"inputs": [2**31]},
        {"x": "int32"},
        "JSON Value: 2147483648 Type: Number is not of expected type: int32",
    ),
    "negative uint8": (
        {"inputs": [-1]},
        {"x": "uint8"},
        "JSON Value: -1 Type: Number is not of expected type: uint8",
    ),
    "lossy integer": (
        {"inputs": [2**24]},
        {"x": "float"},
        "Cannot convert JSON value: 16777216 to float without loss of precision.",
    ),
    "huge integer": ({"inputs": [10**400]}, {"x": "float"}, "without loss of precision."),
    "lossy float": (
        {"inputs": [0.5, 1e39]},
        {"x": "float"},
        "Cannot convert JSON value: 1e+39 to float without loss of precision.",
    ),
    "object for text": (
        {"inputs": [{"c64": "AA=="}]},
        ONE,
        'JSON Value: {"c64": "AA=="} not formatted correctly for base64 data',
    ),
    "not base64": ({"inputs": [{"b64": "A"}]}, ONE, "Unable to base64 decode"),
    "base64 of another alphabet": ({"inputs": [{"b64": "-_=="}]}, ONE, "Unable to base64 decode"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_tf_servings_sentence(fault):
    document, types, message = FAULTS[fault]
    with pytest.raises(Refusal) as refused:
        parse(document, **types)
    assert message in refused.value.message
    assert refused.value.http_status == 400
    assert len(refused.value.message) < 1000


OUTPUTS = {
    "ids": np.array([[1, 2], [3, 4]], np.int32),
    "mel": np.array([0.1, 1e-5], np.float32),
    "mask": np.array([[True], [False]]),
    "text": np.array([b"a\n", "é".encode()], object),
    "raw_bytes": np.array([b"\x00\xff", b""], object),
}


def test_an_answer_has_the_format_of_its_request():
    assert json.loads(json_tensors.write(OUTPUTS, in_rows=False)) == {
        "outputs": {
            "ids": [[1, 2], [3, 4]],
            "mel": [0.1, 1e-5],
            "mask": [[True], [False]],
            "text": ["a\n", "é"],
            "raw_bytes": [{"b64": "AP8="}, {"b64": ""}],
        }
    }
    assert json.loads(json_tensors.write(OUTPUTS, in_rows=True)) == {
        "predictions": [
            {"ids": [1, 2], "mel": 0.1, "mask": [True], "text": "a\n", "raw_bytes": {"b64": "AP8="}},
            {"ids": [3, 4], "mel": 1e-5, "mask": [False], "text": "é", "raw_bytes": {"b64": ""}},
        ]
    }


def test_the_only_output_has_no_name():
    assert json.loads(json_tensors.write({"ids": OUTPUTS["ids"]}, in_rows=True)) == {
        "predictions": [[1, 2], [3, 4]]
    }
    assert json.loads(json_tensors.write({"ids": OUTPUTS["ids"]}, in_rows=False)) == {
        "outputs": [[1, 2], [3, 4]]
    }


def test_every_float32_reads_back_as_itself():
    bits = np.random.default_rng(0).integers(0, 2**32, 100_000, np.uint32)
    numbers = bits.view(np.float32)
    for array in (numbers, numbers[np.isfinite(numbers)]):
        back = np.array(json.loads(json_tensors.write({"x": array}, in_rows=False))["outputs"], np.float32)
        np.testing.assert_array_equal(back, array)
    assert json_tensors.write({"x": np.array([0.1, 2, np.nan, -np.inf], np.float32)}, in_rows=False).endswith(
        b"2.0,NaN,-Infinity]}"
    )
    assert json_tensors.write({"x": np.array([0.1], np.float32)}, in_rows=False) == b'{"outputs":[0.1]}'
