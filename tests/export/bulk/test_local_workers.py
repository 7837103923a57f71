"""Several processes, and what happens when one is killed."""

import os
import pathlib
import signal
import time

import pytest

pytest.importorskip("apache_beam", reason="needs the extra bulk")

from export.bulk import local_workers
from export.bulk.job import begin, prepare
from export.bulk.local_workers import run_workers
from tests.export.bulk.rig import ROWS, make_job, run_all, write_lines
from tests.export.bulk.test_shards import files_of

_LONGEST_END = 30
"""Seconds that workers may take to end on a machine under load."""


def workers_of(folder):
    """Processes that are Beam's workers of a pipeline with files in a folder."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes()
            ours = str(folder).encode() in (process / "environ").read_bytes()
        except OSError:
            continue
        if b"sdk_worker_main" in arguments and not arguments.startswith(b"/bin/sh") and ours:
            found.append(int(process.name))
    return sorted(found)


@pytest.mark.slow
@pytest.mark.skipif(not pathlib.Path("/proc").is_dir(), reason="needs /proc to find the workers")
def test_a_job_of_a_worker_that_is_killed_goes_on_and_writes_the_same_bytes(
    model, model_folder, tmp_path, monkeypatch
):
    rows = [row for row in ROWS if "audio" not in row]  # this process has threads, and sums differ by them
    source = write_lines(tmp_path, rows * 8)
    run_all(make_job(model_folder, source, "alone/rows", shards=8), model)
    job = make_job(model_folder, source, shards=8)
    prepared = prepare(job, model)
    begin(prepared)
    monkeypatch.setenv("GEMMA4_GRAPH_TEST", str(tmp_path))
    killed, runs = [], []
    once = local_workers._run_once

    def remembered(*given):
        runs.append(once(*given))
        return runs[-1]

    monkeypatch.setattr(local_workers, "_run_once", remembered)

    def kill_one():
        if not killed and job.layout.markers() and (workers := workers_of(tmp_path)):
            os.kill(workers[-1], signal.SIGKILL)
            killed.append(workers[-1])

    run_workers(prepared, 2, kill_one)
    assert killed
    assert runs[0][0] in (0, local_workers.WORKER_DIED)
    assert files_of(tmp_path / "out") == files_of(tmp_path / "alone")
    end = time.monotonic() + _LONGEST_END
    while workers_of(tmp_path) and time.monotonic() < end:
        time.sleep(0.1)
    assert workers_of(tmp_path) == []


def test_what_a_worker_says_is_raised_and_a_loss_is_not_repeated_for_ever(
    model, model_folder, tmp_path, monkeypatch
):
    prepared = prepare(make_job(model_folder, write_lines(tmp_path, ROWS)), model)
    answers = iter(
        [(local_workers.WORKER_DIED, "log")] * 3 + [(1, "ValueError: `key`: twice.\n"), (1, "what")]
    )
    monkeypatch.setattr(local_workers, "_run_once", lambda *given: next(answers))
    with pytest.raises(
        RuntimeError, match="`workers`: processes must live to finish a shard; 3 runs in a row"
    ):
        run_workers(prepared, 2, lambda: None)
    with pytest.raises(ValueError, match="`key`: twice"):
        run_workers(prepared, 2, lambda: None)
    with pytest.raises(RuntimeError, match="the pipeline failed: what"):
        run_workers(prepared, 2, lambda: None)
