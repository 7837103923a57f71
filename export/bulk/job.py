"""A job: what is read, what is made of it, where it goes. Checked before any work."""

import dataclasses
import hashlib
import itertools
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from export.bulk.embedding import Embedding, check_embedding
from export.bulk.files import Found, find, folder_of, is_uri, joined, open_file, read_text, sweep, write_text
from export.bulk.layout import Layout
from export.bulk.model import Model, Task
from export.bulk.packing import packed_tensors
from export.bulk.samples import Reading, columns_of
from export.bulk.schema import Schema, Tensor
from export.bulk.sinks import SINKS, check_sink
from export.bulk.sources.formats import FORMATS, format_of
from export.bulk.sources.record import Limits, Mark
from export.saved_model.write import DESCRIPTION

PIXELS = ("uint8", "float32")
ROWS_PER_SHARD = 512
"""By default: with an image each, a file of about 1 GB."""
_DECIDING = (
    *("format", "key", "prompt", "pixels", "pack", "shards", "max_row_bytes"),
    *("threads", "batch_rows", "batch_bytes"),
)
"""Settings that bytes depend on; those of batches and threads in the last bits of spectrograms."""
_PEEKED_ROWS = 64
"""Of a file, to find one that can be read."""


@dataclasses.dataclass(frozen=True)
class Job:
    """One job. Two of the same, on the same inputs, write the same bytes."""

    model: str
    """DIR/N of a SavedModel, or its URI."""
    input: tuple[str, ...]
    """Patterns of files, or folders."""
    output: str
    """Folder, and the first part of the names of files."""
    format: str = "tfrecord"
    """Of files of rows, of `sinks.SINKS`."""
    input_format: str = ""
    """Of `sources.formats.FORMATS`; "" for the one of a file's name."""
    key: str = ""
    """Field that names a row; "" for its file and number."""
    prompt: str = ""
    """Of rows that have none."""
    labels: bool | None = None
    """Whether rows have labels; None for whether the first row has a response, or ends with the model's."""
    pixels: str = "uint8"
    """Dtype of pixels in the files."""
    pack: bool = False
    """Whether several samples share a row."""
    task: str = ""
    """What vectors are for, of a model that embeds; "" for none."""
    truncate_dim: int = 0
    """Numbers that are kept of each vector; 0 for all."""
    shards: int | None = None
    """Files of rows; None for one for each `ROWS_PER_SHARD` rows."""
    max_row_bytes: int = 64 << 20
    """Of a row that is read, with its media."""
    batch_rows: int = 16
    """Rows in a call of the model."""
    batch_bytes: int = 16 << 20
    """Bytes of its texts and files."""
    threads: int = 1
    """Of TensorFlow in a worker. Other numbers add spectrograms up in another order."""

    def __post_init__(self) -> None:
        rules = {
            "shards": (self.shards is None or self.shards > 0, "a positive whole number"),
            "max_row_bytes": (self.max_row_bytes > 0, "a positive whole number"),
            "threads": (self.threads > 0, "a positive whole number"),
            "batch_rows": (self.batch_rows > 0, "a positive whole number"),
            "batch_bytes": (self.batch_bytes > 0, "a positive whole number"),
            "pixels": (self.pixels in PIXELS, f"one of {', '.join(PIXELS)}"),
            "input": (bool(self.input), "at least one pattern"),
            "input_format": (
                self.input_format in ("", *FORMATS),
                f"one of {', '.join(FORMATS)}",
            ),
            "output": (
                not self.output.endswith("/") and not os.path.isdir(self.output),
                "a folder and the first part of files' names, such as out/rows",
            ),
        }
        for name, (holds, rule) in rules.items():
            if not holds:
                raise ValueError(f"`{name}`: must be {rule}; got {getattr(self, name)!r}. Pass such.")
        check_sink(self.format)

    @property
    def layout(self) -> Layout:
        """Names of what it writes."""
        return Layout(self.output, SINKS[self.format].suffix)

    @property
    def limits(self) -> Limits:
        """Of readers."""
        return Limits(self.max_row_bytes)


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A job that was looked at: everything that its workers need, as plain values."""

    job: Job
    files: tuple[tuple[str, str], ...]
    """Paths, and the names of their formats."""
    columns: tuple[str, ...]
    """Texts that every row has."""
    task: Task
    """What is made of samples."""
    tensors: tuple[Tensor, ...]
    """Of rows of one sample."""

    @property
    def reading(self) -> Reading:
        """How records become samples."""
        return Reading(self.columns, self.job.key, self.job.prompt, self.job.max_row_bytes)

    @property
    def written(self) -> tuple[Tensor, ...]:
        """The tensors of the rows that are written."""
        return packed_tensors(self.tensors) if self.job.pack else self.tensors


def prepare(job: Job, model: Model) -> Prepared:
    """Looks at a job's inputs and model.

    Raises:
        ValueError: no files, none that can be read, or columns that differ from file to file.
    """
    found = list(dict.fromkeys(file for pattern in job.input for file in find(pattern)))
    files = [(file, format_of(file, job.input_format).name) for file in found]
    columns, labels = _columns(files, job)
    wanted = labels if job.labels is None else job.labels
    if wanted and columns == ("prompts",):
        raise ValueError(
            "`labels`: need responses; the rows have prompts alone. Add them, or leave labels out."
        )
    task = Task("messages" in columns, wanted, _embedding(job, model, columns))
    model.check(task)
    tensors = model.tensors(task, compact=job.pixels == "uint8")
    return Prepared(job, tuple((file.path, name) for file, name in files), columns, task, tensors)


def _embedding(job: Job, model: Model, columns: tuple[str, ...]) -> Embedding | None:
    """How samples are embedded, if the model does."""
    if model.embeds:
        check_embedding(columns, labels=bool(job.labels), pack=job.pack)
        return Embedding(job.task, job.truncate_dim)
    for name in ("task", "truncate_dim"):
        if getattr(job, name):
            raise ValueError(
                f"`{name}`: needs a model that embeds, with the signature `embed`; this one has none. Leave "
                "it out, or fuse one."
            )
    return None


def begin(prepared: Prepared) -> None:
    """Writes the schema, or compares it with that of the run that began before.

    Raises:
        ValueError: the output holds rows of another job.
        OSError: the output cannot be written.
    """
    job, layout = prepared.job, prepared.job.layout
    described = _described(prepared)
    before = read_text(layout.schema)
    if before is not None:
        theirs = Schema.from_json(before).job
        differing = [name for name in described if theirs.get(name) != described[name]]
        if differing:
            raise ValueError(
                f"`output`: must be new, or hold a run of the same job; that of {layout.schema} had other "
                f"values of {', '.join(differing)}. Pass another --output, or remove it."
            )
    sweep(layout.hidden)
    schema = Schema(prepared.written, job.format, job.pack, described)
    if not is_uri(layout.hidden):
        os.makedirs(layout.hidden, exist_ok=True)
    write_text(layout.schema, schema.to_json(), layout.hidden)


def _described(prepared: Prepared) -> dict[str, Any]:
    """What the bytes depend on."""
    job = prepared.job
    digest = hashlib.sha256()
    embedding = prepared.task.embedding
    weights = ["variables/variables.index"] if embedding else []  # it holds checksums of all of them
    for name in ("saved_model.pb", DESCRIPTION.as_posix(), *weights):
        with open_file(joined(job.model, name)) as file:
            digest.update(file.read())
    inputs = [(each.path, each.size) for pattern in job.input for each in find(pattern)]
    settings = {name: getattr(job, name) for name in _DECIDING}
    settings |= {"embedding": list(embedding)} if embedding else {}
    listed = hashlib.sha256(json.dumps(inputs).encode()).hexdigest()
    return {"model": digest.hexdigest(), "inputs": listed, "task": prepared.task.signature, **settings}


def _columns(files: Sequence[tuple[Found, str]], job: Job) -> tuple[tuple[str, ...], bool]:
    """The texts that rows have, and whether the first has something to learn."""
    seen: dict[tuple[str, ...], str] = {}
    learns, reasons = False, []
    for file, name in files:
        record, reason = _first(file.path, name, job)
        if record is None:
            reasons.append(f"{file.path}: {reason}")
            continue
        columns = columns_of(record) or (("prompts",) if job.prompt else ())
        if not columns or ("messages" in columns and len(columns) > 1) or columns == ("responses",):
            raise ValueError(
                f"`input`: rows must have prompts, prompts and responses, or messages; {file.path} has the "
                f"fields {sorted(record)}. Rename them, or pass --prompt."
            )
        learns = learns if seen else _learns(record, columns)
        seen.setdefault(columns, file.path)
    if not seen:
        raise ValueError(f"`input`: at least one row must be readable; {'; '.join(reasons[:3])}. Check them.")
    if len(seen) > 1:
        listed = "; ".join(f"{path} has {' and '.join(columns)}" for columns, path in seen.items())
        raise ValueError(f"`input`: all files must have the same columns; {listed}. Run a job for each.")
    return next(iter(seen)), learns


def _first(path: str, name: str, job: Job) -> tuple[Mapping[str, Any] | None, str]:
    """The first record of a file that can be read, or why there is none."""
    reason = "it is empty"
    try:
        for record in itertools.islice(
            FORMATS[name].read(path, Mark(0, 0), _PEEKED_ROWS, job.limits), _PEEKED_ROWS
        ):
            if isinstance(record.fields, Mapping):
                return record.fields, ""
            reason = record.fields.reason
    except ImportError:
        raise
    except Exception as error:  # what a file system or a format raises at a damaged file
        reason = f"{type(error).__name__}: {error}".split("\n")[0]
    return None, reason


def _learns(record: Mapping[str, Any], columns: tuple[str, ...]) -> bool:
    messages = record.get("messages")
    if "responses" in columns:
        return True
    last = messages[-1] if isinstance(messages, Sequence) and messages else None
    return isinstance(last, Mapping) and last.get("role") in ("assistant", "model")


def folder_of_rows(path: str, name: str) -> str:
    """What relative paths in a file begin at."""
    return path if FORMATS[name].folder is str else folder_of(path)
