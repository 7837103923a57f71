"""Records in, records out, without files: for steps in pipelines of Spark, Ray, Beam and others."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from export.bulk.dead_letters import RowFault
from export.bulk.job import Job
from export.bulk.model import Model, Task, load_model
from export.bulk.samples import Reading, key_of, read_sample
from export.bulk.schema import Schema, store
from export.bulk.sinks import as_example


class Encoded(NamedTuple):
    """What became of a record.

    Attributes:
        key: of the record.
        status: why there is no row; "" for a good one.
        tokens: of the row; 0 for none.
        row: a `tf.train.Example`, which `reader.decode_row` and `reader.parse_row` read; b"" for none.
    """

    key: str
    status: str
    tokens: int
    row: bytes


class RecordEncoder:
    """Encodes lists of records; the model is loaded once a process, at the first call.

    Small enough to be sent to workers.
    """

    def __init__(
        self,
        model: str,
        *,
        chat: bool = False,
        labels: bool = False,
        key: str = "",
        folder: str = "",
        pixels: str = Job.pixels,
        max_row_bytes: int = Job.max_row_bytes,
        threads: int = 1,
    ) -> None:
        """Says how.

        Args:
            model: DIR/N of a SavedModel, where every worker finds it, or its URI.
            chat: whether records have messages rather than prompts.
            labels: whether rows have labels; records with prompts then have responses too.
            key: field that names a record, or "".
            folder: what relative paths of media begin at.
            pixels: dtype of pixels in rows, uint8 or float32.
            max_row_bytes: of a record, with its media.
            threads: of TensorFlow.
        """
        texts = ("messages",) if chat else ("prompts", "responses") if labels else ("prompts",)
        self._model, self._folder, self._threads = model, folder, threads
        self._task, self._compact = Task(chat, labels), pixels == "uint8"
        self._reading = Reading(texts, key, "", max_row_bytes)

    @property
    def schema(self) -> Schema:
        """How rows are read back."""
        return self._schema_of(load_model(self._model, threads=self._threads))

    def _schema_of(self, model: Model) -> Schema:
        return Schema(model.tensors(self._task, compact=self._compact), "tfrecord", False, {})

    def __call__(self, records: Sequence[Mapping[str, Any]]) -> list[Encoded]:
        """Encodes records, in order; one that is bad has a status."""
        model = load_model(self._model, threads=self._threads)
        listed = self._schema_of(model).tensors
        tensors = {tensor.name: tensor for tensor in listed}
        read = [self._read(record, str(place)) for place, record in enumerate(records)]
        samples = [each for each in read if not isinstance(each, Encoded)]
        rows = iter(model.rows(samples, self._task))
        encoded = []
        for each in read:
            if isinstance(each, Encoded):
                encoded.append(each)
                continue
            row = next(rows)
            if isinstance(row, RowFault):
                encoded.append(Encoded(each.key, row.reason, 0, b""))
                continue
            stored = {name: store(array, tensors[name]) for name, array in row.items()}
            example = as_example(each.key, stored, listed)
            encoded.append(Encoded(each.key, "", int(row["padding_mask"].sum()), example))
        return encoded

    def _read(self, record: Mapping[str, Any], source: str) -> Any:
        """The record's sample, or why there is none."""
        given = {name: _as_python(value) for name, value in record.items() if not _is_missing(value)}
        try:
            return read_sample(given, source, self._folder, self._reading)
        except RowFault as fault:
            try:
                key = key_of(given, source, self._reading.key)
            except RowFault:
                key = source
            return Encoded(key, fault.reason, 0, b"")


def _is_missing(value: Any) -> bool:
    """Whether a data frame has nothing there: it says NaN."""
    return isinstance(value, float) and value != value


def _as_python(value: Any) -> Any:
    """Lists for the arrays that data frames hold."""
    return value.tolist() if isinstance(value, np.ndarray) else value
