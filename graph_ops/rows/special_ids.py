"""The special tokens that rows are built with, by id."""

from typing import NamedTuple

from graph_ops.family import Family
from graph_ops.media.medium import Medium
from graph_ops.text.vocabulary.vocabulary import Vocabulary


class MediumIds(NamedTuple):
    """Ids of a medium's special tokens."""

    opening: int
    placeholder: int
    closing: int


class RowIds(NamedTuple):
    """Ids of the special tokens of every row."""

    start: int
    end: int
    pad: int


def row_ids(vocabulary: Vocabulary, family: Family) -> RowIds:
    """Looks the tokens of a row up by name.

    Raises:
        ValueError: the vocabulary lacks one.
    """
    return RowIds(*vocabulary.require((family.start, family.end, family.pad), needed_for="text"))


def medium_ids(vocabulary: Vocabulary, family: Family, medium: Medium) -> MediumIds:
    """Looks a medium's tokens up by name.

    Raises:
        ValueError: the vocabulary lacks one.
        KeyError: the family has no medium of that name.
    """
    tokens = family.tokens_of(medium.name)
    names = (tokens.opening, tokens.placeholder, tokens.closing)
    return MediumIds(*vocabulary.require(names, needed_for=medium.argument))
