"""What a browser must answer of videos, as Python answers it; a part of `browser.golden`."""

import io
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import tensorflow as tf
from PIL import Image

from export.verify import samples
from export.videos import VideoFiles, as_video
from graph_ops import Gemma4CausalLMPreprocessor
from graph_ops.config import PARITIES
from graph_ops.video.sampling import sampled_frames

TOTALS = (0, 1, 2, 5, 7, 8, 9, 12, 31, 32, 33, 100, 240, 1001, 86_400, 1_000_003)
"""Frames of videos of which some are taken."""
FILM_RATE = 24
"""Frames a second of the video file; that of a browser, which is not told a file's own."""
FILM_FRAMES = 60


def sampling() -> Iterator[dict[str, Any]]:
    """Which frames are taken in each parity."""
    for parity in PARITIES:
        for count in (1, 8, 32):
            taken = sampled_frames(tf.constant(TOTALS), num_frames=count, parity=parity).numpy()
            for total, frames in zip(TOTALS, taken.tolist(), strict=True):
                yield {"total": total, "settings": {"numFrames": count, "parity": parity}, "taken": frames}


def videos(preprocessor: Gemma4CausalLMPreprocessor, settings: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Files of videos with rows that hold one, alone and beside a picture; `settings` are the bundle's."""
    given = {
        "gif": [samples.demonstration_file("video.gif").read_bytes()],
        "webp": [_webp()],
        "stills": _stills(3),
        "many": _stills(11),
        "film": [_film()],
    }
    for name, files in given.items():
        video = as_video(files[0] if len(files) == 1 else files, settings)
        prompts = {"alone": "Größe <|video|>?"}
        if preprocessor.image_converter:
            prompts["beside"] = "See <|image|> and <|video|> here"
        rows = {key: _row(preprocessor, prompt, video) for key, prompt in prompts.items()}
        of_frames = rows["alone"]
        yield {
            "name": name,
            "files": [np.frombuffer(file, np.uint8) for file in files],
            "frame_indices": video.frame_indices,
            "fps": video.fps,
            "pixel_values": of_frames["pixel_values"],
            "position_ids": of_frames["pixel_position_ids"],
            "rows": [{"prompt": prompt, "features": _named(rows[key])} for key, prompt in prompts.items()],
        }


def counts(preprocessor: Gemma4CausalLMPreprocessor) -> Iterator[dict[str, Any]]:
    """Requests with a video of a size, and what they take."""
    for total in (3, 500):
        size = {"frames": total, "height": 360, "width": 640}
        prompt = "See <|video|>"
        count = preprocessor.count_tokens({"prompts": prompt, "video_sizes": [list(size.values())]})
        yield {"prompt": prompt, "video": size, "num_tokens": int(count.num_tokens)}


def _row(preprocessor: Gemma4CausalLMPreprocessor, prompt: str, video: VideoFiles) -> dict[str, np.ndarray]:
    inputs: dict[str, Any] = {"prompts": prompt, "videos": [list(video.frames)], "fps": [video.fps]}
    if video.frame_indices:
        inputs["frame_indices"] = [list(video.frame_indices)]
    if "<|image|>" in prompt:
        inputs["images"] = samples.demonstration_file("photo.jpg").read_bytes()
    return {name: tensor.numpy() for name, tensor in preprocessor.generate_preprocess(inputs).items()}


def _named(row: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The numbers of a row under the names of signatures: the class gives frames without images as images."""
    if "video_mask" not in row:
        frames = {f"video_{part}": row[f"vision_{part}"] for part in ("indices", "mask")}
        row = row | frames | {f"vision_{part}": row[f"vision_{part}"][:0] for part in ("indices", "mask")}
    kept = ("token_ids", "padding_mask", "position_ids")
    return {
        name: array.astype(np.int32)
        for name, array in row.items()
        if name in kept or name.endswith(("_indices", "mask"))
    }


def _webp() -> bytes:
    """An animation with frames that are shown for different times, without losses."""
    stream = io.BytesIO()
    first, *others = _pictures(5)
    durations = [40, 1500, 90, 61_000, 500]
    first.save(stream, "WEBP", save_all=True, append_images=others, duration=durations, lossless=True)
    return stream.getvalue()


def _stills(count: int) -> list[bytes]:
    files = []
    for frame in _pictures(count):
        stream = io.BytesIO()
        frame.save(stream, "PNG")
        files.append(stream.getvalue())
    return files


def _film() -> bytes:
    """A video file with frames that differ."""
    stream = io.BytesIO()
    with av.open(stream, "w", format="webm") as container:
        track = container.add_stream("libvpx", rate=FILM_RATE, width=192, height=128, pix_fmt="yuv420p")
        track.bit_rate = 4_000_000
        for picture in _pictures(FILM_FRAMES):
            container.mux(track.encode(av.VideoFrame.from_image(picture)))
        container.mux(track.encode())
    return stream.getvalue()


def _pictures(count: int) -> Iterator[Image.Image]:
    """A photograph under a light that moves from left to right."""
    photo = Image.open(samples.demonstration_file("photo.jpg")).resize((192, 128))
    for number in range(count):
        picture = photo.copy()
        left = round(number * (192 - 24) / max(count - 1, 1))
        picture.paste((250, 250, 250), (left, 40, left + 24, 88))
        yield picture
