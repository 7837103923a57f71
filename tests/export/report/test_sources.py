"""What headers say of files, of those that lie too."""

import struct

import pytest

from export.report.sources import Source, picture_size, sound_seconds, source_of
from export.videos import VideoFiles
from tests.export.cli.commands import PHOTO, SPEECH


def read(path):
    with open(path, "rb") as file:
        return file.read()


def test_a_picture_has_sides_and_a_sound_seconds():
    photo, speech = read(PHOTO), read(SPEECH)
    assert source_of("image", "a.jpg", photo, photo) == Source(
        "image", "a.jpg", len(photo), "600 × 400 pixels"
    )
    source = source_of("audio", "a.wav", speech, speech)
    assert (source.holds, round(source.seconds, 2)) == ("4.90 s", 4.90)


def test_a_video_has_frames_of_its_source():
    video = VideoFiles((b"1", b"22"), 2.5, (0, 40))
    source = source_of("video", "clip", [b"1", b"22", b"333"], video)
    assert (source.size, source.holds) == (6, "2 frame(s) taken of 2.5 a second, number 0, 40")


@pytest.mark.parametrize(
    "file", [b"", b"{}", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"\xff\xd8\xff"]
)
def test_of_another_or_a_damaged_file_only_its_size_is_said(file):
    for medium in ("image", "audio"):
        assert source_of(medium, "x", file, file)[2:] in (
            (len(file), "", 0.0),
            (len(file), "0 × 0 pixels", 0.0),
        )
    assert sound_seconds(file) == 0.0


def test_a_sound_is_as_long_as_what_is_there():
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 0, b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16, b"data", 1 << 30
    )
    assert sound_seconds(header + bytes(32000)) == 2.0
    assert picture_size(header) is None
