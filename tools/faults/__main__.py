"""`python -m tools.faults`: make faults on purpose, and count wrong answers, lost requests and leaks."""

import importlib
import json
import os
import pathlib
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Annotated, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import typer
from rich.console import Console
from rich.table import Table

from export.cli.quiet import quiet_stderr
from tools.faults.outcome import Outcome

CASES = {
    "kill-export": ("exports", "kill_during_export"),
    "kill-switch": ("versions", "kill_during_switch"),
    "full-disk": ("exports", "full_disk"),
    "corrupt-version": ("versions", "corrupt_version"),
    "slow-clients": ("clients", "slow_clients"),
    "malformed": ("clients", "malformed_requests"),
    "clock-jumps": ("clocks", "clock_jumps"),
    "removed-model": ("versions", "removed_model"),
    "steady-memory": ("long", "steady_memory"),
    "two-versions": ("long", "two_versions"),
}
"""Name -> module and function."""
COLUMNS = ("case", "what was done", "wrong", "lost", "leaked", "figures")


def outcomes(
    names: list[str],
    scale: float,
    scratch: pathlib.Path,
    models: pathlib.Path,
    tell: Callable[[str], None],
    ended: Callable[[str, Outcome], None],
) -> dict[str, Outcome]:
    """Runs cases, one after the other.

    Args:
        names: of the cases.
        scale: share of the full sizes.
        scratch: folder for what they write.
        models: folder of the versions, which are exported unless they are there.
        tell: shows a line of progress.
        ended: hears of each case that ended.
    """
    from export.publish import numbered_versions
    from tools.faults.bench import Bench
    from tools.faults.known import LENGTHS, known_requests, write_version

    for version in LENGTHS.keys() - numbered_versions(models):
        tell(f"exporting version {version}")
        write_version(models, version)
    tell("computing the answers")
    known, found = known_requests(models), {}
    for name in names:
        own = scratch / name
        own.mkdir()
        found[name] = _outcome(name, Bench(own, scale, _named(name, tell), models, known))
        ended(name, found[name])
    return found


def _outcome(name: str, bench: Any) -> Outcome:
    module, function = CASES[name]
    bench.tell("starting")
    started = time.monotonic()
    try:
        outcome: Outcome = getattr(importlib.import_module(f"tools.faults.{module}"), function)(bench)
    except Exception as error:
        outcome = Outcome("the case itself failed", 1, 0, 0, type(error).__name__, (repr(error),))
    minutes = f"{(time.monotonic() - started) / 60:.1f} min"
    return outcome._replace(figures=f"{outcome.figures}; {minutes}")


def _named(name: str, tell: Callable[[str], None]) -> Callable[[str], None]:
    return lambda line: tell(f"{name}: {line}")


def machine() -> str:
    """Versions and the machine, in one line."""
    import grpc
    import tensorflow as tf
    import uvicorn

    return (
        f"Python {platform.python_version()}, TensorFlow {tf.__version__}, grpcio {grpc.__version__}, "
        f"uvicorn {uvicorn.__version__}, {platform.system()} {platform.machine()}, "
        f"{len(os.sched_getaffinity(0))} processors"
    )


def main(
    only: Annotated[
        list[str] | None, typer.Option(help=f"Cases; any of {', '.join(CASES)}. May be given several times.")
    ] = None,
    scale: Annotated[float, typer.Option(help="Share of the full sizes.", min=0.0001)] = 1.0,
    models: Annotated[
        pathlib.Path | None, typer.Option(help="Keep the exported models here, for the next time.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    markdown: Annotated[bool, typer.Option(help="Print the table as docs/faults.md has it.")] = False,
) -> None:
    """Kill, starve, corrupt, slow down and confuse the embedded server, and print what became of it."""
    names = only or list(CASES)
    if unknown := set(names) - CASES.keys():
        raise typer.BadParameter(f"must be of {', '.join(CASES)}; got {', '.join(sorted(unknown))}")
    console = Console(highlight=False, width=None if os.isatty(1) else 140)

    def ended(name: str, outcome: Outcome) -> None:
        if not (json_ or markdown):
            console.print(f"{name}: {outcome.wrong} wrong, {outcome.lost} lost, {outcome.leaked} leaked")

    with (
        console.status("setting up") as status,
        tempfile.TemporaryDirectory() as folder,
        quiet_stderr(),
    ):
        scratch = pathlib.Path(folder)
        found = outcomes(names, scale, scratch, models or scratch / "models", status.update, ended)
    if json_:
        document = {name: outcome._asdict() for name, outcome in found.items()}
        print(json.dumps({"machine": machine(), "scale": scale, "cases": document}, indent=2))
    elif markdown:
        print(f"{machine()}\n\n| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
        for name, outcome in found.items():
            print(f"| {' | '.join(_cells(name, outcome))} |")
    else:
        _print(console, found)
    sys.exit(0 if all(outcome.is_good for outcome in found.values()) else 1)


def _cells(name: str, outcome: Outcome) -> tuple[Any, ...]:
    counts = (f"{outcome.wrong:,}", f"{outcome.lost:,}", f"{outcome.leaked:,}")
    return (f"`{name}`", outcome.done, *counts, outcome.figures)


def _print(console: Console, found: dict[str, Outcome]) -> None:
    table = Table(*COLUMNS, box=None, pad_edge=False)
    for name, outcome in found.items():
        table.add_row(*_cells(name, outcome))
    console.print(table)
    console.print(machine())
    for name, outcome in found.items():
        for note in outcome.notes[:5]:
            console.print(f"{name}: {note}", markup=False)


if __name__ == "__main__":
    typer.run(main)
