"""What is to be embedded, with a batch axis."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.config import RowConfig
from graph_ops.family import EMBEDDING_GEMMA2
from graph_ops.layers.inputs.embedding import embedding_inputs

ROW = RowConfig(max_images_per_prompt=1, max_audio_clips_per_prompt=1)
PIXELS, SAMPLES = np.zeros((2, 4, 3), np.uint8), np.zeros(7, np.float32)


def read(x, task=None):
    return embedding_inputs(x, task, row=ROW, family=EMBEDDING_GEMMA2)


def texts(x, task=None):
    inputs, batched = read(x, task)
    return [text.decode() for text in inputs["texts"].numpy()], batched


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ("a", (["a"], False)),
        (["a", "b"], (["a", "b"], True)),
        ({"texts": "a", "images": None}, (["a"], False)),
        (tf.constant(["a"]), (["a"], True)),
        ({}, ([""], True)),
        ({"texts": None, "images": PIXELS}, (["<|image|>"], False)),
        ({"images": b"x"}, (["<|image|>"], False)),
        ({"images": PIXELS[np.newaxis]}, (["<|image|>"], True)),
        ({"images": [b"x", b"y"], "audio": [b"z", b"z"]}, (["<|image|> <|audio|>"] * 2, True)),
        ({"audio": SAMPLES, "images": [PIXELS]}, (["<|image|> <|audio|>"], False)),
        ({"audio": tf.ragged.stack([SAMPLES, SAMPLES[:2]])}, (["<|audio|>"] * 2, True)),
    ],
)
def test_texts_are_those_given_or_stand_for_their_media(x, expected):
    assert texts(x) == expected


def test_each_text_has_one_item_of_a_medium():
    inputs, _ = read({"texts": ["a", "b"], "images": [PIXELS, PIXELS[:1]], "audio": np.stack([SAMPLES] * 2)})
    assert inputs["images"].shape == (2, 1, 2, 4, 3)
    assert inputs["image_sizes"].numpy().tolist() == [[[2, 4]], [[1, 4]]]
    assert inputs["audio"].shape == (2, 1, 7)
    inputs, _ = read({"texts": "a", "images": b"x", "max_soft_tokens": 70})
    assert inputs["images"].numpy().tolist() == [[b"x"]]
    assert inputs["max_soft_tokens"].numpy().tolist() == [[70]]


def test_a_task_is_for_all_texts_or_for_each():
    assert read(["a", "b"], "query")[0]["tasks"].numpy().tolist() == [b"query"] * 2
    assert read(["a", "b"], ["query", ""])[0]["tasks"].numpy().tolist() == [b"query", b""]
    assert "tasks" not in read("a")[0]


def test_the_number_of_items_may_become_known_later():
    @tf.function(input_signature=[tf.TensorSpec([None, 2, 4, 3], tf.uint8)])
    def rows(images):
        return read({"images": images})[0]["texts"]

    assert rows(tf.zeros([3, 2, 4, 3], tf.uint8)).numpy().tolist() == [b"<|image|>"] * 3


@pytest.mark.parametrize(
    ("x", "task", "message"),
    [
        ({"videos": 1}, None, "`videos`: this preprocessor reads text, images and audio"),
        ({"prompts": "a"}, None, r"`x`: keys must be among .*; got 'prompts'. Remove or rename them"),
        ([["a"]], None, "`texts`: must have rank 0 or 1"),
        (
            {"images": [b"x"], "audio": [b"y", b"z"]},
            None,
            "`images`, `audio`: .*got 1 and 2. Pass one of each",
        ),
        (["a"], ["query", "query"], "`task`: there must be one for all texts, or one for each; got 2 for 1"),
    ],
)
def test_bad_inputs_are_refused_with_what_to_correct(x, task, message):
    with pytest.raises(ValueError, match=message):
        read(x, task)
