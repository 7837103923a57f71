"""Vocabularies that the engine "builtin" cannot reproduce are refused, by the property."""

import pytest
from sentencepiece.sentencepiece_model_pb2 import ModelProto

from graph_ops.text.bpe.supported import require_supported
from graph_ops.text.vocabulary.vocabulary import PieceType, load_vocabulary
from tests.data import DEMONSTRATION
from tests.twins.vocabularies import CHARACTER_MAP, without_bytes


def changed(change):
    model = ModelProto.FromString(DEMONSTRATION.read_bytes())
    change(model)
    return model.SerializeToString()


def set_score(model, piece, score):
    next(entry for entry in model.pieces if entry.piece == piece).score = score


REFUSED = {
    "a model that is not BPE": lambda model: setattr(model.trainer_spec, "model_type", 1),
    "no byte fallback": without_bytes,
    "spaces at the end of words": lambda model: setattr(
        model.trainer_spec, "treat_whitespace_as_suffix", True
    ),
    "a normalizer's character map": lambda model: setattr(
        model.normalizer_spec, "precompiled_charsmap", CHARACTER_MAP
    ),
    "a denormalizer's character map": lambda model: setattr(
        model.denormalizer_spec, "precompiled_charsmap", CHARACTER_MAP
    ),
    "a dummy prefix": lambda model: setattr(model.normalizer_spec, "add_dummy_prefix", True),
    "extra spaces removed": lambda model: setattr(model.normalizer_spec, "remove_extra_whitespaces", True),
    "spaces left as they are": lambda model: setattr(model.normalizer_spec, "escape_whitespaces", False),
    "unused pieces": lambda model: setattr(model.pieces[2000], "type", PieceType.UNUSED),
    "a piece with a space": lambda model: setattr(model.pieces[2000], "piece", "two words"),
    "a control piece of one character": lambda model: setattr(model.pieces[3], "piece", "\u2603"),
    "a character that is no piece itself ('☃')": lambda model: setattr(model.pieces[2000], "piece", "snow☃"),
    "scores that do not fall with the id": lambda model: setattr(model.pieces[400], "score", -3000.5),
}


@pytest.mark.parametrize("property_", REFUSED)
def test_a_vocabulary_that_cannot_be_reproduced_is_refused(property_):
    with pytest.raises(
        ValueError, match='`engine`: "builtin" must be able to reproduce the vocabulary'
    ) as refusal:
        require_supported(load_vocabulary(changed(REFUSED[property_])))
    assert property_ in str(refusal.value)


def test_the_shipped_vocabulary_is_accepted():
    require_supported(load_vocabulary(DEMONSTRATION))
