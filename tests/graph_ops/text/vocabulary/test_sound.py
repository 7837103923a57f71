"""What SentencePiece demands of a model, rule by rule, and that it does demand it."""

import pytest
import sentencepiece

from graph_ops.text.vocabulary.sentencepiece_model import PieceType, parse_model
from graph_ops.text.vocabulary.sound import LONGEST_PIECE, check_model
from tests.twins.vocabularies import small_vocabulary

PROTO = small_vocabulary(["ab", "a", "b", "\u2581"], ["<|x|>"]).proto
LAST, SYMBOL, BYTE, UNKNOWN = -1, 4, 5, 3


def changed(change):
    model = parse_model(PROTO)
    change(model)
    return model


def piece(index, value):
    return lambda model: setattr(model.pieces[index], "piece", value)


def kind(index, value):
    return lambda model: setattr(model.pieces[index], "type", value)


def trainer(name, value):
    return lambda model: setattr(model.trainer_spec, name, value)


def character_map(value):
    return lambda model: setattr(model.normalizer_spec, "precompiled_charsmap", value)


DEMANDED = {
    'each piece must be there once; got "ab" 2 times': piece(LAST, b"ab"),
    'must hold a character, .*; got ""': piece(LAST, b""),
    "must hold a character, but no U\\+0000": piece(SYMBOL, b"x\0y"),
    "must have at most 7,999 bytes; got 8,000": piece(LAST, b"x" * (LONGEST_PIECE + 1)),
    "must have at most 7,999 bytes; got 8,001": piece(SYMBOL, "☃".encode() * 2_667),
    "one piece of the type UNKNOWN; got 2": kind(LAST, PieceType.UNKNOWN),
    'of the type BYTE must be .*; got .*"<0v41>".* too many and .*"<0x00>".* too few': piece(BYTE, b"<0v41>"),
    'of the type BYTE must be .*; got \\[\\] too many and .*"<0x00>"': kind(BYTE, PieceType.NORMAL),
    "of the type BYTE must be .* else none": trainer("byte_fallback", False),
    "`normalizer_spec.precompiled_charsmap` must be a trie": character_map(b"abc"),
    "got 1,034 bytes of which the trie claims 1,023": character_map(b"\xff\x03\0\0" + bytes(1_030)),
    "got 1,028 bytes of which the trie claims 1,024": character_map(b"\x00\x04\0\0" + bytes(1_024)),
}

OURS = {
    "it must have pieces and trainer settings; got 0": lambda model: model.ClearField("pieces"),
    "it must have pieces and trainer": lambda model: model.ClearField("trainer_spec"),
    "it must hold the 7 pieces that it declares; got 265": trainer("vocab_size", 7),
    "`model_type` must be 1 to 4; got 9": trainer("model_type", 9),
    "the type of a piece must be 1 to 6; got \\[0\\]": kind(LAST, 0),
    "a piece must be UTF-8; got b'.xff' for piece 4": piece(SYMBOL, b"\xff"),
    "scores must be finite; got another one for piece 4": lambda model: setattr(
        model.pieces[SYMBOL], "score", float("nan")
    ),
    "one piece of the type UNKNOWN; got 0": kind(UNKNOWN, PieceType.CONTROL),
    "`unk_surface` must be UTF-8": trainer("unk_surface", b"\xff"),
}


@pytest.mark.parametrize("rule", [*DEMANDED, *OURS])
def test_a_broken_rule_is_named(rule):
    with pytest.raises(ValueError, match=rule):
        check_model(changed({**DEMANDED, **OURS}[rule]))


@pytest.mark.parametrize("rule", DEMANDED)
def test_sentencepiece_demands_it_too(rule):
    with pytest.raises(RuntimeError):
        sentencepiece.SentencePieceProcessor(model_proto=changed(DEMANDED[rule]).SerializeToString())


@pytest.mark.parametrize("text", [b"x" * LONGEST_PIECE, "☃".encode() * 2_666, "\U0010ffff".encode()])
def test_the_longest_and_the_last_are_accepted(text):
    model = changed(piece(SYMBOL, text))
    check_model(model)
    sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())
