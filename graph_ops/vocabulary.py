"""A SentencePiece model file as a value: its bytes, its pieces and what each piece is.

Read with protobuf and a descriptor of the few fields that matter, so that the `sentencepiece` package is not needed. Fields that the
descriptor does not name survive a rewrite untouched.
"""

import dataclasses
import enum
import functools
import hashlib
import os
import pathlib
from collections.abc import Iterable
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory


class PieceType(enum.IntEnum):
    """`ModelProto.SentencePiece.Type` of sentencepiece_model.proto."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


MODEL_TYPE_BPE = 2
"""`TrainerSpec.ModelType.BPE` of sentencepiece_model.proto."""

# message -> (field, number, type, label, default or type of a message), as in sentencepiece_model.proto. `piece` is declared bytes,
# which is the same on the wire, so that a damaged file is met by our own check and not by a UTF-8 error inside protobuf.
_FIELD = descriptor_pb2.FieldDescriptorProto
_SCHEMA: dict[str, tuple[tuple[str, int, int, int, str], ...]] = {
    "SentencePiece": (
        ("piece", 1, _FIELD.TYPE_BYTES, _FIELD.LABEL_OPTIONAL, ""),
        ("score", 2, _FIELD.TYPE_FLOAT, _FIELD.LABEL_OPTIONAL, ""),
        ("type", 3, _FIELD.TYPE_INT32, _FIELD.LABEL_OPTIONAL, ""),
    ),
    "TrainerSpec": (
        ("model_type", 3, _FIELD.TYPE_INT32, _FIELD.LABEL_OPTIONAL, ""),
        ("vocab_size", 4, _FIELD.TYPE_INT32, _FIELD.LABEL_OPTIONAL, ""),
        ("treat_whitespace_as_suffix", 24, _FIELD.TYPE_BOOL, _FIELD.LABEL_OPTIONAL, ""),
        ("byte_fallback", 35, _FIELD.TYPE_BOOL, _FIELD.LABEL_OPTIONAL, ""),
        ("unk_surface", 44, _FIELD.TYPE_BYTES, _FIELD.LABEL_OPTIONAL, " \\342\\201\\207 "),
    ),
    "NormalizerSpec": (
        ("precompiled_charsmap", 2, _FIELD.TYPE_BYTES, _FIELD.LABEL_OPTIONAL, ""),
        ("add_dummy_prefix", 3, _FIELD.TYPE_BOOL, _FIELD.LABEL_OPTIONAL, "true"),
        ("remove_extra_whitespaces", 4, _FIELD.TYPE_BOOL, _FIELD.LABEL_OPTIONAL, "true"),
        ("escape_whitespaces", 5, _FIELD.TYPE_BOOL, _FIELD.LABEL_OPTIONAL, "true"),
    ),
    "ModelProto": (
        ("pieces", 1, _FIELD.TYPE_MESSAGE, _FIELD.LABEL_REPEATED, ".gemma4_graph.SentencePiece"),
        ("trainer_spec", 2, _FIELD.TYPE_MESSAGE, _FIELD.LABEL_OPTIONAL, ".gemma4_graph.TrainerSpec"),
        ("normalizer_spec", 3, _FIELD.TYPE_MESSAGE, _FIELD.LABEL_OPTIONAL, ".gemma4_graph.NormalizerSpec"),
        ("denormalizer_spec", 5, _FIELD.TYPE_MESSAGE, _FIELD.LABEL_OPTIONAL, ".gemma4_graph.NormalizerSpec"),
    ),
}


@functools.cache
def _model_proto_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="gemma4_graph/model.proto", package="gemma4_graph", syntax="proto2")
    for message_name, fields in _SCHEMA.items():
        declared = file.message_type.add(name=message_name)
        for name, number, kind, label, extra in fields:
            key = "type_name" if kind == _FIELD.TYPE_MESSAGE else "default_value"
            declared.field.add(name=name, number=number, type=kind, label=label, **({key: extra} if extra else {}))
    pool = descriptor_pool.DescriptorPool()  # a pool of our own: the default one may hold sentencepiece's descriptor already
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("gemma4_graph.ModelProto"))


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """Pieces of a SentencePiece model, by id.

    Attributes:
        proto: the serialized `ModelProto`.
        pieces: piece of each id; `▁` (U+2581) stands for a space.
        types: `PieceType` of each id.
        is_bpe: whether the model merges pairs (BPE), as Gemma's does.
        has_byte_fallback: whether a character without a piece becomes its UTF-8 bytes.
        keeps_text: whether text is taken as it is, but for spaces, which become `▁` and begin the word after them.
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
                f"`tokenizer`: the vocabulary must hold the control tokens needed for {needed_for}; these are missing: {missing}. "
                "Pass a Gemma 4 vocabulary, or build the preprocessor without that medium."
            )
        return [self._ids[piece] for piece in wanted]

    def with_control_pieces_in_text(self) -> "Vocabulary":
        """The same vocabulary, except that `<pad>`, `<eos>`, `<bos>` and `<unk>` written in a text are read as those tokens.

        That is how Hugging Face's `tokenizers` reads them. Control pieces become user-defined ones; SentencePiece insists on one
        unknown piece, so another is appended, which byte fallback never emits.
        """
        if not self.has_byte_fallback:
            raise ValueError(
                "`tokenizer`: reading control tokens in text needs a vocabulary with byte fallback; this one has none. Use "
                "parity='keras_hub'."
            )
        model = parse_model(self.proto)
        for entry, kind in zip(model.pieces, self.types, strict=True):
            if kind in (PieceType.CONTROL, PieceType.UNKNOWN):
                entry.type = PieceType.USER_DEFINED
        model.pieces.add(piece=b"<appended unknown>", score=0.0, type=PieceType.UNKNOWN)
        model.trainer_spec.vocab_size = len(model.pieces)
        return _from_model(model, model.SerializeToString())


def load_vocabulary(source: "str | os.PathLike[str] | bytes") -> Vocabulary:
    """Reads a SentencePiece model from a path or from its serialized bytes.

    Raises:
        TypeError: `source` is neither.
        ValueError: the bytes are not a whole SentencePiece model.
        FileNotFoundError: no such file.
    """
    if isinstance(source, bytes):
        return _load_bytes(source, "the given bytes")
    if isinstance(source, str | os.PathLike):
        path = pathlib.Path(source).expanduser()
        if not path.is_file():
            raise FileNotFoundError(f"`tokenizer`: a vocabulary must be a SentencePiece model file (.spm or .model); no file at {path}.")
        return _load_bytes(path.read_bytes(), str(path))
    raise TypeError(f"`tokenizer`: a vocabulary must be a path or bytes; got {type(source).__name__}.")


def parse_model(proto: bytes) -> Any:
    """The `ModelProto` of a serialized model, with the fields that matter here."""
    model = _model_proto_class()()
    model.ParseFromString(proto)
    return model


def _load_bytes(proto: bytes, where: str) -> Vocabulary:
    try:
        model = parse_model(proto)
        vocabulary = _from_model(model, proto)
    except (message.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise ValueError(_not_a_model(where, proto, str(error))) from error
    declared = model.trainer_spec.vocab_size
    if not vocabulary.pieces or not model.HasField("trainer_spec"):
        raise ValueError(_not_a_model(where, proto, f"it has {len(vocabulary)} pieces and no trainer settings"))
    if model.trainer_spec.HasField("vocab_size") and declared != len(vocabulary):
        raise ValueError(_not_a_model(where, proto, f"it declares {declared} pieces and holds {len(vocabulary)}"))
    return vocabulary


def _from_model(model: Any, proto: bytes) -> Vocabulary:
    return Vocabulary(
        proto=proto,
        pieces=tuple(entry.piece.decode("utf-8") for entry in model.pieces),
        types=tuple(PieceType(entry.type or PieceType.NORMAL) for entry in model.pieces),
        is_bpe=model.trainer_spec.model_type == MODEL_TYPE_BPE,
        has_byte_fallback=model.trainer_spec.byte_fallback,
        keeps_text=_keeps_text(model),
    )


def _keeps_text(model: Any) -> bool:
    normalizer = model.normalizer_spec
    alters = normalizer.precompiled_charsmap or normalizer.add_dummy_prefix or normalizer.remove_extra_whitespaces
    return not alters and normalizer.escape_whitespaces and not model.trainer_spec.treat_whitespace_as_suffix


def _not_a_model(where: str, proto: bytes, reason: str) -> str:
    return (
        f"`tokenizer`: a vocabulary must be a whole SentencePiece model; {where} ({len(proto):,} bytes) is not one: {reason}. Fetch the "
        "file again, or pass the .spm/.model file of a Gemma 4 preset."
    )
