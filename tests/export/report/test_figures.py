"""Figures of media: what they say, and that their files are small."""

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from export.report.figures import Slot, mel_figure, patch_figure, slots_of, small_jpeg
from export.report.pictures import Patching
from export.report.row import Block, blocks
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from graph_ops.media.video import VIDEO
from tests.export.report.rig import LENGTH, VOCABULARY, record


def found(made):
    return blocks(made.token_ids, VOCABULARY.pieces, length=LENGTH)


@pytest.mark.parametrize(("medium", "block"), [(IMAGE, (2, 6)), (AUDIO, (6, 11)), (VIDEO, (11, 15))])
def test_a_filled_slot_has_its_block_of_the_row(medium, block):
    made = record()
    assert slots_of(made, medium, found(made)) == [Slot(0, Block(medium.name, *block))]
    assert slots_of(made, medium, []) == [Slot(0, None)]
    assert slots_of(record(fault="no"), medium, []) == []


def test_an_image_is_a_picture_under_a_grid():
    slot = Slot(0, Block("image", 2, 6))
    made = patch_figure(record(), IMAGE, slot, name="<x>", patching=Patching(3, 1 / 255), most_bytes=20_000)
    assert (
        "&lt;x&gt;: 96 × 48 pixels, 6 × 3 patches, 2 × 1 = 2 soft tokens; in the row 2 at positions 3–4"
        in made
    )
    assert 'width="96" height="48" alt="&lt;x&gt; under a grid of soft tokens"' in made
    assert '<path d="M48 0V48" class="line"></path>' in made
    assert "data:image/jpeg;base64," in made


def test_a_clip_is_its_spectrogram_with_a_line_at_each_soft_token():
    made = mel_figure(record(), Slot(0, None), name="a", most_bytes=20_000)
    assert "a: 0.10 s, 10 frames of 8 mel bins, 3 soft tokens of 40 ms</figcaption>" in made
    assert '<path d="M12 0V24M24 0V24" class="line"></path>' in made
    assert '<span style="left:0px">0 s</span>' in made


def test_a_clip_of_raw_frames_is_a_wave():
    given = record()
    outputs = given.outputs | {"audio_mel": np.zeros((1, 1, 3, 640)), "audio_mel_mask": np.ones((1, 1, 3))}
    config = {"features": "waveform", "stride": 640, "frames_per_soft_token": 1, "sampling_rate": 16_000}
    settings = {**given.settings, "audio_converter": {"config": config}}
    given = dataclasses.replace(given, outputs=outputs, settings=settings)
    made = mel_figure(given, Slot(0, None), name="a", most_bytes=20_000)
    assert "a: 0.12 s, 3 frames of 640 samples, 3 soft tokens of 40 ms</figcaption>" in made
    assert '<path d="M12 0V129M24 0V129" class="line"></path>' in made
    assert 'alt="samples of a, each column' in made


@pytest.mark.parametrize("shape", [(480, 640, 3), (128, 3000, 1), (16, 16, 3)])
@pytest.mark.parametrize("most", [3000, 100_000])
def test_a_file_is_made_coarser_and_smaller_until_it_fits(shape, most):
    noise = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    file = small_jpeg(noise, most_bytes=most)
    assert len(file) <= most
    assert Image.open(io.BytesIO(file)).size[0] <= shape[1]


def test_what_is_smallest_is_written_whatever_its_bytes():
    file = small_jpeg(np.zeros((8, 8, 3), np.uint8), most_bytes=1)
    assert Image.open(io.BytesIO(file)).size == (8, 8)
