"""What a file holds before anything is made of it: a picture's sides, a sound's seconds, a video's frames."""

import contextlib
from typing import Any, NamedTuple

import tensorflow as tf

from export.videos import VideoFiles
from graph_ops.audio.riff import read_riff
from graph_ops.audio.wav_format import read_format
from graph_ops.image.decode import FORMATS
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE


class Source(NamedTuple):
    """One file of a request.

    Attributes:
        medium: its name.
        name: of the file.
        size: bytes on the disk; of a folder those of its frames.
        holds: what it holds, as its header says; "" where that cannot be read.
        seconds: of a sound; 0 where that is not known.
    """

    medium: str
    name: str
    size: int
    holds: str
    seconds: float = 0.0


def source_of(medium: str, name: str, given: Any, decodable: Any) -> Source:
    """A file as it was given (bytes, or of a video a list of them) and as the graph takes it."""
    size = len(given) if isinstance(given, bytes) else sum(map(len, given))
    if isinstance(decodable, VideoFiles):
        return Source(medium, name, size, _of_video(decodable))
    # A header may lie, and TensorFlow may then fail to quote it.
    with contextlib.suppress(tf.errors.OpError, UnicodeDecodeError):
        if medium == IMAGE.name and (sides := picture_size(decodable)):
            return Source(medium, name, size, f"{sides[1]:,} × {sides[0]:,} pixels")
        if medium == AUDIO.name and (seconds := sound_seconds(decodable)):
            return Source(medium, name, size, f"{seconds:.2f} s", seconds)
    return Source(medium, name, size, "")


def picture_size(file: bytes) -> tuple[int, int] | None:
    """Height and width, before it is turned, that the header of a picture states; None for another file."""
    for kind in FORMATS:
        if any(file[at : at + len(text)] == text for at, text in kind.SIGNATURES):
            height, width = kind.size(tf.constant(file))
            return int(height), int(width)
    return None


def sound_seconds(file: bytes) -> float:
    """Seconds of the samples that are there in a WAV file; 0.0 for another file."""
    encoded = tf.constant(file)
    riff = read_riff(encoded)
    wav = read_format(encoded, riff)
    second = int(wav.frame_bytes) * int(wav.rate)
    if not bool(wav.is_supported) or second <= 0:
        return 0.0
    there = max(len(file) - int(riff.data.start), 0)
    return min(int(riff.data.size) or there, there) / second


def _of_video(video: VideoFiles) -> str:
    taken = f"{len(video.frames)} frame(s) taken"
    rate = f" of {video.fps:.3g} a second" if video.fps else ""
    places = f", number {', '.join(map(str, video.frame_indices))}" if video.frame_indices else ""
    return f"{taken}{rate}{places}"
