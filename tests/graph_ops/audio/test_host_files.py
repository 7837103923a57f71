"""Sound files that the graph does not decode become WAV files on the host, and nothing else changes."""

import io

import numpy as np
import pytest
import soundfile

from graph_ops.audio.host_files import decodable_clip
from tests.graph_ops.audio.wav_files import GOOD

SAMPLES = np.random.default_rng(0).uniform(-0.5, 0.5, [3_000, 2])


def saved(kind, subtype=None):
    stream = io.BytesIO()
    soundfile.write(stream, SAMPLES, 44_100, subtype, format=kind)
    return stream.getvalue()


@pytest.mark.parametrize("file", [GOOD, GOOD[:30], b"RIFX" + GOOD[4:], b""])
def test_wav_files_stay_as_they_are(file):
    assert decodable_clip(file) is file


@pytest.mark.parametrize("kind", ["FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "W64"])
def test_another_kind_becomes_a_wav_file_with_libsndfiles_samples(kind):
    file = saved(kind)
    turned = decodable_clip(file)
    assert turned[:4] == b"RIFF"
    for found, expected in zip(
        soundfile.read(io.BytesIO(turned)), soundfile.read(io.BytesIO(file), dtype="float32"), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("file", [b"fLaC", b"OggS" * 9, b"ID3\4", b"<html>", b"x" * 1_000])
def test_what_no_library_reads_stays_as_it_is(file):
    assert decodable_clip(file) is file
