"""What one image and one clip look like, and what is said of another shape."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.layers.inputs.forms import check_shape, described, file_bytes, quoted
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from tests.twins.vocabularies import REPEATABLE


@REPEATABLE
@given(st.binary(max_size=20))
def test_a_file_is_any_buffer_of_bytes(data):
    for form in (data, bytearray(data), memoryview(data), np.bytes_(data.rstrip(b"\0"))):
        found = file_bytes(form, medium=IMAGE)
        assert type(found) in (bytes, np.bytes_)
        assert found == bytes(form)


@pytest.mark.parametrize("value", [None, 3, [b"a"], np.zeros(3), np.zeros((2, 2)).data, object()])
def test_what_is_no_file_is_none(value):
    assert file_bytes(value, medium=AUDIO) is None


@pytest.mark.parametrize(
    ("path", "kind"), [("a.jpg", "string"), (pathlib.Path("a.jpg"), "path"), ("x" * 99, "string")]
)
@pytest.mark.parametrize("medium", [IMAGE, AUDIO], ids=lambda medium: medium.name)
def test_a_path_is_no_file(path, kind, medium):
    start = str(path)[:9]
    with pytest.raises(
        TypeError, match=f"`{medium.argument}`: a file must be given by its bytes; got the {kind} '{start}"
    ):
        file_bytes(path, medium=medium)


@pytest.mark.parametrize(
    ("shape", "hint"),
    [
        ([6, 8, 4], "Composite RGBA over a colour"),
        ([2, 6, 8, 1], "Repeat the grey channel"),
        ([3, 6, 8], "Move the channels to the end"),
        ([6, 8, 2], "Convert it to RGB; a grey image needs its value three times"),
    ],
)
def test_pixels_without_three_channels_are_explained(shape, hint):
    with pytest.raises(ValueError, match="`images`: an image must have 3 channels; got shape .*" + hint):
        check_shape(tf.TensorShape(shape), medium=IMAGE, most_rows=2)


@pytest.mark.parametrize(("shape", "most_rows"), [([9, 2], 2), ([1, 8_000, 8], 2), ([5_000, 3], 4_999)])
def test_samples_with_channels_last_are_explained(shape, most_rows):
    with pytest.raises(
        ValueError, match=f"`audio`: a clip must be mono, .* as of {shape[-1]} channels. Mix them down"
    ):
        check_shape(tf.TensorShape(shape), medium=AUDIO, most_rows=most_rows)


@pytest.mark.parametrize(
    ("medium", "shape", "most_rows"),
    [
        (IMAGE, [6, 8, 3], 1),
        (IMAGE, [None, None, None], 1),
        (IMAGE, [4], 1),
        (AUDIO, [9], 1),
        (AUDIO, [8, 2], 1),  # as many clips as there may be channels
        (AUDIO, [9, 2], 9),
        (AUDIO, [9, 9], 1),
        (AUDIO, [9, 1], 1),
        (AUDIO, [None, 2], 1),
    ],
)
def test_a_shape_that_may_be_of_items_is_accepted(medium, shape, most_rows):
    check_shape(tf.TensorShape(shape), medium=medium, most_rows=most_rows)


@pytest.mark.parametrize("medium", [IMAGE, AUDIO], ids=lambda medium: medium.name)
def test_a_shape_must_have_a_known_rank(medium):
    with pytest.raises(ValueError, match=f"`{medium.argument}`: must have a known rank; .*Set it"):
        check_shape(tf.TensorShape(None), medium=medium, most_rows=1)


@REPEATABLE
@given(st.text(max_size=100) | st.binary(max_size=100) | st.lists(st.integers(), max_size=30))
def test_a_quoted_value_is_its_repr_or_the_beginning_of_it(value):
    found = quoted(value)
    assert len(found) <= 41
    assert found == repr(value) or (
        found[-1] == "…" and repr(value).startswith(found[:-1]) and len(found) == 41
    )


def test_a_value_is_described_without_what_it_holds():
    assert described([b"secret"]) == "list"
    assert described(np.zeros((2, 3), np.int16)) == "ndarray of dtype int16 and shape (2, 3)"
    assert described(tf.zeros([4])) == "EagerTensor of dtype float32 and shape (4,)"
