"""What SentencePiece demands of a model before it reads a text with it, and what is demanded here besides.

SentencePiece's own rules are those of `ModelInterface::InitializePieces` (model_interface.cc) and of
`Normalizer::DecodePrecompiledCharsMap` (normalizer.cc), as of release 0.2.3. It applies them when a graph is
made or first run, and cannot say which file broke them. Ours besides, where it would read a text by chance or
not as the file says: types that exist, texts that are UTF-8, finite scores and one unknown piece.
"""

import collections
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from graph_ops.text.vocabulary.quoted import quoted
from graph_ops.text.vocabulary.sentencepiece_model import BYTE_PIECES, MODEL_TYPES, PIECE_TYPES, PieceType

LONGEST_PIECE = 7_999
"""Bytes in the longest piece that SentencePiece loads."""

_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_MOST_SHOWN = 40  # bytes of a piece that is no text
_TRIE_UNIT = 1_024  # bytes; a character map's trie is a multiple of it
_TRIE_HEADER = 4  # bytes, the trie's size


def check_model(model: Any) -> None:
    """Checks a `ModelProto`.

    Raises:
        ValueError: says which rule is broken and by what.
    """
    trainer, count = model.trainer_spec, len(model.pieces)
    _require(count > 0 and model.HasField("trainer_spec"), "it must have pieces and trainer settings", count)
    _require(trainer.model_type in MODEL_TYPES, "`model_type` must be 1 to 4", trainer.model_type)
    declared = trainer.vocab_size if trainer.HasField("vocab_size") else count
    _require(declared == count, f"it must hold the {declared} pieces that it declares", count)
    numbers = [entry.type for entry in model.pieces]
    strange = set(numbers) - PIECE_TYPES.keys()
    _require(not strange, "the type of a piece must be 1 to 6", sorted(strange))
    is_endless = ~np.isfinite(np.fromiter((entry.score for entry in model.pieces), np.float32, count))
    _require(not is_endless.any(), "scores must be finite", f"another one for piece {np.argmax(is_endless)}")
    pieces = [entry.piece for entry in model.pieces]
    _require_texts(pieces)
    types = [PIECE_TYPES[number] for number in numbers]
    check_pieces([piece.decode() for piece in pieces], types, has_byte_fallback=trainer.byte_fallback)
    _require(_is_text(trainer.unk_surface), "`unk_surface` must be UTF-8", trainer.unk_surface[:_MOST_SHOWN])
    for spec in ("normalizer_spec", "denormalizer_spec"):
        _check_character_map(f"`{spec}.precompiled_charsmap`", getattr(model, spec).precompiled_charsmap)


def check_pieces(pieces: Sequence[str], types: Sequence[PieceType], *, has_byte_fallback: bool) -> None:
    """Checks pieces and their types, both by id.

    Raises:
        ValueError: says which rule is broken and by what.
    """
    distinct, every = set(pieces), "".join(pieces)
    if len(distinct) < len(pieces):
        twice, count = collections.Counter(pieces).most_common(1)[0]
        _require(False, "each piece must be there once", f"{quoted(twice)} {count} times")
    if "" in distinct or _NO_TEXT.search(every):
        wrong = next(piece for piece in pieces if not piece or _NO_TEXT.search(piece))
        rule = "a piece must hold a character, but no U+0000 and no half of a surrogate pair"
        _require(False, rule, quoted(wrong))
    longest = max(map(len, pieces))  # in characters, of which each has up to four bytes
    longest = longest if 4 * longest <= LONGEST_PIECE else max(len(piece.encode()) for piece in pieces)
    _require(longest <= LONGEST_PIECE, f"a piece must have at most {LONGEST_PIECE:,} bytes", f"{longest:,}")
    unknown = types.count(PieceType.UNKNOWN)
    _require(unknown == 1, "there must be one piece of the type UNKNOWN", unknown)
    found = {piece for piece, kind in zip(pieces, types, strict=True) if kind is PieceType.BYTE}
    _check_bytes(found, has_byte_fallback)


def _check_bytes(found: set[str], has_byte_fallback: bool) -> None:
    expected = set(BYTE_PIECES) if has_byte_fallback else set()
    more, fewer = sorted(found - expected), sorted(expected - found)
    _require(
        not more and not fewer,
        "pieces of the type BYTE must be <0x00>, <0x01> … <0xFF> if `byte_fallback` is set, else none",
        f"{quoted(more)} too many and {quoted(fewer)} too few",
    )


def _require_texts(pieces: Sequence[bytes]) -> None:
    if not _is_text(b"\0".join(pieces)):
        wrong = next(index for index, piece in enumerate(pieces) if not _is_text(piece))
        _require(False, "a piece must be UTF-8", f"{pieces[wrong][:_MOST_SHOWN]!r} for piece {wrong}")


def _is_text(encoded: bytes) -> bool:
    try:
        encoded.decode()
    except UnicodeDecodeError:
        return False
    return True


def _check_character_map(name: str, blob: bytes) -> None:
    """A size, uint32 little-endian, a trie of that size and texts that each end with a zero byte. What the
    trie's units say is not looked at: Gemma's models have no map, and the engine `builtin` takes none.
    """
    size = int.from_bytes(blob[:_TRIE_HEADER], "little")
    is_whole = size and size % _TRIE_UNIT == 0 and _TRIE_HEADER + size < len(blob) and blob[-1] == 0
    _require(
        not blob or bool(is_whole),
        f"{name} must be a trie of a multiple of {_TRIE_UNIT:,} bytes and texts behind it",
        f"{len(blob):,} bytes of which the trie claims {size:,}",
    )


def _require(holds: bool, rule: str, got: object) -> None:
    if not holds:
        raise ValueError(f"{rule}; got {got}")
