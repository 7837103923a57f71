"""A preprocessor of small videos, and requests that it must answer alike wherever it runs."""

import io
import itertools

import numpy as np
from PIL import Image

import graph_ops
from export.verify import samples
from tests.data import DEMONSTRATION

COUNT, LENGTH = 3, 700
PROMPT = "a <|video|> b <|image|> c <|video|>"
PLACES, RATES = [[0, 60, 120, 180, 240], [0, 1, 2, 3, 300]], [2.0, 0.5]


def preprocessor(*, images=True, **settings):
    return graph_ops.Gemma4CausalLMPreprocessor(
        graph_ops.Gemma4Tokenizer(DEMONSTRATION, engine="builtin"),
        graph_ops.Gemma4ImageConverter(max_soft_tokens=70) if images else None,
        video_converter=graph_ops.Gemma4VideoConverter(num_frames=COUNT, max_soft_tokens=70),
        sequence_length=LENGTH,
        max_images_per_prompt=1,
        num_vision_tokens_per_image=70,
        max_videos_per_prompt=2,
        num_frames_per_video=COUNT,
        audio_input_feat_size=0,
        **settings,
    )


def video(frames=5, height=40, width=80, seed=0):
    return np.stack([samples.pixels(height, width, seed=seed + k) for k in range(frames)])


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def files_of(videos):
    """object [V, T] of PNG files, b"" behind the last frame of a video."""
    rows = itertools.zip_longest(*([png(frame) for frame in video] for video in videos), fillvalue=b"")
    return np.array([*rows], object).T


def media(seed=0):
    """Two videos, and an image."""
    return [video(seed=seed), video(height=80, width=48, seed=seed + 9)], samples.pixels(48, 64, seed=seed)
