"""Preset folders in both published layouts: what is read, and what is refused."""

import json
import lzma
import pathlib
import shutil

import numpy as np
import pytest
from transformers import Gemma4AudioFeatureExtractor
from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil

import graph_ops
from export.verify import samples
from graph_ops.config import AudioConfig, ImageConfig, RowConfig
from graph_ops.presets.folders import read_folder
from tests.data import DEMONSTRATION, REAL, needs_real
from tests.graph_ops.text.vocabulary.test_tokenizer_json import demonstration_json

Preprocessor = graph_ops.Gemma4CausalLMPreprocessor

TOKENS = {
    "bos_token": "<bos>",
    "eos_token": {"content": "<eos>", "special": True},
    "image_token": "<|image|>",
    "boi_token": "<|image>",
    "eoi_token": "<image|>",
    "audio_token": "<|audio|>",
    "padding_side": "left",
}
MODEL = {"model_type": "gemma4", "vision_config": {"patch_size": 16}, "audio_config": {"hidden_size": 1024}}


@pytest.fixture(scope="session")
def small_tokenizer_json():
    return json.dumps(demonstration_json(seed=0))


@pytest.fixture
def huggingface_folder(tmp_path, small_tokenizer_json):
    """A folder as `save_pretrained` writes it, with settings changed by keyword; None leaves a file out."""

    def write(image=None, audio=None, processor=None, model=MODEL, tokens=TOKENS, flat=False, **files):
        settings = {
            "image_processor": image_settings(image),
            "feature_extractor": audio_settings(audio),
            **(processor or {}),
        }
        settings = {"image_seq_length": 280, "audio_seq_length": 750, "audio_ms_per_token": 40, **settings}
        if flat:
            written = {
                "preprocessor_config.json": settings["image_processor"] | settings["feature_extractor"]
            }
        else:
            written = {"processor_config.json": settings}
        written |= {
            "config.json": model,
            "tokenizer_config.json": tokens,
            "tokenizer.json": small_tokenizer_json,
            **files,
        }
        for name, content in written.items():
            if content is not None:
                (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content))
        return tmp_path

    return write


def image_settings(changes=None):
    return json.loads(Gemma4ImageProcessorPil().to_json_string()) | (changes or {})


def audio_settings(changes=None):
    return json.loads(Gemma4AudioFeatureExtractor().to_json_string()) | (changes or {})


def test_a_hugging_face_folder_gives_the_released_models_preprocessor(huggingface_folder):
    made = Preprocessor.from_preset(huggingface_folder(), sequence_length=700)
    assert made.row == RowConfig(sequence_length=700)
    assert (made.image_converter.config, made.audio_converter.config) == (ImageConfig(), AudioConfig())
    expected = graph_ops.Gemma4Tokenizer(DEMONSTRATION)("see <|image|> the weather\n").numpy()
    assert made.tokenizer("see <|image|> the weather\n").numpy().tolist() == expected.tolist()


def test_a_flat_preprocessor_config_gives_the_same(huggingface_folder):
    settings = read_folder(huggingface_folder(flat=True))
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
    settings = read_folder(huggingface_folder(model=model))
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
        **vars(read_folder(huggingface_folder(image=changes)).media["image"])
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
        **vars(read_folder(huggingface_folder(audio=changes)).media["audio"])
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
        read_folder(huggingface_folder(**changes))


def test_a_folder_without_its_vocabulary_is_refused_unless_another_is_given(
    huggingface_folder, demonstration_tokenizer
):
    folder = huggingface_folder(**{"tokenizer.json": None})
    with pytest.raises(
        FileNotFoundError, match=r"`preset`: a folder must hold its vocabulary; .*tokenizer.json is missing"
    ):
        Preprocessor.from_preset(folder)
    assert Preprocessor.from_preset(folder, tokenizer=demonstration_tokenizer).image_converter is not None


def test_a_folder_in_neither_layout_is_refused_with_what_was_looked_for(tmp_path):
    (tmp_path / "weights.bin").write_bytes(b"")
    with pytest.raises(FileNotFoundError) as raised:
        Preprocessor.from_preset(tmp_path)
    for name in (
        "preprocessor.json",
        "assets/tokenizer/vocabulary.spm",
        "tokenizer.json",
        "processor_config.json",
        str(tmp_path),
    ):
        assert name in str(raised.value)
    with pytest.raises(
        FileNotFoundError,
        match=r"`tokenizer`: a preset folder must hold assets/tokenizer/vocabulary.spm or tokenizer.json",
    ):
        graph_ops.Gemma4Tokenizer(tmp_path)


@pytest.fixture
def keras_hub_folder(tmp_path, make_preprocessor):
    make_preprocessor().save_to_preset(tmp_path)
    return tmp_path


def change(path, edit):
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def test_a_keras_hub_folder_without_preprocessor_json_has_keras_hubs_defaults(keras_hub_folder):
    (keras_hub_folder / "preprocessor.json").unlink()
    change(keras_hub_folder / "image_converter.json", lambda layer: layer["config"].pop("scale"))
    (keras_hub_folder / "audio_converter.json").unlink()
    made = Preprocessor.from_preset(keras_hub_folder)
    assert (made.row, made.audio_converter) == (RowConfig(), None)
    assert made.image_converter.config == ImageConfig(scale=None)


def test_a_tokenizer_is_made_from_a_folder_of_either_layout(
    keras_hub_folder, tmp_path_factory, small_tokenizer_json
):
    assert graph_ops.Gemma4Tokenizer(str(keras_hub_folder)).proto == DEMONSTRATION.read_bytes()
    other = tmp_path_factory.mktemp("huggingface")
    (other / "tokenizer.json").write_text(small_tokenizer_json)
    assert graph_ops.Gemma4Tokenizer(other).vocabulary_size() == 4096


@pytest.mark.parametrize(
    ("file", "edit", "message"),
    [
        (
            "preprocessor.json",
            lambda layer: layer.update(class_name="Gemma3CausalLMPreprocessor"),
            "must describe a Gemma4CausalLMPrep",
        ),
        (
            "preprocessor.json",
            lambda layer: layer["config"].update(crop=True),
            r"\['crop'\] have none. Remove them",
        ),
        (
            "preprocessor.json",
            lambda layer: layer["config"]["tokenizer"]["config"].update(add_bos=True),
            "`tokenizer`: `add_bos` must be off",
        ),
        (
            "preprocessor.json",
            lambda layer: layer["config"]["image_converter"]["config"].update(patch_size=-1),
            "`patch_size`: must be a pos",
        ),
        (
            "preprocessor.json",
            lambda layer: layer["config"].update(sequence_length=100),
            "`sequence_length`: must exceed",
        ),
    ],
)
def test_a_keras_hub_folder_that_cannot_be_followed_is_refused(keras_hub_folder, file, edit, message):
    change(keras_hub_folder / file, edit)
    with pytest.raises(ValueError, match=message):
        Preprocessor.from_preset(keras_hub_folder)


@needs_real
def test_the_real_vocabulary_comes_equal_from_both_layouts(tmp_path):
    keras_hub, huggingface = tmp_path / "keras_hub" / "assets" / "tokenizer", tmp_path / "huggingface"
    for folder in (keras_hub, huggingface):
        folder.mkdir(parents=True)
    shutil.copy(REAL, keras_hub / "vocabulary.spm")
    packed = pathlib.Path(REAL).with_name("tokenizer.json.xz").read_bytes()
    (huggingface / "tokenizer.json").write_bytes(lzma.decompress(packed))
    first, second = (
        Preprocessor.from_preset(folder).tokenizer for folder in (tmp_path / "keras_hub", huggingface)
    )
    assert first.vocabulary.pieces == second.vocabulary.pieces
    assert first.vocabulary.types == second.vocabulary.types
    text = "This is a test. <|image|> Ünïcödé\t日本語 ▁ 🦊"
    assert first(text).numpy().tolist() == second(text).numpy().tolist()
