"""Other models than a whole Gemma 4, fused: samplers, limits, any Keras model or callable, and models that do
not fit.
"""

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from examples.small_gemma4 import small_gemma4
from export.fusing.fusable import check_model
from export.fusing.write import fuse
from export.saved_model import run as running
from export.saved_model.signatures import DEFAULT
from tests.export.fusing.rig import text_preprocessor


@pytest.fixture(scope="module")
def preprocessor():
    keras.utils.set_random_seed(
        1
    )  # first: it empties TensorFlow's kernel cache, and with it tensorflow-text's models
    return text_preprocessor()


@pytest.fixture(scope="module")
def text_model(preprocessor):
    return small_gemma4(preprocessor.tokenizer.vocabulary_size(), images=False, audio=False)


def fused_signature(preprocessor, model, folder, name, **settings):
    loaded = running.load(fuse(preprocessor, model, folder, **settings))
    signature = loaded.signatures[name]

    def call(**inputs):
        return {
            key: value.numpy()
            for key, value in signature(**{key: tf.constant(value) for key, value in inputs.items()}).items()
        }

    call.loaded = loaded  # type: ignore[attr-defined]
    return call


@pytest.fixture(scope="module")
def sampled(preprocessor, text_model, tmp_path_factory):
    """`generate` with a random sampler."""
    text_model.compile(sampler=keras_hub.samplers.TopPSampler(p=0.9, k=50, temperature=2.0))
    return fused_signature(
        preprocessor, text_model, tmp_path_factory.mktemp("sampled"), "generate", max_new_tokens=4
    )


@pytest.mark.slow
def test_a_random_answer_depends_on_its_seed_and_on_nothing_else(sampled):
    prompts = ["one", "a longer second prompt", "one"]
    first, again = (sampled(prompts=prompts, seed=[7, 8, 9])["token_ids"] for _ in range(2))
    alone = sampled(prompts=["one"], seed=[7])["token_ids"]
    assert first.tolist() == again.tolist()
    assert first[0].tolist() == alone[0].tolist()
    assert first[0].tolist() != first[2].tolist()


@pytest.mark.release
def test_draws_follow_the_distribution_of_the_sampler(preprocessor, text_model, sampled):
    """The first token over 2,000 seeds, against the probabilities of the model's own sampler."""
    ids = np.concatenate(
        [
            sampled(prompts=["one"] * 200, seed=np.arange(200, dtype=np.int32) + 200 * turn)["token_ids"]
            for turn in range(10)
        ]
    )
    start = int(np.sum(preprocessor.generate_preprocess("one")["padding_mask"]))
    drawn = np.bincount(ids[:, start], minlength=preprocessor.tokenizer.vocabulary_size()) / len(ids)
    features = preprocessor.generate_preprocess(["one"])
    logits = text_model({**features, "position_ids": tf.range(64)[tf.newaxis]})[:, start - 1]
    probabilities = np.sort(text_model.sampler.compute_probabilities(logits)[0].numpy())[::-1][:50]
    kept = probabilities[: int(np.sum(np.cumsum(probabilities) <= 0.9)) + 1]
    expected = np.sort(kept / kept.sum())[::-1]
    assert np.count_nonzero(drawn) <= len(expected)
    np.testing.assert_allclose(np.sort(drawn)[::-1][: len(expected)], expected, atol=0.02)


@pytest.fixture(scope="module")
def answer(preprocessor, text_model, tmp_path_factory):
    """`generate` of the greedy model, with what it says third to "one" as its stop token."""
    text_model.compile(sampler="greedy")
    says = greedy_ids(preprocessor, text_model, "one", 4)
    stop = preprocessor.tokenizer.id_to_token(says[2])
    call = fused_signature(
        preprocessor,
        text_model,
        tmp_path_factory.mktemp("greedy"),
        "generate",
        max_new_tokens=8,
        stop_tokens=[stop],
        strip_prompt=True,
    )
    return call, says


def greedy_ids(preprocessor, model, prompt, count):
    """What the model says, a token at a time from whole rows, without cache or loop."""
    ids = preprocessor.generate_preprocess(prompt)["token_ids"].numpy()
    start = int(np.count_nonzero(ids))
    for place in range(start, start + count):
        row = {
            "token_ids": ids[np.newaxis],
            "padding_mask": (np.arange(64) < place)[np.newaxis],
            "position_ids": np.arange(64)[np.newaxis],
        }
        ids[place] = np.argmax(model(row)[0, place - 1])
    return ids[start : start + count].tolist()


def test_an_answer_ends_at_its_stop_token_or_its_limit_whatever_the_others_do(
    answer, preprocessor, text_model
):
    call, says = answer
    prompts = ["one", "another prompt, which is longer and goes on", ""]
    ids = call(prompts=prompts)["token_ids"]
    starts = [int(np.sum(preprocessor.generate_preprocess(prompt)["padding_mask"])) for prompt in prompts]
    assert [int(np.count_nonzero(row[start:])) for row, start in zip(ids, starts, strict=True)] == [3, 8, 8]
    assert ids[0, starts[0] : starts[0] + 3].tolist() == says[:3]
    assert ids[1, starts[1] : starts[1] + 8].tolist() == greedy_ids(preprocessor, text_model, prompts[1], 8)


def test_a_prompt_that_fills_its_row_gets_no_answer_and_holds_nobody_up(answer):
    outputs = answer[0](prompts=["word " * 200, "one"])
    assert outputs["text"][0] == b""
    assert outputs["text"][1] == answer[0](prompts=["one"])["text"][0] != b""


def test_strip_prompt_leaves_the_answer_alone(answer, preprocessor):
    call, says = answer
    assert call(prompts=["one"])["text"][0].decode() == preprocessor.tokenizer.detokenize(says[:3])


@pytest.mark.slow
def test_predict_and_loss_run_any_keras_model_on_the_features_that_it_names(preprocessor, tmp_path):
    ids, mask = (keras.Input((64,), dtype="int32", name=name) for name in ("token_ids", "padding_mask"))
    hidden = keras.layers.Embedding(8, 4)(keras.ops.minimum(ids, 7)) * keras.ops.cast(
        mask[..., None], "float32"
    )
    model = keras.Model({"token_ids": ids, "padding_mask": mask}, keras.layers.Dense(4096)(hidden))
    predict = fused_signature(preprocessor, model, tmp_path, "predict")
    features = preprocessor.generate_preprocess(["some text", "more"])
    expected = model({name: features[name] for name in ("token_ids", "padding_mask")})
    np.testing.assert_allclose(predict(prompts=["some text", "more"])["outputs"], expected, atol=1e-6)
    x, y, weight = preprocessor({"prompts": ["some text"], "responses": ["more"]})
    expected = keras.losses.sparse_categorical_crossentropy(
        y, model({name: x[name] for name in model.input}), from_logits=True
    )
    loss = predict.loaded.signatures["loss"](
        prompts=tf.constant(["some text"]), responses=tf.constant(["more"])
    )["loss"]
    np.testing.assert_allclose(loss, [np.mean(expected.numpy()[weight.numpy()])], rtol=1e-5)
    assert predict.loaded.signatures[DEFAULT].structured_outputs.keys() == {"outputs", "status"}


def test_predict_runs_a_callable_on_all_features(preprocessor, tmp_path):
    def lengths(features):
        return {"lengths": tf.reduce_sum(tf.cast(features["padding_mask"], tf.int32), axis=1)}

    predict = fused_signature(preprocessor, lengths, tmp_path, "predict")
    assert predict(prompts=["one", ""])["lengths"].tolist() == [len(preprocessor.tokenizer("one")) + 1, 1]
    assert "loss" not in predict.loaded.signatures


def fit(preprocessor, model):
    return check_model(model, preprocessor.settings)


def test_a_model_that_does_not_fit_is_refused_with_what_to_correct(preprocessor, text_model, tmp_path):
    with pytest.raises(
        TypeError, match="`model`: must be a Keras model or another callable on a dict of features; got int"
    ):
        fuse(preprocessor, 3, tmp_path)
    unknown = keras.Sequential([keras.Input((64,), name="tokens"), keras.layers.Dense(1)])
    with pytest.raises(
        ValueError, match=r"each of its inputs must be a feature of the preprocessor; got \['tokens'\]"
    ):
        fit(preprocessor, unknown)
    short = keras.Sequential([keras.Input((32,), name="token_ids"), keras.layers.Dense(1)])
    with pytest.raises(
        ValueError,
        match=r"its input 'token_ids' must take what the preprocessor makes.*got \[None, "
        r"32\].*sequence_length",
    ):
        fit(preprocessor, short)
    with pytest.raises(ValueError, match="its vocabulary must be the tokenizer's; got 100 ids for 4,096"):
        fit(preprocessor, small_gemma4(100, images=False, audio=False))
    with pytest.raises(ValueError, match=r"none of its outputs may be called 'status'"):
        fuse(preprocessor, lambda features: {"status": features["token_ids"]}, tmp_path)
    assert not list(tmp_path.glob("*/*"))


@pytest.mark.slow
@pytest.mark.release
def test_a_variable_over_two_gigabytes_goes_in_and_comes_out(tmp_path):
    preprocessor = text_preprocessor()
    vocabulary, conditioning = preprocessor.tokenizer.vocabulary_size(), 131_072
    backbone = keras_hub.models.Gemma4Backbone(
        vocabulary_size=vocabulary,
        image_size=768,
        num_layers=2,
        num_query_heads=2,
        num_key_value_heads=1,
        hidden_dim=8,
        intermediate_dim=16,
        head_dim=4,
        sliding_window_pattern=2,
        hidden_size_per_layer_input=conditioning,
        dtype="bfloat16",
    )
    (table,) = backbone.per_layer_token_embedding.weights
    assert np.prod(table.shape) * 2 >= 2**31
    model = keras_hub.models.Gemma4CausalLM(preprocessor=None, backbone=backbone)
    model.compile(sampler="greedy")
    generate = fused_signature(preprocessor, model, tmp_path, "generate", max_new_tokens=1)
    assert generate(prompts=["one"])["status"].tolist() == [b""]
    written = tf.train.load_checkpoint(tmp_path / "1" / "variables" / "variables")
    shapes = written.get_variable_to_shape_map()
    (name,) = (name for name, shape in shapes.items() if tuple(shape) == tuple(table.shape))
    np.testing.assert_array_equal(written.get_tensor(name)[-1, :64], table.value[-1, :64].numpy())
