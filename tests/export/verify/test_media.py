"""Pixels and spectrograms beside the references': a right runtime passes, one that is off does not."""

import sys

import pytest

import graph_ops
from export.verify import media, samples
from tests.export.verify.rig import Asked, Converters, Off, subject


def runtimes(*outputs):
    """Our converters, and the same with one of these outputs off."""
    right = Converters()
    return [lambda _: right, *(lambda _, output=output: Off(right, output) for output in outputs)]


def test_our_pixels_are_the_processors_and_a_runtime_that_is_off_is_found(monkeypatch):
    pytest.importorskip("transformers.models.gemma4.image_processing_pil_gemma4")
    images = [samples.pixels(30, 40), samples.pixels(9, 70, smooth=False)]
    monkeypatch.setattr(media, "_images", lambda: images)
    given = subject("image", runtimes=runtimes("pixel_values", "pixel_position_ids"))
    results = list(media.pixels(given))
    assert [result.step for result in results] == ["pixels of 2 images", "their patch positions"] * 3
    assert [result.passed for result in results] == [True, True, False, True, True, False]
    assert [result.differing for result in results] == [0, 0, 2, 0, 0, 2]
    assert results[0].compared == 2 * 2520 * 768
    assert {result.reference for result in results} == {"Gemma4ImageProcessorPil"}


@pytest.fixture
def one_sound(monkeypatch):
    sounds = samples.sounds
    monkeypatch.setattr(samples, "sounds", lambda length: {"sweep": sounds(length)["sweep"]})


@pytest.mark.usefixtures("one_sound")
def test_our_spectrogram_is_that_of_keras_hub_and_a_runtime_that_is_off_is_found():
    pytest.importorskip("keras_hub")
    right, wrong = media.mel(subject("audio", runtimes=runtimes("audio_mel")))
    assert (right.step, right.reference) == ("log-mel of 3 clips", "keras_hub's converter")
    assert right.passed
    assert right.largest < media.MEL_TOLERANCE
    assert right.compared == wrong.compared > 3 * 128
    assert wrong.differing == 3


@pytest.mark.usefixtures("one_sound")
def test_the_spectrogram_of_the_other_parity_is_that_of_the_extractor():
    pytest.importorskip("transformers.models.gemma4.feature_extraction_gemma4")
    (right,) = media.mel(subject("audio", parity="transformers", sequence_length=800))
    assert (right.step, right.reference) == ("log-mel of 3 clips", "Gemma4AudioFeatureExtractor")
    assert right.passed
    assert right.compared > 3 * 128


@pytest.mark.usefixtures("one_sound")
def test_raw_frames_are_those_of_the_unified_extractor_to_the_last_bit():
    pytest.importorskip("transformers.models.gemma4_unified.feature_extraction_gemma4_unified")
    converter = graph_ops.Gemma4AudioConverter.from_preset("gemma4_unified_12b")
    given = subject("audio", parity="transformers", sequence_length=800, audio_converter=converter)
    (right,) = media.mel(given)
    assert (right.step, right.reference) == ("raw frames of 3 clips", "Gemma4UnifiedAudioFeatureExtractor")
    assert right.passed
    assert (right.largest, right.allowed) == (0.0, 0.0)
    assert right.compared == (2 + 25 + 126) * 640


def test_a_medium_that_is_not_read_has_no_line():
    assert list(media.pixels(subject("audio", runtimes=[Asked]))) == []
    assert list(media.mel(subject("image", runtimes=[Asked]))) == []


@pytest.mark.parametrize("changes", [{"scale": (0.1, 0.2, 0.3)}, {"offset": 0.5}])
def test_pixels_that_the_processor_cannot_scale_are_not_compared(changes):
    pytest.importorskip("transformers.models.gemma4.image_processing_pil_gemma4")
    given = subject("image", runtimes=[Asked])
    given.config["image_converter"]["config"].update(changes)
    (result,) = media.pixels(given)
    assert (result.step, result.skipped) == ("pixels", "it scales by one number only")


@pytest.mark.parametrize(
    ("step", "module", "parity", "why"),
    [
        (media.pixels, "transformers.models.gemma4.image_processing_pil_gemma4", "keras_hub", "transformers"),
        (media.mel, "transformers.models.gemma4.feature_extraction_gemma4", "transformers", "transformers"),
        (media.mel, "keras_hub", "keras_hub", "keras_hub"),
    ],
)
def test_without_the_reference_nothing_is_run(monkeypatch, step, module, parity, why):
    monkeypatch.setitem(sys.modules, module, None)
    (result,) = step(subject("image", "audio", parity=parity, runtimes=[Asked]))
    assert result.passed
    assert result.skipped.startswith(why)
    assert result.skipped.endswith(" is not installed")
