"""TF Serving's batching parameters: read, judged, and what a batch is filled up to."""

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.batching_parameters import BatchingParameters, read_batching_parameters
from export.serving_configuration import BATCHING


def write(folder, text):
    path = folder / "batching.txt"
    path.write_text(text)
    return path


def test_the_shipped_file_says_what_its_lines_say():
    assert read_batching_parameters(BATCHING) == BatchingParameters(8, 1000, 64, 4, (1, 2, 4, 8), False)


def test_what_a_file_leaves_out_is_tf_servings_default(tmp_path):
    assert read_batching_parameters(write(tmp_path, "")) == BatchingParameters()
    assert BatchingParameters() == BatchingParameters(1000, 0, 10, os.cpu_count() or 1, (), False)
    text = "max_batch_size { value: 3 } thread_pool_name { value: 'x' } pad_variable_length_inputs: true"
    expected = BatchingParameters(max_batch_size=3, pad_variable_length_inputs=True)
    assert read_batching_parameters(write(tmp_path, text)) == expected


WRONG = {
    "no such field": ("max_rows: 3", "must be BatchingParameters in text form"),
    "no wrapper": ("max_batch_size: 3", "must be BatchingParameters in text form"),
    "no rows": ("max_batch_size { value: 0 }", "`max_batch_size`: must be at least 1; got 0"),
    "no threads": ("num_batch_threads { value: -1 }", "`num_batch_threads`: must be at least 1; got -1"),
    "time": ("batch_timeout_micros { value: -5 }", "`batch_timeout_micros`: must be at least 0; got -5"),
    "last size": ("allowed_batch_sizes: 2", "to `max_batch_size`, 1000; got [2]"),
    "order": (
        "max_batch_size { value: 4 } allowed_batch_sizes: 2 allowed_batch_sizes: 1 allowed_batch_sizes: 4",
        "must rise from at least 1 to `max_batch_size`, 4; got [2, 1, 4]",
    ),
    "no size": (
        "max_batch_size { value: 4 } allowed_batch_sizes: 0 allowed_batch_sizes: 4",
        "got [0, 4]",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_refused_and_named(tmp_path, case):
    text, message = WRONG[case]
    path = write(tmp_path, text)
    with pytest.raises(ValueError, match=re.escape(message)) as refused:
        read_batching_parameters(path)
    assert str(path) in str(refused.value)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "batching.txt"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="must be BatchingParameters in text form"):
        read_batching_parameters(path)


@given(st.sets(st.integers(1, 50), min_size=1).map(sorted), st.data())
def test_a_batch_is_filled_up_to_the_next_allowed_size(sizes, data):
    parameters = BatchingParameters(max_batch_size=sizes[-1], allowed_batch_sizes=tuple(sizes))
    rows = data.draw(st.integers(1, sizes[-1]))
    assert parameters.filled_size(rows) == min(size for size in sizes if size >= rows)
    assert BatchingParameters().filled_size(rows) == rows
