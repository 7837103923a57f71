"""A vocabulary as a value: the bytes of a SentencePiece model, its pieces and what each piece is."""

import dataclasses
import functools
import hashlib
import itertools
import os
import pathlib
import re
from collections.abc import Iterable
from typing import Any

from google.protobuf import message

from graph_ops.text.vocabulary.sentencepiece_model import (
    MODEL_TYPE_BPE,
    PIECE_TYPES,
    PieceType,
    parse_model,
)
from graph_ops.text.vocabulary.sound import check_model
from graph_ops.text.vocabulary.tokenizer_json import model_from_tokenizer_json

_JSON_OBJECT = re.compile(
    rb"\s*\{\s*(\"|\}|\Z)"
)  # no SentencePiece model begins so, though one may begin with a newline and a brace


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """Pieces of a SentencePiece model, by id.

    Attributes:
        proto: the serialized `ModelProto`.
        pieces: piece of each id; `▁` (U+2581) stands for a space.
        types: `PieceType` of each id.
        is_bpe: whether the model merges pairs (BPE), as Gemma's does.
        has_byte_fallback: whether a character without a piece becomes its UTF-8 bytes.
        keeps_text: whether text is taken as it is, but for spaces, which become `▁` and begin the word after
            them.
    """

    proto: bytes
    pieces: tuple[str, ...]
    types: tuple[PieceType, ...]
    is_bpe: bool
    has_byte_fallback: bool
    keeps_text: bool

    @functools.cached_property
    def _ids(self) -> dict[str, int]:
        return {piece: index for index, piece in enumerate(self.pieces)}

    @functools.cached_property
    def sha256(self) -> str:
        """Hex digest of the model's bytes."""
        return hashlib.sha256(self.proto).hexdigest()

    @functools.cached_property
    def unknown_text(self) -> str:
        """What SentencePiece writes for the unknown piece."""
        return parse_model(self.proto).trainer_spec.unk_surface.decode()

    def __len__(self) -> int:
        return len(self.pieces)

    def find(self, piece: str) -> int | None:
        """Id of `piece`, or None."""
        return self._ids.get(piece)

    def require(self, pieces: Iterable[str], *, needed_for: str) -> list[int]:
        """Ids of `pieces`, looked up by name.

        Raises:
            ValueError: a piece is missing; names all that are.
        """
        wanted = list(pieces)
        missing = [piece for piece in wanted if piece not in self._ids]
        if missing:
            raise ValueError(
                f"`tokenizer`: the vocabulary must hold the special tokens needed for {needed_for}; these "
                f"are missing: {missing}. Pass the model's vocabulary, or build the preprocessor without "
                "that medium."
            )
        return [self._ids[piece] for piece in wanted]

    def with_control_pieces_in_text(self) -> "Vocabulary":
        """The same vocabulary, except that `<pad>`, `<eos>`, `<bos>` and `<unk>` written in a text are read
        as those tokens.

        That is how Hugging Face's `tokenizers` reads them. Control pieces become user-defined ones;
        SentencePiece insists on one unknown piece, so another is appended, which byte fallback never emits.
        """
        if not self.has_byte_fallback:
            raise ValueError(
                "`tokenizer`: reading special tokens in text needs a vocabulary with byte fallback; this one "
                "has none. Use parity='keras_hub'."
            )
        model = parse_model(self.proto)
        for entry, kind in zip(model.pieces, self.types, strict=True):
            if kind in (PieceType.CONTROL, PieceType.UNKNOWN):
                entry.type = PieceType.USER_DEFINED
        names = (f"<appended unknown{'+' * count}>" for count in itertools.count())
        unknown = next(name for name in names if self.find(name) is None)
        model.pieces.add(piece=unknown.encode(), score=0.0, type=PieceType.UNKNOWN)
        model.trainer_spec.vocab_size = len(model.pieces)
        return _from_model(model, model.SerializeToString())

    def without_user_defined(self, pieces: Iterable[str]) -> "Vocabulary":
        """The same vocabulary, except that these user-defined symbols, written in a text, are ordinary
        characters.
        """
        model, plain = parse_model(self.proto), set(pieces)
        for entry, piece, kind in zip(model.pieces, self.pieces, self.types, strict=True):
            if kind is PieceType.USER_DEFINED and piece in plain:
                entry.type = PieceType.CONTROL  # which no text is matched with
        return _from_model(model, model.SerializeToString())


def load_vocabulary(source: "str | os.PathLike[str] | bytes") -> Vocabulary:
    """Reads a SentencePiece model or a Hugging Face `tokenizer.json` from a path or from its bytes; the
    content tells which it is.

    Raises:
        TypeError: `source` is neither a path nor bytes.
        ValueError: the bytes are neither a whole SentencePiece model nor a tokenizer.json that SentencePiece
            can reproduce.
        FileNotFoundError: no such file.
    """
    if isinstance(source, bytes):
        return _load_bytes(source, "the given bytes")
    if isinstance(source, str | os.PathLike):
        path = pathlib.Path(source).expanduser()
        if not path.is_file():
            raise FileNotFoundError(
                f"`tokenizer`: a vocabulary must be a SentencePiece model file (.spm or .model) or a "
                f"tokenizer.json; no file at {path}."
            )
        return _load_bytes(path.read_bytes(), str(path))
    raise TypeError(f"`tokenizer`: a vocabulary must be a path or bytes; got {type(source).__name__}.")


def _load_bytes(content: bytes, where: str) -> Vocabulary:
    proto = model_from_tokenizer_json(content, where) if _JSON_OBJECT.match(content) else content
    try:
        model = parse_model(proto)
        check_model(model)
    except (message.DecodeError, ValueError) as error:
        raise ValueError(
            f"`tokenizer`: a vocabulary must be a whole SentencePiece model; {where} ({len(proto):,} bytes) "
            f"is not one: {error}. Fetch the file again, or pass the .spm/.model file or the tokenizer.json "
            "of a Gemma 4 preset."
        ) from error
    return _from_model(model, proto)


def _from_model(model: Any, proto: bytes) -> Vocabulary:
    return Vocabulary(
        proto=proto,
        pieces=tuple(entry.piece.decode("utf-8") for entry in model.pieces),
        types=tuple(PIECE_TYPES[entry.type] for entry in model.pieces),
        is_bpe=model.trainer_spec.model_type == MODEL_TYPE_BPE,
        has_byte_fallback=model.trainer_spec.byte_fallback,
        keeps_text=_keeps_text(model),
    )


def _keeps_text(model: Any) -> bool:
    normalizer = model.normalizer_spec
    alters = (
        normalizer.precompiled_charsmap or normalizer.add_dummy_prefix or normalizer.remove_extra_whitespaces
    )
    return not alters and normalizer.escape_whitespaces and not model.trainer_spec.treat_whitespace_as_suffix
