"""What commands share of the terminal: a spinner while they work, notes, and how tables are printed."""

import contextlib
import json
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from export.cli import interruption
from export.cli.quiet import quiet_stderr

console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@contextlib.contextmanager
def at_work(first: str = "loading TensorFlow") -> Iterator[Callable[[str], None]]:
    """Says on a terminal what a command is at, and keeps other packages' chatter off it; at the end it prints
    our own warnings, as notes.

    Args:
        first: what the command begins with.

    Returns:
        A function that takes what comes next.
    """
    with (
        console.status(first) as status,
        quiet_stderr(),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")

        def report(line: str) -> None:
            interruption.check()
            status.update(line)

        yield report
    for note in own_notes(caught):
        say(f"[yellow]note:[/yellow] {escape(note)}")


def own_notes(caught: Iterable[warnings.WarningMessage]) -> list[str]:
    """Our own warnings, which begin with the name of an argument, each once; other packages' are for their
    developers.
    """
    texts = (str(one.message) for one in caught if one.category is UserWarning)
    return list(dict.fromkeys(text for text in texts if text.startswith("`")))


def say(line: str) -> None:
    """A line of rich markup on the error stream, where it disturbs nobody who reads the output."""
    Console(stderr=True, highlight=False).print(line, soft_wrap=True)


def show(document: Any, parts: Iterable[Any], *, as_json: bool, indent: int | None = None) -> None:
    """Prints a document as JSON, or its parts, lines of rich markup and tables, for people."""
    if as_json:
        print(json.dumps(document, indent=indent))
        return
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str))
