"""`added_tokens` of a Hugging Face tokenizer.json: what they are, and whether SentencePiece finds them where
Hugging Face does.
"""

from collections.abc import Mapping
from typing import Any

from graph_ops.family import GEMMA4
from graph_ops.text.vocabulary.quoted import quoted
from graph_ops.text.vocabulary.sentencepiece_model import BYTE_PIECES, SPACE, PieceType

CONTROL = {
    GEMMA4.pad: PieceType.CONTROL,
    GEMMA4.end: PieceType.CONTROL,
    GEMMA4.start: PieceType.CONTROL,
    GEMMA4.unknown: PieceType.UNKNOWN,
}
"""Added tokens that no text is matched with, and what each becomes; all others become user-defined."""

_BYTES = frozenset(BYTE_PIECES)
_FLAGS = ("single_word", "lstrip", "rstrip")


def added_tokens(entries: Any) -> dict[str, dict[str, Any]]:
    """The entries of `added_tokens` by content.

    Raises:
        ValueError: they are not a list of objects with distinct contents.
    """
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("content"), str) for entry in entries
    ):
        raise ValueError(f"`added_tokens` must be a list of objects with a `content`; got {quoted(entries)}")
    added = {entry["content"]: entry for entry in entries}
    if len(added) != len(entries) or "" in added:
        raise ValueError(
            f"the `content` of `added_tokens` must be distinct and not empty; got {len(entries)} of "
            f"{len(added)} kinds"
        )
    return added


def check_ids(ids: Mapping[str, int], added: Mapping[str, dict[str, Any]]) -> None:
    """Checks that added tokens have the ids of their pieces, or the next ones after all pieces, as Hugging
    Face would number them.

    Raises:
        ValueError: one has another.
    """
    following = len(ids)
    for token, entry in added.items():
        expected, index = ids.get(token, following), entry.get("id")
        if type(index) is not int or index != expected:
            raise ValueError(
                f"the id of the added token {quoted(token)} must be {expected}; got {quoted(index)}"
            )
        following += token not in ids


def check_added_tokens(added: Mapping[str, dict[str, Any]]) -> None:
    """Checks that SentencePiece can look for the added tokens one by one.

    Raises:
        ValueError: one has a flag or a text that SentencePiece knows nothing of.
    """
    for token, entry in added.items():
        flag = next((flag for flag in _FLAGS if entry.get(flag)), None)
        if flag:
            raise ValueError(f"`{flag}` of an added token must be false; got true for {quoted(token)}")
        if " " in token or token in _BYTES:
            raise ValueError(f"an added token must hold no space and be no byte; got {quoted(token)}")
    for token in CONTROL:
        if token in added and not added[token].get("special"):
            raise ValueError(f"`special` of the added token {token} must be true; got false")


def found_first(added: Mapping[str, dict[str, Any]]) -> set[str]:
    """Those with `normalized` false, which Hugging Face looks for before all others."""
    return {token for token, entry in added.items() if not entry.get("normalized")}


def check_order(added: Mapping[str, dict[str, Any]]) -> None:
    """Checks that SentencePiece finds the added tokens of every text where Hugging Face does, but for runs of
    `▁`: that no token of those found second can begin before, or at, one of those found first and reach into
    it.

    Raises:
        ValueError: one can.
    """
    first = found_first(added)
    second = added.keys() - first
    longest, lengths = max(map(len, second), default=0), {len(token) for token in first}
    begins = {token[:end] for token in first for end in range(1, min(len(token), longest) + 1)}
    has_runs = any(SPACE in token for token in first)
    for token in second:
        holds_one = any(
            token[start : start + length] in first for length in lengths for start in range(len(token))
        )
        ends_in_one = any(token[start:] in begins for start in range(1, len(token)))
        if holds_one or ends_in_one or (has_runs and SPACE in token):
            raise ValueError(
                f"an added token with `normalized` true must not overlap one with `normalized` false; got "
                f"{quoted(token)} with it true"
            )
