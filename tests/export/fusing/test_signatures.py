"""How a model is called, and what its outputs are called."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from export.fusing.signatures import OWN_OUTPUTS, call_model, named_outputs

FEATURES = {"token_ids": tf.constant([[1, 2]]), "padding_mask": tf.constant([[True, False]])}


def inputs():
    return [keras.Input((2,), name=name) for name in FEATURES]


@pytest.mark.parametrize(
    "make",
    [
        lambda ids, mask: keras.Model([ids, mask], ids * mask),
        lambda ids, mask: keras.Model({"a": ids, "b": mask}, ids * mask),
        lambda ids, mask: keras.Model(ids, ids * 1),
    ],
    ids=["list", "dict of other keys", "one tensor"],
)
def test_a_functional_model_gets_the_features_that_its_inputs_name(make):
    answer = call_model(make(*inputs()), FEATURES)
    assert np.asarray(answer)[0, 0] == 1


def test_another_model_gets_all_features():
    assert call_model(lambda features: features.keys(), FEATURES) == FEATURES.keys()

    class Layer(keras.layers.Layer):
        def call(self, features, training):
            assert training is False
            return features["token_ids"]

    np.testing.assert_array_equal(call_model(Layer(), FEATURES), [[1, 2]])


def test_outputs_have_names():
    one = tf.constant([1.0])
    assert named_outputs(one).keys() == {"outputs"}
    assert named_outputs([one, one]).keys() == {"output_0", "output_1"}
    assert named_outputs({"a": one, 2: one}).keys() == {"a", "2"}


@pytest.mark.parametrize("name", OWN_OUTPUTS)
def test_an_output_of_our_name_is_refused(name):
    with pytest.raises(ValueError, match=f"none of its outputs may be called {name!r}"):
        named_outputs({name: tf.constant([1.0])})
