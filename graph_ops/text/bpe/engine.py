"""The engine "builtin": core TensorFlow ops, all of which LiteRT has too but for those on strings."""

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from graph_ops.text.bpe import detokenize, strings, tables, tokenize, utf8
from graph_ops.text.bpe.arrays import taken
from graph_ops.text.bpe.cache import Report, load_tables
from graph_ops.text.bpe.detokenize import Texts
from graph_ops.text.bpe.tables import BuiltinTables
from graph_ops.text.bpe.tokenize import Tokens
from graph_ops.text.ids import Ids
from graph_ops.text.reading import Reading, require_reading
from graph_ops.text.vocabulary.sentencepiece_model import PieceType
from graph_ops.text.vocabulary.vocabulary import Vocabulary


class BuiltinEngine(tf.Module):
    """Strings or bytes to ids and back through constant tables for each reading.

    What is tracked: nothing that a SavedModel must find, since a graph holds the tables as constants.

    Raises:
        ValueError: the vocabulary has properties that it cannot reproduce; names them.
    """

    has_few_ops = False
    """Whether it is as fast op by op as in a graph."""

    def __init__(self, vocabulary: Vocabulary, report: Report = lambda _: None) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self._arrays = load_tables(vocabulary, report=report)
        self._constants: dict[int, tuple[Any, tf.Tensor]] = {}
        self._tables: dict[str, BuiltinTables] = {}
        self.prepare([Reading.TRAINED])

    def prepare(self, readings: Iterable[Reading]) -> None:
        """Makes the tables of these readings."""
        for reading in readings:
            self._tables_of(reading)

    def encode(self, texts: tf.Tensor, *, reading: Reading = Reading.TRAINED, in_bulk: bool = False) -> Ids:
        """Ids of strings [B]."""
        del in_bulk
        with tf.name_scope("tokenize"):
            stream = strings.to_stream(texts)
            tokens = tokenize.tokenize(stream.codes, self._tables_of(reading))
            row_splits = tf.concat([[0], taken(tokens.before, stream.ends)], axis=0)
            return Ids(tokens.ids[: tokens.count], tf.cast(row_splits, tf.int64))

    def decode(self, ids: tf.Tensor, row_splits: tf.Tensor) -> tf.Tensor:
        """Strings [B] of ids int32 [N] in range, of which each text's begin at int64 [B + 1]."""
        with tf.name_scope("detokenize"):
            rows = tf.cast(tf.shape(row_splits)[0] - 1, tf.int32)
            after = tf.fill([rows, 1], len(self.vocabulary))  # parts the rows, as no piece does
            ragged = tf.RaggedTensor.from_row_splits(ids, row_splits, validate=False)
            ended = tf.concat([ragged, after], axis=1)
            texts = detokenize.detokenize(ended.values, self._tables_of(Reading.TRAINED))
            return strings.from_bytes(texts.codes, taken(texts.ends, ended.row_splits[1:] - 1))

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
        with tf.name_scope("tokenize"):
            is_text = tf.range(tf.size(codes)) < length
            stream = tf.concat(
                [tf.where(is_text, tf.cast(codes, tf.int32), utf8.SEPARATOR), [utf8.SEPARATOR]], axis=0
            )
            return tokenize.tokenize(stream, self._tables_of(reading))

    def most_ids(self, size: int, *, reading: Reading = Reading.TRAINED) -> int:
        """The capacity of `tokenize_bytes` for `size` bytes."""
        return (size + 1) * self._tables_of(reading).ids_of_a_byte

    def characters_of(self, token_ids: tf.Tensor) -> tf.Tensor:
        """How many characters of a text each id int32 [n], in range, stands for, a control piece for those of
        its name; see `offsets.characters_of`.
        """
        counts = detokenize.characters_of(token_ids, self._tables_of(Reading.TRAINED))
        for index, (piece, kind) in enumerate(
            zip(self.vocabulary.pieces, self.vocabulary.types, strict=True)
        ):
            if kind in (PieceType.CONTROL, PieceType.UNKNOWN):
                counts = tf.where(tf.equal(token_ids, index), len(piece), counts)
        return counts

    def detokenize_bytes(
        self, token_ids: tf.Tensor, keep: tf.Tensor, *, capacity: int | None = None
    ) -> Texts:
        """The bytes of the kept ids int32 [n], where `keep` bool [n]; kept ids are in range. See
        `detokenize.detokenize`.
        """
        with tf.name_scope("detokenize"):
            kept = taken(token_ids, tf.where(keep)[:, 0])
            return detokenize.detokenize(kept, self._tables_of(Reading.TRAINED), capacity=capacity)

    def models(self) -> list[Any]:
        """None: a graph holds the tables as constants."""
        return []

    def _tables_of(self, reading: Reading) -> BuiltinTables:
        name = require_reading(reading).value
        if name not in self._tables:
            arrays = tables.flatten(self._arrays)
            if reading is not Reading.TRAINED:
                arrays = tables.flatten(tables.of_reading(self._arrays, self.vocabulary, reading))
            self._tables[name] = tables.unflatten({key: self._constant(part) for key, part in arrays.items()})
        return self._tables[name]

    def _constant(self, part: Any) -> Any:
        """An array as a tensor, the same one for the same array, so that readings share it."""
        if isinstance(part, int):
            return part
        if id(part) not in self._constants:
            with tf.init_scope():
                self._constants[id(part)] = part, tf.constant(part)
        return self._constants[id(part)][1]
