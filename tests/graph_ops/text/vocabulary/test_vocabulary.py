"""Reading SentencePiece models, whole and damaged."""

import pytest
from sentencepiece import sentencepiece_model_pb2 as model_pb2

from graph_ops.text.vocabulary.vocabulary import PieceType, load_vocabulary


def test_pieces_and_types_equal_sentencepiece(vocabulary, sentencepiece_processor):
    size = sentencepiece_processor.get_piece_size()
    assert len(vocabulary) == size
    assert list(vocabulary.pieces) == [sentencepiece_processor.id_to_piece(index) for index in range(size)]
    assert [kind is PieceType.CONTROL for kind in vocabulary.types] == [
        sentencepiece_processor.is_control(index) for index in range(size)
    ]
    assert [kind is PieceType.BYTE for kind in vocabulary.types] == [
        sentencepiece_processor.is_byte(index) for index in range(size)
    ]


def test_bytes_and_path_give_the_same(vocabulary_file):
    assert (
        load_vocabulary(vocabulary_file)
        == load_vocabulary(str(vocabulary_file))
        == load_vocabulary(vocabulary_file.read_bytes())
    )


def test_a_rewritten_vocabulary_keeps_the_fields_that_are_not_understood(vocabulary):
    before = model_pb2.ModelProto.FromString(vocabulary.proto)
    after = model_pb2.ModelProto.FromString(vocabulary.with_control_pieces_in_text().proto)
    assert after.normalizer_spec == before.normalizer_spec
    assert after.trainer_spec.byte_fallback
    assert [piece.piece for piece in after.pieces][:-1] == [piece.piece for piece in before.pieces]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"SentencePiece model file .* no file at .*nothing\.spm"):
        load_vocabulary(tmp_path / "nothing.spm")


def test_a_foreign_type_is_refused():
    with pytest.raises(TypeError, match="path or bytes; got int"):
        load_vocabulary(7)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "damage", ["empty", "text", "png", "cut inside a piece", "cut between pieces", "last byte gone", "zeros"]
)
def test_a_damaged_or_foreign_file_is_refused(vocabulary, damage):
    proto = vocabulary.proto
    between = 0
    for _ in range(100):  # a piece is tag, length, body
        between += 2 + proto[between + 1]
    broken = {
        "empty": b"",
        "text": b"just some words, not a model",
        "png": b"\x89PNG\r\n\x1a\n" * 50,
        "cut inside a piece": proto[:1001],
        "cut between pieces": proto[:between],
        "last byte gone": proto[:-1],
        "zeros": bytes(4096),
    }[damage]
    with pytest.raises(
        ValueError,
        match=r"`tokenizer`: a vocabulary must be a whole SentencePiece model; the given bytes \([\d,]+ "
        r"bytes\)",
    ):
        load_vocabulary(broken)


def test_missing_control_tokens_are_all_named(vocabulary):
    with pytest.raises(ValueError, match=r"needed for images; these are missing: \['<\|nope\|>', '<nada>'\]"):
        vocabulary.require(["<bos>", "<|nope|>", "<nada>"], needed_for="images")
