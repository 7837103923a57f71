"""Families are values: what each says agrees with what the others, and keras-hub, say."""

import re

import pytest

from graph_ops.families import EMBEDDING_GEMMA, FAMILIES, FUNCTION_GEMMA, GEMMA3, GEMMA3N
from graph_ops.family import EMBEDDING_GEMMA2, GEMMA4
from tests.data import needs_real

GEMMA3S = (GEMMA3, GEMMA3N, FUNCTION_GEMMA, EMBEDDING_GEMMA)


def test_each_family_has_a_name_of_its_own():
    assert len({family.name for family in FAMILIES}) == len({family.title for family in FAMILIES}) == 7


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_what_a_family_says_with_special_tokens_is_special_and_no_other_piece_is(family):
    tokens = [token for each in family.tokens for token in (each.opening, each.placeholder, each.closing)]
    named = {*family.known_by, *family.stop, *family.unread, *tokens} - {family.end, "<img>"}
    assert [token for token in named if not re.fullmatch(family.special_tokens, token)] == []
    ordinary = ("<h1>", "<img>", "</img>", "<start>", "<end_of_file>", "\n\n", "▁▁", "<start_function>")
    assert [text for text in ordinary if re.fullmatch(family.special_tokens, text)] == []


@pytest.mark.parametrize("family", GEMMA3S, ids=lambda family: family.name)
def test_of_gemma_3_text_is_read_without_a_template(family):
    assert [family.reads(name) for name in ("image", "audio", "video")] == [False] * 3
    assert not family.has_positions
    with pytest.raises(ValueError, match=f"`messages`: must be left out for {family.title}, .* `prompts`"):
        _ = family.chat


def test_gemma_4_reads_its_media():
    assert [GEMMA4.reads(name) for name in ("image", "audio", "video", "smell")] == [True, True, True, False]
    assert GEMMA4.chat is GEMMA4.template


def test_tasks_of_the_first_embedding_model_are_those_of_the_second_but_for_summaries():
    first, second = dict(EMBEDDING_GEMMA.embedding.tasks), dict(EMBEDDING_GEMMA2.embedding.tasks)
    assert len(first) == 14
    assert {name for name in first if first[name] != second[name]} == {"Summarization"}
    assert first["Summarization"] == "task: summarization | query: "
    assert EMBEDDING_GEMMA.embedding.sizes == (512, 256, 128)


def test_an_answer_of_function_gemma_ends_where_a_function_is_to_answer():
    assert FUNCTION_GEMMA.stop == ("<eos>", "<end_of_turn>", "<start_function_response>")


@needs_real
def test_no_token_of_gemma_3_is_one_of_gemma_4s_vocabulary(real_tokenizer):
    pieces = set(real_tokenizer.vocabulary.pieces)
    found = {piece for piece in pieces if re.fullmatch(FUNCTION_GEMMA.special_tokens, piece)}
    assert {piece for piece in found if not re.fullmatch(GEMMA4.special_tokens, piece)} == set()
