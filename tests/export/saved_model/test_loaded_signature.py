"""A signature of a loaded export gives what TensorFlow's own callable gives."""

import numpy as np
import pytest
import tensorflow as tf

from export.saved_model.loaded_signature import LoadedSignature
from tests.export.tiny import save_tiny


def test_outputs_are_those_of_the_callable(tmp_path):
    module = tf.Module()
    module.weights, module.table = (
        tf.Variable([1.0, 2.0]),
        tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["b", "a"], [1, 2]), -1),
    )
    specs = {"zebra": tf.TensorSpec([None], tf.string), "apple": tf.TensorSpec([2], tf.float32)}

    @tf.function(input_signature=[specs["zebra"], specs["apple"]])
    def run(zebra, apple):
        return {"z": apple * module.weights, "m": zebra, "a": module.table.lookup(zebra)}

    tf.saved_model.save(module, str(tmp_path), signatures={"run": run})
    function = tf.saved_model.load(str(tmp_path)).signatures["run"]
    signature = LoadedSignature(function)
    given = {"zebra": tf.constant(["a", "b", "c"]), "apple": tf.constant([3.0, 4.0])}
    expected = function(**given)
    for inputs in (given, {"apple": np.array([3, 4], np.float32), "zebra": ["a", "b", "c"]}):
        outputs = signature(**inputs)
        assert list(outputs) == sorted(expected) == ["a", "m", "z"]
        for name, value in outputs.items():
            np.testing.assert_array_equal(value.numpy(), expected[name].numpy())
    assert signature.structured_input_signature == function.structured_input_signature
    assert signature.structured_outputs == function.structured_outputs


def test_other_names_and_types_are_refused(tmp_path):
    signature = LoadedSignature(tf.saved_model.load(str(save_tiny(tmp_path / "1"))).signatures["tokenize"])
    with pytest.raises(TypeError, match=r"takes \['text'\]; got \['text', 'x'\]\. Give each of them by name"):
        signature(text=["a"], x=1)
    with pytest.raises(TypeError, match=r"got \[\]"):
        signature()
    with pytest.raises(tf.errors.InvalidArgumentError):
        signature(text=tf.constant([1]))
