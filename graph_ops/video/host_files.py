"""Files that hold a whole video -> their frames, through Pillow or PyAV where they are installed.

For the Python class, the command line and the client; a signature of an export takes an image file a frame.
"""

import importlib
import io
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

Sampling = Callable[[int], Sequence[int]]
"""From the number of frames to those that are wanted."""


class FilmStrip(NamedTuple):
    """Frames of a file.

    Attributes:
        frames: PNG files.
        places: of each frame in its source, in units of the rate.
        rate: units a second; 0 where that is not known.
    """

    frames: tuple[bytes, ...]
    places: tuple[int, ...]
    rate: float


_MILLISECONDS = 1000.0


def animation(data: bytes, sampling: Sampling = range) -> FilmStrip | None:
    """The frames of an animated GIF, WebP or PNG, as Pillow shows them, with the milliseconds at which each
    is shown; None for another file, and without Pillow.
    """
    try:
        pillow = importlib.import_module("PIL.Image")
        with pillow.open(io.BytesIO(data)) as image:
            total = getattr(image, "n_frames", 1)
            if total < 2:
                return None
            return _shown(image, set(sampling(total)), total)
    except Exception:
        # Decoders raise whatever they like at a damaged file; what is no image is refused by its name later.
        return None


def film(data: bytes, sampling: Sampling = range) -> FilmStrip | None:
    """The frames of a video file of any kind, with its mean rate, through PyAV; None for what it does not
    read.

    Raises:
        ValueError: PyAV is not installed.
    """
    try:
        av = importlib.import_module("av")
    except ImportError as error:
        raise ValueError(
            f"`videos`: a video file is read through PyAV ({error}). Run `pip install "
            "'gemma4-graph[files]'`, or pass a folder of frames."
        ) from error
    try:
        with av.open(io.BytesIO(data)) as container:
            stream = container.streams.video[0]
            rate = float(stream.average_rate or 0)
            total = stream.frames or sum(1 for _ in container.decode(stream))
        wanted = list(sampling(total))
        with av.open(io.BytesIO(data)) as container:
            return _decoded(container, wanted, rate)
    except Exception:
        return None


def _shown(image: Any, wanted: set[int], total: int) -> FilmStrip:
    frames, places, now = [], [], 0
    for number in range(total):
        image.seek(number)
        if number in wanted:
            frames.append(_png(image.convert("RGB")))
            places.append(int(now))
        now += image.info.get("duration", 0)
    return FilmStrip(tuple(frames), tuple(places) if now else (), _MILLISECONDS if now else 0.0)


def _decoded(container: Any, wanted: Sequence[int], rate: float) -> FilmStrip:
    found: dict[int, bytes] = {}
    for number, frame in enumerate(container.decode(video=0)):
        if number in set(wanted):
            found[number] = _png(frame.to_image())
        if number >= max(wanted):
            break
    places = tuple(number for number in dict.fromkeys(wanted) if number in found)
    return FilmStrip(tuple(found[number] for number in places), places, rate)


def _png(image: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()
