"""Every number's rule, and the numbers that follow from others."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.config import (
    MEDIUM_CONFIGS,
    AudioConfig,
    ImageConfig,
    RowConfig,
    VideoConfig,
    converter_argument,
)
from tests.twins.vocabularies import REPEATABLE

POSITIVE = {
    ImageConfig: ("patch_size", "max_soft_tokens", "pooling_kernel_size", "max_image_pixels"),
    AudioConfig: ("num_mels", "num_fft_bins", "stride", "sampling_rate", "max_audio_length", "frame_length"),
}


@pytest.mark.parametrize(
    ("config", "name"), [(config, name) for config, names in POSITIVE.items() for name in names]
)
@pytest.mark.parametrize("value", [0, -1, 2.0, True, "16", None])
def test_a_size_must_be_a_positive_whole_number(config, name, value):
    with pytest.raises(ValueError, match=f"^`{name}`: must be a positive whole number; got {value!r}. Leave"):
        config(**{name: value})


def test_numbers_of_the_released_model():
    image, audio = ImageConfig(), AudioConfig()
    assert (image.max_patches, image.patch_dim, image.side_multiple) == (2_520, 768, 48)
    assert (audio.max_samples, audio.max_frames, audio.max_soft_tokens) == (480_000, 3_000, 750)


@REPEATABLE
@given(st.integers(1, 500), st.integers(1, 60), st.integers(1, 9))
def test_soft_tokens_of_the_longest_clip_hold_all_its_frames(stride, seconds, frames_per_token):
    config = AudioConfig(
        stride=stride,
        frame_length=2 * stride,
        num_fft_bins=1_024,
        max_audio_length=seconds,
        frames_per_soft_token=frames_per_token,
    )
    assert config.max_frames * stride <= config.max_samples < (config.max_frames + 1) * stride
    assert 0 <= config.max_soft_tokens * frames_per_token - config.max_frames < frames_per_token


@pytest.mark.parametrize("name", ["scale", "offset"])
@pytest.mark.parametrize("value", [None, 2.0, (1.0,), (1.0, 2.0, 3.0)])
def test_a_factor_is_one_number_or_one_for_each_channel(name, value):
    assert getattr(ImageConfig(**{name: value}), name) == value


@pytest.mark.parametrize("name", ["scale", "offset"])
@pytest.mark.parametrize("value", [(), (1.0, 2.0), (1.0,) * 4])
def test_a_factor_for_another_number_of_channels_is_refused(name, value):
    with pytest.raises(ValueError, match=f"`{name}`: must be one number or one for each of 3 channels; got"):
        ImageConfig(**{name: value})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"frame_length": 400}, "`frame_length`: must be twice `stride`; got 400 and 160"),
        ({"num_fft_bins": 256}, "`frame_length`: must be at most `num_fft_bins`; got 320 > 256"),
        ({"min_frequency": -1.0}, r"`max_frequency`: must be above `min_frequency` .*; got -1.0…8000.0 Hz"),
        ({"min_frequency": 8_000.0}, "`max_frequency`: must be above `min_frequency`"),
        ({"max_frequency": 8_000.5}, "at most half of `sampling_rate`; got 0.0…8000.5 Hz at 16000 Hz"),
        ({"sampling_rate": 8_000}, "at most half of `sampling_rate`; got 0.0…8000.0 Hz at 8000 Hz"),
        (
            {"mel_floor": 0.0},
            "`mel_floor`: must be positive and finite, since its logarithm is taken; got 0.0",
        ),
        ({"mel_floor": float("nan")}, "`mel_floor`: must be positive and finite, .*; got nan"),
        ({"mel_floor": float("inf")}, "`mel_floor`: must be positive and finite, .*; got inf"),
        (
            {"per_bin_mean": (0.0,) * 127},
            "`per_bin_mean`: must have one number for each of 128 mel bins; got 127",
        ),
        ({"per_bin_stddev": ()}, "`per_bin_stddev`: must have one number for each of 128 mel bins; got 0"),
        (
            {"per_bin_stddev": (1.0,) * 127 + (0.0,)},
            "`per_bin_stddev`: must be positive numbers, .*; got 0.0",
        ),
    ],
)
def test_numbers_of_audio_that_contradict_each_other_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        AudioConfig(**settings)


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("sequence_length", 1),
        ("max_images_per_prompt", 0),
        ("num_vision_tokens_per_image", 0),
        ("max_audio_clips_per_prompt", 0),
        ("num_audio_tokens_per_clip", 0),
        ("audio_input_feat_size", 0),
    ],
)
def test_a_number_of_rows_has_a_least_value(name, least):
    assert getattr(RowConfig(**{name: least}), name) == least
    wrong: list[Any] = [least - 1, 1.5, False, "3", None]
    for value in wrong:
        with pytest.raises(
            ValueError, match=f"^`{name}`: must be a whole number, at least {least}; got {value!r}"
        ):
            RowConfig(**{name: value})


@pytest.mark.parametrize("wrong", [{"parity": "other"}, {"allow_special_tokens": "other"}])
def test_a_choice_is_one_of_few(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=rf"`{name}`: must be one of \(.*\); got 'other'. Pass one of them"):
        RowConfig(**wrong)


def test_numbers_of_numpy_are_whole_numbers_too():
    assert RowConfig(sequence_length=np.int64(512)) == RowConfig(sequence_length=512)
    for config in (RowConfig(sequence_length=np.int64(512)), ImageConfig(patch_size=np.int32(16))):
        assert json.loads(json.dumps(dataclasses.asdict(config)))


@pytest.mark.parametrize("config", [ImageConfig, AudioConfig, RowConfig])
def test_a_configuration_is_a_value(config):
    assert config() == config()
    assert len({config(), config()}) == 1
    field = dataclasses.fields(config)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(config(), field, 3)
    assert dataclasses.replace(config(), **{field: 3}) != config()


def test_media_are_converted_by_their_names():
    arguments = {converter_argument(name): config for name, config in MEDIUM_CONFIGS.items()}
    assert arguments == {
        "image_converter": ImageConfig,
        "audio_converter": AudioConfig,
        "video_converter": VideoConfig,
    }


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
