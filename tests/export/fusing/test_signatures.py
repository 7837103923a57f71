"""How a model is called, and what its outputs are called."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from export.fusing.fusable import generation_settings
from export.fusing.signatures import OWN_OUTPUTS, call_model, fused_signatures, named_outputs
from export.verify import samples
from graph_ops.family import GEMMA4

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


def test_requests_choose_budgets_through_a_model_too(make_preprocessor):
    settings = make_preprocessor(audio=False, parity="transformers").settings

    def model(features):
        return {"soft_tokens": tf.reduce_sum(tf.cast(features["vision_mask"], tf.int32), axis=1)}

    generation = generation_settings(settings, GEMMA4.stop, None, False)
    assert "max_soft_tokens" not in fused_signatures(settings, model, generation)["predict"].inputs
    table = fused_signatures(settings, model, generation, max_soft_tokens_input=True)
    assert table["predict"].inputs["max_soft_tokens"].shape == (None, None)
    file = tf.io.encode_png(samples.pixels(480, 640)).numpy()
    row = {"prompts": ["<|image|>"] * 2, "images": [[file]] * 2, "max_soft_tokens": [[70], [0]]}
    answer = table["predict"].function({name: tf.constant(value) for name, value in row.items()})
    assert answer["soft_tokens"].numpy().tolist() == [63, 266]
