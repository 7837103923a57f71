"""Values of Python become the tensors of a signature, or are refused before anything is sent."""

import array

import numpy as np
import pytest

from gemma4_client import InputError, Signature, Spec, Tensor
from gemma4_client.inputs import check_rows, padded, to_tensor, to_tensors

INT, FLOAT, DOUBLE = Spec("int32", (None, 2)), Spec("float32", (None, None)), Spec("float64", (None,))
STRING, BOOL, BYTE = Spec("string", (None,)), Spec("bool", (None,)), Spec("uint8", (None,))

TAKEN = {
    "list": ([[1, 2], [3, 4]], INT, [[1, 2], [3, 4]]),
    "tuples": (((1, 2),), INT, [[1, 2]]),
    "array": (np.array([[1, 2]], np.int32), INT, [[1, 2]]),
    "not in order": (np.array([[1, 2], [3, 4]], np.int32).T, INT, [[1, 3], [2, 4]]),
    "array of Python": (array.array("d", [1.5]), DOUBLE, [1.5]),
    "C's long": (np.array([1], np.int64), Spec("int64", (None,)), [1]),
    "integers for floats": ([[1, 2.5]], FLOAT, [[1.0, 2.5]]),
    "bools": ([True, False], BOOL, [True, False]),
    "bool array": (np.array([True, False]), BOOL, [True, False]),
    "texts": (["é", b"\xff"], STRING, ["é".encode(), b"\xff"]),
    "object array": (np.array(["é", b"\xff"], object), STRING, ["é".encode(), b"\xff"]),
    "text array": (np.array(["ab"]), STRING, [b"ab"]),
    "tensor": (Tensor("uint8", (1,), b"\x07"), BYTE, [7]),
    "no rows": ([], STRING, []),
}


@pytest.mark.parametrize("case", TAKEN)
def test_a_value_becomes_a_tensor(case):
    value, spec, wanted = TAKEN[case]
    tensor = to_tensor("x", value, spec)
    assert (tensor.dtype, tensor.tolist()) == (spec.dtype, wanted)


REFUSED = {
    "dtype": (np.array([[1, 2]]), INT, r"`x`: must be int32 \[\?, 2\]; got int64 \[1, 2\]\. Convert it"),
    "order": (np.array([1], ">f8"), DOUBLE, r"`x`: must be float64 \[\?\]; got a buffer of the format >d\."),
    "half": (np.zeros(1, np.float16), DOUBLE, r"got a buffer of the format e\. Convert it to float64"),
    "shape": ([[1, 2, 3]], INT, r"`x`: must be int32 \[\?, 2\]; got int32 \[1, 3\]"),
    "rank": ([1, 2], INT, r"`x`: must be int32 \[\?, 2\]; got int32 \[2\]"),
    "ragged": (
        [[1, 2], [3]],
        INT,
        r"`x`: must have lists of one length at each level; got one of 2 beside 1",
    ),
    "deep": ([[1, 2], 3], INT, r"got one of 2 beside int\. Fill them up"),
    "float": ([[1.5, 2]], INT, r"`x`: must be int32 \[\?, 2\]; got 1\.5\. Pass int values"),
    "bool": ([[True, 2]], INT, r"got True\. Pass int values"),
    "range": ([256], BYTE, r"`x`: must be uint8 \[\?\]; got values from 256 to 256\. Pass ones in its range"),
    "not text": ([None], STRING, r"`x`: must be string \[\?\]; got None\. Pass texts, or files as bytes"),
    "surrogate": (["\ud800"], STRING, r"`x`: must be UTF-8; got '\\ud800'\. Leave out lone surrogates"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_value_that_does_not_fit_is_refused(case):
    value, spec, message = REFUSED[case]
    with pytest.raises(InputError, match=message):
        to_tensor("x", value, spec)


def test_names_and_rows_must_agree():
    signature = Signature({"a": STRING, "b": BYTE}, {})
    assert to_tensors("s", signature, {"a": ["x"], "b": [1]})["b"].data == b"\x01"
    with pytest.raises(InputError, match=r"`inputs`: s takes a, b; got a, c. Pass those, each once"):
        to_tensors("s", signature, {"a": ["x"], "c": [1]})
    with pytest.raises(InputError, match=r"must have the same number of rows; got {'a': 1, 'b': 2}"):
        to_tensors("s", signature, {"a": ["x"], "b": [1, 2]})


def test_rows_are_filled_up():
    assert padded("images", [[b"1", b"2"], []], b"") == [[b"1", b"2"], [b"", b""]]
    assert padded("images", [[], []], b"", least=1) == [[b""], [b""]]
    assert padded("images", [], b"") == []


@pytest.mark.parametrize("row", [b"file", "text", None])
def test_a_row_must_be_a_list(row):
    with pytest.raises(InputError, match=r"`images`: must be a list of lists, one a row; got \w+ as row 0"):
        padded("images", [row], b"")


def test_a_text_alone_is_no_list():
    with pytest.raises(InputError, match=r"`prompts`: must be a list, one a row; got str\. Pass \[value\]"):
        check_rows("prompts", "Hello")
