"""Rows of several requests as one batch, and back."""

import grpc
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.serving.batches import merge, split
from export.serving.refusals import Refusal

INVALID, PRECONDITION = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION


def strings(*rows):
    return np.array(rows, object)


def test_a_batch_is_filled_up_with_the_first_row_of_the_last_request():
    requests = [{"text": strings(b"a")}, {"text": strings(b"b", b"c")}]
    assert merge(requests, size=5, pad=False)["text"].tolist() == [b"a", b"b", b"c", b"b", b"b"]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(0, 4))
def test_what_was_merged_is_split_again(rows, more):
    requests = [
        {
            "ids": np.arange(count * 3).reshape(count, 3) + 100 * place,
            "text": strings(*[b"%d" % place] * count),
        }
        for place, count in enumerate(rows)
    ]
    size = sum(rows) + more
    merged = merge(requests, size=size, pad=False)
    assert all(len(array) == size for array in merged.values())
    assert merged["ids"].dtype == requests[0]["ids"].dtype
    for request, answer in zip(requests, split(merged, rows, size=size), strict=True):
        assert answer.keys() == request.keys()
        for key, array in request.items():
            np.testing.assert_array_equal(answer[key], array)


def test_rows_of_different_widths_meet_only_where_they_are_padded():
    requests = [{"x": np.array([[1, 2], [3, 4]])}, {"x": np.array([[5, 6, 7]])}]
    with pytest.raises(Refusal, match="'x' from different tasks have different shapes and") as refused:
        merge(requests, size=3, pad=False)
    assert refused.value.code is PRECONDITION
    padded = merge(requests, size=4, pad=True)["x"]
    assert padded.tolist() == [[1, 2, 1], [3, 4, 1], [5, 6, 7], [5, 6, 7]]


def test_rows_without_an_element_cannot_be_padded():
    requests = [{"x": strings([])}, {"x": strings([b"a"])}]
    assert requests[0]["x"].shape == (1, 0)
    with pytest.raises(Refusal, match="Got empty tensor in batch of non-empty tensors") as refused:
        merge(requests, size=2, pad=True)
    assert refused.value.code is INVALID
    assert merge(requests[:1], size=1, pad=True)["x"].shape == (1, 0)


@pytest.mark.parametrize(
    ("output", "message"),
    [(np.array(1), "has 0 dimensions"), (np.zeros((1, 2)), "does not equal the sum of the 0th dimension")],
)
def test_an_output_without_a_row_for_each_is_refused(output, message):
    with pytest.raises(Refusal, match=message) as refused:
        split({"good": np.zeros(2), "bad": output}, [1, 1], size=2)
    assert refused.value.code is PRECONDITION
