"""SentencePiece's model format, as far as it matters here: a protobuf class and its two enumerations.

Declared in this module, so that the `sentencepiece` package is not needed. Fields that are not declared
survive a rewrite untouched.
"""

import enum
import functools
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


class PieceType(enum.IntEnum):
    """`ModelProto.SentencePiece.Type` of sentencepiece_model.proto."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


PIECE_TYPES = {kind.value: kind for kind in PieceType}
"""The types by number."""

MODEL_TYPES = (1, 2, 3, 4)
"""`TrainerSpec.ModelType` of sentencepiece_model.proto: UNIGRAM, BPE, WORD, CHAR."""

MODEL_TYPE_BPE = 2
"""`TrainerSpec.ModelType.BPE`."""

SPACE = "\u2581"
"""What stands for a space in a piece: ▁, a lower one eighth block."""

BYTE_PIECES = tuple(f"<0x{value:02X}>" for value in range(256))
"""Names of the pieces that stand for one byte each."""

# message -> (field, number, type, label, default or type of a message), as in sentencepiece_model.proto.
# `piece` is declared bytes,
# which is the same on the wire, so that a damaged file is met by our own check and not by a UTF-8 error
# inside protobuf.
_FIELD = descriptor_pb2.FieldDescriptorProto
_SCHEMA: dict[str, tuple[tuple[str, int, int, int, str], ...]] = {
    "SentencePiece": (
        ("piece", 1, _FIELD.TYPE_BYTES, _FIELD.LABEL_OPTIONAL, ""),
        ("score", 2, _FIELD.TYPE_FLOAT, _FIELD.LABEL_OPTIONAL, ""),
        ("type", 3, _FIELD.TYPE_INT32, _FIELD.LABEL_OPTIONAL, "1"),
    ),
    "TrainerSpec": (
        ("model_type", 3, _FIELD.TYPE_INT32, _FIELD.LABEL_OPTIONAL, "1"),
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


def new_model() -> Any:
    """An empty `ModelProto`."""
    return _model_class()()


def parse_model(proto: bytes) -> Any:
    """The `ModelProto` of its serialized bytes.

    Raises:
        google.protobuf.message.DecodeError: they are not one.
    """
    model = new_model()
    model.ParseFromString(proto)
    return model


@functools.cache
def _model_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="gemma4_graph/model.proto", package="gemma4_graph", syntax="proto2"
    )
    for message_name, fields in _SCHEMA.items():
        declared = file.message_type.add(name=message_name)
        for name, number, kind, label, extra in fields:
            key = "type_name" if kind == _FIELD.TYPE_MESSAGE else "default_value"
            declared.field.add(
                name=name, number=number, type=kind, label=label, **({key: extra} if extra else {})
            )
    pool = (
        descriptor_pool.DescriptorPool()
    )  # a pool of our own: the default one may hold sentencepiece's descriptor already
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("gemma4_graph.ModelProto"))
