"""Arrays without NumPy are NumPy's arrays where it is there."""

import numpy as np
import pytest
from tensorflow.core.framework import types_pb2

from gemma4_client import InputError, Tensor
from gemma4_client.tensor import DTYPES, NAMES

NUMBERS = [name for name in DTYPES if name != "string"]


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 0), (0, 2), (2, 1, 2)])
def test_values_are_those_of_numpy(dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    tensor = Tensor(dtype, shape, array.tobytes())
    assert tensor.tolist() == array.tolist()
    assert tensor.view().tolist() == array.ravel().tolist()
    seen = np.asarray(tensor)
    assert (seen.dtype, seen.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(seen, array)


def test_numpy_takes_the_bytes_without_a_copy():
    data = bytes(8)
    tensor = Tensor("float32", (2,), data)
    seen = np.asarray(tensor)
    assert np.shares_memory(seen, np.frombuffer(data, np.uint8))
    assert not seen.flags.writeable


def test_strings_are_bytes_or_texts():
    tensor = Tensor("string", (2, 1), ("é".encode(), b"\xff"))
    assert tensor.tolist() == [["é".encode()], [b"\xff"]]
    assert tensor.texts() == [["é"], ["\ufffd"]]
    assert Tensor("string", (), (b"a",)).texts() == "a"


def test_numbers_are_those_of_types_proto():
    names = {"float32": "FLOAT", "float64": "DOUBLE"}
    for number, name in NAMES.items():
        assert number == types_pb2.DataType.Value(f"DT_{names.get(name, name.upper())}")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tensor("half", (1,), b"12"), r"`dtype`: must be one of float32, .*; got half\. Pass one"),
        (lambda: Tensor("int32", (2,), b"1234"), r"`data`: must have 8 bytes for int32 \[2\]; got 4\. Pass"),
        (lambda: Tensor("string", (2,), (b"1",)), r"`data`: must have 2 strings for string \[2\]; got 1"),
        (lambda: Tensor("string", (1,), (b"1",)).view(), r"`view`: must be of numbers or bools; got strings"),
        (lambda: Tensor("bool", (1,), b"1").texts(), r"`texts`: must be of strings; got bool\. Take"),
    ],
)
def test_what_does_not_fit_is_said(make, message):
    with pytest.raises(InputError, match=message):
        make()
