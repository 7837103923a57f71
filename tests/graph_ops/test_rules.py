"""Each rule passes what keeps it, and names the field of what does not."""

import types

import numpy as np
import pytest

from graph_ops import rules


def field(value):
    return types.SimpleNamespace(size=value)


@pytest.mark.parametrize("value", [1, 9, np.int32(5)])
def test_whole_numbers_become_pythons(value):
    config = field(value)
    rules.check_positive(config, "size")
    assert type(config.size) is int
    assert config.size == value
    rules.check_whole(config, "size", least=1)


@pytest.mark.parametrize("value", [0, -1, 2.0, True, None, "1"])
def test_others_are_not(value):
    with pytest.raises(ValueError, match=r"^`size`: must be a positive whole number; got"):
        rules.check_positive(field(value), "size")
    with pytest.raises(ValueError, match=r"^`size`: must be a whole number, at least 1; got"):
        rules.check_whole(field(value), "size", least=1)


def test_a_choice_is_one_of_some_words():
    rules.check_choice(field("a"), "size", ("a", "b"))
    with pytest.raises(ValueError, match=r"`size`: must be one of \('a', 'b'\); got 'c'"):
        rules.check_choice(field("c"), "size", ("a", "b"))


def test_a_flag_is_true_or_false():
    rules.check_flag(field(False), "size")
    with pytest.raises(ValueError, match="`size`: must be True or False; got 0"):
        rules.check_flag(field(0), "size")


@pytest.mark.parametrize("value", [(0, 255, 9), (np.uint8(1), 2, 3), None, "sky"])
def test_a_colour_is_three_levels_or_another_value(value):
    rules.check_color(field(value), "size", otherwise=(None, "sky"))


@pytest.mark.parametrize("value", [(0, 256, 9), (1, 2), [1, 2, 3], "sea", 7, np.zeros(3)])
def test_another_colour_is_refused(value):
    with pytest.raises(ValueError, match="`size`: must be three whole numbers in 0…255, None or 'sky'; got"):
        rules.check_color(field(value), "size", otherwise=(None, "sky"))


def audio(**changed):
    given = {"features": "waveform", "stride": 640, "frame_length": 640, "frames_per_soft_token": 1}
    others = {"num_mels": 1, "num_fft_bins": 1, "sampling_rate": 16_000, "max_audio_length": 30}
    return types.SimpleNamespace(**{**given, **others, **changed})


def test_raw_frames_stand_side_by_side_whatever_is_said_of_mel_bins():
    rules.check_audio(audio(mel_floor=-1))
    rules.check_raw_frames(audio())
    for changed in ({"frame_length": 320}, {"frames_per_soft_token": 4}):
        with pytest.raises(ValueError, match="`features`: with 'waveform' `frame_length` must be `stride`"):
            rules.check_audio(audio(**changed))
    with pytest.raises(ValueError, match=r"`stride`: with 'waveform' the longest clip .* 30 s at 16000 Hz"):
        rules.check_raw_frames(audio(stride=700, frame_length=700))
    with pytest.raises(ValueError, match="`stride`: must be a positive whole number; got 0"):
        rules.check_audio(audio(stride=0))
