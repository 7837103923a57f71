"""Typed contents of gRPC."""

import numpy as np
import pytest

from export.serving.refusals import Refusal
from export.serving.v2.contents import fill, read
from export.serving.v2.datatypes import DATATYPES, datatype_named
from export.serving.v2.messages import MESSAGES

TENSOR = MESSAGES["ModelInferRequest.InferInputTensor"]
TYPED = [datatype for datatype in DATATYPES if datatype.contents]


@pytest.mark.parametrize("datatype", TYPED, ids=lambda datatype: datatype.name)
def test_arrays_come_back(datatype):
    array = np.array([[0, 1, 1]], datatype.dtype)
    if datatype.name == "BYTES":
        array = np.array([[b"a", b"", b"\xff"]], object)
    tensor = TENSOR(name="x")
    fill(tensor.contents, datatype, array)
    assert len(getattr(tensor.contents, datatype.contents)) == 3
    back = read(tensor, datatype, (1, 3))
    np.testing.assert_array_equal(back, array)
    assert back.dtype == array.dtype


def test_floats_are_written_as_they_lie_in_memory():
    contents = MESSAGES["InferTensorContents"]()
    strided = np.arange(6, dtype=np.float32).reshape(2, 3).T
    fill(contents, datatype_named("FP32", "x"), strided)
    assert list(contents.fp32_contents) == [0, 3, 1, 4, 2, 5]


@pytest.mark.parametrize(
    ("datatype", "contents", "message"),
    [
        ("INT32", {"fp32_contents": [1.0]}, "`x`: INT32 must stand in int_contents; got fp32_contents."),
        ("INT32", {"int_contents": [1], "int64_contents": [1]}, "must stand in int_contents; got int_conten"),
        ("FP16", {"fp32_contents": [1.0]}, "`x`: FP16 must stand in raw_input_contents; got fp32_contents."),
        ("INT32", {"int_contents": [1, 2]}, r"must be the 1 elements of shape \[1\]; got 2."),
        ("BYTES", {}, r"must be the 1 elements of shape \[1\]; got 0."),
        ("UINT8", {"uint_contents": [256]}, "each element must be UINT8; got one outside of its range."),
        ("INT8", {"int_contents": [-129]}, "each element must be INT8; got one outside of its range."),
    ],
)
def test_what_does_not_fit_the_type_or_shape_is_refused(datatype, contents, message):
    tensor = TENSOR(name="x", contents=MESSAGES["InferTensorContents"](**contents))
    with pytest.raises(Refusal, match=message):
        read(tensor, datatype_named(datatype, "x"), (1,))
