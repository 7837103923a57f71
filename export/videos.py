"""Videos as files: what a client sends of one."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from graph_ops.image.host_files import decodable_image
from graph_ops.media.arrays import unknown_options
from graph_ops.media.medium import Medium


class VideoFiles(NamedTuple):
    """One video.

    Attributes:
        frames: image files, one a frame; or one that holds all of them, an animated GIF or WebP.
        fps: frames a second of the source; 0 where that is not known.
        frame_indices: the places of the frames in their source; empty where they are not known.
    """

    frames: tuple[bytes, ...]
    fps: float = 0.0
    frame_indices: tuple[int, ...] = ()


def as_video(video: Any) -> VideoFiles:
    """A video of one file's bytes, of a list of frames' files, or as it is; files as the graph decodes them."""
    if isinstance(video, bytes):
        video = VideoFiles((video,))
    elif not isinstance(video, VideoFiles):
        video = VideoFiles(tuple(video))
    return video._replace(frames=tuple(map(decodable_image, video.frames)))


def pack_videos(videos: Sequence[VideoFiles], *, medium: Medium) -> dict[str, np.ndarray]:
    """The inputs of one row's videos: files object [1, V, T], b"" behind the last, and the options."""
    longest = max((len(video.frames) for video in videos), default=1)
    files = np.full((1, len(videos), longest), b"", object)
    said = unknown_options(medium, rows=1, slots=len(videos))
    most = max((len(video.frame_indices) for video in videos), default=0)
    indices, rates = (said[option.name] for option in medium.options)
    indices = np.pad(indices, [(0, 0), (0, 0), (0, max(most - indices.shape[2], 0))], constant_values=-1)
    for k, video in enumerate(videos):
        files[0, k, : len(video.frames)] = video.frames
        indices[0, k, : len(video.frame_indices)] = video.frame_indices
        rates[0, k] = video.fps
    names = [option.name for option in medium.options]
    return {medium.argument: files} | dict(zip(names, (indices, rates), strict=True))
