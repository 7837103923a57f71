"""The family's tokens are those of its media and of the vocabulary."""

import re

import pytest

from graph_ops.family import GEMMA4
from graph_ops.media.table import MEDIA
from graph_ops.rows.special_ids import medium_ids, row_ids
from graph_ops.text.vocabulary.vocabulary import load_vocabulary
from tests.data import DEMONSTRATION


def test_the_family_reads_the_media_of_the_table():
    assert [tokens.medium for tokens in GEMMA4.media] == [medium.name for medium in MEDIA]
    with pytest.raises(KeyError):
        GEMMA4.tokens_of("smell")


def test_special_tokens_are_told_from_other_user_defined_symbols():
    tokens = [token for each in GEMMA4.media for token in (each.opening, each.placeholder, each.closing)]
    assert all(re.fullmatch(GEMMA4.special_tokens, token) for token in (*tokens, *GEMMA4.unread, "<turn|>"))
    assert not any(re.fullmatch(GEMMA4.special_tokens, text) for text in ("<h1>", "<br>", "\n\n", "▁▁"))


def test_ids_are_looked_up_by_name():
    vocabulary = load_vocabulary(DEMONSTRATION)
    assert row_ids(vocabulary, GEMMA4) == (2, 1, 0)
    for medium in MEDIA:
        tokens = GEMMA4.tokens_of(medium.name)
        names = (tokens.opening, tokens.placeholder, tokens.closing)
        assert [vocabulary.pieces[number] for number in medium_ids(vocabulary, GEMMA4, medium)] == [*names]
