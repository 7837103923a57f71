"""`gemma4-graph bulk`: millions of samples through a SavedModel, on Apache Beam."""

import dataclasses
import json
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from export.cli.artifacts import found
from export.cli.options import choice, option, with_fields
from export.cli.terminal import AsJson, at_work, say, show

if TYPE_CHECKING:
    from export.bulk.dry_run import Estimate
    from export.bulk.job import Job, Prepared
    from export.bulk.statistics import Tally

FORMATS = ("tfrecord", "array_record", "parquet")
INPUT_FORMATS = ("jsonl", "parquet", "tfrecord", "folder")
PIXELS = ("uint8", "float32")
"""Of `export.bulk`, which loads TensorFlow."""
_SHOWN_LETTERS = 5


@dataclasses.dataclass(frozen=True)
class JobOptions:
    """Fields of `export.bulk.job.Job`, as options."""

    input: Annotated[
        list[str],
        option("PATTERN", "Files, such as 'data/*.jsonl', or a folder; may be given several times."),
    ]
    output: Annotated[str, option("NAME", "Folder, and first part of the names of files, such as out/rows.")]
    format: Annotated[str, choice(FORMATS, f"Of the files of rows: {', '.join(FORMATS)}.")] = FORMATS[0]
    input_format: Annotated[
        str | None, choice(INPUT_FORMATS, "Of the input, where the names of files do not say it.")
    ] = None
    key: Annotated[str, option("FIELD", "Field that names a row; by default its file and number.")] = ""
    prompt: Annotated[str, option("TEXT", "Prompt of rows that have none.")] = ""
    labels: Annotated[
        bool | None, typer.Option(help="Whether rows have labels; by default, if there are responses.")
    ] = None
    pixels: Annotated[str, choice(PIXELS, "Dtype of pixels in the files: uint8 or float32.")] = PIXELS[0]
    pack: Annotated[bool, typer.Option(help="Put several samples into a row.")] = False
    task: Annotated[
        str, option("NAME", "What vectors are for, such as query or document, of a model that embeds.")
    ] = ""
    truncate_dim: Annotated[int, option("N", "Numbers that are kept of each vector; by default all.")] = 0
    shards: Annotated[int | None, option("N", "Files of rows; by default one for each 512 rows.")] = None
    threads: Annotated[int, option("N", "Threads of TensorFlow in a process.")] = 1
    batch_rows: Annotated[int, option("N", "Rows in a call of the model.")] = 16
    batch_bytes: Annotated[int, option("N", "Bytes of texts and files in a call of the model.")] = 16 << 20
    max_row_bytes: Annotated[int, option("N", "Of a row that is read, with its media.")] = 64 << 20


def _bulk(
    model: Annotated[
        str, typer.Argument(help="DIR of a SavedModel, DIR/N, or a URI of the latter.", metavar="MODEL")
    ],
    options: JobOptions,
    workers: Annotated[int, option("N", "Processes on this machine, for example one a core.")] = 1,
    beam: Annotated[
        list[str] | None,
        option("NAME=VALUE", "An option of Beam, such as runner=DataflowRunner; may be given several times."),
    ] = None,
    dry_run: Annotated[int | None, option("N", "Try N rows, and print what the job will weigh.")] = None,
    json_: AsJson = False,
) -> None:
    """Preprocess files of samples into files of rows, on this machine or on a cluster. A second run finishes
    what the first one left.
    """
    _check(workers, beam, dry_run)
    place = model if "://" in model else str(found(pathlib.Path(model)))
    with at_work() as report:
        from export.bulk.job import prepare
        from export.bulk.model import load_model

        job = _job(place, options)
        report("loading the model")
        loaded = load_model(place, threads=job.threads)
        report("looking at the input")
        prepared = prepare(job, loaded)
        if dry_run is not None:
            from export.bulk.dry_run import estimate

            estimated = estimate(prepared, loaded, dry_run, report)
        else:
            tally = _run(prepared, workers, [f"--{each}" for each in beam or []], report)
    if dry_run is not None:
        show(estimated.to_json(), _estimate_parts(estimated, workers), as_json=json_)
    else:
        show(tally.to_json(), _done_parts(tally, job), as_json=json_)


bulk = with_fields(_bulk, "options", JobOptions)


def _check(workers: int, beam: list[str] | None, dry_run: int | None) -> None:
    for name, value in (("workers", workers), ("dry-run", dry_run)):
        if value is not None and value < 1:
            raise ValueError(f"--{name}: must be a positive whole number; got {value}.")
    if workers > 1 and any(each.startswith("runner=") for each in beam or []):
        raise ValueError(
            f"--workers: are of this machine; got {workers} and a runner. Use the runner's own option, such "
            "as --beam max_num_workers=8."
        )


def _job(model: str, options: JobOptions) -> "Job":
    from export.bulk.job import Job

    given = {field.name: getattr(options, field.name) for field in dataclasses.fields(options)}
    return Job(model, **given | {"input": tuple(options.input), "input_format": options.input_format or ""})


def _run(prepared: "Prepared", workers: int, beam: list[str], report: Callable[[str], None]) -> "Tally":
    """Runs a job, and writes its totals."""
    from export.bulk.files import write_text
    from export.bulk.job import begin
    from export.bulk.statistics import total

    _check_beam()
    from export.bulk.local_workers import run_workers
    from export.bulk.pipeline import run
    from export.bulk.progress import Progress

    report("checking the output")
    begin(prepared)
    layout, progress = prepared.job.layout, Progress(prepared.job.layout, report)
    if workers > 1:
        run_workers(prepared, workers, progress.tell)
    else:
        with progress.told_meanwhile():
            run(prepared, beam)
    tally = total(layout.marker_texts())
    write_text(layout.statistics, json.dumps(tally.to_json(), indent=1) + "\n", layout.hidden)
    return tally


def _check_beam() -> None:
    try:
        import apache_beam  # noqa: F401
    except ImportError:
        raise ImportError(
            "`bulk`: jobs run on Apache Beam, which is not installed. Run: pip install 'gemma4-graph[bulk]'."
        ) from None


def _done_parts(tally: "Tally", job: "Job") -> list[Any]:
    if tally.faults:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(tally.faults.items()))
        say(f"[yellow]note:[/yellow] dead letters: {escape(kinds)}; see {escape(job.output)}-dead-letters-*")
    return [
        f"wrote {tally.rows:,} rows of {tally.samples:,} samples as {escape(job.output)}-* "
        f"({tally.bytes / 1e6:,.1f} MB); {_tokens(tally)}"
    ]


def _tokens(tally: "Tally") -> str:
    media = "".join(f", {count:,} of {name}" for name, count in sorted(tally.media.items()))
    return f"{tally.tokens:,} tokens{media}; {tally.padding:.0%} of the places are padding"


def _estimate_parts(estimate: "Estimate", workers: int) -> list[Any]:
    """The table of a dry run, and what is wrong."""
    tally, table = estimate.tally, Table("of the job", "", box=None, pad_edge=False)
    hours = estimate.rows / (estimate.rows_per_second or 1) / 3600
    percentiles = ", ".join(f"{tally.percentile(p):,} ({p} %)" for p in (50, 90, 99, 100))
    for name, value in (
        ("rows in the input", f"{estimate.rows:,}"),
        ("tried", f"{estimate.tried:,}: {tally.samples:,} good, {len(estimate.letters):,} dead letters"),
        ("tokens of a sample, at most", percentiles),
        ("in those tried", _tokens(tally)),
        ("bytes of all rows", f"{estimate.bytes / 1e9:,.3f} GB in {estimate.shards:,} files"),
        ("free on the disk", "unknown" if estimate.free is None else f"{estimate.free / 1e9:,.1f} GB"),
        ("rows/s of one process", f"{estimate.rows_per_second:,.1f}"),
        (f"hours of {workers} process(es)", f"{hours / workers:,.2f}"),
    ):
        table.add_row(name, value)
    if not estimate.fits:
        say("[yellow]note:[/yellow] the disk has no room for all rows")
    lines = [f"{escape(each.source)}: {escape(each.reason)}" for each in estimate.letters[:_SHOWN_LETTERS]]
    return [table, *lines]
