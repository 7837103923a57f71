"""The preprocessor attached to KerasHub's `Gemma4CausalLM`: each documented use, on raw strings and media."""

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

import graph_ops
from examples.small_gemma4 import small_gemma4
from export.verify import samples
from tests.data import DEMONSTRATION
from tests.graph_ops.layers.fresh import run

ROW = {"sequence_length": 40, "max_images_per_prompt": 1, "num_vision_tokens_per_image": 9}
PIXELS = np.stack([samples.pixels(60, 60), samples.pixels(60, 60, seed=1)])
FILES = [tf.io.encode_png(pixels).numpy() for pixels in PIXELS]
TEXTS = {"prompts": ["see <|image|>", "<|image|> it"], "responses": ["a fox", "jumps"]}


def make(**settings):
    arguments = {
        "image_converter": graph_ops.Gemma4ImageConverter(max_soft_tokens=9),
        "audio_input_feat_size": 0,
        "chat_variant": "large",  # presets of models without audio say so
    }
    tokenizer = graph_ops.Gemma4Tokenizer(DEMONSTRATION)
    return graph_ops.Gemma4CausalLMPreprocessor(tokenizer, **{**arguments, **ROW, **settings})


def compiled(model, **how):
    """XLA takes most of the time of these tests; one of them has it, as KerasHub has by default."""
    model.compile(sampler="greedy", **how)
    return model


@pytest.fixture(scope="module")
def model():
    """Reads text and images."""
    keras.utils.set_random_seed(0)
    preprocessor = make()
    size = preprocessor.tokenizer.vocabulary_size()
    return compiled(small_gemma4(size, audio=False, preprocessor=preprocessor), jit_compile=False)


@pytest.fixture(scope="module")
def text_model():
    """Reads text alone, with KerasHub's idiom for that."""
    keras.utils.set_random_seed(0)
    row = {"max_images_per_prompt": 0, "num_vision_tokens_per_image": 0}
    preprocessor = make(image_converter=None, **row)
    size = preprocessor.tokenizer.vocabulary_size()
    task = small_gemma4(size, images=False, audio=False, preprocessor=preprocessor)
    return compiled(task, jit_compile=False)


def loss_of_rows(model, x):
    """What the model says of rows that were preprocessed before."""
    rows = model.preprocessor(x)
    model.preprocessor, preprocessor = None, model.preprocessor
    try:
        return model.test_on_batch(*rows)[0]
    finally:
        model.preprocessor = preprocessor


INPUTS = {
    "lists of strings, array of pixels": {**TEXTS, "images": PIXELS},
    "tensors": {name: tf.constant(texts) for name, texts in TEXTS.items()} | {"images": tf.constant(FILES)},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "form", [pytest.param(form, marks=pytest.mark.release) if form == "tensors" else form for form in INPUTS]
)
def test_fit_evaluate_and_predict_preprocess_raw_inputs(model, form):
    if form == "tensors":
        compiled(model)
    x = INPUTS[form]
    expected = loss_of_rows(model, x)
    # the same rows; XLA sums in another order than the eager step
    np.testing.assert_allclose(model.evaluate(x, batch_size=2, verbose=0)[0], expected, rtol=1e-4)
    assert model.predict(x, batch_size=2, verbose=0).shape == (2, 40, 4096)
    history = model.fit(x, batch_size=2, verbose=0).history
    np.testing.assert_allclose(history["loss"], [expected], rtol=1e-4)
    compiled(model, jit_compile=False)


@pytest.mark.slow
def test_fit_takes_a_dataset_of_raw_strings_and_files(model):
    data = tf.data.Dataset.from_tensor_slices({**TEXTS, "images": FILES}).batch(2)
    expected = loss_of_rows(model, {**TEXTS, "images": FILES})
    history = model.fit(data, validation_data=data, verbose=0).history
    np.testing.assert_allclose(history["loss"], [expected], rtol=1e-4)
    assert np.isfinite(history["val_loss"]).all()
    assert np.isfinite(model.evaluate(data, verbose=0)[0])


@pytest.mark.release
def test_labels_beside_raw_inputs_are_ignored_as_by_keras_hubs_preprocessor(model):
    x = {**TEXTS, "images": PIXELS}
    expected = loss_of_rows(model, x)
    found = model.evaluate(x, y=np.zeros(2), batch_size=2, verbose=0)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.slow
def test_the_methods_on_one_batch_preprocess_raw_inputs(model):
    x = {**TEXTS, "images": FILES}
    expected = loss_of_rows(model, x)
    np.testing.assert_allclose(model.test_on_batch(x)[0], expected, rtol=1e-6)
    np.testing.assert_allclose(model.train_on_batch(x)[0], expected, rtol=1e-4)
    assert model.predict_on_batch(x).shape == (2, 40, 4096)


@pytest.mark.release
def test_a_text_only_model_trains_on_strings(text_model):
    x = {"prompts": ["a fox", "it"], "responses": ["jumps", "sees"]}
    losses = text_model.fit(x, batch_size=2, epochs=3, verbose=0).history["loss"]
    assert len(losses) == 3
    assert np.isfinite(losses).all()
    text_model.train_on_batch(x)


@pytest.mark.release
def test_an_image_model_trains_on_a_batch_of_empty_slots(model):
    x = {"prompts": ["a fox", "it"], "responses": ["jumps", "sees"], "images": [b"", b""]}
    assert np.isfinite(model.fit(x, batch_size=2, verbose=0).history["loss"]).all()


def test_generate_takes_what_the_preprocessor_takes(model):
    both = model.generate(["a fox", "it"], max_length=20)
    assert isinstance(both, list)
    assert [text.startswith(prompt) for text, prompt in zip(both, ("a fox", "it"), strict=True)] == [
        True,
        True,
    ]
    assert model.generate("a fox", max_length=20) == both[0]
    assert model.generate(tf.data.Dataset.from_tensor_slices(["a fox", "it"]).batch(2), max_length=20) == both
    assert model.generate("a fox", max_length=20, strip_prompt=True) == both[0].removeprefix("a fox")


@pytest.mark.release
def test_generate_takes_a_prompt_with_an_image_in_each_form(model):
    answer = model.generate({"prompts": "see <|image|>", "images": PIXELS[0]})
    assert answer.startswith("see <|image>")
    for images in (tf.constant(PIXELS[0]), [PIXELS[0]], FILES[0], [FILES[0]]):
        assert model.generate({"prompts": "see <|image|>", "images": images}) == answer
    batch = model.generate({"prompts": TEXTS["prompts"], "images": PIXELS})
    assert batch[0] == answer
    data = tf.data.Dataset.from_tensor_slices({"prompts": TEXTS["prompts"], "images": FILES}).batch(2)
    assert model.generate(data) == batch


def answers(model):
    return model.generate({"prompts": TEXTS["prompts"], "images": PIXELS})


@pytest.mark.release
def test_a_keras_file_holds_model_and_preprocessor(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = compiled(keras.saving.load_model(tmp_path / "model.keras", compile=False))
    assert type(loaded.preprocessor) is graph_ops.Gemma4CausalLMPreprocessor
    assert loaded.preprocessor.get_config() == model.preprocessor.get_config()
    assert answers(loaded) == answers(model)


@pytest.mark.slow
def test_a_saved_task_loads_with_keras_hubs_preprocessor_or_with_ours(model, tmp_path):
    folder = str(tmp_path / "preset")
    model.save_to_preset(folder)
    theirs = keras_hub.models.Gemma4CausalLM.from_preset(folder)
    assert type(theirs.preprocessor) is keras_hub.models.Gemma4CausalLMPreprocessor
    assert theirs.preprocessor.tokenizer.proto == model.preprocessor.tokenizer.proto
    assert theirs.preprocessor.num_vision_tokens_per_image == 9
    ours = graph_ops.Gemma4CausalLMPreprocessor.from_preset(folder)
    assert ours.settings[1:] == model.preprocessor.settings[1:]
    again = keras_hub.models.Gemma4CausalLM.from_preset(folder, preprocessor=ours)
    assert again.preprocessor is ours
    assert answers(compiled(again)) == answers(model)


LOAD_WITHOUT_THIS_PROJECT = """
    import sys
    import keras_hub

    model = keras_hub.models.Gemma4CausalLM.from_preset(sys.argv[1])
    assert not any(name.split(".")[0] == "graph_ops" for name in sys.modules)
    print(model.preprocessor.tokenizer("a fox").tolist())
"""


@pytest.mark.slow
def test_a_saved_task_loads_where_only_keras_hub_is_installed(text_model, tmp_path):
    text_model.save_to_preset(str(tmp_path))
    ids = text_model.preprocessor.tokenizer("a fox").numpy().tolist()
    assert run(LOAD_WITHOUT_THIS_PROJECT, tmp_path).splitlines()[-1] == str(ids)


@pytest.mark.release
def test_presets_of_a_model_without_audio_give_rows_that_fit_it(model, tmp_path):
    inputs = {tensor.name for tensor in model.inputs}
    converter = keras_hub.layers.Gemma4ImageConverter(scale=1 / 255)
    tokenizer = keras_hub.models.Gemma4Tokenizer(model.preprocessor.tokenizer.proto)
    theirs = keras_hub.models.Gemma4CausalLMPreprocessor(tokenizer, converter)
    assert theirs.audio_input_feat_size == 128  # their default, with which their own rows do not fit
    small_gemma4(4096, audio=False, preprocessor=theirs).save_to_preset(str(tmp_path))
    for preset in ("gemma4_31b", "gemma4_instruct_26b_a4b", tmp_path):
        ours = graph_ops.Gemma4CausalLMPreprocessor.from_preset(
            preset, tokenizer=model.preprocessor.tokenizer
        )
        rows, _, _ = ours({**TEXTS, "images": FILES})
        assert rows.keys() == inputs
    kept = graph_ops.Gemma4CausalLMPreprocessor.from_preset(
        "gemma4_2b", tokenizer=model.preprocessor.tokenizer, audio_converter=None
    )
    assert kept.audio_input_feat_size == 128  # its model takes audio


def test_the_summary_of_a_model_names_its_preprocessor(model):
    lines = []
    model.summary(print_fn=lines.append)
    assert f'Preprocessor: "{model.preprocessor.name}"' in lines[0]


ATTACH_BEFORE_KERAS_HUB = """
    import graph_ops
    from tests.data import DEMONSTRATION

    preprocessor = graph_ops.Gemma4CausalLMPreprocessor(
        graph_ops.Gemma4Tokenizer(DEMONSTRATION), sequence_length=12, audio_input_feat_size=0
    )
    preprocessor.generate_preprocess("a")

    from examples.small_gemma4 import small_gemma4

    model = small_gemma4(4096, images=False, audio=False, preprocessor=preprocessor)
    print(len(model.fit({"prompts": ["a"], "responses": ["b"]}, verbose=0).history["loss"]))
"""


@pytest.mark.release
def test_a_preprocessor_made_before_keras_hub_was_imported_trains_too():
    assert run(ATTACH_BEFORE_KERAS_HUB).splitlines()[-1] == "1"
