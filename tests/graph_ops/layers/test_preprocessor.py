"""The class as a Keras layer: configuration, tf.data, generation, state."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import graph_ops
from export.verify import samples
from tests.comparing import assert_same

PIXELS = samples.pixels(50, 70)
CLIP = samples.sounds(6_000)["noise"]


def test_config_round_trip_is_lossless(tokenizer):
    first = graph_ops.Gemma4CausalLMPreprocessor(
        tokenizer,
        graph_ops.Gemma4ImageConverter(scale=[0.5, 1.0, 2.0], offset=-1.0, max_image_pixels=10_000),
        graph_ops.Gemma4AudioConverter(mel_floor=1e-5, per_bin_mean=list(np.linspace(0, 1, 128))),
        sequence_length=700,
        add_start_token=False,
        add_end_token=False,
        max_audio_clips_per_prompt=3,
        parity="transformers",
        name="mine",
    )
    again = graph_ops.Gemma4CausalLMPreprocessor.from_config(first.get_config())
    assert again.get_config() == first.get_config()
    assert again.settings[1:] == first.settings[1:]
    x = {"prompts": "a <|image|> <|audio|>", "responses": "b", "images": PIXELS, "audio": CLIP}
    assert_same(first(x), again(x))


def test_keras_serialization_round_trip(make_preprocessor):
    first = make_preprocessor(sequence_length=600)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(first))
    assert again.get_config() == first.get_config()
    converter = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(first.image_converter)
    )
    assert converter.config == first.image_converter.config


def test_config_survives_json(make_preprocessor):
    import json

    first = make_preprocessor()
    again = graph_ops.Gemma4CausalLMPreprocessor.from_config(json.loads(json.dumps(first.get_config())))
    assert again.settings[1:] == first.settings[1:]


def test_keras_hub_arguments_and_defaults_are_the_same():
    import inspect

    import keras_hub

    theirs = inspect.signature(keras_hub.models.Gemma4CausalLMPreprocessor.__init__).parameters
    ours = inspect.signature(graph_ops.Gemma4CausalLMPreprocessor.__init__).parameters
    shared = [name for name in theirs if name in ours]
    assert shared[:5] == ["self", "tokenizer", "image_converter", "audio_converter", "video_converter"]
    assert {name: theirs[name].default for name in shared} == {name: ours[name].default for name in shared}
    assert set(theirs) <= set(ours)
    assert list(inspect.signature(graph_ops.Gemma4CausalLMPreprocessor.call).parameters) == [
        "self",
        "x",
        "y",
        "sample_weight",
        "sequence_length",
    ]


def test_keras_hub_video_numbers_are_accepted_since_they_have_no_effect_without_video(make_preprocessor):
    make_preprocessor(num_frames_per_video=8, num_vision_tokens_per_frame=35, video_fps=2.0)


def test_settings_are_attributes_that_may_be_set(make_preprocessor):
    preprocessor = make_preprocessor()
    assert (preprocessor.sequence_length, preprocessor.max_images_per_prompt, preprocessor.add_end_token) == (
        1024,
        2,
        True,
    )
    preprocessor.sequence_length = 700
    assert preprocessor.generate_preprocess("a")["token_ids"].shape == (700,)
    assert preprocessor.get_config()["sequence_length"] == 700
    with pytest.raises(ValueError, match="`sequence_length`: must exceed"):
        preprocessor.sequence_length = 100
    assert preprocessor.sequence_length == 700


def test_batched_dataset_gives_what_eager_calls_give(make_preprocessor):
    preprocessor = make_preprocessor(sequence_length=700)
    x: dict[str, Any] = {
        "prompts": ["a <|image|>", "<|image|> b"],
        "responses": ["c", "d"],
        "images": np.stack([PIXELS, PIXELS[::-1]]),
    }
    data = tf.data.Dataset.from_tensor_slices(x)
    assert_same(next(iter(data.batch(2).map(preprocessor))), preprocessor(x))
    for row, element in enumerate(data.map(preprocessor, num_parallel_calls=2)):
        assert_same(
            element,
            preprocessor(
                {"prompts": x["prompts"][row], "responses": x["responses"][row], "images": x["images"][row]}
            ),
        )


@pytest.mark.slow
def test_dataset_of_files(make_preprocessor, photo, speech):
    preprocessor = make_preprocessor()
    x = {
        "prompts": ["a <|image|> <|audio|>", "<|audio|>"],
        "responses": ["c", "d"],
        "images": [[photo], [b""]],
        "audio": [[speech], [speech]],
    }
    element = next(iter(tf.data.Dataset.from_tensor_slices(x).batch(2).map(preprocessor)))
    assert_same(element, preprocessor(x))


def test_element_spec_of_a_dataset_is_static_where_a_model_needs_it(make_preprocessor):
    x = {"prompts": ["<|image|>"], "responses": ["c"], "images": PIXELS[np.newaxis]}
    spec = (
        tf.data.Dataset.from_tensor_slices(x)
        .batch(1, drop_remainder=True)
        .map(make_preprocessor())
        .element_spec[0]
    )
    assert spec["pixel_values"].shape == (1, 1, 2520, 768)
    assert spec["vision_indices"].shape == (1, 560)
    assert spec["token_ids"].shape[1] == 1024


def test_a_faulty_row_in_a_dataset_raises_with_its_sentence(make_preprocessor):
    data = (
        tf.data.Dataset.from_tensor_slices({"prompts": ["<|image|>"], "responses": ["a"]})
        .batch(1)
        .map(make_preprocessor())
    )
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"a prompt needs one `<\|image\|>` for each of its images"
    ):
        next(iter(data))


def test_new_sizes_and_batches_do_not_trace_again(make_preprocessor):
    preprocessor = make_preprocessor()
    for batch, size in ((1, 40), (3, 90)):
        preprocessor.generate_preprocess(
            {"prompts": ["<|image|>"] * batch, "images": np.stack([samples.pixels(size, size)] * batch)}
        )
    assert preprocessor._traces.graphs.cache_info().misses == 1


def test_generation_round_trip(make_preprocessor, tokenizer):
    preprocessor = make_preprocessor(tokenizer)
    row = preprocessor.generate_preprocess({"prompts": "Look at <|image|>, né?", "images": PIXELS})
    assert preprocessor.generate_postprocess(row) == "Look at <|image>, né?"
    rows = preprocessor.generate_preprocess(["one", "two three"])
    assert preprocessor.generate_postprocess(rows) == ["one", "two three"]
    numpy_rows = {name: np.asarray(value) for name, value in rows.items()}
    assert preprocessor.generate_postprocess(numpy_rows) == ["one", "two three"]


def test_postprocessing_in_a_graph(make_preprocessor):
    preprocessor = make_preprocessor()
    rows = preprocessor.generate_preprocess(["one", "two three"])
    postprocess = tf.function(
        lambda ids, mask: preprocessor.generate_postprocess({"token_ids": ids, "padding_mask": mask})
    )
    assert postprocess(rows["token_ids"], rows["padding_mask"]).numpy().tolist() == [b"one", b"two three"]


def test_postprocessing_refuses_ids_outside_the_vocabulary(make_preprocessor):
    x = {"token_ids": [[5, 4096, 7], [1, 2, 3]], "padding_mask": [[1, 1, 1], [1, 1, 1]]}
    with pytest.raises(ValueError, match=r"row 0: `token_ids`: an id must be in \[0, 4096\); got 4096"):
        make_preprocessor().generate_postprocess(x)


def test_random_valid_texts_survive_generation_but_for_the_stripped_tokens(make_preprocessor, tokenizer):
    preprocessor = make_preprocessor(tokenizer, images=False, audio=False, sequence_length=512)
    texts = samples.hostile_texts(3000, pieces=tokenizer.vocabulary.pieces, seed=11, invalid_utf8=False)
    stripped = [
        token
        for token in ("<|image|>", "<image|>", "<|video|>", "<|audio|>", "<|audio>", "<audio|>", "\u2581")
    ]
    kept = [text.decode() for text in texts if not any(token in text.decode() for token in stripped)]
    rows = preprocessor.generate_preprocess(kept)
    whole = np.asarray(rows["padding_mask"]).sum(-1) < 512
    back = preprocessor.generate_postprocess(rows)
    assert [text for text, again, fits in zip(kept, back, whole, strict=True) if fits and text != again] == []


def test_an_empty_batch_gives_empty_rows(make_preprocessor):
    rows = make_preprocessor().generate_preprocess(tf.constant([], tf.string))
    assert rows["token_ids"].shape == (0, 1024)


def test_any_slot_of_a_row_may_be_the_empty_one(make_preprocessor, photo):
    preprocessor = make_preprocessor()
    left = preprocessor.generate_preprocess({"prompts": ["<|image|>"], "images": tf.constant([[photo, b""]])})
    right = preprocessor.generate_preprocess(
        {"prompts": ["<|image|>"], "images": tf.constant([[b"", photo]])}
    )
    assert np.array_equal(left["token_ids"], right["token_ids"])
    assert np.array_equal(left["vision_indices"][:, :280], right["vision_indices"][:, 280:])
    assert not np.any(left["vision_indices"][:, 280:])
    assert np.array_equal(left["pixel_values"][:, 0], right["pixel_values"][:, 1])
