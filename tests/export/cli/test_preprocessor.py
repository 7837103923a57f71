"""The preprocessor that the options describe."""

import dataclasses
import warnings

import pytest

from export.cli.options import PreprocessorOptions
from export.cli.preprocessor import check_generates, check_source, embeds, make_preprocessor
from tests.data import DEMONSTRATION
from tests.export.cli.commands import run


def test_options_replace_a_presets_settings():
    options = PreprocessorOptions(
        preset="gemma4_31b",
        tokenizer=DEMONSTRATION,
        sequence_length=700,
        max_image_pixels=10**6,
        add_end_token=False,
    )
    made = make_preprocessor(options)
    assert (made.sequence_length, made.add_start_token, made.add_end_token, made.audio_converter) == (
        700,
        True,
        False,
        None,
    )
    assert made.image_converter.config.max_image_pixels == 10**6
    assert (
        make_preprocessor(PreprocessorOptions(tokenizer=DEMONSTRATION, images=False)).image_converter is None
    )


@pytest.mark.parametrize(
    ("text", "color"),
    [("none", None), ("parity", "parity"), ("255,255,255", (255, 255, 255)), ("0,9,255", (0, 9, 255))],
)
def test_files_are_read_as_the_options_say_with_the_presets_converter_too(text, color):
    options = PreprocessorOptions(
        preset="gemma4_31b", tokenizer=DEMONSTRATION, apply_exif_orientation=False, background_color=text
    )
    config = make_preprocessor(options).image_converter.config
    assert (config.apply_exif_orientation, config.background_color) == (False, color)
    assert config.max_soft_tokens == 280


def test_a_preset_folder_is_exported(capsys, tmp_path):
    make_preprocessor(PreprocessorOptions(tokenizer=DEMONSTRATION)).save_to_preset(tmp_path / "preset")
    code, _, _ = run(
        capsys,
        "saved-model",
        "--preset",
        str(tmp_path / "preset"),
        "--no-images",
        "--no-audio",
        "--out",
        str(tmp_path / "out"),
    )
    assert code == 0


def test_the_source_is_checked_without_a_word_of_what_is_left_out(tmp_path):
    make_preprocessor(PreprocessorOptions(tokenizer=DEMONSTRATION)).save_to_preset(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check_source(PreprocessorOptions(preset=str(tmp_path))) is None
    assert len(check_source(PreprocessorOptions(tokenizer=DEMONSTRATION)) or ()) == 4096
    with pytest.raises(ValueError, match="one of them must be given"):
        check_source(PreprocessorOptions())


def test_wav_files_are_taken_strictly_where_that_is_asked_for():
    for strict in (True, False, None):
        made = make_preprocessor(PreprocessorOptions(tokenizer=DEMONSTRATION, strict=strict))
        assert made.audio_converter.config.strict == bool(strict)


@pytest.mark.parametrize("most", [70, 560])
def test_a_budget_is_the_converters_and_the_rows(most):
    options = PreprocessorOptions(tokenizer=DEMONSTRATION, max_soft_tokens=most, sequence_length=2000)
    made = make_preprocessor(options)
    assert made.image_converter.config.max_soft_tokens == made.num_vision_tokens_per_image == most


def test_rows_are_of_the_keras_hub_that_is_named():
    made = make_preprocessor(PreprocessorOptions(tokenizer=DEMONSTRATION, keras_hub_version="0.33"))
    assert made.keras_hub_version == "0.33"


def test_the_preset_of_a_model_that_embeds_makes_rows_to_embed():
    options = PreprocessorOptions(
        preset="embedding_gemma2",
        tokenizer=DEMONSTRATION,
        sequence_length=300,
        audio=False,
        parity="transformers",
    )
    made = make_preprocessor(options)
    assert embeds(made)
    assert (made.sequence_length, made.parity, made.audio_converter) == (300, "transformers", None)
    with pytest.raises(ValueError, match="`preset`: must be of a model that generates, for a LiteRT bundle"):
        check_generates(made)
    with pytest.raises(ValueError, match="`add_end_token`: must be left out for embedding_gemma2, a model"):
        make_preprocessor(dataclasses.replace(options, add_end_token=False))
    generates = make_preprocessor(PreprocessorOptions(tokenizer=DEMONSTRATION))
    assert not embeds(generates)
    check_generates(generates)
