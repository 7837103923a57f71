"""Special tokens of rows and media, found by name."""

import dataclasses

import pytest

from graph_ops.family import GEMMA4
from graph_ops.media.table import MEDIA
from graph_ops.rows.special_ids import medium_ids, row_ids
from graph_ops.text.vocabulary.vocabulary import load_vocabulary
from tests.data import DEMONSTRATION
from tests.twins.vocabularies import small_vocabulary


def test_ids_are_looked_up_by_name():
    vocabulary = load_vocabulary(DEMONSTRATION)
    assert row_ids(vocabulary, GEMMA4) == (2, 1, 0)
    for medium in MEDIA:
        tokens = GEMMA4.tokens_of(medium.name)
        names = (tokens.opening, tokens.placeholder, tokens.closing)
        assert [vocabulary.pieces[number] for number in medium_ids(vocabulary, GEMMA4, medium)] == [*names]


def test_a_vocabulary_that_lacks_a_token_is_refused_by_its_name():
    vocabulary = small_vocabulary(("a",), ("<|image>", "<|image|>"))
    assert row_ids(vocabulary, GEMMA4) == (2, 1, 0)
    with pytest.raises(ValueError, match=r"needed for images; these are missing: \['<image\|>'\]"):
        medium_ids(vocabulary, GEMMA4, MEDIA[0])
    with pytest.raises(ValueError, match=r"needed for text; these are missing: \['<s>'\]"):
        row_ids(vocabulary, dataclasses.replace(GEMMA4, start="<s>"))


def test_a_medium_that_the_family_does_not_read_has_no_ids():
    family = dataclasses.replace(GEMMA4, media=GEMMA4.media[:1])
    with pytest.raises(KeyError, match="audio"):
        medium_ids(load_vocabulary(DEMONSTRATION), family, MEDIA[1])
