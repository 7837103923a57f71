"""What the settings of files may be."""

import pytest

from graph_ops.config import AudioConfig, ImageConfig


@pytest.mark.parametrize("color", [(255, 255, 255), (0, 9, 200), None])
def test_a_background_color_is_the_same_in_both_parities(color):
    config = ImageConfig(background_color=color)
    assert config.background("keras_hub") == config.background("transformers") == color


def test_a_background_color_may_follow_the_parity():
    assert ImageConfig().background_color == "parity"
    assert ImageConfig().background("transformers") == (255, 255, 255)
    assert ImageConfig().background("keras_hub") is None


@pytest.mark.parametrize(
    "color",
    [
        "white",
        "",
        (1, 2),
        (1, 2, 3, 4),
        (-1, 0, 0),
        (0, 256, 0),
        (0.5, 0, 0),
        (True, 0, 0),
        ("1", "2", "3"),
        255,
        [1, 2, 3],
    ],
)
def test_what_is_no_color_is_refused(color):
    message = r"`background_color`: must be three whole numbers in 0…255, None or 'parity'; got .*Pass \(255"
    with pytest.raises(ValueError, match=message):
        ImageConfig(background_color=color)


@pytest.mark.parametrize("value", [None, 1, "yes"])
def test_an_orientation_is_applied_or_not(value):
    with pytest.raises(ValueError, match=r"`apply_exif_orientation`: must be True or False; got"):
        ImageConfig(apply_exif_orientation=value)
    assert ImageConfig().apply_exif_orientation


def test_the_longest_clip_is_what_its_configuration_says():
    assert (AudioConfig().max_samples, AudioConfig().max_soft_tokens) == (480_000, 750)
