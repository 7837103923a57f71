"""Cuts: the places of a text that no token can lie across, found by looking at two bytes.

Terms:

* A **cut** is a place between two characters that stand next to each other in no piece of the vocabulary: in
  Gemma's, a letter and a full stop, or a letter and a space.
* A **segment** is what lies between two cuts.

Why segments can be tokenized one by one. No user-defined symbol matches across a cut and no merge reaches
across one, since either would be a piece with both characters in it; matching goes from left to right and
starts anew at a cut, merges on its two sides do not meet, byte fallback works character by character. So the
ids of a text are those of its segments, one after the other, or of any longer parts that end at cuts.

Cuts are found by pairs of *bytes*, the last of one character and the first of the next, and a pair is a cut
only if *all* characters with these bytes allow it. A space counts as `▁` too, any byte over 0x7F as U+FFFD
too, which it is read as where it is not UTF-8; a byte that can continue a character never follows a cut.
"""

import numpy as np

from graph_ops.text.vocabulary.sentencepiece_model import SPACE, PieceType
from graph_ops.text.vocabulary.vocabulary import Vocabulary

_REPLACEMENT = "\ufffd"


def byte_cuts(vocabulary: Vocabulary) -> np.ndarray:
    """Bool [256, 256]: whether there is a cut between two bytes."""
    cuts = np.ones((256, 256), bool)
    cuts[:, 0x80:0xC0] = False
    for first, second in _adjacent_characters(pieces_in_text(vocabulary)):
        for last_byte in _bytes_of(first, -1):
            cuts[last_byte, _bytes_of(second, 0)] = False
    return cuts


def pieces_in_text(vocabulary: Vocabulary) -> list[str]:
    """The pieces that a text is made of: control pieces and the unknown one never match, bytes are no
    characters.
    """
    kinds = (PieceType.NORMAL, PieceType.USER_DEFINED)
    return [piece for piece, kind in zip(vocabulary.pieces, vocabulary.types, strict=True) if kind in kinds]


def _adjacent_characters(pieces: list[str]) -> list[tuple[str, str]]:
    """The pairs of characters that stand next to each other in a piece, and some with NUL, which is between
    pieces here.
    """
    codes = np.frombuffer("\0".join(pieces).encode("utf-32-le"), np.uint32).astype(np.int64)
    pairs = np.unique(codes[:-1] << 32 | codes[1:])
    return [(chr(pair >> 32), chr(pair & 0xFFFFFFFF)) for pair in pairs.tolist()]


def _bytes_of(character: str, place: int) -> list[int]:
    """The bytes that may stand at a place (0: first, -1: last) of what a text holds for a character of a
    piece.
    """
    if character == _REPLACEMENT:
        return list(range(0x80, 0x100))
    return [character.encode()[place]] + [ord(" ")] * (character == SPACE)
