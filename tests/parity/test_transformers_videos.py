"""Rows with videos in parity "transformers", beside what its processor makes of the same prompt: which frames
are taken, how many soft tokens each has, and when it is shown. Its pixels need torchvision.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from transformers.models.gemma4.image_processing_pil_gemma4 import get_aspect_ratio_preserving_size
from transformers.models.gemma4.processing_gemma4 import Gemma4Processor
from transformers.video_utils import VideoMetadata, default_sample_indices_fn

import graph_ops

COUNT, MOST, SIDE = 4, 70, 48


@pytest.fixture(scope="module")
def preprocessor(demonstration_tokenizer):
    return graph_ops.Gemma4CausalLMPreprocessor(
        demonstration_tokenizer,
        video_converter=graph_ops.Gemma4VideoConverter(num_frames=COUNT),
        num_frames_per_video=COUNT,
        sequence_length=400,
        parity="transformers",
    )


def replacement(frames, height, width, fps):
    """The text that the reference puts in the place of `<|video|>`."""
    size = get_aspect_ratio_preserving_size(
        height, width, patch_size=16, max_patches=9 * MOST, pooling_kernel_size=3
    )
    taken = default_sample_indices_fn(VideoMetadata(total_num_frames=frames), num_frames=COUNT).tolist()
    metadata = VideoMetadata(total_num_frames=frames, fps=fps, frames_indices=taken)
    inputs = {
        "num_soft_tokens_per_video": [size[0] * size[1] // SIDE**2],
        "video_metadata": [metadata],
    }
    itself: Any = SimpleNamespace(boi_token="<|image>", video_token="<|video|>", eoi_token="<image|>")
    return Gemma4Processor.replace_video_token(itself, inputs, 0)


@pytest.mark.parametrize(
    ("frames", "height", "width", "fps"),
    [(4, 48, 48, 1.0), (9, 20, 90, 0.04), (31, 90, 20, 24.0), (100, 36, 64, 29.97), (57, 65, 77, 0.5)],
)
def test_a_row_is_the_text_that_the_processor_writes(preprocessor, frames, height, width, fps):
    video = np.zeros((frames, height, width, 3), np.uint8)
    row = preprocessor.generate_preprocess({"prompts": "see <|video|>: 1", "videos": video, "fps": fps})
    text = f"see {replacement(frames, height, width, fps)}: 1"
    expected = [2, *preprocessor.tokenizer(text).numpy().tolist()]
    assert row["token_ids"].numpy()[row["padding_mask"].numpy()].tolist() == expected


def test_each_size_has_the_soft_tokens_of_the_reference(preprocessor):
    draw = np.random.default_rng(0)
    for height, width in draw.integers(16, 1200, (40, 2)).tolist():
        text = replacement(COUNT, height, width, 24.0)
        count = preprocessor.count_tokens({"prompts": "<|video|>", "video_sizes": [[COUNT, height, width]]})
        assert int(count.num_tokens) == 1 + len(preprocessor.tokenizer(text)), (height, width)
