"""A job as a Beam pipeline.

files ─► rows counted ─────────┐
  └────► keys found twice ─────┤ (side inputs)
                               ▼
                             plan ─► shards ─► each read, made by the model, written, renamed
"""

import importlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from export.bulk.dead_letters import RowFault
from export.bulk.job import Prepared
from export.bulk.model import load_model
from export.bulk.plan import Shard, plan_shards
from export.bulk.samples import key_of
from export.bulk.shards import is_finished, write_shard
from export.bulk.sources.formats import read_rows, scan_file
from export.bulk.sources.record import FileIndex
from export.bulk.statistics import Tally

NAMESPACE = "gemma4-graph"
"""Of Beam's counters."""
_MOST_DUPLICATES = 3
File = tuple[str, str]


def run(prepared: Prepared, options: Sequence[str] = (), *, workers: int = 0) -> None:
    """Runs a job, and waits.

    Args:
        prepared: the job.
        options: Beam's, as on its command lines.
        workers: processes of Beam's local runner, or 0 for this process or the runner of `options`.

    Raises:
        ValueError, OSError: what a worker says is wrong with the job.
    """
    local = [f"--direct_num_workers={workers}", "--direct_running_mode=multi_processing"] if workers else []
    # By name it would be Prism, which downloads itself and keeps its data elsewhere.
    runner = None if any(each.startswith("--runner") for each in options) else FnApiRunner()
    pipeline = beam.Pipeline(runner=runner, options=PipelineOptions([*options, *local]))
    build(pipeline, prepared)
    try:
        pipeline.run().wait_until_finish()
    except Exception as error:
        raise users_error(str(error)) or error from None


def build(pipeline: Any, prepared: Prepared) -> Any:
    """Adds a job to a pipeline; gives the PCollection of finished shards' tallies."""
    files = pipeline | "files" >> beam.Create(prepared.files)
    spread = files | "spread files" >> beam.Reshuffle()
    indexes = spread | "count rows" >> beam.Map(_scanned, prepared)
    twice = spread | "no duplicates" >> beam.FlatMap(lambda file: ())
    if prepared.job.key:
        twice = (
            spread
            | "keys" >> beam.FlatMap(_keys, prepared)
            | "by key" >> beam.GroupByKey()
            | "twice" >> beam.FlatMap(_found_twice)
        )
    least = twice | "some" >> beam.combiners.Top.Smallest(_MOST_DUPLICATES)
    return (
        pipeline
        | "plan begins" >> beam.Create([None])
        | "plan" >> beam.FlatMap(_planned, prepared, beam.pvalue.AsList(indexes), beam.pvalue.AsList(least))
        | "spread shards" >> beam.Reshuffle()
        | "write shards" >> beam.ParDo(WriteShards(prepared))
    )


class WriteShards(beam.DoFn):
    """Writes each shard that is not finished; the model is loaded once a process."""

    def __init__(self, prepared: Prepared) -> None:
        super().__init__()
        self._prepared = prepared

    def process(self, shard: Shard) -> Iterator[Tally]:
        """Writes one."""
        if is_finished(shard, self._prepared):
            beam.metrics.Metrics.counter(NAMESPACE, "shards kept").inc()
            return
        job = self._prepared.job
        tally = write_shard(shard, self._prepared, load_model(job.model, threads=job.threads))
        _count(tally)
        yield tally


def _count(tally: Tally) -> None:
    """The tally as Beam's counters, which runners show."""
    counts = {
        "rows": tally.rows,
        "samples": tally.samples,
        "tokens": tally.tokens,
        "bytes": tally.bytes,
        "milliseconds": round(1000 * tally.seconds),
        **{f"media: {name}": count for name, count in tally.media.items()},
        **{f"faults: {name}": count for name, count in tally.faults.items()},
    }
    for name, count in counts.items():
        beam.metrics.Metrics.counter(NAMESPACE, name).inc(count)


def _scanned(file: File, prepared: Prepared) -> FileIndex:
    return scan_file(*file, prepared.job.limits)


def _keys(file: File, prepared: Prepared) -> Iterator[tuple[str, str]]:
    index = scan_file(*file, prepared.job.limits)
    for number, fields in read_rows(index, file[1], 0, index.rows, prepared.job.limits):
        source = f"{file[0]}#{number}"
        if not isinstance(fields, RowFault):
            try:
                yield key_of(fields, source, prepared.job.key), source
            except RowFault:
                continue  # the shard has its dead letter


def _found_twice(places: tuple[str, Iterable[str]]) -> Iterator[tuple[str, list[str]]]:
    key, sources = places
    listed = sorted(sources)
    if len(listed) > 1:
        yield key, listed[:2]


def _planned(
    _: None, prepared: Prepared, indexes: list[FileIndex], duplicates: list[list[tuple[str, list[str]]]]
) -> list[Shard]:
    found = [each for some in duplicates for each in some]
    return plan_shards(indexes, prepared.files, shards=prepared.job.shards, duplicates=found)


def users_error(text: str) -> Exception | None:
    """The error of ours, written for users, that a runner's error has in its text; None for none."""
    pattern = r"\b(ValueError|OSError|ImportError|FileNotFoundError): (`\w+`: .+?)(?: \[while running .*)?$"
    found = re.findall(pattern, text, re.MULTILINE)
    if not found:
        return None
    name, sentence = found[-1]
    return getattr(importlib.import_module("builtins"), name)(sentence)
