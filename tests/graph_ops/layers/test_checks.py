"""What a preprocessor's settings, and its media, must be to each other."""

import pytest
import tensorflow as tf

import graph_ops
from export.verify import samples
from graph_ops.config import AudioConfig, ImageConfig, RowConfig
from graph_ops.layers.checks import check_media, check_settings
from graph_ops.settings import make_settings

PIXELS = samples.pixels(60, 80)
CLIP = samples.sounds(8_000)["noise"]


@pytest.mark.parametrize(
    ("media", "key", "converter"),
    [
        ("a", "images", "image_converter"),
        ("i", "audio", "audio_converter"),
        ("", "images", "image_converter"),
    ],
)
def test_a_medium_without_its_converter_is_refused(make_preprocessor, media, key, converter):
    preprocessor = make_preprocessor(images="i" in media, audio="a" in media)
    with pytest.raises(ValueError, match=f"`{key}`: needs a preprocessor with `{converter}`"):
        preprocessor.generate_preprocess({"prompts": "x", key: PIXELS if key == "images" else CLIP})


def test_settings_that_contradict_each_other_are_refused(make_preprocessor):
    for settings, message in (
        ({"sequence_length": 560}, r"`sequence_length`: must exceed .* got 560 <= 2 \* 280"),
        ({"parity": "pytorch"}, "`parity`: must be one of"),
        ({"max_images_per_prompt": 0}, "`max_images_per_prompt`: must be at least 1; got 0. Leave `image_c"),
        (
            {"parity": "transformers", "num_vision_tokens_per_image": 70},
            "`num_vision_tokens_per_image`: must be at least",
        ),
        (
            {"video_converter": graph_ops.Gemma4VideoConverter(num_frames=4)},
            "`num_frames_per_video`: must be the video converter's `num_frames`; got 32 and 4",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            make_preprocessor(**settings)


@pytest.fixture
def settings_with(demonstration_tokenizer):
    def make(media="ia", soft_tokens=280, **row):
        images, audio = ImageConfig(max_soft_tokens=soft_tokens), AudioConfig()
        configs = {"image": images if "i" in media else None, "audio": audio if "a" in media else None}
        return make_settings(demonstration_tokenizer, RowConfig(**row), configs)

    return make


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_images_per_prompt": 0}, "`max_images_per_prompt`: .* got 0. Leave `image_converter` out"),
        (
            {"max_audio_clips_per_prompt": 0},
            "`max_audio_clips_per_prompt`: .* got 0. Leave `audio_converter` out",
        ),
        ({"num_vision_tokens_per_image": 0}, "`num_vision_tokens_per_image`: must be at least 1; got 0"),
        (
            {"sequence_length": 6, "num_vision_tokens_per_image": 3},
            r"got 6 <= 2 \* 3. Raise it or allow fewer",
        ),
        (
            {"parity": "transformers", "soft_tokens": 71, "num_vision_tokens_per_image": 70},
            r"at least the image converter's `max_soft_tokens` .*; got 70 < 71. Make them equal",
        ),
    ],
)
def test_settings_are_refused_by_name(settings_with, settings, message):
    with pytest.raises(ValueError, match=message):
        check_settings(settings_with(**settings))


@pytest.mark.parametrize(
    "settings",
    [
        {"sequence_length": 7, "num_vision_tokens_per_image": 3},
        {"parity": "transformers", "soft_tokens": 70, "num_vision_tokens_per_image": 70},
        {"soft_tokens": 71, "num_vision_tokens_per_image": 70},
        {"media": "a", "sequence_length": 1, "max_images_per_prompt": 0},
        {"media": "", "max_images_per_prompt": 0, "max_audio_clips_per_prompt": 0},
    ],
)
def test_settings_at_the_edge_and_of_media_that_are_not_taken_are_accepted(settings_with, settings):
    check_settings(settings_with(**settings))


def test_more_slots_than_there_may_be_are_refused_where_their_number_is_known(settings_with):
    settings = settings_with(max_audio_clips_per_prompt=2)
    for name, dims in {
        "images": [],
        "pixel_values": [2520, 768],
        "audio": [],
        "audio_mel": [3000, 128],
    }.items():
        check_media({name: tf.zeros([0, 2, *dims])}, settings)
        with pytest.raises(ValueError, match=f"`{name}`: a row may have at most 2; got 3"):
            check_media({name: tf.zeros([0, 3, *dims])}, settings)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.string)])
    def step(files):
        check_media({"images": files}, settings)
        return files

    assert step(tf.constant([["a", "b", "c"]])).shape == (1, 3)
