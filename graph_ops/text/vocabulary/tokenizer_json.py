"""Hugging Face `tokenizer.json` -> the SentencePiece model that makes the same tokens of every text.

What is equal, and why:

* *Normalizer.* It replaces each space by `▁`, as SentencePiece does; there is no prefix, no Unicode form.
* *Pre-tokenizer.* None, or a split at spaces, of which the normalizer leaves none.
* *Added tokens.* Both find them from left to right, the longest first, and nothing merges with them: they
  become user-defined symbols. Hugging Face looks for those with `normalized` false first, and in the text
  before the normalizer, so it is checked that neither can tell. A text with a literal `▁` can
  (`check_space_runs`).
* *Special tokens.* `<pad>`, `<eos>`, `<bos>` and `<unk>` become what SentencePiece means by control and
  unknown pieces, which are never read in a text; `Vocabulary.with_control_pieces_in_text` gives Hugging
  Face's reading.
* *Merges.* See `merge_scores`.
* *Bytes.* A character that is no piece becomes its UTF-8 bytes.
* *Decoder.* `▁` becomes a space and bytes their characters. Where bytes are not UTF-8, SentencePiece's answer
  holds: U+FFFD for each bad one, not for all of the run.

`truncation`, `padding` and `post_processor` shape rows, not texts: the preprocessor's own settings say how
long a row is and where `<bos>` goes, as the reference processor's do. A tokenizer.json that differs in
anything else is refused, not approximated.
"""

import contextlib
import gc
import json
from collections.abc import Container, Iterator, Mapping
from typing import Any

import numpy as np

from graph_ops.family import GEMMA4
from graph_ops.text.vocabulary.added_tokens import (
    CONTROL,
    added_tokens,
    check_added_tokens,
    check_ids,
    check_order,
    found_first,
)
from graph_ops.text.vocabulary.merge_scores import Pair, check_merges, check_space_runs, scores
from graph_ops.text.vocabulary.quoted import quoted
from graph_ops.text.vocabulary.sentencepiece_model import (
    BYTE_PIECES,
    MODEL_TYPE_BPE,
    SPACE,
    PieceType,
    new_model,
)
from graph_ops.text.vocabulary.sound import check_pieces

_BYTES = frozenset(BYTE_PIECES)

_SPACE_TO_MARK = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
_MARK_TO_SPACE = {"type": "Replace", "pattern": {"String": SPACE}, "content": " "}
_SPLIT_AT_SPACES = {"type": "Split", "pattern": {"String": " "}, "invert": False}  # any `behavior`

_STEPS: dict[str, tuple[Any, ...]] = {
    "normalizer": (_SPACE_TO_MARK,),
    "pre_tokenizer": (None, _SPLIT_AT_SPACES),
    "decoder": (
        {"type": "Sequence", "decoders": [_MARK_TO_SPACE, {"type": "ByteFallback"}, {"type": "Fuse"}]},
    ),
}
"""Step -> its settings that SentencePiece has too; null and absent are the same."""

_MODEL: dict[str, tuple[Any, ...]] = {
    "type": ("BPE",),
    "byte_fallback": (True,),
    "unk_token": (GEMMA4.unknown,),
    "dropout": (None, 0.0),
    "ignore_merges": (False, None),
    "continuing_subword_prefix": (None, ""),
    "end_of_word_suffix": (None, ""),
}
"""The same for `model`."""


def model_from_tokenizer_json(text: bytes, where: str) -> bytes:
    """The serialized SentencePiece model of a tokenizer.json.

    Args:
        text: the file's content.
        where: what to call the file in errors.

    Raises:
        ValueError: not a tokenizer.json, or one that no SentencePiece model is equal to; names the property.
    """
    try:
        with _garbage_left():
            return _model(_parsed(text))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"`tokenizer`: a tokenizer.json must be whole and mean what a SentencePiece model can; {where} "
            f"({len(text):,} bytes) does not: {error}. Pass the tokenizer.json or the .spm/.model file of a "
            "Gemma 4 preset."
        ) from error


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        tokenizer = json.loads(text.decode(), parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"it must be UTF-8; got byte 0x{text[error.start]:02x} at {error.start:,}"
        ) from error
    except json.JSONDecodeError as error:
        raise ValueError(f"it must be JSON; got: {error}") from error
    if not isinstance(tokenizer, dict) or not isinstance(tokenizer.get("model"), dict):
        raise ValueError(f"it must have a `model`, as a tokenizer has; got {quoted(list(tokenizer))}")
    return tokenizer


def _no_number(name: str) -> None:
    raise ValueError(f"it must be JSON, which has no {name}; got one")


@contextlib.contextmanager
def _garbage_left() -> Iterator[None]:
    """Pauses the garbage collector, which would walk through half a million small lists again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _check_settings(tokenizer: Mapping[str, Any]) -> None:
    """Checks everything but pieces, merges and added tokens."""
    pre_tokenizer = tokenizer.get("pre_tokenizer")
    if isinstance(pre_tokenizer, dict) and pre_tokenizer.get("type") == "Split":
        pre_tokenizer = {key: value for key, value in pre_tokenizer.items() if key != "behavior"}
    _check_allowed({**tokenizer, "pre_tokenizer": pre_tokenizer}, _STEPS, "")
    _check_allowed(tokenizer["model"], _MODEL, "model.")


def _check_allowed(settings: Mapping[str, Any], allowed: Mapping[str, tuple[Any, ...]], prefix: str) -> None:
    for name, values in allowed.items():
        if settings.get(name) not in values:
            raise ValueError(
                f"`{prefix}{name}` must be {' or '.join(map(quoted, values))}; got "
                f"{quoted(settings.get(name))}"
            )


def _model(tokenizer: Mapping[str, Any]) -> bytes:
    _check_settings(tokenizer)
    ids, ranks = _ids(tokenizer["model"].get("vocab")), _ranks(tokenizer["model"].get("merges"))
    added = added_tokens(tokenizer.get("added_tokens") or [])
    check_ids(ids, added)
    check_added_tokens(added)
    types = {piece: _type(piece, added) for piece in (*ids, *(token for token in added if token not in ids))}
    check_pieces(list(types), list(types.values()), has_byte_fallback=True)
    check_order(added)
    check_merges(ids, ranks)
    check_space_runs({token for token in found_first(added) if SPACE in token}, ranks, added=added.keys())
    found = scores(ids, ranks, mergeable=[piece for piece, kind in types.items() if kind is PieceType.NORMAL])
    return _serialized(types, found)


def _ids(vocab: Any) -> dict[str, int]:
    """The model's pieces and their ids, in the order of the ids."""
    if not isinstance(vocab, dict) or not all(type(index) is int for index in vocab.values()):
        raise ValueError(f"`model.vocab` must be an object of pieces and their ids; got {quoted(vocab)}")
    ids = dict(sorted(vocab.items(), key=lambda item: item[1]))
    wrong = next((item for place, item in enumerate(ids.items()) if item[1] != place), None)
    if wrong:
        raise ValueError(
            f"the ids of `model.vocab` must be 0, 1, 2, … without a hole or a repetition; got "
            f"{quoted(wrong)} out of line"
        )
    missing = [piece for piece in (*BYTE_PIECES, GEMMA4.unknown) if piece not in ids]
    if missing or "" in ids:
        raise ValueError(
            f"`model.vocab` must hold {GEMMA4.unknown}, all 256 bytes and no empty piece; missing: "
            f"{quoted(missing)}"
        )
    return ids


def _ranks(merges: Any) -> dict[Pair, int]:
    """The merges, spelled `"a b"` or `["a", "b"]`, and their ranks."""
    if not isinstance(merges, list):
        raise ValueError(f"`model.merges` must be a list; got {quoted(merges)}")
    pairs: list[Any] = [
        tuple(merge.split(" ")) if isinstance(merge, str) else _pair(merge) for merge in merges
    ]
    wrong = next((pair for pair in pairs if len(pair) != 2), None)
    if wrong is not None:
        raise ValueError(f"a merge of `model.merges` must be of two pieces; got {quoted(wrong)}")
    ranks = {pair: rank for rank, pair in enumerate(pairs)}
    if len(ranks) != len(pairs):
        twice = next(pair for rank, pair in enumerate(pairs) if ranks[pair] != rank)
        raise ValueError(f"`model.merges` must list each pair once; got {quoted(twice)} twice")
    return ranks


def _pair(merge: Any) -> tuple[str, ...]:
    if not isinstance(merge, list) or not all(type(part) is str for part in merge):
        raise ValueError(
            f"a merge of `model.merges` must be a string or a list of strings; got {quoted(merge)}"
        )
    return tuple(merge)


def _type(piece: str, added: Container[str]) -> PieceType:
    if piece in added:
        return CONTROL.get(piece, PieceType.USER_DEFINED)
    if piece in CONTROL:
        raise ValueError(f"{piece} must be one of `added_tokens`; got it in `model.vocab` only")
    return PieceType.BYTE if piece in _BYTES else PieceType.NORMAL


def _serialized(types: Mapping[str, PieceType], found: np.ndarray) -> bytes:
    """The model of pieces in the order of their ids; `found` holds the scores of the first ones, all that
    merges can make.
    """
    model = new_model()
    for (piece, kind), score in zip(
        types.items(), np.pad(found, (0, len(types) - len(found))).tolist(), strict=True
    ):
        model.pieces.add(piece=piece.encode(), type=kind, score=score if kind is PieceType.NORMAL else 0.0)
    model.trainer_spec.model_type, model.trainer_spec.vocab_size, model.trainer_spec.byte_fallback = (
        MODEL_TYPE_BPE,
        len(types),
        True,
    )
    normalizer = model.normalizer_spec
    normalizer.add_dummy_prefix, normalizer.remove_extra_whitespaces, normalizer.escape_whitespaces = (
        False,
        False,
        True,
    )
    return model.SerializeToString()
