"""The engine "sentencepiece": tensorflow-text's ops, which stock TF Serving has linked in."""

import functools
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from graph_ops.text.ids import Ids
from graph_ops.text.reading import Reading, as_read, require_reading
from graph_ops.text.sentencepiece import ops, segments
from graph_ops.text.sentencepiece.piece_table import Encode, PieceTable
from graph_ops.text.sentencepiece.segments import SegmentTables
from graph_ops.text.vocabulary.vocabulary import Vocabulary


class SentencepieceEngine(tf.Module):
    """Strings to ids and back through a SentencePiece model for each reading.

    What is tracked: the models and the tables of pieces, each a `TrackableResource`, in dictionaries by a
    reading's name. Each is a resource, and `tf.saved_model.save` refuses a function with a resource
    that it has not met on its way through the attributes of the saved object. It meets those that are there
    when it comes to this engine:

    * the model of `Reading.TRAINED`, from the beginning;
    * those of readings that were named to `prepare`;
    * those of readings that were used in a function traced before, or in one of the saved object itself.

    So whoever holds an engine names the readings that it will use to `prepare` when it is made.
    """

    has_few_ops = True
    """Whether it is as fast op by op as in a graph."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self._models: dict[str, _Model] = {}
        self._piece_tables: dict[str, PieceTable] = {}
        self._segment_tables: dict[str, SegmentTables | None] = {}
        self.prepare([Reading.TRAINED])

    def prepare(self, readings: Iterable[Reading]) -> None:
        """Makes and tracks what encoding with these readings needs; tables for encoding in bulk are filled
        when they are first used, which takes seconds.
        """
        for reading in readings:
            self._model(reading)

    def encode(self, texts: tf.Tensor, *, reading: Reading = Reading.TRAINED, in_bulk: bool = False) -> Ids:
        """Ids of strings [B]; `in_bulk` takes tables, built at the first call, that pay when there are
        many.
        """
        with tf.name_scope("tokenize"):
            encode = self.encoder(reading)
            tables = self.segment_tables(reading) if in_bulk else None
            return Ids(
                *(encode(texts) if tables is None else segments.tokenize(texts, tables, encode=encode))
            )

    def decode(self, ids: tf.Tensor, row_splits: tf.Tensor) -> tf.Tensor:
        """Strings [B] of ids int32 [N] in range, of which each text's begin at int64 [B + 1]."""
        with tf.name_scope("detokenize"):
            return ops.detokenize(self._model(Reading.TRAINED), ids, row_splits)

    def encoder(self, reading: Reading) -> Encode:
        """SentencePiece's own op with the model of a reading."""
        model = self._model(reading)
        return lambda texts: ops.tokenize(model, texts)

    def segment_tables(self, reading: Reading) -> SegmentTables | None:
        """Tables for `segments.tokenize`, built at the first call; None for a vocabulary without."""
        name = require_reading(reading).value
        if name not in self._segment_tables:
            vocabulary = as_read(self.vocabulary, reading)
            self.prepare([reading])
            self._segment_tables[name] = segments.segment_tables(
                vocabulary, self._piece_tables[name], self.encoder(reading)
            )
        return self._segment_tables[name]

    def models(self) -> list[Any]:
        """The SentencePiece models and their tables of pieces, as trackable objects."""
        return [*self._models.values(), *(each for each in self._piece_tables.values() if each.is_filled)]

    def _model(self, reading: Reading) -> tf.Tensor:
        name = require_reading(reading).value
        if name not in self._models:
            with tf.init_scope():
                vocabulary = as_read(self.vocabulary, reading)
                model = self._models[name] = _Model(vocabulary)
                self._piece_tables[name] = PieceTable(
                    model.resource_handle, vocabulary_sha256=vocabulary.sha256
                )
        return self._models[name].resource_handle


class _Model(tf.saved_model.experimental.TrackableResource):
    """A SentencePiece model as a resource with a name, which a SavedModel holds.

    tensorflow-text's own class leaves the name out. Its model then belongs to the op's kernel and is gone
    with it, which is what `tf.random.set_seed` brings about: it clears all kernels.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__()
        self._make = functools.partial(ops.make_model, vocabulary.proto, name=vocabulary.sha256)
        self._make_in_graph = tf.function(self._make, input_signature=[], autograph=False)
        _ = self.resource_handle  # makes the resource

    def _create_resource(self) -> tf.Tensor:
        """In a graph by a function, which both a SavedModel's own graph and the function by which Python's
        loader makes the resource call: an export, which holds equal functions once, holds one model.
        """
        if tf.executing_eagerly():
            return self._make()
        with tf.init_scope():
            make = self._make_in_graph.get_concrete_function()
        return make()
