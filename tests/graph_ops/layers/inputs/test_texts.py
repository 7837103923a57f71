"""Prompts and responses as string tensors, in every form."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.layers.inputs.texts import as_responses, as_texts
from tests.twins.vocabularies import REPEATABLE


@REPEATABLE
@given(st.lists(st.text(max_size=8), max_size=4))
def test_texts_are_the_same_in_every_form(texts):
    expected = [text.encode() for text in texts]
    # NumPy's own kinds of strings cannot hold zeros at their ends
    forms = [
        texts,
        tuple(texts),
        expected,
        np.array(texts, object),
        tf.constant(texts, tf.string, [len(texts)]),
    ]
    for form in forms:
        found = as_texts(form, "prompts")
        assert (found.dtype, found.shape) == (tf.string, (len(texts),))
        assert found.numpy().tolist() == expected


@REPEATABLE
@given(st.binary(max_size=9))
def test_buffers_of_bytes_are_texts_alone_and_in_lists(data):
    for form in (data, bytearray(data), memoryview(data)):
        assert as_texts(form, "prompts").numpy() == data
        assert as_texts([form, "a"], "prompts").numpy().tolist() == [data, b"a"]


def test_strings_of_more_axes_are_accepted_where_that_is_said():
    nested = [["a", "b"], ["c", b"d"]]
    assert as_texts(nested, "inputs", most_axes=None).numpy().tolist() == [[b"a", b"b"], [b"c", b"d"]]
    assert as_texts("a", "inputs", most_axes=0).shape == ()
    with pytest.raises(ValueError, match=r"`prompts`: must have rank 0 or 1; got rank 2\. Flatten it"):
        as_texts(nested, "prompts")


@pytest.mark.parametrize(
    ("value", "described"),
    [
        (3, "int"),
        ([1, 2], "list"),
        (None, "NoneType"),
        ([["a", "b"], ["c"]], "list"),
        (np.zeros(2), r"ndarray of dtype float64"),
    ],
)
def test_what_is_no_string_is_refused_by_its_type(value, described):
    with pytest.raises(
        TypeError, match=f"`x`: must be a string or a list of strings; got {described}.* Convert it"
    ):
        as_texts(value, "x")


@pytest.mark.parametrize("form", ["alone", "list", "array"])
@pytest.mark.parametrize("surrogate", [0xD800, 0xDFFF])
def test_a_lone_surrogate_is_refused_with_its_place(form, surrogate):
    text = "ab" + chr(surrogate)
    forms = {"alone": text, "list": ["", text], "array": np.array(["", text], object)}
    with pytest.raises(
        ValueError, match=r"`x`: must be Unicode, .*; got '\\ud[8f].*' as character 2. Replace it"
    ):
        as_texts(forms[form], "x")


def test_a_tensor_must_have_a_known_rank():
    step = tf.function(lambda texts: as_texts(texts, "prompts"), autograph=False)
    with pytest.raises(ValueError, match=r"`prompts`: must have a known rank\. Set it"):
        step.get_concrete_function(tf.TensorSpec(None, tf.string))
    assert step.get_concrete_function(tf.TensorSpec([None], tf.string)).output_shapes.as_list() == [None]


def test_there_is_one_response_for_each_prompt():
    assert as_responses(["a", "b"], tf.constant(["c", "d"])).numpy().tolist() == [b"a", b"b"]
    assert as_responses("a", tf.constant("c")).shape == ()
    for responses, prompts, counts in (
        (["a"], ["c", "d"], "1 strings for 2 strings"),
        ("a", ["c"], "one string for 1 strings"),
        (["a"], "c", "1 strings for one string"),
    ):
        with pytest.raises(ValueError, match=f"`responses`: there must be one for each prompt; got {counts}"):
            as_responses(responses, tf.constant(prompts))


def test_buffers_of_bytes_may_lie_in_lists_of_lists():
    found = as_texts([["a", bytearray(b"d")], [memoryview(b"e"), b"f"]], "texts", most_axes=None)
    assert found.numpy().tolist() == [[b"a", b"d"], [b"e", b"f"]]
