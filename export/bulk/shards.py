"""One shard: its rows read, made by the model, written, and only then seen."""

import json
import os
import time
from collections.abc import Iterator, Sequence
from typing import Any

from export.bulk.batches import batches
from export.bulk.dead_letters import DeadLetter, RowFault, as_json_lines
from export.bulk.files import publish_file, read_text, scratch_file, write_text
from export.bulk.job import Prepared, folder_of_rows
from export.bulk.model import Model
from export.bulk.packing import Packer
from export.bulk.plan import Run, Shard
from export.bulk.samples import Sample, key_of, read_sample
from export.bulk.schema import store
from export.bulk.sinks import SINKS, Write
from export.bulk.sources.formats import read_rows
from export.bulk.sources.record import broken_file
from export.bulk.statistics import Tally
from export.outputs import Arrays
from export.publish import room_errors
from graph_ops.media.table import MEDIA


def is_finished(shard: Shard, prepared: Prepared) -> bool:
    """Whether an earlier run, or another worker, has written a shard."""
    return read_text(prepared.job.layout.marker(shard.number, shard.of)) is not None


def write_shard(shard: Shard, prepared: Prepared, model: Model) -> Tally:
    """Writes a shard's rows and dead letters, and then its marker.

    Raises:
        OSError: the disk is full.
    """
    begun, layout = time.monotonic(), prepared.job.layout
    work = ShardWork(prepared, model, shard.letters)
    target = layout.rows(shard.number, shard.of)
    with room_errors(target, argument="output"), scratch_file(layout.hidden) as name:
        with SINKS[prepared.job.format].opened(name, prepared.written) as write:
            work.run(shard.runs, write)
        work.tally.bytes = os.path.getsize(name)
        publish_file(name, target, layout.hidden)
    if work.letters:
        write_text(layout.letters(shard.number, shard.of), as_json_lines(work.letters), layout.hidden)
    work.tally.seconds = time.monotonic() - begun
    marker = json.dumps({"tally": work.tally.to_json()})
    write_text(layout.marker(shard.number, shard.of), marker, layout.hidden)
    return work.tally


class ShardWork:
    """What becomes of the rows of a shard: rows, dead letters, counts."""

    def __init__(self, prepared: Prepared, model: Model, letters: Sequence[DeadLetter] = ()) -> None:
        self._prepared, self._model = prepared, model
        self.letters = list(letters)
        self.tally = Tally()
        self.tally.faults.update(letter.kind for letter in letters)
        self._tensors = {tensor.name: tensor for tensor in prepared.written}
        self._packer = Packer(prepared.tensors, model.media) if prepared.job.pack else None

    def run(self, runs: Sequence[Run], write: Write) -> None:
        """Writes the rows of runs."""
        job = self._prepared.job
        for batch in batches(self._samples(runs), rows=job.batch_rows, size=job.batch_bytes):
            for sample, row in zip(batch, self._model.rows(batch, self._prepared.task), strict=True):
                if isinstance(row, RowFault):
                    self._refuse(sample.key, sample.source, row)
                    continue
                self.tally.count(row, _media_of(sample, row))
                for key, each in self._packer.add(sample.key, row) if self._packer else ((sample.key, row),):
                    self._write(key, each, write)
        for key, each in self._packer.finish() if self._packer else ():
            self._write(key, each, write)

    def _write(self, key: str, row: Arrays, write: Write) -> None:
        write(key, {name: store(array, self._tensors[name]) for name, array in row.items()})
        self.tally.count_written(len(row.get("token_ids", ())))

    def _refuse(self, key: str, source: str, fault: RowFault) -> None:
        self.letters.append(DeadLetter(key, source, fault.kind, fault.reason))
        self.tally.faults[fault.kind] += 1

    def _samples(self, runs: Sequence[Run]) -> Iterator[Sample]:
        for run in runs:
            try:
                yield from self._samples_of(run)
            except (ImportError, GeneratorExit):
                raise
            except Exception as error:  # a file that was readable when it was counted
                letter = broken_file(run.file.path, error)
                self.letters.append(letter)
                self.tally.faults[letter.kind] += 1

    def _samples_of(self, run: Run) -> Iterator[Sample]:
        path, reading = run.file.path, self._prepared.reading
        folder = folder_of_rows(path, run.format)
        limits = self._prepared.job.limits
        for number, fields in read_rows(run.file, run.format, run.start, run.stop, limits):
            source = f"{path}#{number}"
            if isinstance(fields, RowFault):
                self._refuse(source, source, fields)
                continue
            try:
                yield read_sample(fields, source, folder, reading)
            except RowFault as fault:
                self._refuse(_key(fields, source, reading.key), source, fault)


def _key(fields: Any, source: str, key: str) -> str:
    try:
        return key_of(fields, source, key)
    except RowFault:
        return source


def _media_of(sample: Sample, row: Arrays) -> Iterator[tuple[str, int]]:
    """The items of each medium: a dialogue's are in its messages."""
    for medium in MEDIA:
        if sample.messages is None:
            yield medium.name, len(sample.media.get(medium.argument, ()))
        elif medium.indices in row:
            slots = row[medium.values].shape[0]
            yield medium.name, int(row[medium.indices].reshape(slots, -1).any(axis=1).sum())
