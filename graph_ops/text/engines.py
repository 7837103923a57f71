"""Two ways to the same ids: tensorflow-text's SentencePiece op, or core ops alone.

Both engines have the same methods, on a flat batch: strings [B] to ids int32 [N] with row splits int64 [B +
1], and back.
"""

from typing import Any, NamedTuple

import tensorflow as tf

from graph_ops.text.bpe import (
    detokenize as builtin_detokenizing,
)
from graph_ops.text.bpe import (
    strings,
    utf8,
)
from graph_ops.text.bpe import (
    tables as builtin_tables,
)
from graph_ops.text.bpe import (
    tokenize as builtin_tokenizing,
)
from graph_ops.text.bpe.cache import Report, load_tables
from graph_ops.text.bpe.detokenize import Texts
from graph_ops.text.bpe.tables import BuiltinTables
from graph_ops.text.bpe.tokenize import Tokens
from graph_ops.text.reading import Reading, as_read
from graph_ops.text.sentencepiece import segments as fast_tokenizing
from graph_ops.text.vocabulary.vocabulary import Vocabulary

ENGINES = ("sentencepiece", "builtin")


class Ids(NamedTuple):
    """Ids int32 [N] of all texts, and where each text's begin, int64 [B + 1]."""

    values: tf.Tensor
    row_splits: tf.Tensor


class SentencepieceEngine:
    """tensorflow-text's SentencePiece ops, which stock TF Serving has linked in."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._models: dict[Reading, Any] = {}
        self._tables: dict[Reading, fast_tokenizing.SegmentTables | None] = {}
        self._handle(Reading.TRAINED)

    def encode(self, texts: tf.Tensor, *, reading: Reading = Reading.TRAINED, in_bulk: bool = False) -> Ids:
        """Ids of strings [B]; `in_bulk` takes tables, built at the first call, that pay when there are
        many.
        """
        encode = self.encoder(reading)
        tables = self.segment_tables(reading) if in_bulk else None
        return Ids(
            *(encode(texts) if tables is None else fast_tokenizing.tokenize(texts, tables, encode=encode))
        )

    def decode(self, ids: tf.Tensor, row_splits: tf.Tensor) -> tf.Tensor:
        """Strings [B] of ids in range."""
        return _sentencepiece_ops().sentencepiece_detokenize_op(
            self._handle(Reading.TRAINED), ids, row_splits, False, False, False
        )

    def encoder(self, reading: Reading) -> fast_tokenizing.Encode:
        """The plain op."""
        handle, ops = self._handle(reading), _sentencepiece_ops()
        return lambda texts: tuple(
            ops.sentencepiece_tokenize_op(handle, texts, 0, 1.0, False, False, False, tf.int32)
        )

    def segment_tables(self, reading: Reading) -> fast_tokenizing.SegmentTables | None:
        """Tables for `fast_tokenizing`."""
        if reading not in self._tables:
            vocabulary = as_read(self.vocabulary, reading)
            self._tables[reading] = fast_tokenizing.segment_tables(vocabulary, self.encoder(reading))
        return self._tables[reading]

    def models(self) -> list[tf.Module]:
        """The SentencePiece models that calls so far have used; what a SavedModel must hold."""
        return list(self._models.values())

    def _handle(self, reading: Reading) -> tf.Tensor:
        if reading not in self._models:
            with tf.init_scope():
                self._models[reading] = _SentencepieceModel(as_read(self.vocabulary, reading))
        return self._models[reading].resource_handle


class _SentencepieceModel(tf.saved_model.experimental.TrackableResource):
    """A SentencePiece model as a resource with a name, which a SavedModel holds.

    tensorflow-text's own class leaves the name out. Its model then belongs to the op's kernel and is gone
    with it, which is what `tf.random.set_seed` brings about: it clears all kernels.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__()
        self._vocabulary = vocabulary
        _ = self.resource_handle  # makes the resource

    def _create_resource(self) -> tf.Tensor:
        return _sentencepiece_ops().sentencepiece_op(
            model=self._vocabulary.proto, shared_name=self._vocabulary.sha256
        )


class BuiltinEngine:
    """Core TensorFlow ops, all of which LiteRT has too but for those on strings.

    Raises:
        ValueError: the vocabulary has properties that it cannot reproduce; names them.
    """

    def __init__(self, vocabulary: Vocabulary, report: Report = lambda _: None) -> None:
        self.vocabulary, self._report = vocabulary, report
        self._tables: dict[Reading, BuiltinTables] = {}
        self._tables_of(Reading.TRAINED)

    def encode(self, texts: tf.Tensor, *, reading: Reading = Reading.TRAINED, in_bulk: bool = False) -> Ids:
        """Ids of strings [B]."""
        del in_bulk
        stream = strings.to_stream(texts)
        tokens = builtin_tokenizing.tokenize(stream.codes, self._tables_of(reading))
        row_splits = tf.concat([[0], tf.gather(tokens.before, stream.ends)], axis=0)
        return Ids(tokens.ids[: tokens.count], tf.cast(row_splits, tf.int64))

    def decode(self, ids: tf.Tensor, row_splits: tf.Tensor) -> tf.Tensor:
        """Strings [B] of ids in range."""
        rows = tf.cast(tf.shape(row_splits)[0] - 1, tf.int32)
        after = tf.fill([rows, 1], len(self.vocabulary))  # parts the rows, as no piece does
        ended = tf.concat([tf.RaggedTensor.from_row_splits(ids, row_splits, validate=False), after], axis=1)
        texts = builtin_detokenizing.detokenize(ended.values, self._tables_of(Reading.TRAINED))
        return strings.from_bytes(texts.codes, tf.gather(texts.ends, ended.row_splits[1:] - 1))

    def tokenize_bytes(
        self, codes: tf.Tensor, length: tf.Tensor, *, reading: Reading = Reading.TRAINED
    ) -> Tokens:
        """One text's ids, for runtimes without strings.

        Args:
            codes: uint8 or int32 [N]; the text's bytes, then anything.
            length: int32 []; bytes of the text, at most N.
            reading: see `Gemma4Tokenizer.tokenize_rows`.

        Returns:
            `Tokens` with a capacity of N + 1 ids, or three times as many for a vocabulary without `▁` or
            U+FFFD.
        """
        is_text = tf.range(tf.size(codes)) < length
        stream = tf.concat(
            [tf.where(is_text, tf.cast(codes, tf.int32), utf8.SEPARATOR), [utf8.SEPARATOR]], axis=0
        )
        return builtin_tokenizing.tokenize(stream, self._tables_of(reading))

    def detokenize_bytes(
        self, token_ids: tf.Tensor, keep: tf.Tensor, *, capacity: int | None = None
    ) -> Texts:
        """The bytes of the kept ids int32 [n], where `keep` bool [n]; kept ids are in range. See
        `builtin_detokenizing.detokenize`.
        """
        kept = tf.gather(token_ids, tf.where(keep)[:, 0])
        return builtin_detokenizing.detokenize(kept, self._tables_of(Reading.TRAINED), capacity=capacity)

    def models(self) -> list[tf.Module]:
        """None: a graph holds the tables as constants."""
        return []

    def _tables_of(self, reading: Reading) -> BuiltinTables:
        if reading not in self._tables:
            arrays = builtin_tables.flatten(
                load_tables(as_read(self.vocabulary, reading), report=self._report)
            )
            with tf.init_scope():
                constants = {
                    name: part if isinstance(part, int) else tf.constant(part)
                    for name, part in arrays.items()
                }
            self._tables[reading] = builtin_tables.unflatten(constants)
        return self._tables[reading]


Engine = SentencepieceEngine | BuiltinEngine


def make_engine(name: str, vocabulary: Vocabulary, report: Report = lambda _: None) -> Engine:
    """The engine of that name; `report` is told of tables that are being built.

    Raises:
        ValueError: there is none, or it cannot reproduce the vocabulary.
    """
    if name not in ENGINES:
        raise ValueError(
            f"`engine`: must be one of {ENGINES}; got {name!r}. Leave it out for the fastest in TensorFlow."
        )
    return SentencepieceEngine(vocabulary) if name == "sentencepiece" else BuiltinEngine(vocabulary, report)


def _sentencepiece_ops() -> Any:
    from tensorflow_text.python.ops.sentencepiece_tokenizer import gen_sentencepiece_tokenizer

    return gen_sentencepiece_tokenizer
