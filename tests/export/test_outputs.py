"""Outputs as a client reads them: compact pixels scaled, soft tokens counted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.outputs import scaled, soft_token_counts
from graph_ops.family import GEMMA4
from tests.twins.vocabularies import REPEATABLE

PIECES = ["<pad>", "word"]
PIECES += [token for each in GEMMA4.media for token in (each.opening, each.placeholder, each.closing)]
IDS = {piece: index for index, piece in enumerate(PIECES)}


def settings(scale=None, offset=None):
    return {"image_converter": {"config": {"scale": scale, "offset": offset}}}


def compact(*patches):
    """Outputs of one image of these patches, bytes or None for padding; a patch is two pixels."""
    values = np.array([[[[0] * 6 if patch is None else patch for patch in patches]]], np.uint8)
    marks = np.array([[[[-1, -1] if patch is None else [0, 0] for patch in patches]]], np.int32)
    return {"pixel_values": values, "pixel_position_ids": marks, "token_ids": np.array([[1]])}


@pytest.mark.parametrize(
    ("scale", "offset", "expected"),
    [
        (None, None, [0, 1, 2, 253, 254, 255]),
        (0.5, None, [0, 0.5, 1, 126.5, 127, 127.5]),
        (None, -1.0, [-1, 0, 1, 252, 253, 254]),
        ((1.0, 2.0, 4.0), (0.0, 1.0, -8.0), [0, 3, 0, 253, 509, 1012]),
    ],
)
def test_pixels_are_scaled_channel_by_channel(scale, offset, expected):
    found = scaled(compact([0, 1, 2, 253, 254, 255]), settings(scale, offset))
    assert found["pixel_values"].dtype == np.float32
    assert found["pixel_values"][0, 0].tolist() == [expected]


def test_padding_stays_0_and_other_outputs_stay_as_they_are():
    given = compact([9] * 6, None)
    found = scaled(given, settings(scale=1 / 255, offset=0.5))
    assert found["pixel_values"][0, 0, 0].all()
    assert found["pixel_values"][0, 0, 1].tolist() == [0] * 6
    assert found["token_ids"] is given["token_ids"]
    assert given["pixel_values"].dtype == np.uint8


@pytest.mark.parametrize(
    "outputs", [{}, {"token_ids": np.zeros(2)}, {"pixel_values": np.full((1, 1, 2, 3), 0.25, np.float32)}]
)
def test_outputs_that_are_not_compact_come_back(outputs):
    assert scaled(outputs, {"image_converter": None}) is outputs


def run(medium, length):
    tokens = GEMMA4.tokens_of(medium)
    return [tokens.opening, *[tokens.placeholder] * length, tokens.closing]


@REPEATABLE
@given(st.lists(st.tuples(st.sampled_from(["image", "audio"]), st.integers(0, 5)), max_size=6))
def test_each_item_has_its_soft_tokens_in_order(items):
    names = ["word"]
    for medium, length in items:
        names += [*run(medium, length), "word"]
    ids = np.array([IDS[name] for name in names])
    expected = {
        tokens.medium: [length for medium, length in items if medium == tokens.medium]
        for tokens in GEMMA4.media
    }
    assert soft_token_counts(ids, PIECES) == expected
    assert soft_token_counts(ids, dict(enumerate(PIECES))) == expected


def test_a_run_that_the_row_cuts_off_is_not_counted():
    names = [*run("image", 2), *run("image", 3)[:-1]]
    assert soft_token_counts(np.array([IDS[name] for name in names]), PIECES)["image"] == [2]
    assert soft_token_counts(np.zeros(0, int), PIECES) == {"image": [], "audio": []}
