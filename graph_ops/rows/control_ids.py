"""The control tokens that rows are built with, by id."""

from typing import NamedTuple

from graph_ops.config import AUDIO_TOKENS, END_TOKEN, IMAGE_TOKENS, PAD_TOKEN, START_TOKEN, MediumTokens
from graph_ops.text.vocabulary.vocabulary import Vocabulary


class MediumIds(NamedTuple):
    """Ids of a medium's control tokens."""

    opening: int
    placeholder: int
    closing: int


class ControlIds(NamedTuple):
    """Ids that rows are built with; None for a medium without converter, whose placeholder is then an
    ordinary token.
    """

    start: int
    end: int
    pad: int
    image: MediumIds | None
    audio: MediumIds | None


def control_ids(vocabulary: Vocabulary, *, with_images: bool, with_audio: bool) -> ControlIds:
    """Looks up the control tokens by name.

    Raises:
        ValueError: the vocabulary lacks one that is needed.
    """
    start, end, pad = vocabulary.require((START_TOKEN, END_TOKEN, PAD_TOKEN), needed_for="text")
    image = _medium_ids(vocabulary, IMAGE_TOKENS, "images") if with_images else None
    audio = _medium_ids(vocabulary, AUDIO_TOKENS, "audio") if with_audio else None
    return ControlIds(start, end, pad, image, audio)


def _medium_ids(vocabulary: Vocabulary, tokens: MediumTokens, needed_for: str) -> MediumIds:
    return MediumIds(
        *vocabulary.require((tokens.opening, tokens.placeholder, tokens.closing), needed_for=needed_for)
    )
