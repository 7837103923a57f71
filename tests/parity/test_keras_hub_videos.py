"""Rows with videos against keras-hub's class with a video converter, tensor for tensor."""

import keras_hub
import numpy as np
import pytest

import graph_ops
from export.verify import samples
from tests.data import DEMONSTRATION
from tests.parity.comparing import differences, labelled

LENGTH = 2600


def video(frames, height, width, seed=0):
    return np.stack([samples.pixels(height, width, seed=seed + k) for k in range(frames)])


CASES = {
    "videos": {
        "prompts": ["see <|video|> here: 0", "<|video|>"],
        "responses": ["ok", "9"],
        "videos": np.stack([video(32, 60, 80), video(32, 60, 80, 50)]),
    },
    "one row, more frames": {
        "prompts": "1 <|video|> 2",
        "responses": "ok",
        "videos": video(77, 40, 50),
    },
    "fewer frames": {"prompts": ["<|video|>"], "responses": ["ok"], "videos": video(5, 90, 40)[np.newaxis]},
    "text": {"prompts": ["hello", ""], "responses": ["you", "a"]},
    "text, one row": {"prompts": "hello", "responses": "you"},
    "images": {
        "prompts": ["<|image|> and <|image|>"],
        "responses": ["ok"],
        "images": video(2, 64, 80)[np.newaxis],
    },
}


@pytest.fixture(scope="module")
def pair():
    """KerasHub's class and ours with the same settings, made once for each."""
    made = {}

    def make(images):
        if images not in made:
            theirs = keras_hub.models.Gemma4CausalLMPreprocessor(
                keras_hub.models.Gemma4Tokenizer(str(DEMONSTRATION)),
                image_converter=keras_hub.layers.Gemma4ImageConverter(scale=1 / 255) if images else None,
                video_converter=keras_hub.layers.Gemma4VideoConverter(scale=1 / 255),
                sequence_length=LENGTH,
            )
            made[images] = theirs, graph_ops.Gemma4CausalLMPreprocessor.from_keras_hub(theirs)
        return made[images]

    return make


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=[pytest.mark.slow] if case == "videos" else []) for case in CASES],
)
def test_rows_equal_keras_hub(pair, case):
    theirs, ours = pair(True)
    x = CASES[case]
    assert differences(labelled(theirs(dict(x))), labelled(ours(dict(x)))) == {}
    prompts = {key: value for key, value in x.items() if key != "responses"}
    assert differences(theirs.generate_preprocess(dict(prompts)), ours.generate_preprocess(prompts)) == {}


def test_the_indices_of_images_are_as_wide_as_those_of_a_video(pair):
    assert pair(True)[1](CASES["images"])[0]["vision_indices"].shape == (1, 32 * 70)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["videos", "text"])
def test_rows_without_an_image_converter_equal_keras_hub(pair, case):
    theirs, ours = pair(False)
    x = {name: value[:1] for name, value in CASES[case].items()}
    assert differences(labelled(theirs(dict(x))), labelled(ours(dict(x)))) == {}


def test_what_is_said_of_the_source_equals_its_attribute(pair):
    theirs, ours = pair(True)
    prompts = ["a <|video|>", "<|video|>"]
    videos = np.stack([video(32, 48, 48), video(32, 48, 48)])
    indices = [[8 * k for k in range(32)], [2997 * k for k in range(32)]]
    rates = [30.0, 29.97]
    theirs.video_metadata = [
        {"frames_indices": places, "fps": rate} for places, rate in zip(indices, rates, strict=True)
    ]
    expected = theirs.generate_preprocess({"prompts": prompts, "videos": videos})
    theirs.video_metadata = None
    given = {"prompts": prompts, "videos": videos, "frame_indices": indices, "fps": rates}
    assert differences(expected, ours.generate_preprocess(given)) == {}
    text = ours.tokenizer.detokenize(ours.generate_preprocess(given)["token_ids"][1])
    assert "51:40 " in (text if isinstance(text, str) else text.numpy().decode())
