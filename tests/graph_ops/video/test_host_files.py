"""Files that hold a whole video, read on the host."""

import io
import sys

import numpy as np
import pytest
from PIL import Image, ImageSequence

from export.verify import samples
from graph_ops.video.host_files import animation, film


def written(kind, count=5, **settings):
    frames = [Image.fromarray(samples.pixels(40, 50, seed=k)) for k in range(count)]
    stream = io.BytesIO()
    frames[0].save(stream, kind, save_all=True, append_images=frames[1:], **settings)
    return stream.getvalue()


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.mark.parametrize(("kind", "more"), [("GIF", {}), ("GIF", {"disposal": 3}), ("WEBP", {})])
def test_an_animation_is_the_frames_that_pillow_shows(kind, more):
    file = written(kind, duration=500, **more)
    strip = animation(file)
    shown = [frame.convert("RGB") for frame in ImageSequence.Iterator(Image.open(io.BytesIO(file)))]
    assert strip is not None
    assert len(strip.frames) == len(shown) == 5
    for png, frame in zip(strip.frames, shown, strict=True):
        np.testing.assert_array_equal(pixels(png), np.asarray(frame))
    assert (strip.places, strip.rate) == ((0, 500, 1000, 1500, 2000), 1000.0)


def test_frames_that_are_not_wanted_are_left_out():
    strip = animation(written("GIF", duration=500), lambda total: [0, total - 1])
    assert strip is not None
    assert strip.places == (0, 2000)


@pytest.mark.parametrize("file", [b"", b"no file", written("GIF", 1), written("PNG", 1)])
def test_a_picture_and_what_is_none_are_no_animation(file):
    assert animation(file) is None


def test_without_pyav_its_name_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(
        ValueError, match=r"`videos`: a video file is read through PyAV .*gemma4-graph\[files\]"
    ):
        film(b"a video")


def test_pyav_gives_the_wanted_frames_and_the_mean_rate():
    av = pytest.importorskip("av")
    stream = io.BytesIO()
    with av.open(stream, "w", format="mp4") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for k in range(12):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 20 * k, np.uint8), format="rgb24")
            container.mux(video.encode(frame))
        container.mux(video.encode())
    strip = film(stream.getvalue(), lambda total: [0, total // 2, total - 1])
    assert strip is not None
    assert (strip.places, strip.rate) == ((0, 6, 11), 10.0)
    means = [pixels(png).mean() for png in strip.frames]
    assert np.allclose(means, [0, 120, 220], atol=6)
    assert film(b"no video") is None
