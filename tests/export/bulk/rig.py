"""A few rows of every kind, and jobs on them without a runner."""

import json
import shutil
from typing import Any

import numpy as np

from export.bulk.job import Job, begin, prepare
from export.bulk.plan import plan_shards
from export.bulk.shards import is_finished, write_shard
from export.bulk.sources.formats import scan_file
from export.verify.samples import demonstration_file

ROWS: list[dict[str, Any]] = [
    {"id": "plain", "prompt": "One, two,", "response": " three."},
    {"id": "image", "prompt": "What is it? <|image|>", "response": "A cup.", "images": ["photo.jpg"]},
    {"id": "clip", "prompt": "Who? <|audio|>", "response": "A voice.", "audio": "speech.wav"},
    {
        "id": "both",
        "prompt": "<|audio|> and <|image|>",
        "response": "",
        "images": "photo.jpg",
        "audio": ["speech.wav"],
    },
    {"id": "short", "prompt": "W", "response": "h"},
]
"""Of which every one is good."""


def write_lines(folder, rows, name="rows.jsonl"):
    """A JSON Lines file with the demonstration's media beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    for medium in ("photo.jpg", "speech.wav"):
        shutil.copy(demonstration_file(medium), folder)
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    (folder / name).write_text("".join(f"{line}\n" for line in lines))
    return folder / name


def prompts_alone(rows):
    """Rows without what they answer."""
    return [{name: value for name, value in row.items() if name != "response"} for row in rows]


def make_job(folder, source, output="out/rows", **settings):
    return Job(str(folder), (str(source),), str(source.parent / output), **settings)


def run_all(job, model):
    """Every shard of a job, in this process."""
    prepared = prepare(job, model)
    begin(prepared)
    indexes = [scan_file(*file, job.limits) for file in prepared.files]
    for shard in plan_shards(indexes, prepared.files, shards=job.shards):
        if not is_finished(shard, prepared):
            write_shard(shard, prepared, model)
    return prepared


def same(row, other, mel=0.0):
    """Whether two rows hold the same tensors, dtypes included; spectrograms `mel` apart at most."""
    assert row.keys() == other.keys()
    for name, value in other.items():
        given, wanted = np.asarray(row[name]), np.asarray(value)
        assert (given.dtype, given.shape) == (wanted.dtype, wanted.shape), name
        if name == "audio_mel":
            np.testing.assert_allclose(given, wanted, rtol=0, atol=mel)
        else:
            np.testing.assert_array_equal(given, wanted, err_msg=name)
    return True
