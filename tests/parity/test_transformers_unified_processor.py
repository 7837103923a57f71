"""Whole rows against the released unified processor itself, chat included, in `make test-processor`, which
installs PyTorch and torchvision.

Its image processor resizes with torchvision; where an image is not resized at all, pixels are equal but for
the rounding of one product.
"""

import importlib.util
import lzma
import pathlib
import random

import numpy as np
import pytest
import tokenizers

from export.verify import samples
from graph_ops import Gemma4CausalLMPreprocessor, Gemma4ImageConverter
from graph_ops.config import SOFT_TOKEN_BUDGETS
from graph_ops.family import GEMMA4_UNIFIED
from tests.data import REAL
from tests.parity.test_transformers_processor import TORCHVISION_PIXELS, given, imported_torchvision
from tests.twins import chat as twin
from tests.twins import unified

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, ("torch", "torchvision"))), reason="make test-processor"
    ),
]

PRESET = "gemma4_unified_instruct_12b"
SIZES = [(480, 640), (876, 1300), (100, 100), (50, 1200), (1500, 200), (213, 355), (768, 768)]
UNRESIZED, ROUNDING = (768, 768), 1e-7


@pytest.fixture(scope="module")
def processor():
    imported_torchvision()
    import transformers
    from transformers.models.gemma4_unified import feature_extraction_gemma4_unified as audio
    from transformers.models.gemma4_unified import image_processing_gemma4_unified as image
    from transformers.models.gemma4_unified import processing_gemma4_unified as processing
    from transformers.models.gemma4_unified import video_processing_gemma4_unified as video

    packed = pathlib.Path(REAL).with_name("tokenizer.json.xz").read_bytes()
    seen, heard = GEMMA4_UNIFIED.media
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer.from_str(lzma.decompress(packed).decode()),
        bos_token=GEMMA4_UNIFIED.start,
        eos_token=GEMMA4_UNIFIED.end,
        pad_token=GEMMA4_UNIFIED.pad,
        extra_special_tokens={
            "image_token": seen.placeholder,
            "boi_token": seen.opening,
            "eoi_token": seen.closing,
            "audio_token": heard.placeholder,
            "boa_token": heard.opening,
            "eoa_token": heard.closing,
        },
    )
    return processing.Gemma4UnifiedProcessor(
        audio.Gemma4UnifiedAudioFeatureExtractor(),
        image.Gemma4UnifiedImageProcessor(),
        tokenizer,
        video.Gemma4UnifiedVideoProcessor(),
    )


@pytest.fixture(scope="module")
def preprocessor(real_tokenizer):
    return Gemma4CausalLMPreprocessor.from_preset(
        PRESET,
        tokenizer=real_tokenizer,
        sequence_length=2048,
        max_images_per_prompt=3,
        max_audio_clips_per_prompt=2,
        allow_special_tokens_in_chat=True,  # as Hugging Face's template has it
    )


def media(draw):
    """Up to three images and two clips."""
    images = [samples.pixels(*draw.choice(SIZES), seed=draw.randrange(99)) for _ in range(draw.randrange(4))]
    lengths = [draw.choice((16_000, 40_123, 1, 641)) for _ in range(draw.randrange(3))]
    return images, [samples.sounds(length, seed=length)["noise"] for length in lengths]


def assert_equal(theirs, row, images=()):
    row = {name: value.numpy() for name, value in row.items()}
    assert row["token_ids"][row["padding_mask"]].tolist() == np.asarray(theirs["input_ids"])[0].tolist()
    kinds = np.asarray(theirs["mm_token_type_ids"])[0]
    assert np.array_equal(kinds == 1, row["vision_mask"][: len(kinds)])
    for index, pixels in enumerate(np.asarray(theirs.get("pixel_values", ()))):
        used = len(pixels)
        assert np.array_equal(row["pixel_position_ids"][index, :used], theirs["image_position_ids"][index])
        allowed = ROUNDING if images[index].shape[:2] == UNRESIZED else TORCHVISION_PIXELS
        assert np.abs(row["pixel_values"][index, :used] - pixels).max() <= allowed
    for index, frames in enumerate(np.asarray(theirs.get("input_features", ()))):
        used = len(frames)
        assert np.array_equal(row["audio_mel"][index, :used], frames)
        mask = np.asarray(theirs["input_features_mask"][index]).astype(np.int32)
        assert np.array_equal(row["audio_mel_mask"][index, :used], mask)


@pytest.mark.parametrize("seed", range(8))
def test_rows_equal_the_processors(processor, preprocessor, seed):
    draw = random.Random(seed)
    images, clips = media(draw)
    parts = ["<|image|>"] * len(images) + ["<|audio|>"] * len(clips)
    parts += ["hello there", "\n\n", "<|turn>user", " naïve 👍🏽 日本", " what?"]
    draw.shuffle(parts)
    prompt = "".join(parts)
    theirs = processor(text=prompt, **given(images, clips), return_tensors="np")
    row = preprocessor.generate_preprocess({"prompts": prompt, **given(images, clips)})
    assert_equal(theirs, row, images)


@pytest.mark.parametrize("budget", SOFT_TOKEN_BUDGETS)
def test_rows_of_each_budget_equal_the_processors(processor, real_tokenizer, budget):
    images, prompt = [samples.pixels(*size) for size in SIZES[:2]], "a <|image|> b <|image|>"
    theirs = processor(text=prompt, images=images, return_tensors="np", max_soft_tokens=budget)
    ours = Gemma4CausalLMPreprocessor.from_preset(
        PRESET,
        tokenizer=real_tokenizer,
        image_converter=Gemma4ImageConverter.from_preset(PRESET, max_soft_tokens=budget),
        num_vision_tokens_per_image=budget,
        sequence_length=2400,
    )
    assert_equal(theirs, ours.generate_preprocess({"prompts": prompt, "images": images}), images)


@pytest.mark.parametrize("thinking", [False, True])
def test_rows_of_dialogues_equal_the_processors(processor, preprocessor, thinking):
    images, clips = [samples.pixels(100, 130)], [samples.sounds(5_000)["sweep"]]
    parts = [{"type": "text", "text": " What is this? "}, {"type": "image", "image": images[0]}]
    parts.append({"type": "audio", "audio": clips[0]})
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": parts}]
    text = twin.render(messages, variant="large", add_generation_prompt=True, enable_thinking=thinking)
    theirs = processor(text=text, **given(images, clips), return_tensors="np", add_special_tokens=False)
    row = preprocessor.generate_preprocess({"messages": messages, "enable_thinking": thinking})
    assert_equal(theirs, row, images)


def test_the_twin_merges_patches_as_the_processor_does():
    imported_torchvision()
    import torch
    from transformers.models.gemma4_unified.image_processing_gemma4_unified import patches_merge

    for rows, columns in ((3, 3), (6, 9), (12, 3), (3, 30)):
        y, x = np.mgrid[:rows, :columns]
        places = np.stack([x, y], axis=-1).reshape(-1, 2)
        patches = np.random.default_rng(rows).random((rows * columns, 768), np.float32)
        theirs = patches_merge(torch.tensor(patches)[None], torch.tensor(places)[None], len(patches) // 9)
        for ours, expected in zip(unified.merged(patches, places, side=3), theirs, strict=True):
            np.testing.assert_array_equal(ours, expected[0].numpy())
