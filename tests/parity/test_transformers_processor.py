"""Whole rows in parity "transformers" against the released processor itself, chat included.

It needs PyTorch and torchvision, which `make test-processor` installs beside the rest. Its tokenizer is
Hugging Face's, of the released models' vocabulary.
"""

import importlib.util
import lzma
import pathlib
import random
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import pytest
import tokenizers

from export.verify import samples
from graph_ops.config import SOFT_TOKEN_BUDGETS
from graph_ops.family import GEMMA4
from tests.data import REAL
from tests.twins import chat as twin

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, ("torch", "torchvision"))), reason="make test-processor"
    ),
]

TORCHVISION_PIXELS = 4 / 255 + 1e-6
"""Its bicubic resize of bytes is not Pillow's: weights of 16 bits in place of 22: errors add up over the
pixels that a weight is for, in each of two passes. Two levels were seen in 1 of 50,000 values, three in 1 of
200,000, four in 1 of 2 million, all where a side shrinks to a third or less.
"""
TORCHVISION_SHARE = 0.25
"""Of values that may differ at all: up to 0.008 where sides keep their size or grow, 0.232 where 1500 x 200
becomes 70 soft tokens.
"""
ROUNDING = 1e-6
"""Of a division by 255."""
SIZES = [(480, 640), (876, 1300), (100, 100), (50, 1200), (1500, 200), (213, 355)]
SWITCHES = ("add_generation_prompt", "enable_thinking", "preserve_thinking")


class Judge(NamedTuple):
    """The processor, how far its pixels may be from Pillow's, and the share of those that may differ."""

    processor: Any
    pixels: float
    share: float


def imported_torchvision():
    """A torchvision that was built for another PyTorch has no operators of its own, and stops for want of
    them; the processor uses none.
    """
    import torch

    try:
        import torchvision
    except RuntimeError:
        unregistered = mock.Mock(return_value=lambda function: function)
        with mock.patch.object(torch.library, "register_fake", unregistered):
            import torchvision  # noqa: F401


@pytest.fixture(scope="module", params=["Pillow", "torchvision"])
def judge(request):
    """The processor with either of its image processors."""
    imported_torchvision()
    import transformers
    from transformers.models.gemma4 import feature_extraction_gemma4 as audio
    from transformers.models.gemma4 import image_processing_gemma4 as fast
    from transformers.models.gemma4 import image_processing_pil_gemma4 as slow
    from transformers.models.gemma4 import video_processing_gemma4 as video

    packed = pathlib.Path(REAL).with_name("tokenizer.json.xz").read_bytes()
    image, clip = GEMMA4.media[0], GEMMA4.media[1]
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer.from_str(lzma.decompress(packed).decode()),
        bos_token=GEMMA4.start,
        eos_token=GEMMA4.end,
        pad_token=GEMMA4.pad,
        extra_special_tokens={
            "image_token": image.placeholder,
            "boi_token": image.opening,
            "eoi_token": image.closing,
            "audio_token": clip.placeholder,
            "boa_token": clip.opening,
            "eoa_token": clip.closing,
        },
    )
    images = slow.Gemma4ImageProcessorPil if request.param == "Pillow" else fast.Gemma4ImageProcessor
    made = transformers.Gemma4Processor(
        audio.Gemma4AudioFeatureExtractor(), images(), tokenizer, video.Gemma4VideoProcessor()
    )
    made.chat_template = (pathlib.Path(twin.__file__).parent / "chat.jinja").read_text(encoding="utf-8")
    return Judge(
        made, *((0.0, 0.0) if request.param == "Pillow" else (TORCHVISION_PIXELS, TORCHVISION_SHARE))
    )


@pytest.fixture(scope="module")
def preprocessor(make_preprocessor, real_tokenizer):
    return make_preprocessor(
        real_tokenizer,
        parity="transformers",
        sequence_length=2048,
        max_images_per_prompt=3,
        max_audio_clips_per_prompt=2,
        allow_special_tokens_in_chat=True,  # as Hugging Face's template has it
    )


def media(draw):
    """Up to three images and two clips."""
    images = [samples.pixels(*draw.choice(SIZES), seed=draw.randrange(99)) for _ in range(draw.randrange(4))]
    lengths = [draw.choice((16_000, 40_123, 700, 161)) for _ in range(draw.randrange(3))]
    return images, [samples.sounds(length, seed=length)["noise"] for length in lengths]


def given(images, clips):
    return ({"images": images} if images else {}) | ({"audio": clips} if clips else {})


def assert_equal(theirs, row, judge):
    row = {name: value.numpy() for name, value in row.items()}
    assert row["token_ids"][row["padding_mask"]].tolist() == np.asarray(theirs["input_ids"])[0].tolist()
    kinds = np.asarray(theirs["mm_token_type_ids"])[0]
    length = len(kinds)
    assert np.array_equal(kinds == 1, row["vision_mask"][:length])
    for index, pixels in enumerate(theirs.get("pixel_values", ())):
        used = len(pixels)
        assert np.array_equal(row["pixel_position_ids"][index, :used], theirs["image_position_ids"][index])
        apart = np.abs(row["pixel_values"][index, :used] - np.asarray(pixels))
        assert apart.max() <= judge.pixels
        assert np.mean(apart > ROUNDING) <= judge.share
    for index, frames in enumerate(theirs.get("input_features", ())):
        used = len(frames)
        np.testing.assert_allclose(row["audio_mel"][index, :used], frames, rtol=0, atol=1e-4)
        mask = np.asarray(theirs["input_features_mask"][index]).astype(np.int32)
        assert np.array_equal(row["audio_mel_mask"][index, :used], mask)


@pytest.mark.parametrize("seed", range(8))
def test_rows_equal_the_processors(judge, preprocessor, seed):
    draw = random.Random(seed)
    images, clips = media(draw)
    parts = ["<|image|>"] * len(images) + ["<|audio|>"] * len(clips)
    parts += ["hello there", "\n\n", "<|turn>user", " naïve 👍🏽 日本", " what?"]
    draw.shuffle(parts)
    prompt, budget = "".join(parts), draw.choice((280, *SOFT_TOKEN_BUDGETS[:3]))
    theirs = judge.processor(text=prompt, **given(images, clips), return_tensors="np", max_soft_tokens=budget)
    chosen = {"max_soft_tokens": budget} if images else {}
    row = preprocessor.generate_preprocess({"prompts": prompt, **given(images, clips), **chosen})
    assert_equal(theirs, row, judge)


@pytest.mark.parametrize("budget", SOFT_TOKEN_BUDGETS)
def test_rows_of_each_budget_equal_the_processors(judge, make_preprocessor, real_tokenizer, budget):
    """As the preprocessor's own, and as a request's of the largest."""
    from graph_ops import Gemma4CausalLMPreprocessor, Gemma4ImageConverter

    images, prompt = [samples.pixels(*size) for size in SIZES[:2]], "a <|image|> b <|image|>"
    how = {"return_tensors": "np", "max_soft_tokens": budget}
    theirs = judge.processor(text=prompt, images=images, **how)
    for own, chosen in ((budget, {}), (max(SOFT_TOKEN_BUDGETS), {"max_soft_tokens": budget})):
        ours = Gemma4CausalLMPreprocessor(
            real_tokenizer,
            Gemma4ImageConverter(max_soft_tokens=own),
            num_vision_tokens_per_image=own,
            sequence_length=2400,
            parity="transformers",
        )
        row = ours.generate_preprocess({"prompts": prompt, "images": images, **chosen})
        assert_equal(theirs, row, judge)


@pytest.mark.parametrize("seed", range(6))
def test_rows_of_dialogues_with_media_equal_the_processors(judge, preprocessor, seed):
    draw = random.Random(100 + seed)
    images, clips = media(draw)
    parts = [{"type": "image", "image": image} for image in images]
    parts += [{"type": "audio", "audio": clip} for clip in clips]
    parts += [{"type": "text", "text": " What is this? "}, {"type": "text", "text": "\nSay."}]
    draw.shuffle(parts)
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello 👍🏽"},
        {"role": "user", "content": parts},
    ]
    switches = {"enable_thinking": bool(seed % 2), "add_generation_prompt": seed != 5}
    theirs = judge.processor.apply_chat_template(
        messages, tokenize=True, return_dict=True, return_tensors="np", **switches
    )
    row = preprocessor.generate_preprocess({"messages": messages, **switches})
    assert_equal(theirs, row, judge)


def test_rows_of_the_published_dialogues_equal_the_processors(judge, preprocessor):
    compared = 0
    for case in twin.GOLDENS:
        switches = {name: case["kwargs"][name] for name in SWITCHES if name in case.get("kwargs", {})}
        text = twin.golden(case, "small")
        if (
            not case["messages"]
            or not isinstance(text, str)
            or any(tokens.placeholder in text for tokens in GEMMA4.media)
            or not all(isinstance(message.get("content") or "", (str, list)) for message in case["messages"])
        ):  # the processor looks for media in contents that its template would print
            continue
        tools = case.get("tools") or None
        theirs = judge.processor.apply_chat_template(
            case["messages"], tools=tools, tokenize=True, return_dict=True, return_tensors="np", **switches
        )
        x = {"messages": case["messages"], "add_generation_prompt": False, **switches}
        row = preprocessor.generate_preprocess(x | ({"tools": tools} if tools else {}))
        ids = row["token_ids"].numpy()[row["padding_mask"].numpy()]
        assert ids.tolist() == np.asarray(theirs["input_ids"])[0].tolist(), case["why"]
        compared += 1
    assert compared >= 50
