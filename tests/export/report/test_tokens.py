"""Tokens and rows as a reader has them."""

from export.report import tokens
from export.report.row import Block
from export.report.tokens import legend, prompt_text, row_bar, row_table, token_list
from tests.export.report.rig import VOCABULARY, ids

PIECES = VOCABULARY.pieces


def test_a_token_has_its_piece_its_id_and_its_kind():
    made = token_list(ids("<bos>", "<0xE2>", "<|image|>", "<|image|>"), PIECES, label="row")
    image = VOCABULARY.find("<|image|>")
    assert '<ol class="tokens" aria-label="row"><li class="special"><bdi>&lt;bos&gt;</bdi>' in made
    assert '<li class="byte">' in made
    assert f'<li class="image"><bdi>&lt;|image|&gt;</bdi> ×2<small>{image}</small></li>' in made


def test_a_text_token_is_coloured_by_its_id_and_white_space_can_be_seen():
    made = token_list(ids("a"), {int(ids("a")[0]): "\n\t"}, label="row")
    assert f'class="text h{ids("a")[0] * 5 % tokens.HUES}"' in made
    assert "⏎⇥" in made


def test_long_lists_end_with_how_many_are_left(monkeypatch):
    monkeypatch.setattr(tokens, "MOST_TOKENS", 2)
    monkeypatch.setattr(tokens, "MOST_BLOCKS", 1)
    made = token_list(ids("a", "b", "a", "b"), PIECES, label="row")
    assert (made.count("<li"), "and 2 more places" in made) == (2, True)
    assert "and 1 more blocks" in row_table([Block("text", 0, 1), Block("padding", 1, 9)])
    assert "and 3 more characters" in prompt_text("abcde", most=2)
    assert "more" not in prompt_text("abcde", most=5)


def test_a_row_is_a_bar_with_a_part_for_each_block_and_a_name_that_says_the_same():
    made = row_bar([Block("text", 0, 10), Block("image", 10, 20), Block("text", 20, 21)], length=1000)
    assert 'aria-label="the row: 11 text, 10 image"' in made
    assert (
        '<rect x="10.00" width="10.00" height="40" class="image"><title>image, 10–19</title></rect>' in made
    )
    table = row_table([Block("text", 0, 1), Block("padding", 1, 1500)])
    assert "<td>0</td><td>1</td>" in table
    assert "<td>1–1,499</td><td>1,499</td>" in table


def test_a_legend_names_kinds():
    assert legend(["audio"]).count("<li") == 1
