"""Inputs to compare on: the same at every run, harmless and hostile."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.verify import samples
from tests.twins.vocabularies import REPEATABLE

PIECES = ["<pad>", "<|image|>", "<0x41>", "\u2581the", "the", "ing"]


@pytest.mark.parametrize("name", ["photo.jpg", "speech.wav", "demonstration.spm"])
def test_the_shipped_files_are_there(name):
    assert samples.demonstration_file(name).stat().st_size > 10_000


@REPEATABLE
@given(st.integers(0, 60), st.integers(0, 9))
def test_texts_of_a_seed_are_the_same_at_every_run(count, seed):
    texts = samples.hostile_texts(count, pieces=PIECES, seed=seed)
    assert len(texts) == count
    assert texts == samples.hostile_texts(count, pieces=PIECES, seed=seed)
    assert max(map(len, texts), default=0) < 1000


def test_another_seed_gives_other_texts():
    first, second = (samples.hostile_texts(50, pieces=PIECES, seed=seed) for seed in (0, 1))
    assert sum(a == b for a, b in zip(first, second, strict=True)) < 25


def test_some_texts_are_not_utf8_unless_all_must_be():
    def is_text(data):
        return data.decode("utf-8", "replace").encode() == data

    texts = samples.hostile_texts(300, pieces=PIECES)
    assert 20 < sum(not is_text(text) for text in texts) <= 60
    clean = samples.hostile_texts(300, pieces=PIECES, invalid_utf8=False)
    assert all(is_text(text) for text in clean)
    assert any(b"<|image|>" in text for text in clean)


@REPEATABLE
@given(st.integers(1, 40), st.integers(1, 40), st.booleans(), st.integers(0, 9))
def test_an_image_has_its_size_and_is_that_of_its_seed(height, width, smooth, seed):
    image = samples.pixels(height, width, seed=seed, smooth=smooth)
    assert (image.shape, image.dtype) == ((height, width, 3), np.uint8)
    np.testing.assert_array_equal(image, samples.pixels(height, width, seed=seed, smooth=smooth))


def test_noise_is_rougher_than_a_smooth_image():
    smooth, noise = (samples.pixels(64, 64, smooth=kind).astype(int) for kind in (True, False))
    assert np.abs(np.diff(smooth, axis=0)).mean() < np.abs(np.diff(noise, axis=0)).mean() / 4


@pytest.mark.parametrize("length", [0, 1, 2000])
def test_sounds_are_of_one_length_and_within_full_scale_but_for_noise(length):
    sounds = samples.sounds(length)
    assert sounds.keys() == {"silence", "noise", "clicks", "square", "sweep"}
    for name, sound in sounds.items():
        assert (sound.shape, sound.dtype) == ((length,), np.float32)
        assert name == "noise" or np.abs(sound).max(initial=0) <= 1
    assert not sounds["silence"].any()
    assert np.flatnonzero(sounds["clicks"]).tolist() == [place for place in (0, 1601) if place < length]
    np.testing.assert_array_equal(sounds["noise"], samples.sounds(length)["noise"])
