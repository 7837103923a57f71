"""JSON values as arrays: what is written comes back, and what does not agree with itself is refused."""

import base64
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.serving.json_values import is_base64, quoted, to_array
from export.serving.refusals import Refusal
from export.tensorflow_formats import types_pb2
from tests.twins.vocabularies import REPEATABLE

STRING, FLOAT, DOUBLE, INT32, INT64, UINT8, BOOL = (
    getattr(types_pb2, f"DT_{name}")
    for name in ("STRING", "FLOAT", "DOUBLE", "INT32", "INT64", "UINT8", "BOOL")
)
SHAPES = st.lists(st.integers(1, 3), max_size=4)
LEAVES = {
    STRING: st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    FLOAT: st.floats(width=32) | st.integers(1 - 2**24, 2**24 - 1),
    DOUBLE: st.floats() | st.integers(1 - 2**53, 2**53 - 1),
    INT32: st.integers(-(2**31), 2**31 - 1),
    INT64: st.integers(-(2**63), 2**63 - 1),
    UINT8: st.integers(0, 255),
    BOOL: st.booleans(),
}
DTYPES = {
    STRING: object,
    FLOAT: np.float32,
    DOUBLE: np.float64,
    INT32: np.int32,
    INT64: np.int64,
    UINT8: np.uint8,
    BOOL: bool,
}


@st.composite
def nested(draw, leaves):
    """A nested list, its shape, and its leaves in order."""
    shape = draw(SHAPES)
    items = [draw(leaves) for _ in range(math.prod(shape))]
    array = np.empty(len(items), object)
    array[:] = items
    return array.reshape(shape).tolist(), tuple(shape), items


@REPEATABLE
@given(st.sampled_from(list(LEAVES)).flatmap(lambda dtype: st.tuples(st.just(dtype), nested(LEAVES[dtype]))))
def test_a_nested_list_is_the_array_of_its_leaves(case):
    dtype, (value, shape, items) = case
    found = to_array(json.loads(json.dumps(value)), dtype)
    assert (found.shape, found.dtype) == (shape, DTYPES[dtype])
    leaves = [item.encode() for item in items] if dtype == STRING else items
    np.testing.assert_array_equal(found.ravel(), np.array(leaves, DTYPES[dtype]))


@REPEATABLE
@given(nested(st.binary(max_size=7)), st.booleans())
def test_bytes_are_base64_with_or_without_its_padding(case, is_padded):
    value, shape, items = case

    def written(item):
        if isinstance(item, list):
            return [written(one) for one in item]
        text = base64.b64encode(item).decode()
        return {"b64": text if is_padded else text.rstrip("=")}

    found = to_array(written(value), STRING)
    assert (found.shape, found.ravel().tolist()) == (shape, items)


@REPEATABLE
@given(st.integers(2, 4), st.integers(1, 4), st.data())
def test_a_list_that_lost_an_item_is_refused(rows, width, data):
    value = [list(range(width)) for _ in range(rows)]
    value[data.draw(st.integers(0, rows - 1))].pop()
    for nested_deeper in (value, [value, value]):
        with pytest.raises(Refusal, match=r"Encountered list at unexpected size: \d at level: "):
            to_array(nested_deeper, INT32)


@pytest.mark.parametrize(
    ("value", "shape"), [([], (0,)), ([[]], (1, 0)), ([[], []], (2, 0)), ([[[]], [[]]], (2, 1, 0))]
)
@pytest.mark.parametrize("dtype", [STRING, FLOAT, INT32, BOOL])
def test_empty_lists_have_a_shape_too(value, shape, dtype):
    assert to_array(value, dtype).shape == shape


WRONG = [
    (INT32, 2**31, "2147483648 Type: Number is not of expected type: int32"),
    (INT32, -(2**31) - 1, "-2147483649 Type: Number"),
    (INT64, 2**63, "9223372036854775808 Type: Number is not of expected type: int64"),
    (UINT8, 256, "256 Type: Number is not of expected type: uint8"),
    (UINT8, False, "false Type: False is not of expected type: uint8"),
    (INT32, 1.0, "1.0 Type: Number"),
    (BOOL, 0, "0 Type: Number is not of expected type: bool"),
    (BOOL, None, "null Type: Null"),
    (FLOAT, "1", '"1" Type: String is not of expected type: float'),
    (FLOAT, {"b64": "AA=="}, "Type: Object is not of expected type: float"),
    (FLOAT, -(2**24), "Cannot convert JSON value: -16777216 to float without loss of precision."),
    (FLOAT, 3.5e38, "Cannot convert JSON value: 3.5e+38 to float"),
    (DOUBLE, 2**53, "Cannot convert JSON value: 9007199254740992 to double without loss of precision."),
    (DOUBLE, "1", "is not of expected type: double"),
    (STRING, 5, "5 Type: Number is not of expected type: string"),
    (STRING, {}, "{} not formatted correctly for base64 data"),
    (STRING, {"b64": "?"}, "Unable to base64 decode"),
    (STRING, "\ud800", "The surrogate pair in string is invalid."),
]


@pytest.mark.parametrize(("dtype", "leaf", "message"), WRONG)
def test_a_leaf_of_another_type_is_refused_wherever_it_stands(dtype, leaf, message):
    good = {STRING: "a", BOOL: True}.get(dtype, 1)
    for value in (leaf, [good, leaf], [[good], [leaf]]):
        with pytest.raises(Refusal) as refused:
            to_array(value, dtype)
        assert message in refused.value.message


def test_lists_at_another_depth_are_refused():
    with pytest.raises(Refusal, match="Encountered list at unexpected level: 1 expected < 1"):
        to_array([1, [2]], INT32)
    with pytest.raises(
        Refusal, match=r"2 found at incorrect level: 2 in the JSON DOM\. Expected at level: 2"
    ):
        to_array([[1], 2], INT32)


def test_base64_is_an_object_of_one_string():
    assert is_base64({"b64": ""})
    for other in ("b64", ["b64"], {}, {"b64": 1}, {"b64": "", "x": 1}, {"x": ""}, None):
        assert not is_base64(other)


@REPEATABLE
@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.lists(inner, max_size=3)))
def test_a_short_value_is_quoted_whole(value):
    text = quoted(value)
    assert len(text) <= 201
    assert text.endswith("…") or json.loads(text) == value


def test_a_long_value_is_quoted_from_its_beginning():
    assert quoted("a" * 198) == f'"{"a" * 198}"'
    assert quoted("a" * 199) == f'"{"a" * 199}…'
