"""Versions that come while the server is killed, that are broken, or that are taken away."""

import pathlib
import random
import shutil
import signal
import time
from collections.abc import Callable

from tools.faults.bench import Bench
from tools.faults.load import PAUSE_SECONDS, Load
from tools.faults.outcome import Outcome
from tools.faults.process import ServerProcess

SEEN_SECONDS = 120.0
MODEL_FILE = "saved_model.pb"


def kill_during_switch(bench: Bench) -> Outcome:
    """Kills the server at any moment of a switch to version 2, and starts it again on its ports."""
    rounds, moments = bench.times(8), random.Random(2)
    wrong, lost, again, requests, notes = 0, 0, 0, 0, []
    for number in range(rounds):
        bench.tell(f"{number + 1} of {rounds}")
        folder = bench.folder(1)
        server = ServerProcess(folder)
        load = Load(server.ports, bench.known, (1, 2), pause=PAUSE_SECONDS)
        load.reach(50)
        bench.bring(folder, 2, 2)
        time.sleep(moments.uniform(0, 6))
        server.end(signal.SIGKILL)
        with bench.serving(folder, ports=server.ports):
            load.reach(100)
            load.stop()
        wrong, lost = wrong + load.results["wrong"], lost + load.results["lost"]
        again, requests = again + load.again, requests + load.results.total()
        wrong += load.answered[2] == 0
        notes += load.notes
    return Outcome(
        f"kill -9 of the server {rounds} times while it goes from version 1 to 2, then a new start",
        wrong,
        lost,
        0,
        f"{requests:,} requests, {again:,} of their attempts met no server and were repeated",
        tuple(notes),
    )


def _cut(share: float) -> Callable[[pathlib.Path], None]:
    def cut(version: pathlib.Path) -> None:
        file = version / MODEL_FILE
        file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])

    return cut


def _noise(version: pathlib.Path) -> None:
    file = version / MODEL_FILE
    file.write_bytes(random.Random(3).randbytes(file.stat().st_size))


def _half_noise(version: pathlib.Path) -> None:
    file = version / MODEL_FILE
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] + random.Random(4).randbytes(len(whole) - len(whole) // 2))


def _no_variables(version: pathlib.Path) -> None:
    shutil.rmtree(version / "variables", ignore_errors=True)
    (version / MODEL_FILE).write_bytes(b"\x08\x01")


def _folder_for_file(version: pathlib.Path) -> None:
    (version / MODEL_FILE).unlink()
    (version / MODEL_FILE).mkdir()


def _empty(version: pathlib.Path) -> None:
    shutil.rmtree(version)
    version.mkdir()


def _without_warmup(version: pathlib.Path) -> None:
    (version / "assets.extra" / "tf_serving_warmup_requests").write_bytes(b"\xff" * 1000)


BROKEN: dict[str, Callable[[pathlib.Path], None]] = {
    "an empty folder": _empty,
    "no model file": lambda version: (version / MODEL_FILE).unlink(),
    "an empty model file": _cut(0),
    "a model file cut in half": _cut(0.5),
    "a model file without its last byte": _cut(0.9999),
    "a model file of noise": _noise,
    "a model file with noise for its second half": _half_noise,
    "a model file of nothing but its version": _no_variables,
    "a folder in place of the model file": _folder_for_file,
    "warmup requests of noise": _without_warmup,
}


def corrupt_version(bench: Bench) -> Outcome:
    """Brings broken versions, then a whole one."""
    folder, wrong, notes = bench.folder(1), 0, []
    cases = list(BROKEN.items())[: bench.times(len(BROKEN))]
    with bench.serving(folder, ("--warmup",)) as server:
        load = Load(server.ports, bench.known, (1, 2), pause=PAUSE_SECONDS)
        before = server.descriptors()
        for number, (name, break_) in enumerate(cases, 3):
            bench.tell(name)
            broken = folder / f".broken-{number}"
            shutil.copytree(bench.models / "2", broken)
            break_(broken)
            broken.rename(folder / str(number))
            if not server.says(f"version {number}: failed to load", SEEN_SECONDS):
                wrong += 1
                notes.append(f"{name}: {server.lines[-1]}")
            shutil.rmtree(folder / str(number), ignore_errors=True)
        wrong += load.answered[2]
        bench.bring(folder, 2, len(cases) + 3)
        wrong += not server.says(f"version {len(cases) + 3}: available", SEEN_SECONDS)
        load.reach(100)
        load.stop()
        leaked = max(0, server.descriptors() - before - len(cases))
    return Outcome(
        f"{len(cases)} broken versions beside a whole one, then a whole newer one",
        wrong + load.results["wrong"],
        load.results["lost"],
        leaked,
        f"each named as broken; {load.results.total():,} requests meanwhile",
        (*notes, *load.notes),
    )


def removed_model(bench: Bench) -> Outcome:
    """Takes the whole folder away from a server that serves it, and brings another."""
    folder, wrong = bench.folder(1), 0
    with bench.serving(folder) as server:
        load = Load(server.ports, bench.known, (1, 2), pause=PAUSE_SECONDS)
        load.reach(50)
        bench.tell("the model is removed")
        folder.rename(folder.with_name("removed"))  # at once: without versions it would be unloaded
        time.sleep(3)
        load.reach(100)
        wrong += load.answered[2]
        bench.tell("version 2 comes")
        coming = folder.with_name("coming")
        coming.mkdir()
        bench.bring(coming, 2, 2)
        coming.rename(folder)
        wrong += not server.says("version 2: available", SEEN_SECONDS)
        wrong += not server.says("version 1: unloaded", SEEN_SECONDS)
        load.reach(100)
        load.stop()
    return Outcome(
        "the served model's folder removed, then one with version 2 put there",
        wrong + load.results["wrong"],
        load.results["lost"],
        0,
        f"{load.answered[1]:,} answers of version 1 and {load.answered[2]:,} of version 2",
        tuple(load.notes),
    )
