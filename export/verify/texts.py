"""Ids and texts, beside SentencePiece's."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from export.verify import samples
from export.verify.result import Result, Subject, compare, skipped
from graph_ops.config import RowConfig
from graph_ops.text.reading import as_read, prompt_reading
from graph_ops.text.vocabulary.vocabulary import PieceType, Vocabulary


def ids(subject: Subject) -> Iterator[Result]:
    """Ids of random and fixed texts."""
    reading = prompt_reading(
        RowConfig(**{field.name: subject.config[field.name] for field in dataclasses.fields(RowConfig)})
    )
    try:
        processor = _processor(as_read(subject.vocabulary, reading))
    except ImportError:
        yield skipped("tokenize", "sentencepiece", "sentencepiece is not installed")
        return
    texts = _texts(subject)
    theirs = [processor.encode(text) for text in texts]
    for runtime in subject.runtimes:
        yield compare(
            f"tokenize {len(texts):,} texts", runtime.name, "sentencepiece", runtime.tokenize(texts), theirs
        )


def text(subject: Subject) -> Iterator[Result]:
    """Texts of random ids."""
    try:
        processor = _processor(subject.vocabulary)
    except ImportError:
        yield skipped("detokenize", "sentencepiece", "sentencepiece is not installed")
        return
    generator = np.random.default_rng(0)
    ids = generator.integers(0, len(subject.vocabulary), (subject.num_texts, 24)).astype(np.int32)
    byte_ids = [index for index, kind in enumerate(subject.vocabulary.types) if kind is PieceType.BYTE]
    ids[::2] = generator.choice(byte_ids or [0], ids[::2].shape)
    theirs = [processor.decode(row.tolist()).encode() for row in ids]
    for runtime in subject.runtimes:
        yield compare(
            f"detokenize {len(ids):,} rows", runtime.name, "sentencepiece", runtime.detokenize(ids), theirs
        )


def round_trip(subject: Subject) -> Iterator[Result]:
    """A prompt through a row and back, of prompts that leave room in a row."""
    fixed = [text for text in samples.FIXED_TEXTS if "<" not in text and "\u2581" not in text]
    for runtime in subject.runtimes:
        rows = ((text, runtime.row(text, {})) for text in fixed)
        whole = [(text, row) for text, row in rows if not row["padding_mask"].all()]
        texts = [runtime.postprocess(row["token_ids"], row["padding_mask"]) for _, row in whole]
        yield compare(
            "text -> row -> text",
            runtime.name,
            "the text itself",
            texts,
            [text.encode() for text, _ in whole],
        )


def _texts(subject: Subject) -> list[bytes]:
    fixed = [text.encode() for text in samples.FIXED_TEXTS]
    return fixed + samples.hostile_texts(subject.num_texts, pieces=subject.vocabulary.pieces)


def _processor(vocabulary: Vocabulary) -> Any:
    import sentencepiece

    return sentencepiece.SentencePieceProcessor(model_proto=vocabulary.proto)
