"""Everything that the engine `builtin` knows of a vocabulary, as constant arrays."""

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from graph_ops.text.bpe import merge_table, piece_texts, space_runs, user_defined, utf8, word_table
from graph_ops.text.bpe.pair_table import PairTable
from graph_ops.text.bpe.piece_texts import WORD, PieceTexts
from graph_ops.text.bpe.user_defined import Trie
from graph_ops.text.bpe.word_table import WORD_BYTES, WordTable
from graph_ops.text.cuts import byte_cuts
from graph_ops.text.reading import Reading, as_read, read_differently
from graph_ops.text.vocabulary.sentencepiece_model import BYTE_PIECES, SPACE, PieceType
from graph_ops.text.vocabulary.vocabulary import Vocabulary

PAGE = 256
"""Code points in a page of the character table."""


class Characters(NamedTuple):
    """Code point to piece, in two steps: code point to character number, number to id.

    Attributes:
        pages: int32 [pages of Unicode]; where a page's numbers begin.
        numbers: int32; 1 … C - 1 for characters of pieces, 0 for all others.
        ids: int32 [C]; id of the character's own piece, -1 if it has none.
    """

    pages: np.ndarray
    numbers: np.ndarray
    ids: np.ndarray


class BuiltinTables(NamedTuple):
    """All constants of a vocabulary. Its readings differ in `cuts`, `user_defined`, `ids_of_a_byte` and
    `longest_indent` alone.

    Attributes:
        cuts: bool [257 × 257]; whether there is a cut between elements a and b of a stream, at 257 a + b.
        words: segments that are one piece as they stand, whatever the reading.
        characters: code points to pieces.
        user_defined: user-defined symbols.
        merges: (left id, right id) to merged id.
        byte_ids: int32 [256]; id of each byte's piece.
        piece_texts: what each piece stands for in a text; those without a text, and id V, are empty.
        ids_of_a_byte: the most ids that one byte of a text can become: 3 if `▁` or U+FFFD is no piece, else
            1.
        longest_piece: most characters of a piece that merging makes.
        longest_indent: see `space_runs.longest`.
    """

    cuts: np.ndarray
    words: WordTable
    characters: Characters
    user_defined: Trie
    merges: PairTable
    byte_ids: np.ndarray
    piece_texts: PieceTexts
    ids_of_a_byte: int
    longest_piece: int
    longest_indent: int


def build(
    vocabulary: Vocabulary,
    *,
    whole_words: Callable[["BuiltinTables", list[bytes]], np.ndarray],
    report: Callable[[str], None],
) -> BuiltinTables:
    """All tables of a vocabulary that `require_supported` accepts.

    Args:
        vocabulary: the pieces.
        whole_words: which texts become one id, bool [n], by tables that hold no words yet.
        report: told what is being built.
    """
    report("merges")
    merges = merge_table.merge_table(vocabulary, merge_table.merges(vocabulary))
    report("characters and user-defined symbols")
    normal = merge_table.normal_pieces(vocabulary)
    texts = [_text(piece, kind, vocabulary.unknown_text) for _, piece, kind in _entries(vocabulary)]
    tables = BuiltinTables(
        words=word_table.build([b"\0"], np.array([len(vocabulary)])),
        characters=_characters(_letters(vocabulary), normal),
        merges=merges,
        byte_ids=np.array([vocabulary.find(piece) for piece in BYTE_PIECES], np.int32),
        piece_texts=piece_texts.build(texts, padding=WORD_BYTES // WORD),
        longest_piece=max(map(len, normal), default=1),
        **_of_a_reading(vocabulary, _letters(vocabulary)),
    )
    report("words")
    candidates = _candidates(vocabulary, texts)
    words = [texts[index] for index in candidates]
    chosen = np.flatnonzero(whole_words(tables, words))
    return tables._replace(
        words=word_table.build([words[index] for index in chosen], np.array(candidates)[chosen])
    )


def of_reading(tables: BuiltinTables, vocabulary: Vocabulary, reading: Reading) -> BuiltinTables:
    """A vocabulary's tables for texts that are read so; what does not differ is the same object."""
    return tables._replace(**_differing(vocabulary, reading))


@functools.lru_cache(maxsize=8)
def _differing(vocabulary: Vocabulary, reading: Reading) -> dict[str, Any]:
    return _of_a_reading(as_read(vocabulary, reading), _letters(vocabulary))


def _of_a_reading(vocabulary: Vocabulary, letters: list[str]) -> dict[str, Any]:
    """The tables that depend on how special tokens in a text are read."""
    numbers = {letter: number for number, letter in enumerate(letters, 1)}
    symbols = {piece: index for index, piece, kind in _entries(vocabulary) if kind == PieceType.USER_DEFINED}
    known = {*merge_table.normal_pieces(vocabulary), *symbols}
    return {
        "cuts": _cuts(vocabulary),
        "user_defined": user_defined.build(symbols, numbers),
        "ids_of_a_byte": 1 if {SPACE, "\ufffd"} <= known else 3,
        "longest_indent": space_runs.longest(symbols),
    }


def _letters(vocabulary: Vocabulary) -> list[str]:
    """The characters of all pieces that some reading finds in texts."""
    kinds = (PieceType.NORMAL, PieceType.USER_DEFINED)
    pieces = (piece for _, piece, kind in _entries(vocabulary) if kind in kinds)
    return sorted({character for piece in (*pieces, *read_differently(vocabulary)) for character in piece})


def _candidates(vocabulary: Vocabulary, texts: list[bytes]) -> list[int]:
    """Ids of the pieces that are looked up as words where they are whole: short, without a special token."""
    special = re.compile("|".join(map(re.escape, read_differently(vocabulary))) or "(?!)")
    return [
        index
        for index, piece, kind in _entries(vocabulary)
        if kind in (PieceType.NORMAL, PieceType.USER_DEFINED)
        and len(texts[index]) <= WORD_BYTES
        and not special.search(piece)
    ]


def _entries(vocabulary: Vocabulary) -> list[tuple[int, str, PieceType]]:
    return list(zip(range(len(vocabulary)), vocabulary.pieces, vocabulary.types, strict=True))


def _text(piece: str, kind: PieceType, unknown_text: str) -> bytes:
    """What a piece stands for in a detokenized text."""
    if kind == PieceType.CONTROL:
        return b""
    if kind == PieceType.UNKNOWN:
        return unknown_text.encode()
    if kind == PieceType.BYTE:
        return bytes([int(piece[3:5], 16)])
    return piece.replace(SPACE, " ").encode()


def _characters(letters: list[str], normal: dict[str, int]) -> Characters:
    """Space and `▁` are the same character, as in normalized text."""
    points = np.array([ord(letter) for letter in letters])
    numbers = np.zeros(-(-utf8.CODE_POINTS // PAGE) * PAGE, np.int32)
    numbers[points] = np.arange(1, len(letters) + 1)
    numbers[ord(" ")] = numbers[ord(SPACE)]
    ids = np.array([-1] + [normal.get(letter, -1) for letter in letters], np.int32)
    rows = numbers.reshape(-1, PAGE)
    is_used = rows.any(axis=1)
    pages = np.where(is_used, np.cumsum(is_used), 0) * PAGE  # all pages without a character are the first
    return Characters(pages.astype(np.int32), np.concatenate([np.zeros(PAGE, np.int32), *rows[is_used]]), ids)


def _cuts(vocabulary: Vocabulary) -> np.ndarray:
    """Around a run of separators there are cuts, inside it there are none."""
    cuts = np.ones((utf8.SEPARATOR + 1, utf8.SEPARATOR + 1), bool)
    cuts[:-1, :-1] = byte_cuts(vocabulary)
    cuts[-1, -1] = False
    return cuts.reshape(-1)


def flatten(tables: Any, prefix: str = "") -> dict[str, Any]:
    """The arrays of nested tables by dotted name."""
    if not hasattr(tables, "_asdict"):
        return {prefix: tables}
    fields = tables._asdict().items()
    return {
        name: leaf
        for field, part in fields
        for name, leaf in flatten(part, f"{prefix}.{field}" if prefix else field).items()
    }


def unflatten(arrays: Mapping[str, Any], kind: Any = BuiltinTables, prefix: str = "") -> Any:
    """The inverse of `flatten`."""
    if kind is int:
        return int(arrays[prefix])
    if not hasattr(kind, "_fields"):
        return arrays[prefix]
    return kind(
        *[
            unflatten(arrays, part, f"{prefix}.{field}" if prefix else field)
            for field, part in kind.__annotations__.items()
        ]
    )
