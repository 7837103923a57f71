"""Gemma 4 unified, beside transformers: merged patches, frames of samples, whole rows and dialogues.

Its image processor needs PyTorch. Expected patches are made of its parts: Pillow's processor of Gemma 4, and
how the unified one merges, in NumPy. Ids are those of `tokenizers` of the text that its processor writes.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil
from transformers.models.gemma4_unified.feature_extraction_gemma4_unified import (
    Gemma4UnifiedAudioFeatureExtractor,
)
from transformers.models.gemma4_unified.processing_gemma4_unified import (
    Gemma4UnifiedProcessor,
    get_aspect_ratio_preserving_size,
)

from export.verify import samples
from graph_ops import (
    Gemma4AudioConverter,
    Gemma4CausalLMPreprocessor,
    Gemma4ImageConverter,
    Gemma4VideoConverter,
)
from graph_ops.audio.wav import decode_wavs
from graph_ops.config import SOFT_TOKEN_BUDGETS, AudioConfig
from tests.data import DEMONSTRATION, needs_corpus, needs_real
from tests.graph_ops.audio.sounds import wav_file
from tests.twins import chat, unified

PRESET = "gemma4_unified_12b"
SIZES = [(480, 640), (876, 1300), (48, 48), (7, 9), (50, 1200), (1500, 200), (213, 355), (5, 300), (768, 768)]
LENGTHS = [1, 2, 639, 640, 641, 1280, 16_000, 40_123, 479_999, 480_000]
TOKENS: Any = SimpleNamespace(
    boi_token="<|image>",
    image_token="<|image|>",
    eoi_token="<image|>",
    boa_token="<|audio>",
    audio_token="<|audio|>",
    eoa_token="<audio|>",
)


@pytest.fixture(scope="module")
def preprocessor(demonstration_tokenizer):
    return Gemma4CausalLMPreprocessor.from_preset(PRESET, tokenizer=demonstration_tokenizer)


def expected_patches(pixels, budget=280):
    """What the processor gives for an image: values, positions, soft tokens."""
    reference = Gemma4ImageProcessorPil(max_soft_tokens=budget)
    found = reference.preprocess(pixels, return_tensors="np", input_data_format="channels_last")
    used = found["image_position_ids"][0][:, 0] >= 0
    values, places = found["pixel_values"][0][used], found["image_position_ids"][0][used]
    merged, places = unified.merged(values, places, side=reference.pooling_kernel_size)
    return *unified.padded(merged, places, most=budget), len(merged)


def assert_patches(features, pixels, budget=280):
    values, places, count = expected_patches(pixels, budget)
    np.testing.assert_array_equal(features["pixel_position_ids"], places)
    np.testing.assert_array_equal(features["pixel_values"], values)
    assert (features["pixel_position_ids"].numpy()[:, 0] >= 0).sum() == count


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_patches_are_the_merged_ones_of_the_processor(size):
    converter = Gemma4ImageConverter.from_preset(PRESET)
    pixels = samples.pixels(*size, smooth=False)
    assert_patches(converter(pixels), pixels)


@pytest.mark.parametrize("budget", SOFT_TOKEN_BUDGETS)
def test_patches_of_each_budget_are_those_of_the_processor(budget):
    converter = Gemma4ImageConverter.from_preset(PRESET, max_soft_tokens=budget)
    for size in SIZES[:2]:
        pixels = samples.pixels(*size)
        assert_patches(converter(pixels), pixels, budget)


@pytest.mark.slow
def test_patches_of_any_size_are_those_of_the_processor():
    draw, converters = np.random.default_rng(0), {}
    for budget in (70, 280):
        converters[budget] = Gemma4ImageConverter.from_preset(PRESET, max_soft_tokens=budget)
    for height, width in draw.integers(1, 1200, (40, 2)).tolist():
        if not 1 / 200 < height / width < 200:
            continue
        pixels, budget = samples.pixels(height, width, smooth=False), draw.choice((70, 280))
        assert_patches(converters[budget](pixels), pixels, budget)


def test_every_size_has_the_soft_tokens_of_the_processor(preprocessor):
    draw = np.random.default_rng(1)
    sizes = [*SIZES, *draw.integers(20, 4000, (60, 2)).tolist()]
    asked = {"prompts": ["<|image|>"] * len(sizes), "image_sizes": [[size] for size in sizes]}
    found = preprocessor.count_tokens(asked)
    for (height, width), count in zip(sizes, found.num_tokens.numpy().tolist(), strict=True):
        sides = get_aspect_ratio_preserving_size(
            height, width, patch_size=16, max_patches=2520, pooling_kernel_size=3
        )
        assert count - 3 == np.prod(sides) // 48**2, (height, width)


def test_frames_of_a_video_are_merged_patches(demonstration_tokenizer):
    converter = Gemma4VideoConverter.from_preset(PRESET, num_frames=2)
    video = np.stack([samples.pixels(90, 160, seed=seed) for seed in range(2)])
    preprocessor = Gemma4CausalLMPreprocessor.from_preset(
        PRESET, tokenizer=demonstration_tokenizer, video_converter=converter, num_frames_per_video=2
    )
    row = preprocessor.generate_preprocess({"prompts": "<|video|>", "videos": video})
    assert row["pixel_values"].shape == (2, 70, 6912)  # of a video alone, as for any model
    for frame, pixels in enumerate(video):
        found = {
            "pixel_values": row["pixel_values"][frame],
            "pixel_position_ids": row["pixel_position_ids"][frame],
        }
        assert_patches(found, pixels, converter.max_soft_tokens)
    count = (row["pixel_position_ids"].numpy()[..., 0] >= 0).sum()
    assert row["vision_mask"].numpy().sum() == count


def expected_frames(clip, most=None):
    cut = {"padding": "max_length", "max_length": most, "truncation": True} if most else {}
    return Gemma4UnifiedAudioFeatureExtractor()(clip, return_tensors="np", **cut)["input_features"][0]


@pytest.mark.parametrize("length", LENGTHS)
def test_frames_are_those_of_the_extractor(preprocessor, length):
    for clip in samples.sounds(length).values():
        clip = clip.astype(np.float32)
        row = preprocessor.generate_preprocess({"prompts": "<|audio|>", "audio": clip})
        expected = expected_frames(clip)
        used = len(expected)
        np.testing.assert_array_equal(row["audio_mel"][0, :used], expected)
        assert not row["audio_mel"].numpy()[0, used:].any()
        np.testing.assert_array_equal(row["audio_mel_mask"][0], np.arange(750) < used)
        assert row["audio_mask"].numpy().sum() == used


def test_a_clip_that_is_too_long_is_cut_where_the_extractor_cuts_at_750_frames(preprocessor):
    clip = samples.sounds(500_000)["noise"].astype(np.float32)
    row = preprocessor.generate_preprocess({"prompts": "<|audio|>", "audio": clip})
    np.testing.assert_array_equal(row["audio_mel"][0], expected_frames(clip, most=750))
    assert row["audio_mask"].numpy().sum() == 750


def test_a_longer_limit_gives_every_frame_of_the_extractor():
    clip = samples.sounds(500_000)["noise"].astype(np.float32)
    converter = Gemma4AudioConverter.from_preset(PRESET, max_audio_length=60)
    expected = expected_frames(clip)
    np.testing.assert_array_equal(converter(clip)[: len(expected)], expected)
    assert converter.audio_shape() == (1500, 640)


def test_clips_of_a_batch_are_padded_as_the_extractor_does(preprocessor):
    clips = [samples.sounds(length)["sweep"].astype(np.float32) for length in (5_000, 641, 20_000)]
    expected = Gemma4UnifiedAudioFeatureExtractor()(clips, return_tensors="np")
    prompts, responses = ["<|audio|>"] * 3, ["a"] * 3
    x = {"prompts": prompts, "responses": responses, "audio": [[clip] for clip in clips]}
    rows, _, _ = preprocessor(x)
    used = expected["input_features"].shape[1]
    np.testing.assert_array_equal(rows["audio_mel"][:, 0, :used], expected["input_features"])
    np.testing.assert_array_equal(rows["audio_mel_mask"][:, 0, :used], expected["input_features_mask"])


@pytest.mark.parametrize(
    ("rate", "channels"),
    [
        pytest.param(16_000, 1, marks=pytest.mark.slow),
        pytest.param(44_100, 2, marks=pytest.mark.slow),
        *(pytest.param(rate, 1, marks=pytest.mark.release) for rate in (8_000, 22_050, 48_000)),
    ],
)
def test_frames_of_files_are_those_of_their_samples_at_16_khz(preprocessor, rate, channels):
    file = wav_file(samples.sounds(channels * (rate // 3))["sweep"], rate=rate, channels=channels)
    decoded = decode_wavs(tf.constant([file]), config=AudioConfig())
    clip = decoded.samples.numpy()[0, : decoded.lengths.numpy()[0]]
    row = preprocessor.generate_preprocess({"prompts": "<|audio|>", "audio": file})
    expected = expected_frames(clip)
    np.testing.assert_array_equal(row["audio_mel"][0, : len(expected)], expected)


def written_text(text, pixels, clip):
    """The text with what the processor writes in place of the placeholders."""
    counts = {"num_soft_tokens_per_image": [expected_patches(pixels)[2]]}
    image = Gemma4UnifiedProcessor.replace_image_token(TOKENS, counts, 0)
    mask = {"input_features_mask": [np.ones(len(expected_frames(clip)), bool)]}
    audio = Gemma4UnifiedProcessor.replace_audio_token(TOKENS, mask, 0)
    return text.replace("<|image|>", image).replace("<|audio|>", audio)


def ids_of(row):
    return row["token_ids"].numpy()[row["padding_mask"].numpy()].tolist()


@needs_real
@pytest.mark.parametrize(
    "turn", [0, *(pytest.param(turn, marks=pytest.mark.release) for turn in range(1, 4))]
)
def test_rows_are_the_text_that_the_processor_writes(real_tokenizer, huggingface_tokenizer, turn):
    preprocessor = Gemma4CausalLMPreprocessor.from_preset(PRESET, tokenizer=real_tokenizer)
    pixels = samples.pixels(*SIZES[turn], seed=turn)
    clip = samples.sounds(LENGTHS[-1 - turn] // 2, seed=turn)["noise"].astype(np.float32)
    text = "see <|image|> and hear <|audio|>\n\nnaïve 👍🏽 日本?"
    row = preprocessor.generate_preprocess(
        {"prompts": text, "images": pixels, "audio": clip}, sequence_length=2048
    )
    written = f"<bos>{written_text(text, pixels, clip)}"
    assert ids_of(row) == huggingface_tokenizer.encode(written, add_special_tokens=False).ids


@needs_real
def test_dialogues_are_those_of_the_large_template(real_tokenizer, huggingface_tokenizer):
    preprocessor = Gemma4CausalLMPreprocessor.from_preset(
        "gemma4_unified_instruct_12b", tokenizer=real_tokenizer, allow_special_tokens_in_chat=True
    )
    pixels, clip = samples.pixels(100, 100), samples.sounds(4_000)["noise"].astype(np.float32)
    parts = [{"type": "image", "image": pixels}, {"type": "audio", "audio": clip}]
    parts.append({"type": "text", "text": "What is this?"})
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": parts}]
    for thinking in (False, True):
        row = preprocessor.generate_preprocess({"messages": messages, "enable_thinking": thinking})
        how = {"add_generation_prompt": True, "enable_thinking": thinking}
        text = chat.render(messages, variant="large", **how)
        assert text.endswith("<|channel>thought\n<channel|>") != thinking
        written = written_text(text, pixels, clip)
        assert ids_of(row) == huggingface_tokenizer.encode(written, add_special_tokens=False).ids


@needs_real
@needs_corpus
def test_texts_alone_are_those_of_the_tokenizer(real_tokenizer, huggingface_tokenizer, corpus):
    preprocessor = Gemma4CausalLMPreprocessor.from_preset(PRESET, tokenizer=real_tokenizer)
    texts = corpus[::40]
    expected = [huggingface_tokenizer.encode(f"<bos>{text}", add_special_tokens=False).ids for text in texts]
    rows = preprocessor.generate_preprocess({"prompts": texts}, sequence_length=max(map(len, expected)))
    for row, ids in enumerate(expected):
        assert ids_of({name: rows[name][row] for name in ("token_ids", "padding_mask")}) == ids


FILE = pytest.mark.slow  # an encoder of files is a graph of its own


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"images": b"no image"}, id="no image", marks=FILE),
        pytest.param({"images": b"\xff\xd8\xff\xe0 damaged"}, id="damaged image", marks=FILE),
        pytest.param({"images": np.zeros((0, 50, 3), np.uint8)}, id="no height"),
        pytest.param({"audio": b"RIFF damaged"}, id="damaged clip", marks=FILE),
        pytest.param({"audio": wav_file(np.zeros(0, np.float32))}, id="empty file", marks=FILE),
        pytest.param({"audio": np.zeros(0, np.float32)}, id="empty clip"),
        pytest.param({"audio": np.full(640, np.nan, np.float32)}, id="NaN"),
    ],
)
def test_what_cannot_be_read_is_refused(preprocessor, given):
    ((argument, _),) = given.items()
    placeholder = {"images": "<|image|>", "audio": "<|audio|>"}[argument]
    with pytest.raises(ValueError, match=argument.removesuffix("s")):
        preprocessor.generate_preprocess({"prompts": placeholder, **given})


def test_rows_of_keras_hub_are_refused_because_it_has_no_such_model(demonstration_tokenizer):
    with pytest.raises(ValueError, match=r"`parity`: must be 'transformers' where .*'waveform'"):
        Gemma4CausalLMPreprocessor.from_preset(PRESET, tokenizer=DEMONSTRATION, parity="keras_hub")
