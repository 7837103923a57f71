"""SentencePiece's format, against the `sentencepiece` package's own reader."""

import pytest
from google.protobuf import message
from sentencepiece.sentencepiece_model_pb2 import ModelProto

from graph_ops.text.vocabulary.sentencepiece_model import (
    BYTE_PIECES,
    MODEL_TYPE_BPE,
    PieceType,
    new_model,
    parse_model,
)
from tests.data import DEMONSTRATION


@pytest.fixture(scope="module")
def both():
    data = DEMONSTRATION.read_bytes()
    return parse_model(data), ModelProto.FromString(data)


def test_pieces_are_read_as_sentencepiece_reads_them(both):
    ours, theirs = both
    assert [(entry.piece.decode(), entry.score, entry.type or 1) for entry in ours.pieces] == [
        (entry.piece, entry.score, entry.type) for entry in theirs.pieces
    ]


@pytest.mark.parametrize("spec", ["trainer_spec", "normalizer_spec", "denormalizer_spec"])
def test_settings_are_read_as_sentencepiece_reads_them_and_have_its_defaults(spec, both):
    for ours, theirs in (both, (new_model(), ModelProto())):
        for field in getattr(ours, spec).DESCRIPTOR.fields:
            value, expected = (getattr(getattr(each, spec), field.name) for each in (ours, theirs))
            assert value == (expected.encode() if isinstance(expected, str) else expected), field.name


def test_fields_that_are_not_declared_survive(both):
    ours, theirs = both
    again = ModelProto.FromString(ours.SerializeToString())
    assert again.trainer_spec.character_coverage == theirs.trainer_spec.character_coverage
    assert again.trainer_spec.input == theirs.trainer_spec.input


def test_types_have_sentencepieces_numbers():
    enum = ModelProto.SentencePiece.Type
    assert {kind.name: kind.value for kind in PieceType} == dict(enum.items())
    assert type(ModelProto().trainer_spec).ModelType.Value("BPE") == MODEL_TYPE_BPE


def test_there_is_a_name_for_each_byte():
    assert len(BYTE_PIECES) == 256
    assert (BYTE_PIECES[0], BYTE_PIECES[10], BYTE_PIECES[255]) == ("<0x00>", "<0x0A>", "<0xFF>")


def test_bytes_that_are_no_model_are_refused():
    with pytest.raises(message.DecodeError):
        parse_model(b"\xff\xff\xff")
