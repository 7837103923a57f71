"""Arrays as bytes and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.serving.refusals import Refusal
from export.serving.v2.datatypes import BYTES, DATATYPES, datatype_named
from export.serving.v2.raw import from_raw, to_raw
from tests.twins.vocabularies import REPEATABLE


@pytest.mark.parametrize("datatype", DATATYPES[:-1], ids=lambda datatype: datatype.name)
def test_numbers_come_back(datatype):
    array = np.arange(6).reshape(2, 3).astype(datatype.dtype)
    raw = to_raw(array, datatype)
    assert len(raw) == 6 * datatype.dtype.itemsize
    np.testing.assert_array_equal(from_raw("x", datatype, (2, 3), raw), array)


@REPEATABLE
@given(st.lists(st.binary(max_size=9), max_size=5))
def test_strings_come_back(strings):
    array = np.empty(len(strings), object)
    array[:] = strings
    back = from_raw("x", BYTES, (1, len(strings)), memoryview(to_raw(array, BYTES)))
    assert back.shape == (1, len(strings))
    assert back[0].tolist() == strings


def test_the_bytes_are_those_of_the_protocol():
    assert to_raw(np.array([b"ab", b""], object), BYTES) == b"\x02\0\0\0ab\0\0\0\0"
    assert to_raw(np.array([1, -2], np.int32), datatype_named("INT32", "x")) == b"\x01\0\0\0\xfe\xff\xff\xff"
    assert to_raw(np.array([True, False]), datatype_named("BOOL", "x")) == b"\x01\0"
    assert to_raw(np.array([[1.0]], np.float32), datatype_named("FP32", "x")) == b"\0\0\x80?"
    assert from_raw("x", datatype_named("BOOL", "x"), (2,), b"\x02\0").tolist() == [True, False]


@pytest.mark.parametrize(("shape", "raw"), [((2,), bytes(7)), ((2,), bytes(9)), ((), b""), ((0, 3), b"\0")])
def test_bytes_that_do_not_fill_the_shape_are_refused(shape, raw):
    with pytest.raises(Refusal, match=r"`x`: INT32 of shape .* must have \d+ raw bytes; got \d"):
        from_raw("x", datatype_named("INT32", "x"), shape, raw)


@pytest.mark.parametrize(
    ("count", "raw"),
    [
        (1, b""),
        (0, b"\0\0\0\0"),
        (1, b"\0\0\0"),
        (1, b"\x02\0\0\0a"),
        (1, b"\xff\xff\xff\xffa"),
        (1, b"\x01\0\0\0ab"),
        (2, b"\x01\0\0\0a"),
        (1, bytes(4_000_000)),
    ],
)
def test_strings_that_do_not_fill_the_shape_or_the_bytes_are_refused(count, raw):
    with pytest.raises(Refusal, match=r"`x`: must have \d strings, each behind its length in 4 bytes"):
        from_raw("x", BYTES, (count,), raw)
