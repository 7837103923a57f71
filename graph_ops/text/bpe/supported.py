"""What a vocabulary must be like for the engine `builtin` to give SentencePiece's ids, and the refusal of
those that are not.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from graph_ops.text.bpe import pair_table
from graph_ops.text.vocabulary.sentencepiece_model import MODEL_TYPE_BPE, PieceType, parse_model
from graph_ops.text.vocabulary.vocabulary import Vocabulary

LARGEST_ID = pair_table.NONE
"""Of a piece that a text can hold; a normal piece's is smaller."""


def require_supported(vocabulary: Vocabulary) -> None:
    """Accepts a vocabulary that the engine reproduces exactly.

    Raises:
        ValueError: names every property that it cannot reproduce.
    """
    model = parse_model(vocabulary.proto)
    problems = [*_model_problems(model), *_piece_problems(vocabulary), *_merge_problems(vocabulary, model)]
    if problems:
        raise ValueError(
            f'`engine`: "builtin" must be able to reproduce the vocabulary; this one has '
            f'{"; ".join(problems)}. Use engine="sentencepiece".'
        )


def _model_problems(model: Any) -> Iterator[str]:
    trainer, normalizer = model.trainer_spec, model.normalizer_spec
    if trainer.model_type != MODEL_TYPE_BPE:
        yield "a model that is not BPE"
    if not trainer.byte_fallback:
        yield "no byte fallback"
    if trainer.treat_whitespace_as_suffix:
        yield "spaces at the end of words (treat_whitespace_as_suffix)"
    if normalizer.precompiled_charsmap:
        yield "a normalizer's character map (precompiled_charsmap)"
    if model.denormalizer_spec.precompiled_charsmap:
        yield "a denormalizer's character map"
    if normalizer.add_dummy_prefix:
        yield "a dummy prefix (add_dummy_prefix)"
    if normalizer.remove_extra_whitespaces:
        yield "extra spaces removed (remove_extra_whitespaces)"
    if not normalizer.escape_whitespaces:
        yield "spaces left as they are (escape_whitespaces)"


def _piece_problems(vocabulary: Vocabulary) -> Iterator[str]:
    pieces, types = vocabulary.pieces, vocabulary.types
    in_text = [
        index for index, kind in enumerate(types) if kind in (PieceType.NORMAL, PieceType.USER_DEFINED)
    ]
    if PieceType.UNUSED in types:
        yield "unused pieces"
    if any(" " in pieces[index] for index in in_text):
        yield "a piece with a space instead of `▁`"
    if any(
        len(piece) == 1
        for piece, kind in zip(pieces, types, strict=True)
        if kind in (PieceType.CONTROL, PieceType.UNKNOWN)
    ):
        yield "a control piece of one character"
    if in_text and max(in_text) > LARGEST_ID:
        yield f"a piece with an id over {LARGEST_ID}"


def _merge_problems(vocabulary: Vocabulary, model: Any) -> Iterator[str]:
    normal = [index for index, kind in enumerate(vocabulary.types) if kind == PieceType.NORMAL]
    known = {vocabulary.pieces[index] for index in normal}
    known |= {
        piece
        for piece, kind in zip(vocabulary.pieces, vocabulary.types, strict=True)
        if kind == PieceType.USER_DEFINED
    }
    missing = {character for index in normal for character in vocabulary.pieces[index]} - known
    if missing:
        yield f"a piece with a character that is no piece itself ({min(missing)!r})"
    if LARGEST_ID in normal:
        yield f"a normal piece with id {LARGEST_ID}"
    scores = np.array([model.pieces[index].score for index in normal if len(vocabulary.pieces[index]) > 1])
    if not (scores[1:] < scores[:-1]).all():
        yield "scores that do not fall with the id"
