"""Records of requests that nothing ran: tensors that are known, and the demonstration vocabulary's pieces."""

import numpy as np

from export.report.record import Record
from export.report.sources import Source
from export.report.stopwatch import Step
from graph_ops.text.vocabulary.vocabulary import load_vocabulary
from tests.data import DEMONSTRATION

VOCABULARY = load_vocabulary(DEMONSTRATION)
LENGTH = 40
CONVERTER = {"pooling_kernel_size": 3, "scale": 1 / 255, "offset": None}
SETTINGS = {
    "parity": "keras_hub",
    "sequence_length": LENGTH,
    "image_converter": {"config": CONVERTER},
    "video_converter": {"config": CONVERTER},
    "audio_converter": {"config": {"frames_per_soft_token": 4, "max_audio_length": 30}},
}
IMAGE = ["<|image>", "<|image|>", "<|image|>", "<image|>"]
AUDIO = ["<|audio>", *["<|audio|>"] * 3, "<audio|>"]
FRAME = ["<|image>", "<|video|>", "<|video|>", "<image|>"]


def ids(*pieces):
    """int32 [n], the ids of pieces."""
    found = [VOCABULARY.find(piece) for piece in pieces]
    assert None not in found
    return np.array(found, np.int32)


def positions(columns, rows, *, slots, places):
    """int32 [slots, places, 2]: all of the first slot's grid, -1 behind it and in the other slots."""
    found = np.full((slots, places, 2), -1, np.int32)
    found[0, : columns * rows] = [(x, y) for y in range(rows) for x in range(columns)]
    return found


def outputs(row):
    """The tensors of a row of ids with an image of 6 × 3 patches, a clip of 10 frames and a frame."""
    filled = np.zeros((1, LENGTH), np.int32)
    filled[0, : len(row)] = row
    rng = np.random.default_rng(0)
    marks = positions(6, 3, slots=2, places=20)[np.newaxis]
    values = rng.random((1, 2, 20, 768), np.float32)
    return {
        "token_ids": filled,
        "padding_mask": np.arange(LENGTH)[np.newaxis] < len(row),
        "pixel_values": values,
        "pixel_position_ids": marks,
        "audio_mel": rng.random((1, 1, 12, 8), np.float32),
        "audio_mel_mask": (np.arange(12) < 10).astype(np.int32)[np.newaxis, np.newaxis],
        "pixel_values_videos": values,
        "video_position_ids": marks,
    }


def record(prompt="see", *, sources=(), fault="", row=None, prompt_ids=None):
    """A request of text, an image, a clip and a frame; refused where there is a fault."""
    row = ids("<bos>", "▁", *IMAGE, *AUDIO, *FRAME) if row is None else row
    found = ids("▁", "<|image|>", "<|audio|>", "<|video|>") if prompt_ids is None else prompt_ids
    made = None if fault else outputs(row)
    steps = (Step("reading", (0.25,)), Step("running", (0.001, 0.003, 0.002)))
    return Record("models/a", SETTINGS, VOCABULARY.pieces, prompt, found, tuple(sources), made, fault, steps)


HOSTILE = "<script>alert('x')</script>&amp;\"'\x00\u202e</pre></title>"
"""What a user may send."""
SOURCES = (
    Source("image", HOSTILE, 1234, "6 × 3 pixels"),
    Source("audio", "long.wav", 99, "31.00 s", 31.0),
    Source("video", "clip.mp4", 7, "1 frame(s) taken"),
)
