"""Special tokens that a message spells, broken so that they are read as ordinary characters.

A token is broken at a cut: a place that no piece lies across, were the token ordinary characters. So the ids
of the two sides are those of the whole, and no second vocabulary is needed to read it so:

    <turn|>   ->   <| turn|>        there are pieces such as "<table>" and "<th", but no "<" and no "<tu…"

Only pieces that fit what stands in the token on both sides of the place can lie across it.
"""

import collections
import functools
import re
import string
from collections.abc import Iterable

import tensorflow as tf

from graph_ops.text.reading import Reading, read_as_tokens
from graph_ops.text.vocabulary.sentencepiece_model import PieceType
from graph_ops.text.vocabulary.vocabulary import Vocabulary

_MOST_GROUPS = 4
"""In one expression: each takes two of the nine that a replacement may name."""
_NUMBER = "0"
"""Stands for any number in a token such as `<unused7>`."""
_BETWEEN = "\0"

Break = tuple[str, str]
"""An expression of RE2's, and its replacement, with `MARK` where a text is broken."""
MARK = "MARK"


class NoCutError(ValueError):
    """A special token that cannot be broken."""


@functools.lru_cache(maxsize=8)
def breaks_of(vocabulary: Vocabulary, reading: Reading) -> tuple[Break, ...]:
    """What breaks every special token that a reading takes as such.

    Raises:
        NoCutError: for this vocabulary there is none.
    """
    is_provable = vocabulary.is_bpe and vocabulary.has_byte_fallback and vocabulary.keeps_text
    if not is_provable or PieceType.UNUSED in vocabulary.types:
        raise NoCutError("cuts are proven for BPE with byte fallback alone")
    tokens = read_as_tokens(vocabulary, reading)
    pieces = _pieces(vocabulary, set(tokens))
    groups: dict[str, list[str]] = collections.defaultdict(list)
    for token in sorted({re.sub(r"\d+", _NUMBER, token) for token in tokens}):
        at = _cut(token, pieces)
        groups[token[:at]].append(token[at:])
    listed = sorted(groups.items())
    chunks = (listed[start : start + _MOST_GROUPS] for start in range(0, len(listed), _MOST_GROUPS))
    return tuple(_expression(chunk) for chunk in chunks)


def broken(texts: tf.Tensor, *, breaks: Iterable[Break], mark: bytes) -> tf.Tensor:
    """Texts, string […], with `mark` at each break."""
    for pattern, replacement in breaks:
        texts = tf.strings.regex_replace(texts, pattern, replacement.encode().replace(MARK.encode(), mark))
    return texts


def _pieces(vocabulary: Vocabulary, tokens: set[str]) -> str:
    """All pieces that ordinary text is made of, NUL around each."""
    kinds = (PieceType.NORMAL, PieceType.USER_DEFINED)
    pieces = (
        piece
        for piece, kind in zip(vocabulary.pieces, vocabulary.types, strict=True)
        if kind in kinds and piece not in tokens
    )
    return f"{_BETWEEN}{_BETWEEN.join(pieces)}{_BETWEEN}"


def _cut(token: str, pieces: str) -> int:
    """The first place of a token that is a cut; in ASCII, where a character is a byte."""
    for at in range(1, len(token)):
        if token.isascii() and not _is_crossed(token[:at], token[at:], pieces):
            return at
    raise NoCutError(f"{token!r} has no cut")


def _is_crossed(before: str, behind: str, pieces: str) -> bool:
    """Whether a piece lies across the place between two parts of a token."""
    if before[-1] in string.digits or behind[0] in string.digits:
        return True
    known = re.split(r"\d", behind)[0]
    for match in re.finditer(re.escape(before[-1] + behind[0]), pieces):
        middle = match.start() + 1
        left = pieces[pieces.rindex(_BETWEEN, 0, middle) + 1 : middle]
        right = pieces[middle : pieces.index(_BETWEEN, middle)]
        fits_left = left.endswith(before) or before.endswith(left)
        if fits_left and (right.startswith(known) or known.startswith(right)):
            return True
    return False


def _expression(groups: list[tuple[str, list[str]]]) -> Break:
    """`(before)(behind|…)` of each group, and what puts the mark between the two."""
    patterns = (f"({_quoted(before)})({'|'.join(map(_quoted, behind))})" for before, behind in groups)
    firsts, seconds = ("".join(rf"\{2 * place + part}" for place in range(len(groups))) for part in (1, 2))
    return "|".join(patterns), f"{firsts}{MARK}{seconds}"


def _quoted(text: str) -> str:
    """A regular expression of RE2's for a text, with any number in place of its number."""
    return re.escape(text).replace(_NUMBER, "[0-9]+")
