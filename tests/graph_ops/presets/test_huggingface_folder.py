"""Folders in Hugging Face's layout, against transformers: what is read, and what is refused."""

import json

import numpy as np
import pytest
from transformers import Gemma4AudioFeatureExtractor
from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil
from transformers.models.gemma4_unified.feature_extraction_gemma4_unified import (
    Gemma4UnifiedAudioFeatureExtractor,
)

import graph_ops
from export.verify import samples
from graph_ops.config import AudioConfig, ImageConfig, RowConfig
from graph_ops.family import GEMMA4_UNIFIED
from graph_ops.presets.huggingface_folder import read_huggingface
from tests.data import DEMONSTRATION
from tests.graph_ops.presets.written import MODEL, TOKENS, audio_settings, image_settings

Preprocessor = graph_ops.Gemma4CausalLMPreprocessor


def test_a_hugging_face_folder_gives_the_released_models_preprocessor(huggingface_folder):
    made = Preprocessor.from_preset(huggingface_folder(), sequence_length=700)
    assert made.row == RowConfig(sequence_length=700)
    assert (made.image_converter.config, made.audio_converter.config) == (ImageConfig(), AudioConfig())
    expected = graph_ops.Gemma4Tokenizer(DEMONSTRATION)("see <|image|> the weather\n").numpy()
    assert made.tokenizer("see <|image|> the weather\n").numpy().tolist() == expected.tolist()


def unified(audio=None, **changes):
    """Settings as the unified processor's files have them, which its image processor would write with
    PyTorch.
    """
    extractor = json.loads(Gemma4UnifiedAudioFeatureExtractor().to_json_string()) | (audio or {})
    processor = {"processor_class": "Gemma4UnifiedProcessor", "feature_extractor": extractor}
    model = {**MODEL, "model_type": "gemma4_unified"}
    return {"model": model, "processor": processor, **changes}


@pytest.mark.parametrize("model", [{**MODEL, "model_type": "gemma4_unified"}, None], ids=["config", "none"])
def test_a_folder_of_the_unified_model_gives_its_preprocessor(huggingface_folder, model):
    made = Preprocessor.from_preset(huggingface_folder(**unified(model=model)))
    assert made.row == RowConfig(**dict(GEMMA4_UNIFIED.row))
    assert made.image_converter.config == GEMMA4_UNIFIED.image
    assert made.audio_converter.config == GEMMA4_UNIFIED.audio


def test_a_unified_folder_may_have_other_sizes_and_no_audio(huggingface_folder):
    model = {**MODEL, "model_type": "gemma4_unified", "audio_config": None}
    changes = unified(model=model, image={"patch_size": 8, "pooling_kernel_size": 2, "max_soft_tokens": 70})
    settings = read_huggingface(huggingface_folder(**changes))
    assert settings.media["image"] == ImageConfig(patch_size=16, pooling_kernel_size=1, max_soft_tokens=70)
    assert settings.media["audio"] is None
    assert (settings.row["parity"], settings.row["audio_input_feat_size"]) == ("transformers", 0)
    shorter = unified(audio={"audio_samples_per_token": 320, "feature_size": 320})
    shorter["processor"]["audio_ms_per_token"] = 20
    audio = read_huggingface(huggingface_folder(**shorter)).media["audio"]
    assert (audio.stride, audio.frame_length, audio.max_frames) == (320, 320, 1500)


def test_a_flat_preprocessor_config_gives_the_same(huggingface_folder):
    settings = read_huggingface(huggingface_folder(flat=True))
    assert settings.media == {"image": ImageConfig(), "audio": AudioConfig()}


@pytest.mark.parametrize(
    ("model", "media"),
    [
        ({**MODEL, "audio_config": None}, (True, False)),
        ({"model_type": "gemma4_text"}, (False, False)),
        (None, (True, True)),
    ],
)
def test_the_models_encoders_decide_which_media_it_takes(huggingface_folder, model, media):
    settings = read_huggingface(huggingface_folder(model=model))
    assert tuple(settings.media.get(name) is not None for name in ("image", "audio")) == media
    assert settings.row.get("audio_input_feat_size") == (None if media[1] else 0)


def test_a_folder_with_a_tokenizer_alone_is_for_text(tmp_path, small_tokenizer_json):
    (tmp_path / "tokenizer.json").write_text(small_tokenizer_json)
    assert Preprocessor.from_preset(tmp_path).text_only_model


@pytest.mark.parametrize(
    "changes",
    [
        {"max_soft_tokens": 70, "patch_size": 8, "pooling_kernel_size": 2},
        {"rescale_factor": 0.5},
        {"do_rescale": False},
        {"do_normalize": True, "image_mean": [0.5, 0.4, 0.3], "image_std": [0.5, 0.6, 0.7]},
        {
            "do_normalize": True,
            "do_rescale": False,
            "image_mean": [100.0, 90.0, 80.0],
            "image_std": [50.0, 60.0, 70.0],
        },
        {"do_normalize": True},
    ],
    ids=str,
)
def test_image_settings_give_the_reference_processors_pixels(huggingface_folder, changes):
    settings = image_settings(changes)
    reference = Gemma4ImageProcessorPil(
        **{key: value for key, value in settings.items() if key != "image_processor_type"}
    )
    pixels = samples.pixels(150, 220)
    expected = reference([pixels], return_tensors="np")["pixel_values"][0]
    found = graph_ops.Gemma4ImageConverter(
        **vars(read_huggingface(huggingface_folder(image=changes)).media["image"])
    )(pixels)["pixel_values"]
    np.testing.assert_allclose(
        found, expected, atol=1e-6 * np.abs(expected).max()
    )  # one multiplication and one sum, in float32


@pytest.mark.parametrize(
    "changes", [{"mel_floor": 0.01}, {"feature_size": 64}, {"per_bin_mean": [0.5] * 128}], ids=str
)
def test_audio_settings_give_the_reference_extractors_spectrogram(huggingface_folder, changes):
    settings = audio_settings(changes)
    reference = Gemma4AudioFeatureExtractor(
        **{key: value for key, value in settings.items() if key != "feature_extractor_type"}
    )
    sound = samples.sounds(16_000)["sweep"]
    expected = reference([sound], sampling_rate=16_000, return_tensors="np")["input_features"][0]
    found = graph_ops.Gemma4AudioConverter(
        **vars(read_huggingface(huggingface_folder(audio=changes)).media["audio"])
    )(sound).numpy()
    np.testing.assert_allclose(found[: len(expected) - 1], expected[:-1], atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": {"do_resize": False}}, "`do_resize` must be True, .* has False"),
        ({"image": {"resample": 2}}, "`resample` must be 3, .* has 2"),
        ({"image": {"do_convert_rgb": False}}, "`do_convert_rgb` must be True"),
        ({"audio": {"dither": 0.1}}, "`dither` must be 0, .* has 0.1"),
        ({"audio": {"preemphasis": 0.97}}, "`preemphasis` must be 0"),
        ({"audio": {"fft_overdrive": True}}, "`fft_overdrive` must be False"),
        ({"audio": {"hop_length": 0}}, "`hop_length` must be 160, .* has 0"),
        ({"audio": {"fft_length": 1024}}, "`fft_length` must be 512, .* has 1024"),
        ({"audio": {"sampling_rate": 8000}}, "`frame_length` must be 160, .* has 320"),
        ({"image": {"patch_size": "16"}}, "`patch_size`: must be a positive whole number; got '16'"),
        (unified(audio={"padding_value": 1.0}), "`padding_value` must be 0, .* has 1.0"),
        (unified(audio={"feature_size": 128}), "`feature_size` must be 640, .* has 128"),
        (unified(audio={"sampling_rate": 8000}), "`audio_ms_per_token` must be 80, .* has 40"),
        ({"processor": {"audio_ms_per_token": 80}}, "`audio_ms_per_token` must be 40, .* has 80"),
        (
            {"tokens": {**TOKENS, "image_token": "<image_soft_token>"}},
            "`image_token` must be '<|image|>', .*'<image_soft_token>'",
        ),
        ({"tokens": {**TOKENS, "bos_token": {"content": "<s>"}}}, "`bos_token` must be '<bos>'"),
        (
            {"model": {**MODEL, "model_type": "gemma3"}},
            "config.json must be that of a Gemma 4 model; .*'gemma3'",
        ),
        ({"config.json": "{"}, "config.json must be JSON; .* is not: "),
        ({"processor_config.json": "[]"}, "processor_config.json must hold a JSON object; .* holds a list"),
    ],
    ids=str,
)
def test_what_cannot_be_followed_is_refused_by_name(huggingface_folder, changes, message):
    with pytest.raises(ValueError, match=message.replace("|", r"\|")):
        read_huggingface(huggingface_folder(**changes))


def test_a_folder_without_its_vocabulary_is_missed_only_when_that_is_read(huggingface_folder):
    settings = read_huggingface(huggingface_folder(**{"tokenizer.json": None}))
    assert settings.media["image"] == ImageConfig()
    with pytest.raises(
        FileNotFoundError, match=r"a folder must hold its vocabulary; .*tokenizer.json is missing"
    ):
        settings.read_vocabulary()


def test_soft_tokens_of_the_processor_are_those_of_rows(huggingface_folder):
    folder = huggingface_folder(processor={"image_seq_length": 70, "audio_seq_length": 8})
    assert read_huggingface(folder).row == {"num_vision_tokens_per_image": 70, "num_audio_tokens_per_clip": 8}
