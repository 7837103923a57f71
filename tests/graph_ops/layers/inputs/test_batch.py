"""The inputs of a whole call, with a batch axis."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.config import RowConfig
from graph_ops.layers.inputs.batch import MEDIA_KEYS, TEXT_KEYS, batch_inputs
from tests.twins.vocabularies import REPEATABLE

ROW = RowConfig(max_images_per_prompt=3)
PIXELS = np.zeros((2, 4, 3), np.uint8)
FEATURES = {"pixel_values": np.zeros((1, 9, 5)), "pixel_position_ids": np.zeros((1, 9, 2))}


def shapes(x):
    inputs, batched = batch_inputs(x, row=ROW)
    return {name: tuple(tensor.shape) for name, tensor in inputs.items()}, batched


@REPEATABLE
@given(st.lists(st.text(max_size=5), max_size=3) | st.text(max_size=5))
def test_prompts_alone_are_a_batch_or_one(prompts):
    for x in (prompts, {"prompts": prompts}, {"prompts": prompts, "images": None}):
        inputs, batched = batch_inputs(x, row=ROW)
        assert batched == isinstance(prompts, list)
        assert inputs.keys() == {"prompts"}
        listed = prompts if batched else [prompts]
        assert inputs["prompts"].numpy().tolist() == [text.encode() for text in listed]


def test_everything_of_one_prompt_gets_a_batch_axis():
    x = {"prompts": "a", "responses": "b", "audio": b"x", **FEATURES}
    expected = {"prompts": (1,), "responses": (1,), "audio": (1, 1)}
    assert shapes(x) == (expected | {"pixel_values": (1, 1, 9, 5), "pixel_position_ids": (1, 1, 9, 2)}, False)


def test_everything_of_a_batch_keeps_its_axis():
    x = {"prompts": ["a", "b"], "responses": ["c", "d"], "images": [PIXELS, [PIXELS[:1], PIXELS]]}
    expected = {"prompts": (2,), "responses": (2,), "images": (2, 3, 2, 4, 3), "image_sizes": (2, 3, 2)}
    assert shapes(x) == (expected, True)


def test_features_come_in_their_own_dtype():
    features = {name: np.stack([each]) for name, each in FEATURES.items()}
    inputs, _ = batch_inputs({"prompts": ["a"], **features}, row=ROW)
    assert (inputs["pixel_values"].dtype, inputs["pixel_position_ids"].dtype) == (tf.float32, tf.int32)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ({"responses": "a"}, r"`x`: a dict must hold `prompts`; got \['responses'\]. Add the prompts"),
        ({}, r"`x`: a dict must hold `prompts`; got \[\]"),
        ({"prompts": None}, "`x`: a dict must hold `prompts`"),
        ({"prompts": "a", "image": 1}, r"`x`: keys must be among .*; got \['image'\]. Remove or rename them"),
        ({"prompts": "a", "videos": 1}, "`videos`: a video is uint8 .* got an array of shape"),
        (
            {"prompts": "a", "audio_mel": 1},
            "`audio_mel`, `audio_mel_mask`: precomputed media need both; got one",
        ),
        (
            {"prompts": "a", "images": PIXELS, **FEATURES},
            "`images`, `pixel_values`: a medium must be given once",
        ),
        (
            {"prompts": ["a"], **FEATURES},
            r"`pixel_values`: must have rank 4 in a batch and 3 for one prompt; got",
        ),
        (
            {"prompts": ["a"], "images": np.stack([PIXELS] * 2)},
            "`images`: must have one entry for each prompt; got 2 for 1",
        ),
        (
            {"prompts": ["a", "b"], "audio": [b"x"]},
            "`audio`: must have one entry for each prompt; got 1 for 2",
        ),
        ({"prompts": "a", "responses": ["b"]}, "`responses`: there must be one for each prompt"),
    ],
)
def test_inputs_that_do_not_belong_together_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        batch_inputs(x, row=ROW)


def test_a_message_lists_few_keys_and_little_of_each():
    with pytest.raises(ValueError, match="keys must be among") as raised:
        batch_inputs({"prompts": "a", **{f"{number}" * 500: 1 for number in range(100)}}, row=ROW)
    assert len(str(raised.value)) < 1_000


def test_each_key_is_named_once():
    keys = [*TEXT_KEYS, *MEDIA_KEYS]
    assert len(set(keys)) == len(keys)
    assert {"prompts", "responses", "images", "image_sizes", "audio_lengths", "audio_mel_mask"} <= set(keys)
