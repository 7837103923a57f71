"""Tensors without items, as KerasHub's class has them."""

import pytest
import tensorflow as tf

from graph_ops.config import AudioConfig, ImageConfig, RowConfig
from graph_ops.features import BY_NAME
from graph_ops.layers.absent_media import with_absent_media, without_items
from graph_ops.settings import make_settings

IDS = tf.zeros([3, 7], tf.int32)


@pytest.fixture
def settings_with(demonstration_tokenizer):
    def make(images=None, audio=None, **row):
        return make_settings(demonstration_tokenizer, RowConfig(**row), {"image": images, "audio": audio})

    return make


def shapes(features):
    return {name: tuple(tensor.shape) for name, tensor in features.items() if name != "token_ids"}


def test_a_preprocessor_for_text_alone_has_none(settings_with):
    assert with_absent_media({"token_ids": IDS}, settings_with()) == {"token_ids": IDS}


def test_media_that_are_taken_or_might_have_been_have_no_slots(settings_with):
    row = {"max_images_per_prompt": 4, "num_vision_tokens_per_image": 5, "audio_input_feat_size": 6}
    of_audio = {
        "audio_mel": (3, 0, 1, 6),
        "audio_mel_mask": (3, 0, 1),
        "audio_indices": (3, 0),
        "audio_mask": (3, 7),
    }
    features = with_absent_media({"token_ids": IDS}, settings_with(ImageConfig(patch_size=4), **row))
    assert shapes(features) == of_audio | {
        "pixel_values": (3, 0, 0, 48),
        "pixel_position_ids": (3, 0, 0, 2),
        "vision_indices": (3, 20),
        "vision_mask": (3, 7),
    }
    assert not any(tf.cast(tensor, tf.int32).numpy().any() for tensor in features.values())
    assert all(tensor.dtype == BY_NAME[name].dtype for name, tensor in features.items())
    without_images = with_absent_media({"token_ids": IDS}, settings_with(audio=AudioConfig(), **row))
    assert shapes(without_images) == of_audio | {
        "pixel_values": (3, 0, 1, 48),
        "pixel_position_ids": (3, 0, 1, 2),
        "vision_indices": (3, 0),
        "vision_mask": (3, 7),
    }


def test_no_bins_leave_the_tensors_of_audio_out(settings_with):
    settings = settings_with(ImageConfig(), audio_input_feat_size=0)
    features = with_absent_media({"token_ids": IDS[:0]}, settings)
    assert features.keys() == {
        "token_ids",
        "pixel_values",
        "pixel_position_ids",
        "vision_indices",
        "vision_mask",
    }
    assert features["pixel_values"].shape == (0, 0, 0, 768)


def test_what_is_there_stays_as_it_is(settings_with):
    given = {"token_ids": IDS, "pixel_values": tf.ones([3, 1, 2, 768]), "audio_mel": tf.ones([3, 1, 2, 6])}
    features = with_absent_media(given, settings_with(ImageConfig()))
    assert features.keys() == given.keys()
    assert all(features[name] is tensor for name, tensor in given.items())


def test_media_to_embed_have_no_slots_and_no_mask(settings_with):
    found = without_items(settings_with(ImageConfig(patch_size=4), AudioConfig(num_mels=6)), IDS)
    assert shapes(found) == {
        "pixel_values": (3, 0, 0, 48),
        "pixel_position_ids": (3, 0, 0, 2),
        "vision_indices": (3, 0),
        "audio_mel": (3, 0, 1, 6),
        "audio_mel_mask": (3, 0, 1),
        "audio_indices": (3, 0),
    }
    assert without_items(settings_with(), IDS) == {}
