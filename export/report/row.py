"""What lies where in a row: kinds of tokens, blocks of one kind, and what of the prompt had no place."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from export.outputs import runs
from graph_ops.family import GEMMA4
from graph_ops.text.reading import CONTROL_TOKEN

Pieces = Sequence[str] | Mapping[int, str]
TEXT, BYTE, SPECIAL, PADDING = "text", "byte", "special", "padding"
"""Kinds besides the media's names."""
_MEDIA = {tokens.placeholder: tokens.medium for tokens in GEMMA4.tokens}
_BRACKETS = {piece for tokens in GEMMA4.tokens for piece in (tokens.opening, tokens.closing)}
_NAMED = {GEMMA4.start, GEMMA4.end, GEMMA4.pad, GEMMA4.unknown}
_BYTE_PIECE = re.compile(r"<0x[0-9A-F]{2}>")


class Block(NamedTuple):
    """Tokens of one kind that stand side by side, at positions start … end - 1."""

    kind: str
    start: int
    end: int


def kind_of(piece: str) -> str:
    """What a token is: text, one byte of a character, a special token, or a medium's soft token."""
    if piece in _MEDIA:
        return _MEDIA[piece]
    if piece in _NAMED or CONTROL_TOKEN.fullmatch(piece):
        return SPECIAL
    return BYTE if _BYTE_PIECE.fullmatch(piece) else TEXT


def blocks(token_ids: np.ndarray, pieces: Pieces, *, length: int) -> list[Block]:
    """The blocks of a row of `length` places, of which int32 [n] ids fill the first; a medium's opening and
    closing tokens belong to its block, bytes to the text around them.
    """
    found: list[Block] = []
    for start, end in runs(token_ids):
        kind = kind_of(pieces[int(token_ids[start])])
        found.append(Block(TEXT if kind == BYTE else kind, start, end))
    names = [pieces[int(token_ids[block.start])] for block in found]
    for k, block in enumerate(found):
        if block.kind not in _MEDIA.values():
            continue
        for beside in (k - 1, k + 1):
            if 0 <= beside < len(found) and names[beside] in _BRACKETS:
                found[beside] = found[beside]._replace(kind=f"{block.kind} {k}")
        found[k] = block._replace(kind=f"{block.kind} {k}")  # media side by side stay apart
    padding = [Block(PADDING, len(token_ids), length)] if len(token_ids) < length else []
    return [block._replace(kind=block.kind.split()[0]) for block in [*_joined(found), *padding]]


def cut_text(token_ids: np.ndarray, prompt_ids: np.ndarray, pieces: Pieces, *, length: int) -> np.ndarray:
    """Ids of the end of a prompt for which the row has no place.

    Media are never cut, so only the text behind the last of them can be.

    Args:
        token_ids: int32 [n], what fills the row.
        prompt_ids: int32 [m], the prompt before placeholders became soft tokens.
        pieces: of each id.
        length: places in the row.

    Returns:
        int32 [k]; none where the row has padding.
    """
    if len(token_ids) < length:
        return prompt_ids[:0]
    kept, text = _behind_media(token_ids, pieces, closing=1), _behind_media(prompt_ids, pieces, closing=0)
    most = min(len(kept), len(text))
    differing = np.flatnonzero(kept[:most] != text[:most])
    return text[differing[0] if differing.size else most :]


def _behind_media(token_ids: np.ndarray, pieces: Pieces, *, closing: int) -> np.ndarray:
    """Ids behind the last medium and its closing token, or behind the token that begins the row."""
    is_medium = np.array([pieces[int(token)] in _MEDIA for token in token_ids], bool)
    if is_medium.any():
        return token_ids[np.flatnonzero(is_medium)[-1] + 1 + closing :]
    begins = closing and len(token_ids) and pieces[int(token_ids[0])] == GEMMA4.start
    return token_ids[1:] if begins else token_ids


def _joined(found: list[Block]) -> list[Block]:
    """Neighbours of one kind as one block."""
    joined: list[Block] = []
    for block in found:
        if joined and joined[-1].kind == block.kind:
            joined[-1] = joined[-1]._replace(end=block.end)
        else:
            joined.append(block)
    return joined
