"""An export that is killed or has no room, into the folder of a model that is being served."""

import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import time
from typing import Any

from export.publish import numbered_versions
from export.verify.samples import demonstration_file
from tools.faults.bench import Bench
from tools.faults.load import PAUSE_SECONDS, Load
from tools.faults.outcome import Outcome

MOST_SECONDS = 300.0
SIZES = (100, 10_000, 100_000, 500_000, 1_000_000)
"""Bytes that a file may have where there is no room for an export."""
PARTS = ("saved_model.pb", "assets.extra/preprocessor.json")
"""What a whole version has."""
MISTAKE = 2
"""Exit code of a command that says what is wrong."""


def start_export(folder: pathlib.Path, *, version: int, most_bytes: int | None = None) -> Any:
    """`gemma4-graph saved-model` of a preprocessor for texts, under way; a file has at most so many bytes."""
    command = [sys.executable, "-m", "export", "saved-model", "--no-images", "--no-audio"]
    command += ["--tokenizer", str(demonstration_file("demonstration.spm")), "--out", str(folder)]
    command += ["--version", str(version)]

    def limit() -> None:
        if most_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limit
    )


def hidden(folder: pathlib.Path) -> list[str]:
    """What lies in the folder beside versions."""
    versions = {path.name for path in numbered_versions(folder).values()}
    return sorted(set(os.listdir(folder)) - versions)


def kill_during_export(bench: Bench) -> Outcome:
    """Kills exports at any moment; the last one is left alone."""
    rounds, moments, folder = bench.times(10), random.Random(1), bench.folder(1)
    half, killed = 0, 0
    with bench.serving(folder) as server:
        load = Load(server.ports, bench.known, pause=PAUSE_SECONDS)
        for number in range(rounds):
            bench.tell(f"{number + 1} of {rounds}")
            process = start_export(folder, version=9)
            _wait_for_writing(process, folder)
            time.sleep(moments.uniform(0, 6))
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
            process.communicate()
            if 9 in numbered_versions(folder):  # it was quicker
                half += not all((folder / "9" / part).is_file() for part in PARTS)
                break
        load.reach(50)
        load.stop()
        done = start_export(folder, version=8) if 9 not in numbered_versions(folder) else None
        failed = int(done is not None and done.wait(MOST_SECONDS) != 0)
        seen = int(not server.says("version 8: available", 60)) if done else 0
    left = len(hidden(folder))
    return Outcome(
        f"kill -9 of {killed} exports into a served folder, then one that ends",
        load.results["wrong"] + half + failed + seen,
        load.results["lost"],
        left,
        f"{load.results.total():,} requests meanwhile; versions seen half: {half}",
        tuple(load.notes),
    )


def _wait_for_writing(process: Any, folder: pathlib.Path) -> None:
    until = time.monotonic() + MOST_SECONDS
    while not list(folder.glob(".export-*")) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)


def full_disk(bench: Bench) -> Outcome:
    """Exports without room, and a log of requests on a full disk."""
    folder, wrong, notes = bench.folder(1), 0, []
    with bench.serving(folder, ("--no-warmup", "--request-log", "/dev/full")) as server:
        load = Load(server.ports, bench.known, pause=PAUSE_SECONDS)
        for size in SIZES[: bench.times(len(SIZES))]:
            bench.tell(f"files of at most {size:,} bytes")
            process = start_export(folder, version=9, most_bytes=size)
            _, said = process.communicate(timeout=MOST_SECONDS)
            clear = "its disk must have room for the whole artifact" in said and len(said.splitlines()) == 1
            if process.returncode != MISTAKE or not clear or 9 in numbered_versions(folder):
                wrong += 1
                notes.append(f"{size}: exit code {process.returncode}, {said[:200]!r}")
        load.reach(50)
        load.stop()
        left = len(hidden(folder))
    return Outcome(
        f"{len(SIZES[: bench.times(len(SIZES))])} exports with files that may not grow; the log on /dev/full",
        wrong + load.results["wrong"],
        load.results["lost"],
        left,
        f"each says so in one line; {load.results.total():,} requests meanwhile",
        (*notes, *load.notes),
    )
