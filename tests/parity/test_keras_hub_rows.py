"""Whole rows against keras-hub's class, tensor for tensor, in the default parity.

`pixel_values` are Pillow's here and `tf.image.resize`'s there; the tests bound that difference by KerasHub's
own error.
"""

import os
from dataclasses import astuple
from typing import Any

import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from export.verify import samples
from graph_ops import Gemma4CausalLMPreprocessor, Gemma4ImageConverter
from graph_ops.family import GEMMA4
from tests.data import needs_real
from tests.parity.comparing import differences, labelled

SETTINGS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "short": {"sequence_length": 600},
    "no start, no end": {"add_start_token": False, "add_end_token": False},
    "one image": {"max_images_per_prompt": 1, "sequence_length": 400},
}
WORDS = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "thé",
    "lazy",
    "dog",
    "\n",
    "<|turn>",
    "12",
    "don't",
    "日本",
    "",
]


def words(count, seed):
    draw = np.random.default_rng(seed)
    return " ".join(draw.choice(WORDS, count))


def images(*shape, seed=0):
    return np.stack(
        [samples.pixels(*shape[-2:], seed=seed + index) for index in range(int(np.prod(shape[:-2])))]
    ).reshape(*shape, 3)


def clip(length, seed=0):
    return samples.sounds(length, seed=seed)["noise"] + samples.sounds(length)["sweep"] * 0.2


CASES = {
    "text": {"prompts": [words(9, 1), ""], "responses": [words(4, 2), words(2, 3)]},
    "text, one row": {"prompts": words(9, 1), "responses": words(4, 2)},
    "text, empty": {"prompts": ["", "a"], "responses": ["", ""]},
    "long prompt": {"prompts": [words(900, 4), "a"], "responses": ["yes", words(3, 4)]},
    "long response": {"prompts": ["why", words(700, 5)], "responses": [words(900, 4), words(900, 6)]},
    "image": {
        "prompts": ["see <|image|> here", "<|image|>"],
        "responses": ["ok", ""],
        "images": images(2, 100, 140),
    },
    "image, one row": {"prompts": "see <|image|> here", "responses": "ok", "images": images(100, 140)},
    "image upscaled": {"prompts": ["see <|image|>"], "responses": ["a"], "images": images(1, 40, 31)},
    "audio": {
        "prompts": ["hear <|audio|> it", "<|audio|>"],
        "responses": ["ok", ""],
        "audio": np.stack([clip(30_007), clip(30_007, 1)]),
    },
    "audio, one row": {"prompts": "hear <|audio|> it", "responses": "ok", "audio": clip(16_001)},
    "audio of several lengths": {
        "prompts": ["<|audio|>", "x <|audio|>", "<|audio|>"],
        "responses": ["a", "b", "c"],
        "audio": [clip(5_000), clip(9_001), clip(160)],
    },
    "audio beyond 30 s": {"prompts": ["<|audio|>"], "responses": ["a"], "audio": clip(490_000)[np.newaxis]},
    "image and audio": {
        "prompts": ["see <|image|> hear <|audio|> it", "<|audio|><|image|>"],
        "responses": ["ok", words(5, 9)],
        "images": images(2, 90, 70),
        "audio": np.stack([clip(20_000), clip(20_000, 1)]),
    },
}
TWO_IMAGES = {
    "two images": {
        "prompts": ["<|image|> and <|image|>", "<|image|><|image|>"],
        "responses": ["ok", ""],
        "images": images(2, 2, 64, 80),
    },
    "two images, one row": {
        "prompts": "<|image|> and <|image|>",
        "responses": "ok",
        "images": images(2, 64, 80),
    },
}


@pytest.fixture(scope="module")
def pair(vocabulary_file, tokenizer, make_preprocessor):
    """KerasHub's class and ours with the same settings, made once for each."""
    made = {}

    def make(name, media):
        if (name, media) not in made:
            theirs = keras_hub.models.Gemma4CausalLMPreprocessor(
                keras_hub.models.Gemma4Tokenizer(str(vocabulary_file)),
                image_converter=keras_hub.layers.Gemma4ImageConverter(scale=1 / 255)
                if "i" in media
                else None,
                audio_converter=keras_hub.layers.Gemma4AudioConverter(mel_floor=1e-3)
                if "a" in media
                else None,
                **SETTINGS[name],
            )
            made[name, media] = (
                theirs,
                make_preprocessor(tokenizer, images="i" in media, audio="a" in media, **SETTINGS[name]),
            )
        return made[name, media]

    return make


# Media do not depend on the settings of rows, which run with texts, with both media at once and with the
# longest clip, nor on the vocabulary: the real one runs with texts, and with one case of both media.
SLOW = [pytest.mark.slow]
ROWS = [case for case in CASES if "text" in case or "long" in case]
ROWS += ["image and audio", "audio beyond 30 s"]
COMBINATIONS = [
    pytest.param(
        "demonstration", settings, case, marks=[] if settings == "defaults" or "text" in case else SLOW
    )
    for settings in SETTINGS
    for case in (CASES if settings == "defaults" else ROWS)
]
COMBINATIONS += [
    pytest.param("real", "defaults", case, marks=needs_real)
    for case in CASES
    if "images" not in CASES[case] or "audio" in CASES[case]
]


@pytest.mark.parametrize(("vocabulary_file", "settings", "case"), COMBINATIONS, indirect=["vocabulary_file"])
def test_rows_equal_keras_hub(pair, settings, case):
    theirs, ours = pair(settings, "ia")
    x = CASES[case]
    if settings == "short" and "audio beyond" in case:
        x = {**x, "audio": x["audio"][:, :300_000]}  # 750 soft tokens need more than this row
    if SETTINGS[settings].get("sequence_length") == 400 and "beyond" in case:
        x = {**x, "audio": x["audio"][:, :100_000]}
    assert differences(labelled(theirs(dict(x))), labelled(ours(dict(x)))) == {}
    prompts = {key: value for key, value in x.items() if key != "responses"}
    generated = theirs.generate_preprocess(dict(prompts))
    assert differences(generated, ours.generate_preprocess(dict(prompts))) == {}
    assert ours.generate_postprocess(generated) == theirs.generate_postprocess(generated)


@pytest.mark.parametrize("case", TWO_IMAGES)
def test_rows_with_two_images_equal_keras_hub(pair, case):
    theirs, ours = pair("defaults", "ia")
    x = TWO_IMAGES[case]
    assert differences(labelled(theirs(dict(x))), labelled(ours(dict(x)))) == {}


@pytest.mark.parametrize("vocabulary_file", ["demonstration"], indirect=True)
@pytest.mark.parametrize("media", ["", "i", "a"])
def test_rows_without_a_converter_equal_keras_hub(pair, media):
    theirs, ours = pair("defaults", media)
    for case in (
        "text",
        "text, one row",
        "long prompt",
        *(["image"] if "i" in media else []),
        *(["audio"] if "a" in media else []),
    ):
        x = CASES[case]
        expected = labelled(theirs(dict(x)))
        if (
            media == "" and case == "text, one row"
        ):  # KerasHub forgets to take the batch axis off this one tensor
            expected["position_ids"] = expected["position_ids"][0]
        assert differences(expected, labelled(ours(dict(x)))) == {}
        prompts = {key: value for key, value in x.items() if key != "responses"}
        assert (
            differences(theirs.generate_preprocess(dict(prompts)), ours.generate_preprocess(dict(prompts)))
            == {}
        )


@pytest.mark.parametrize(
    ("media", "row"),
    [
        ("", {"max_images_per_prompt": 0, "num_vision_tokens_per_image": 0}),
        ("a", {"max_images_per_prompt": 0, "num_vision_tokens_per_image": 0}),
        ("i", {"audio_input_feat_size": 0, "max_audio_clips_per_prompt": 0}),
    ],
)
def test_rows_of_models_without_a_medium_equal_keras_hub(
    media, row, demonstration_tokenizer, make_preprocessor
):
    layers = {
        "image_converter": keras_hub.layers.Gemma4ImageConverter(scale=1 / 255) if "i" in media else None,
        "audio_converter": keras_hub.layers.Gemma4AudioConverter(mel_floor=1e-3) if "a" in media else None,
    }
    tokenizer = keras_hub.models.Gemma4Tokenizer(demonstration_tokenizer.proto)
    theirs = keras_hub.models.Gemma4CausalLMPreprocessor(tokenizer, **layers, **row)
    ours = make_preprocessor(images="i" in media, audio="a" in media, **row)
    for case in ("text", *(["image"] if "i" in media else []), *(["audio"] if "a" in media else [])):
        assert differences(labelled(theirs(dict(CASES[case]))), labelled(ours(dict(CASES[case])))) == {}
        prompts = {key: value for key, value in CASES[case].items() if key != "responses"}
        generated = theirs.generate_preprocess(dict(prompts)), ours.generate_preprocess(dict(prompts))
        assert differences(*generated) == {}


def test_bare_prompts_equal_keras_hub(pair):
    theirs, ours = pair("defaults", "ia")
    for prompts in ("hello", ["hello", "there you"]):
        assert differences(theirs.generate_preprocess(prompts), ours.generate_preprocess(prompts)) == {}


def test_sequence_length_of_a_call_equals_keras_hub(pair):
    theirs, ours = pair("defaults", "ia")
    x = CASES["long response"]
    assert (
        differences(
            labelled(theirs(dict(x), sequence_length=50)), labelled(ours(dict(x), sequence_length=50))
        )
        == {}
    )


def test_two_hundred_random_texts_equal_keras_hub(pair, vocabulary):
    theirs, ours = pair("defaults", "ia")
    texts = [
        text.decode()
        for text in samples.hostile_texts(400, pieces=vocabulary.pieces, seed=8, invalid_utf8=False)
    ]
    texts = [text for text in texts if "<|image|>" not in text and "<|audio|>" not in text]
    x = {"prompts": texts[:180], "responses": texts[180:360]}
    assert (
        differences(
            labelled(theirs(dict(x), sequence_length=40)), labelled(ours(dict(x), sequence_length=40))
        )
        == {}
    )


@pytest.mark.slow
@pytest.mark.parametrize("vocabulary_file", ["demonstration"], indirect=True)
def test_rows_in_tf_data_equal_keras_hub(pair):
    theirs, ours = pair("defaults", "ia")
    x = CASES["image"]
    for batched in (lambda data: data.batch(2), lambda data: data):
        data = batched(tf.data.Dataset.from_tensor_slices(x))
        for a, b in zip(data.map(theirs), data.map(ours), strict=True):
            assert differences(labelled(a), labelled(b)) == {}


def test_postprocessing_strips_what_keras_hub_strips(pair):
    theirs, ours = pair("defaults", "ia")
    names = [
        GEMMA4.start,
        GEMMA4.end,
        GEMMA4.pad,
        *(token for tokens in GEMMA4.media for token in astuple(tokens)[1:]),
        *GEMMA4.unread,
    ]
    names += ["<|turn>", "<turn|>", "\n", "<unk>", "<mask>"]
    ids = (
        [ours.tokenizer.token_to_id(name) for name in names]
        + ours.tokenizer("hello é").numpy().tolist()
        + [theirs.tokenizer.token_to_id("<0xE2>")]
    )
    x = {
        "token_ids": np.array([ids, ids[::-1]], np.int32),
        "padding_mask": np.array([[1] * len(ids), [1] * 5 + [0] * (len(ids) - 5)]),
    }
    assert ours.generate_postprocess(x) == theirs.generate_postprocess(x)


@pytest.mark.parametrize("most", [70, pytest.param(560, marks=pytest.mark.slow)])
def test_rows_of_another_budget_equal_keras_hub(most, demonstration_tokenizer):
    """As the preprocessor's own, and, but for the room that is left, as a request's."""
    row = {"num_vision_tokens_per_image": most, "sequence_length": 1500, "max_images_per_prompt": 2}
    theirs = keras_hub.models.Gemma4CausalLMPreprocessor(
        keras_hub.models.Gemma4Tokenizer(demonstration_tokenizer.proto),
        image_converter=keras_hub.layers.Gemma4ImageConverter(scale=1 / 255, max_soft_tokens=most),
        **row,
    )
    own = Gemma4CausalLMPreprocessor(
        demonstration_tokenizer, Gemma4ImageConverter(max_soft_tokens=most), **row
    )
    larger = Gemma4CausalLMPreprocessor(
        demonstration_tokenizer,
        Gemma4ImageConverter(max_soft_tokens=1120),
        **{**row, "num_vision_tokens_per_image": 1120, "sequence_length": 3000},
    )
    for case in ("image", "image upscaled"):
        expected, x = labelled(theirs(dict(CASES[case]))), CASES[case]
        assert differences(expected, labelled(own(dict(x)))) == {}
        found = labelled(larger({**x, "max_soft_tokens": most}))
        blocks = found.pop("vision_indices").numpy().reshape(len(x["prompts"]), 2, 1120)
        assert not blocks[..., most:].any()
        cut = {name: value[:, : expected[name].shape[1]] for name, value in found.items()}
        cut |= {name: found[name][:, :, : 9 * most] for name in ("pixel_values", "pixel_position_ids")}
        cut["vision_indices"] = blocks[..., :most].reshape(len(blocks), -1)
        assert differences(expected, cut) == {}


def test_the_installed_keras_hub_is_the_one_whose_rows_are_equal(make_preprocessor):
    assert keras_hub.__version__.startswith(os.environ.get("KERAS_HUB", ""))
    assert keras_hub.__version__.startswith(make_preprocessor().keras_hub_version)
