"""Rows to embed against keras-hub's class, tensor for tensor.

`pixel_values` are Pillow's here and `tf.image.resize`'s there; see `test_keras_hub_rows`.
"""

import re

import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from export.verify import samples
from graph_ops import EmbeddingGemma2TextEmbedderPreprocessor, Gemma4AudioConverter, Gemma4ImageConverter
from tests.data import needs_real
from tests.parity.comparing import differences
from tests.parity.test_keras_hub_rows import clip, images, words

pytestmark = pytest.mark.skipif(
    not hasattr(keras_hub.models, "EmbeddingGemma2TextEmbedderPreprocessor"),
    reason="keras-hub has EmbeddingGemma 2 from 0.33 on",
)

LONG = "see <|image|> " + words(700, 4)
CASES = {
    "one text": words(9, 1),
    "texts": [words(9, 1), "", words(3, 2)],
    "texts in an array": np.array(["a", "日本"]),
    "texts in a dict": {"texts": [words(5, 3)]},
    "long texts": [words(900, 4), words(509, 5), words(510, 6), "a"],
    "nothing": {},
    "one image": {"texts": "see <|image|> here", "images": images(100, 140)},
    "an image in a list": {"texts": "see <|image|> here", "images": [images(100, 140)]},
    "image": {"texts": ["see <|image|> here", "<|image|>"], "images": images(2, 100, 140)},
    "images of several sizes": {
        "texts": ["<|image|>", "a <|image|>", "b <|image|> c"],
        "images": [images(300, 420), images(420, 300), images(90, 700)],
    },
    "image and a long text": {"texts": [LONG, "<|image|>"], "images": [images(64, 300), images(90, 70)]},
    "image without text": {"images": images(64, 80)},
    "images without text": {"images": images(2, 64, 80)},
    "one clip": {"texts": "hear <|audio|> it", "audio": clip(16_001)},
    "audio": {"texts": ["hear <|audio|>", "<|audio|>"], "audio": np.stack([clip(30_007), clip(30_007, 1)])},
    "audio of several lengths": {
        "texts": ["<|audio|>", "x <|audio|>", "<|audio|>"],
        "audio": [clip(5_000), clip(9_001), clip(161)],
    },
    "audio without text": {"audio": [clip(5_000), clip(700)]},
    "image and audio": {
        "texts": ["see <|image|> hear <|audio|> it", "<|audio|><|image|>"],
        "images": [images(60, 200), images(60, 400)],
        "audio": [clip(8_000), clip(20_000, 1)],
    },
    "image and audio without text": {"images": images(90, 700), "audio": clip(700)},
}
REFUSED = {
    "two placeholders": {"texts": ["<|image|><|image|>"], "images": images(1, 64, 80)},
    "no placeholder": {"texts": ["see"], "images": images(1, 64, 80)},
    "a placeholder without image": ["see <|image|>"],
    "a placeholder without clip": {"texts": ["<|image|><|audio|>"], "images": images(1, 64, 80)},
    "a video's placeholder": "a <|video|>",
    "fewer images than texts": {"texts": ["<|image|>", "<|image|>"], "images": images(1, 64, 80)},
    "two images a text": {"texts": ["<|image|>"], "images": images(1, 2, 64, 80)},
    "videos": {"videos": images(1, 2, 64, 80), "images": images(1, 64, 80)},
    "texts in two axes": [["a"]],
    "other numbers without text": {"images": images(2, 64, 80), "audio": [clip(700)]},
    "soft tokens that do not fit": {"texts": [words(600, 1) + "<|image|>"], "images": images(1, 64, 80)},
}


@pytest.fixture(scope="module")
def pair(vocabulary_file, tokenizer):
    """KerasHub's class and ours, with converters for the media of each key."""
    made = {}

    def make(media="ia"):
        if media not in made:
            layers = keras_hub.layers
            theirs = keras_hub.models.EmbeddingGemma2TextEmbedderPreprocessor(
                keras_hub.models.EmbeddingGemma2Tokenizer(str(vocabulary_file)),
                image_converter=layers.EmbeddingGemma2ImageConverter(scale=1 / 255) if "i" in media else None,
                audio_converter=layers.EmbeddingGemma2AudioConverter(mel_floor=1e-3)
                if "a" in media
                else None,
            )
            ours = EmbeddingGemma2TextEmbedderPreprocessor(
                tokenizer,
                image_converter=Gemma4ImageConverter() if "i" in media else None,
                audio_converter=Gemma4AudioConverter() if "a" in media else None,
            )
            made[media] = theirs, ours
        return made[media]

    return make


def copied(x):
    """KerasHub changes a list of texts in place."""
    return (
        {key: list(value) if isinstance(value, list) else value for key, value in x.items()}
        if isinstance(x, dict)
        else x
    )


REAL = ["one text", "texts", "long texts", "nothing", "image and audio"]


@pytest.mark.parametrize(
    ("vocabulary_file", "case"),
    [
        *(("demonstration", case) for case in CASES),
        *(pytest.param("real", case, marks=needs_real) for case in REAL),
    ],
    indirect=["vocabulary_file"],
)
def test_rows_equal_keras_hub(pair, case):
    theirs, ours = pair()
    assert differences(theirs(copied(CASES[case])), ours(CASES[case])) == {}


@pytest.mark.parametrize("vocabulary_file", ["demonstration"], indirect=True)
@pytest.mark.parametrize("media", ["", "i", "a"])
def test_rows_without_a_converter_equal_keras_hub(pair, media):
    theirs, ours = pair(media)
    for case in ("texts", *(["one image"] if "i" in media else []), *(["one clip"] if "a" in media else [])):
        assert differences(theirs(copied(CASES[case])), ours(CASES[case])) == {}


@pytest.mark.parametrize("vocabulary_file", ["demonstration"], indirect=True)
@pytest.mark.parametrize("case", REFUSED)
def test_what_keras_hub_refuses_is_refused_with_what_to_correct(pair, case):
    theirs, ours = pair()
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        theirs(copied(REFUSED[case]))
    with pytest.raises(ValueError, match=r"`\w+`(, `\w+`)*: .*(must|needs?|may|reads) .*"):
        ours(REFUSED[case])


@pytest.mark.parametrize("vocabulary_file", ["demonstration"], indirect=True)
def test_a_placeholder_of_a_medium_without_converter_is_refused_by_both(pair):
    for preprocessor in pair(""):
        with pytest.raises(ValueError, match="placeholder"):
            preprocessor("see <|image|>")


def test_two_hundred_hostile_texts_equal_keras_hub(pair, vocabulary):
    theirs, ours = pair()
    found = samples.hostile_texts(400, pieces=vocabulary.pieces, seed=8, invalid_utf8=False)
    texts = [text for text in map(bytes.decode, found) if not re.search(r"<\|(image|audio|video)\|>", text)]
    for length in (40, 7):
        assert (
            differences(
                theirs(texts[:200], sequence_length=length), ours(texts[:200], sequence_length=length)
            )
            == {}
        )


@pytest.mark.parametrize("vocabulary_file", ["demonstration"], indirect=True)
def test_rows_in_tf_data_equal_keras_hub(pair):
    theirs, ours = pair()
    data = tf.data.Dataset.from_tensor_slices(CASES["image"]).batch(2)
    for a, b in zip(data.map(theirs), data.map(ours), strict=True):
        assert differences(a, b) == {}


@pytest.mark.parametrize("vocabulary_file", ["demonstration"], indirect=True)
def test_labels_are_handed_on_as_in_keras_hub(pair):
    theirs, ours = pair("")
    for a, b in zip(theirs("a", [1], [2]), ours("a", [1], [2]), strict=True):
        assert (differences(a, b) if isinstance(a, dict) else {} if a == b else a) == {}
