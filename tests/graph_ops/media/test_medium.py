"""What follows from a medium's facts."""

import dataclasses

import pytest
import tensorflow as tf

from graph_ops.config import AudioConfig, ImageConfig, RowConfig
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from graph_ops.media.medium import Medium


@pytest.mark.parametrize(
    ("medium", "sizes", "filled"),
    [(IMAGE, [[[0, 0], [0, 3], [2, 2]]], [[False, True, True]]), (AUDIO, [[0, 4]], [[False, True]])],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_slot_is_filled_if_its_item_has_a_size(medium, sizes, filled):
    assert medium.is_filled(tf.constant(sizes)).numpy().tolist() == filled


def test_names_are_called_after_the_medium_or_its_group():
    assert (IMAGE.converter, IMAGE.soft_tokens) == ("image_converter", "image_soft_tokens")
    assert (IMAGE.indices, IMAGE.mask) == ("vision_indices", "vision_mask")
    other = dataclasses.replace(AUDIO, name="smell", group="nose")
    assert (other.converter, other.soft_tokens) == ("smell_converter", "smell_soft_tokens")
    assert (other.indices, other.mask) == ("nose_indices", "nose_mask")


def test_the_axes_that_vary_are_counted():
    shapes = {(None,): 1, (None, None, 3): 2, (4, 5): 0, (None, None, None, 3): 3}
    assert {shape: dataclasses.replace(IMAGE, item_shape=shape).varying for shape in shapes} == shapes


def test_slots_and_configuration_are_looked_up():
    row = RowConfig(max_images_per_prompt=5, max_audio_clips_per_prompt=0)
    assert (IMAGE.num_slots(row), AUDIO.num_slots(row)) == (5, 0)
    assert (IMAGE.config, AUDIO.config) == (ImageConfig, AudioConfig)
    with pytest.raises(KeyError, match="smell"):
        _ = dataclasses.replace(IMAGE, name="smell").config


def test_a_medium_is_whole_and_cannot_be_changed():
    assert isinstance(IMAGE, Medium)
    with pytest.raises(dataclasses.FrozenInstanceError):
        IMAGE.name = "picture"  # type: ignore[misc]
    with pytest.raises(TypeError, match="missing"):
        Medium(name="smell")  # type: ignore[call-arg]
