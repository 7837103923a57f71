"""Videos as files: what a client sends of one."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.config import RowConfig, VideoConfig
from graph_ops.image.decode import FORMATS
from graph_ops.image.host_files import decodable_image
from graph_ops.media.arrays import unknown_options
from graph_ops.media.medium import Medium
from graph_ops.media.video import VIDEO
from graph_ops.video.host_files import Sampling, animation, film
from graph_ops.video.sampling import sampled_frames


class VideoFiles(NamedTuple):
    """One video.

    Attributes:
        frames: image files, one a frame.
        fps: frames a second of the source; 0 where that is not known.
        frame_indices: the places of the frames in their source; empty where they are not known.
    """

    frames: tuple[bytes, ...]
    fps: float = 0.0
    frame_indices: tuple[int, ...] = ()


class VideoArray(NamedTuple):
    """One video with its frames decoded.

    Attributes:
        frames: uint8 [T, H, W, 3].
        fps: as of `VideoFiles`.
        frame_indices: as of `VideoFiles`.
    """

    frames: np.ndarray
    fps: float = 0.0
    frame_indices: tuple[int, ...] = ()


def as_video(video: Any, settings: Mapping[str, Any] | None = None) -> VideoFiles:
    """A video as the graph takes it.

    Args:
        video: a list of the files of frames; the bytes of an animation or of a video file, of which the
            frames that a preprocessor would take are read; or `VideoFiles`.
        settings: those of the artifact's description, for the frames to take; by default the released
            model's.

    Raises:
        ValueError: a video file without PyAV.
    """
    if isinstance(video, VideoFiles):
        return video._replace(frames=tuple(map(decodable_image, video.frames)))
    if not isinstance(video, bytes):
        return VideoFiles(tuple(map(decodable_image, video)))
    sampling, image = _sampling(settings or {}), decodable_image(video)
    strip = animation(video, sampling)
    if strip is None and not _is_image(image):
        strip = film(video, sampling)
    return VideoFiles((image,)) if strip is None else VideoFiles(strip.frames, strip.rate, strip.places)


def with_sources(videos: Sequence[Any], frames: Sequence[np.ndarray]) -> list[VideoArray]:
    """The frames of videos, which `as_video` takes, decoded to `frames`, with what is said of their
    sources.
    """
    found = zip(map(as_video, videos), frames, strict=True)
    return [VideoArray(array, video.fps, video.frame_indices) for video, array in found]


def pack_videos(videos: Sequence[VideoFiles], *, medium: Medium) -> dict[str, np.ndarray]:
    """The inputs of one row's videos: files object [1, V, T], b"" behind the last, and the options."""
    longest = max((len(video.frames) for video in videos), default=1)
    files = np.full((1, len(videos), longest), b"", object)
    for k, video in enumerate(videos):
        files[0, k, : len(video.frames)] = video.frames
    return {medium.argument: files} | pack_sources(videos, medium=medium, slots=len(videos))


def pack_sources(
    videos: "Sequence[VideoFiles | VideoArray]", *, medium: Medium, slots: int
) -> dict[str, np.ndarray]:
    """The options of one row's videos, what is said of the source of each: [1, slots, …]."""
    said = unknown_options(medium, rows=1, slots=slots)
    most = max((len(video.frame_indices) for video in videos), default=0)
    indices, rates = (said[option.name] for option in medium.options)
    indices = np.pad(indices, [(0, 0), (0, 0), (0, max(most - indices.shape[2], 0))], constant_values=-1)
    for k, video in enumerate(videos):
        indices[0, k, : len(video.frame_indices)] = video.frame_indices
        rates[0, k] = video.fps
    return dict(zip(said, (indices, rates), strict=True))


def _is_image(data: bytes) -> bool:
    return any(data[at : at + len(text)] == text for kind in FORMATS for at, text in kind.SIGNATURES)


def _sampling(settings: Mapping[str, Any]) -> Sampling:
    """The frames that the preprocessor with these settings takes, each once."""
    converter = (settings.get(VIDEO.converter) or {}).get("config", {})
    count = converter.get("num_frames", VideoConfig.num_frames)
    parity = settings.get("parity", RowConfig.parity)

    def sampling(total: int) -> Sequence[int]:
        taken = sampled_frames(tf.constant([total]), num_frames=count, parity=parity).numpy()[0]
        return sorted({int(frame) for frame in taken if frame >= 0})

    return sampling
