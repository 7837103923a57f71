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
from graph_ops.text.vocabulary.merge_scores import Pair, check_merges, check_space_runs, scores
from graph_ops.text.vocabulary.sentencepiece_model import (
    BYTE_PIECES,
    MODEL_TYPE_BPE,
    SPACE,
    PieceType,
    new_model,
)

_BYTES = frozenset(BYTE_PIECES)
_CONTROL = {
    GEMMA4.pad: PieceType.CONTROL,
    GEMMA4.end: PieceType.CONTROL,
    GEMMA4.start: PieceType.CONTROL,
    GEMMA4.unknown: PieceType.UNKNOWN,
}

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

_FLAGS = ("single_word", "lstrip", "rstrip")
_MAX_SHOWN = 120  # characters of a value in an error


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
    tokenizer = json.loads(text)
    if not isinstance(tokenizer, dict) or not isinstance(tokenizer.get("model"), dict):
        raise ValueError(f"it must have a `model`, as a tokenizer has; got {_shown(list(tokenizer))}")
    return tokenizer


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
                f"`{prefix}{name}` must be {' or '.join(map(_shown, values))}; got "
                f"{_shown(settings.get(name))}"
            )


def _model(tokenizer: Mapping[str, Any]) -> bytes:
    _check_settings(tokenizer)
    ids, ranks = _ids(tokenizer["model"].get("vocab")), _ranks(tokenizer["model"].get("merges"))
    added = _added_tokens(tokenizer.get("added_tokens") or [])
    _check_ids(ids, added)
    _check_added_tokens(added)
    check_merges(ids, ranks)
    check_space_runs({token for token in _found_first(added) if SPACE in token}, ranks, added=added.keys())
    types = {piece: _type(piece, added) for piece in (*ids, *(token for token in added if token not in ids))}
    found = scores(ids, ranks, mergeable=[piece for piece, kind in types.items() if kind is PieceType.NORMAL])
    return _serialized(types, found)


def _ids(vocab: Any) -> dict[str, int]:
    """The model's pieces and their ids, in the order of the ids."""
    if not isinstance(vocab, dict) or not all(type(index) is int for index in vocab.values()):
        raise ValueError(f"`model.vocab` must be an object of pieces and their ids; got {_shown(vocab)}")
    ids = dict(sorted(vocab.items(), key=lambda item: item[1]))
    wrong = next((item for place, item in enumerate(ids.items()) if item[1] != place), None)
    if wrong:
        raise ValueError(
            f"the ids of `model.vocab` must be 0, 1, 2, … without a hole or a repetition; got "
            f"{_shown(wrong)} out of line"
        )
    missing = [piece for piece in (*BYTE_PIECES, GEMMA4.unknown) if piece not in ids]
    if missing or "" in ids:
        raise ValueError(
            f"`model.vocab` must hold {GEMMA4.unknown}, all 256 bytes and no empty piece; missing: "
            f"{_shown(missing)}"
        )
    return ids


def _ranks(merges: Any) -> dict[Pair, int]:
    """The merges, spelled `"a b"` or `["a", "b"]`, and their ranks."""
    if not isinstance(merges, list):
        raise ValueError(f"`model.merges` must be a list; got {_shown(merges)}")
    pairs: list[Any] = [
        tuple(merge.split(" ")) if isinstance(merge, str) else tuple(merge) for merge in merges
    ]
    wrong = next((merge for merge in pairs if len(merge) != 2), None)
    if wrong is not None:
        raise ValueError(f"a merge of `model.merges` must be of two pieces; got {_shown(wrong)}")
    ranks = {pair: rank for rank, pair in enumerate(pairs)}
    if len(ranks) != len(pairs):
        twice = next(pair for rank, pair in enumerate(pairs) if ranks[pair] != rank)
        raise ValueError(f"`model.merges` must list each pair once; got {_shown(twice)} twice")
    return ranks


def _added_tokens(entries: Any) -> dict[str, dict[str, Any]]:
    """The entries of `added_tokens` by content."""
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("content"), str) for entry in entries
    ):
        raise ValueError(f"`added_tokens` must be a list of objects with a `content`; got {_shown(entries)}")
    added = {entry["content"]: entry for entry in entries}
    if len(added) != len(entries) or "" in added:
        raise ValueError(
            f"the `content` of `added_tokens` must be distinct and not empty; got {len(entries)} of "
            f"{len(added)} kinds"
        )
    return added


def _check_ids(ids: Mapping[str, int], added: Mapping[str, dict[str, Any]]) -> None:
    """Checks that added tokens have the ids of their pieces, or the next ones after all pieces, as Hugging
    Face would number them.
    """
    following = len(ids)
    for token, entry in added.items():
        expected = ids.get(token, following)
        if entry.get("id") != expected:
            raise ValueError(
                f"the id of the added token {_shown(token)} must be {expected}; got {_shown(entry.get('id'))}"
            )
        following += token not in ids


def _check_added_tokens(added: Mapping[str, dict[str, Any]]) -> None:
    """Checks that SentencePiece finds the added tokens of every text where Hugging Face does, but for runs of
    `▁`.
    """
    for token, entry in added.items():
        flag = next((flag for flag in _FLAGS if entry.get(flag)), None)
        if flag:
            raise ValueError(f"`{flag}` of an added token must be false; got true for {_shown(token)}")
        if " " in token or token in _BYTES:
            raise ValueError(f"an added token must hold no space and be no byte; got {_shown(token)}")
    for token in _CONTROL:
        if token in added and not added[token].get("special"):
            raise ValueError(f"`special` of the added token {token} must be true; got false")
    _check_order(added)


def _check_order(added: Mapping[str, dict[str, Any]]) -> None:
    """Checks that no token of those found second can begin before, or at, one of those found first and reach
    into it.
    """
    first = _found_first(added)
    begins = {token[:end] for token in first for end in range(1, len(token) + 1)}
    has_runs = any(SPACE in token for token in first)
    for token in added.keys() - first:
        inside = any(
            token[start:end] in first
            for start in range(len(token))
            for end in range(start + 1, len(token) + 1)
        )
        if (
            inside
            or any(token[start:] in begins for start in range(1, len(token)))
            or (has_runs and SPACE in token)
        ):
            raise ValueError(
                f"an added token with `normalized` true must not overlap one with `normalized` false; got "
                f"{_shown(token)} with it true"
            )


def _found_first(added: Mapping[str, dict[str, Any]]) -> set[str]:
    return {token for token, entry in added.items() if not entry.get("normalized")}


def _type(piece: str, added: Container[str]) -> PieceType:
    if piece in added:
        return _CONTROL.get(piece, PieceType.USER_DEFINED)
    if piece in _CONTROL:
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


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
