"""Kinds, blocks and what was cut, of rows that are known."""

import numpy as np
import pytest

from export.report.row import Block, blocks, cut_text, kind_of
from tests.export.report.rig import AUDIO, FRAME, IMAGE, VOCABULARY, ids

PIECES = VOCABULARY.pieces


@pytest.mark.parametrize(
    ("piece", "kind"),
    [
        ("▁the", "text"),
        ("<0xE2>", "byte"),
        ("<0xZZ>", "text"),
        ("<bos>", "special"),
        ("<|turn>", "special"),
        ("<|image>", "special"),
        ("<|image|>", "image"),
        ("<|audio|>", "audio"),
        ("<|video|>", "video"),
        ("<b>", "text"),
    ],
)
def test_a_piece_has_a_kind(piece, kind):
    assert kind_of(piece) == kind


def test_a_row_falls_into_blocks_and_media_keep_their_opening_and_closing_tokens():
    row = ids("<bos>", "▁", "a", "<0xE2>", *IMAGE, *IMAGE, "b", *AUDIO, *FRAME)
    assert blocks(row, PIECES, length=30) == [
        Block("special", 0, 1),
        Block("text", 1, 4),
        Block("image", 4, 8),
        Block("image", 8, 12),
        Block("text", 12, 13),
        Block("audio", 13, 18),
        Block("video", 18, 22),
        Block("padding", 22, 30),
    ]


def test_a_full_row_has_no_padding_and_an_empty_one_is_all_padding():
    assert blocks(ids("a", "b"), PIECES, length=2) == [Block("text", 0, 2)]
    assert blocks(ids(), PIECES, length=2) == [Block("padding", 0, 2)]


def cut(row, prompt, *, length):
    return [PIECES[token] for token in cut_text(row, prompt, PIECES, length=length)]


def test_a_row_with_room_lost_nothing():
    assert cut(ids("<bos>", "a"), ids("a", "b"), length=3) == []


def test_the_end_of_a_text_has_no_place():
    assert cut(ids("<bos>", "a", "b"), ids("a", "b", "c", "d"), length=3) == ["c", "d"]
    assert cut(ids("<bos>", "a", "b"), ids("a", "b"), length=3) == []


def test_only_what_stands_behind_the_last_medium_can_be_cut():
    prompt = ids("a", "<|image|>", "b", "<|image|>", "c", "d")
    row = ids("<bos>", "a", *IMAGE, "b", *IMAGE, "c")
    assert cut(row, prompt, length=len(row)) == ["d"]
    assert cut(row[:-1], prompt, length=len(row) - 1) == ["c", "d"]


def test_a_row_that_ends_with_a_token_of_its_own_lost_what_that_took_the_place_of():
    assert cut(ids("<bos>", "a", "<eos>"), ids("a", "b"), length=3) == ["b"]


def test_a_closing_token_that_a_prompt_spells_is_text():
    assert cut(ids("<bos>", "a", "<image|>"), ids("a", "<image|>", "b"), length=3) == ["b"]


def test_nothing_is_cut_of_nothing():
    assert cut_text(ids("<bos>"), np.zeros(0, np.int32), PIECES, length=1).tolist() == []
