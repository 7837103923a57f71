"""A layer that takes raw Python values."""

from typing import Any, ClassVar

import keras
import pytest
import tensorflow as tf

from graph_ops.layers import process
from graph_ops.layers.layer import PreprocessingLayer


class Echo(PreprocessingLayer):
    """Gives back what it is called with."""

    without_effect: ClassVar[dict[str, Any]] = {"colour": "red", "size": None}

    def call(self, *values, **named):
        return values, named


class Length(PreprocessingLayer):
    def call(self, texts):
        return tf.strings.length(texts)


@pytest.mark.parametrize("value", ["text", b"\xff", ["a", ["b"]], {"a": object()}, None, 3, [b"x" * 9, 1.5]])
def test_values_come_as_they_were_passed(value):
    (found,), named = Echo()(value, other=value)
    assert found is value
    assert named["other"] is value


def test_settings_without_effect_are_attributes_and_saved_where_they_were_given():
    plain, given = Echo(), Echo(colour="blue", size=3, name="mine")
    assert (plain.colour, plain.size) == ("red", None)
    assert plain.get_config().keys() & {"colour", "size"} == set()
    config = given.get_config()
    assert (config["name"], config["colour"], config["size"]) == ("mine", "blue", 3)
    assert Echo.from_config(config).get_config() == config
    assert Echo(colour="red").get_config().keys() == plain.get_config().keys()
    with pytest.raises(ValueError, match="smell"):
        Echo(smell=1)


def test_a_layer_is_built_and_has_no_weights():
    layer = Echo()
    assert layer.built
    assert layer.weights == []


def test_symbolic_tensors_make_a_functional_model():
    inputs = keras.Input((), dtype="string")
    outputs = Length()(inputs)
    assert isinstance(outputs, keras.KerasTensor)
    assert keras.Model(inputs, outputs)(tf.constant(["ab", "c"])).numpy().tolist() == [2, 1]


@pytest.mark.parametrize(
    "wrap", [lambda x: {"a": x}, lambda x: [x], lambda x: {"a": [x]}], ids=["dict", "list", "both"]
)
def test_symbolic_tensors_are_found_inside(wrap):
    class First(PreprocessingLayer):
        def call(self, values):
            return tf.strings.length(tf.nest.flatten(values)[0])

    assert isinstance(First()(wrap(keras.Input((), dtype="string"))), keras.KerasTensor)


def test_an_error_comes_through_as_it_was_raised():
    class Failing(PreprocessingLayer):
        def call(self, value):
            raise ValueError("short")

    with pytest.raises(ValueError, match=r"^short$"):
        Failing()(b"x" * 10_000)


def test_a_call_in_a_forked_process_is_refused(monkeypatch):
    layer = Echo()
    monkeypatch.setattr(process, "_first_process", -1)
    with pytest.raises(RuntimeError, match="forked"):
        layer(1)
