"""The class that makes rows to embed: forms of its inputs, its settings, where it is saved and loaded."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from graph_ops import EmbeddingGemma2TextEmbedderPreprocessor, Gemma4AudioConverter, Gemma4ImageConverter
from graph_ops.config import AudioConfig, ImageConfig
from graph_ops.text.reading import Reading
from tests.comparing import assert_same
from tests.data import DEMONSTRATION


@pytest.fixture(scope="module")
def texts_alone(demonstration_tokenizer):
    return EmbeddingGemma2TextEmbedderPreprocessor(demonstration_tokenizer, sequence_length=32)


@pytest.fixture(scope="module")
def everything(demonstration_tokenizer):
    return EmbeddingGemma2TextEmbedderPreprocessor(
        demonstration_tokenizer,
        Gemma4ImageConverter(),
        Gemma4AudioConverter(),
        sequence_length=600,
    )


def pieces(preprocessor, row):
    return [preprocessor.tokenizer.id_to_token(index) for index in row["token_ids"][row["padding_mask"]]]


def test_a_text_alone_is_a_row_of_a_batch(texts_alone):
    alone, batch = texts_alone("some text"), texts_alone(["some text", "more"])
    assert_same({name: value[0] for name, value in batch.items()}, dict(alone))
    assert alone["token_ids"].shape == (32,)
    assert pieces(texts_alone, alone)[0] == "<bos>"
    assert pieces(texts_alone, alone)[-1] == "<eos>"


def test_a_task_is_written_before_the_texts(texts_alone):
    prefix = texts_alone.tasks["document"]
    assert_same(texts_alone("a", task="document"), texts_alone(prefix + "a"))
    assert_same(texts_alone(["a", "b"], task=["", "document"]), texts_alone(["a", prefix + "b"]))
    with pytest.raises(ValueError, match=r"text 1: `tasks`: must be the name of a task.*got 3 bytes"):
        texts_alone(["a", "b"], task=["", "doc"])


def test_labels_are_handed_on(texts_alone):
    x, y, weight = texts_alone(["a"], y=[1], sample_weight=[2])
    assert (list(x), y, weight) == (["token_ids", "padding_mask"], [1], [2])


def test_sentences_call_the_texts_texts(everything):
    with pytest.raises(ValueError, match=r"text 0: `texts`: a prompt needs one `<\|audio\|>` for each"):
        everything({"texts": ["hear"], "audio": [np.zeros(700, np.float32)]})
    with pytest.raises(ValueError, match="`images`: a row may have at most 1; got 2"):
        everything({"texts": ["see"], "images": np.zeros((1, 2, 48, 48, 3), np.uint8)})


def test_a_medium_needs_its_converter(texts_alone):
    with pytest.raises(ValueError, match="`audio`: needs a preprocessor with `audio_converter`"):
        texts_alone({"audio": np.zeros(700, np.float32)})


@pytest.mark.release
def test_files_and_arrays_of_any_batch_agree(everything, photo, speech):
    row = everything({"images": photo, "audio": speech})
    assert row["pixel_values"].shape == (1, 2520, 768)
    assert len(row["vision_indices"]) == np.count_nonzero(row["pixel_position_ids"][0, :, 0] >= 0) // 9
    small = everything({"images": [photo, photo], "audio": [speech] * 2, "max_soft_tokens": [70, 0]})
    soft = np.count_nonzero(small["vision_indices"], axis=1)
    assert soft[0] <= 70 < soft[1] == len(row["vision_indices"])
    assert_same(
        {name: small[name][1] for name in row if "audio" not in name},
        {name: value for name, value in row.items() if "audio" not in name}
        | {"token_ids": small["token_ids"][1]},
    )
    arrays = everything(
        {
            "images": tf.io.decode_jpeg(photo, dct_method="INTEGER_ACCURATE"),
            "audio": tf.audio.decode_wav(speech)[0][:, 0],
        }
    )
    assert arrays["token_ids"].numpy().tolist() == row["token_ids"].numpy().tolist()


def test_settings_are_attributes_and_survive_saving(everything, texts_alone):
    for layer in (everything, texts_alone):
        again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
        assert again.get_config() == layer.get_config()
        assert again.settings.media == layer.settings.media
    changed = type(texts_alone).from_config(texts_alone.get_config())
    changed.sequence_length = 4
    assert changed("a b c d e f")["token_ids"].shape == (4,)
    assert changed("a b c d e f", sequence_length=5)["token_ids"].shape == (5,)
    with pytest.raises(ValueError, match="`sequence_length`: must be a whole number, at least 1; got 0"):
        changed.sequence_length = 0


def test_special_tokens_are_read_as_the_settings_say(demonstration_tokenizer):
    def reading(**settings):
        return EmbeddingGemma2TextEmbedderPreprocessor(demonstration_tokenizer, **settings).reading

    assert reading() is Reading.TRAINED
    assert reading(parity="transformers") is Reading.CONTROL
    assert reading(allow_special_tokens="none") is Reading.PLACEHOLDERS


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"truncate": "middle"}, r"`truncate`: must be one of \('round_robin', 'waterfall'\); got 'middle'"),
        ({"video_converter": 1}, "`video_converter`: this preprocessor reads text, images and audio"),
        ({"parity": "none"}, "`parity`: must be one of"),
    ],
)
def test_settings_that_cannot_be_followed_are_refused(settings, message, demonstration_tokenizer):
    with pytest.raises(ValueError, match=message):
        EmbeddingGemma2TextEmbedderPreprocessor(demonstration_tokenizer, **settings)


def test_a_preset_is_the_released_models():
    made = EmbeddingGemma2TextEmbedderPreprocessor.from_preset("embedding_gemma2", tokenizer=DEMONSTRATION)
    assert made.image_converter.config == ImageConfig()
    assert made.audio_converter.config == AudioConfig()
    assert made.sequence_length == 512
    without = made.from_preset("embedding_gemma2", tokenizer=DEMONSTRATION, audio_converter=None)
    assert without.audio_converter is None


def test_rows_in_tf_data_are_those_of_a_call(texts_alone):
    data = tf.data.Dataset.from_tensor_slices(["a", "b"]).batch(2)
    (row,) = data.map(lambda texts: texts_alone(texts, task="query"))
    assert_same(row, texts_alone(["a", "b"], task="query"))
