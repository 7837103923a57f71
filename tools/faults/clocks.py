"""A server with a clock that jumps, by libfaketime; its monotonic clock goes on."""

import datetime
import json
import pathlib
import shutil
import time

from export.serving_configuration import BATCHING
from tools.faults.bench import Bench
from tools.faults.load import PAUSE_SECONDS, Load
from tools.faults.outcome import Outcome

JUMPS = ("+3600", "-3600", "+86400000", "-1700000000", "+315360000", "-1", "+0")
"""Seconds from the true time, one after the other: an hour, years, back to the seventies."""

CLIENTS = 4
"""Fewer than elsewhere: a look at a faked clock takes a lock, and a request five times its processor time;
the thread that loads a version would wait behind 16 of them.
"""


def library() -> pathlib.Path | None:
    """libfaketime's, where it is installed."""
    return next(iter(sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)


def clock_jumps(bench: Bench) -> Outcome:
    """Lets the clock of a server under load jump, with and without batches."""
    preload = library()
    if preload is None:
        return Outcome("nothing: libfaketime is not installed (apt-get install faketime)", 0, 0, 0, "skipped")
    clock, years = bench.scratch / "clock", set()
    wrong, lost, requests, notes = 0, 0, 0, []
    environment = {"LD_PRELOAD": str(preload), "FAKETIME_TIMESTAMP_FILE": str(clock)}
    environment |= {"FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    alone = ("--no-warmup", "--request-log", "-")
    for options in (alone, (*alone, "--batching-parameters", str(BATCHING))):
        _set(clock, "+0")
        folder = bench.folder(1)
        with bench.serving(folder, options, environment=environment) as server:
            known = bench.known if options == alone else _of_one_row(bench)
            load = Load(server.ports, known, (1, 2), pause=PAUSE_SECONDS, clients=CLIENTS)
            for jump in JUMPS:
                bench.tell(f"the clock goes to {jump} s")
                _set(clock, jump)
                load.reach(bench.times(300))
            bench.bring(folder, 2, 2)  # found and switched to, whatever the time
            wrong += not server.says("version 2: available", 120)
            load.stop()
            years |= _years(server.lines)
        wrong, lost = wrong + load.results["wrong"], lost + load.results["lost"]
        requests, notes = requests + load.results.total(), [*notes, *load.notes]
    wrong += len(years) < len(("1970s", "now", "later"))
    return Outcome(
        f"{len(JUMPS)} jumps of the clock, without and with batches, then a new version",
        wrong,
        lost,
        0,
        f"{requests:,} requests; the log of requests shows the years {', '.join(map(str, sorted(years)))}",
        tuple(notes),
    )


def _of_one_row(bench: Bench) -> list:  # type: ignore[type-arg]
    """Requests with answers that do not depend on the rows beside them: ids are as wide as the longest there,
    and log-mel values are sums in an order that depends on it.
    """
    varied = ("tokenize", "generate_preprocess", "generate_preprocess_audio")
    return [
        known
        for known in bench.known
        if known.outputs and known.request.model_spec.signature_name not in varied
    ]


def _set(clock: pathlib.Path, offset: str) -> None:
    """Whole at once: the server reads it at any moment."""
    coming = clock.with_suffix(".coming")
    coming.write_text(f"{offset}\n")
    shutil.move(coming, clock)
    time.sleep(1.5)  # it is read once a second


def _years(lines: list[str]) -> set[int]:
    times = [json.loads(line)["time"] for line in list(lines) if line.startswith("{")]
    return {datetime.datetime.fromisoformat(each).year for each in times}
