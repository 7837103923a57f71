"""The family's tokens are those of its media and of the vocabulary."""

import re

import pytest

from graph_ops.family import GEMMA4
from graph_ops.media.table import MEDIA


def test_the_family_reads_the_media_of_the_table():
    assert [tokens.medium for tokens in (*GEMMA4.media, GEMMA4.video)] == [medium.name for medium in MEDIA]
    with pytest.raises(KeyError):
        GEMMA4.tokens_of("smell")


def test_special_tokens_are_told_from_other_user_defined_symbols():
    tokens = [token for each in GEMMA4.media for token in (each.opening, each.placeholder, each.closing)]
    assert all(re.fullmatch(GEMMA4.special_tokens, token) for token in (*tokens, *GEMMA4.unread, "<turn|>"))
    assert not any(re.fullmatch(GEMMA4.special_tokens, text) for text in ("<h1>", "<br>", "\n\n", "▁▁"))
