"""`gemma4-graph`: write, look at, run and verify artifacts. `python -m export` is the same program.

Commands load TensorFlow when they need it: `--help`, `--version`, `presets`, a shell's completions and a
wrong option do without.
"""

import atexit
import importlib.metadata
import logging
import os
import platform
import signal
import sys
from typing import Annotated, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what is an error for us is raised

import typer
from rich.markup import escape

from export.cli import artifacts, bulk, chatting, fusing, interruption, presets, running, serving
from export.cli.mistakes import is_users, sentence
from export.cli.terminal import say

PROGRAM = "gemma4-graph"
PACKAGES = (
    "tensorflow",
    "tensorflow-text",
    "tensorflow-serving-api",
    "keras",
    "numpy",
    "keras-hub",
    "ai-edge-litert",
)
"""Their versions decide what an artifact is made of, and where it runs."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it: 128 + SIGINT."""

app = typer.Typer(
    name=PROGRAM,
    rich_markup_mode=None,  # its tables cut names and handles off at 80 columns
    pretty_exceptions_enable=False,
)


def versions() -> str:
    """The versions of this project, of Python and of the packages that matter, a line each, loading none."""
    found = {PROGRAM: _version(PROGRAM), "Python": platform.python_version()}
    found |= {name: _version(name) for name in PACKAGES}
    return "\n".join(f"{name} {version}" for name, version in found.items())


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "is not installed"


def _print_versions(wanted: bool) -> None:
    if wanted:
        print(versions())
        raise typer.Exit


@app.callback(invoke_without_command=True)
def program(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_versions, is_eager=True, help="Show versions, also TensorFlow's."
        ),
    ] = False,
) -> None:
    """Gemma 4's preprocessor as one graph: write, look at, run and verify it."""
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(2)


for _name, _command, _summary in (
    ("presets", presets.presets, "List the built-in presets."),
    ("saved-model", artifacts.saved_model, "Write a SavedModel, for servers and Python."),
    ("litert", artifacts.litert, "Write a LiteRT bundle, for devices and browsers."),
    ("fuse", fusing.fuse, "Write the preprocessor and a model as one artifact."),
    ("inspect", artifacts.inspect, "Print an artifact's signatures and needs."),
    ("run", running.run, "Run one request on an artifact."),
    ("chat", chatting.chat, "Run one dialogue on an artifact."),
    ("bulk", bulk.bulk, "Preprocess files of samples into files of rows."),
    ("verify", artifacts.verify, "Compare artifacts with the references."),
    ("serve", serving.serve, "Serve a model over gRPC and REST."),
    ("request", serving.request, "Send one request to a server."),
):
    app.command(_name, short_help=_summary)(_command)


def main(arguments: list[str] | None = None) -> None:
    """Entry point: a user's mistake is one line on the error stream and exit code 2, not a traceback.

    Args:
        arguments: of the command line; None for those of this process, which ends with the command.
    """
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    at_the_end = None
    if arguments is None:
        atexit.register(_silence)
        at_the_end = signal.SIG_IGN  # the command is over; what remains is to leave
    with interruption.remembered(at_the_end=at_the_end):
        code = _exit_code(arguments)
    sys.exit(code)


def _exit_code(arguments: list[str] | None) -> int:
    """Runs a command; says what went wrong, unless that is a bug, which is raised."""
    try:
        code = _run(arguments)
    except Exception as error:
        if not (is_users(error) or interruption.pressed()):
            raise
        if not interruption.pressed():
            say(f"[red]error:[/red] {escape(sentence(error))}")
            return 2
        code = INTERRUPTED
    if code == INTERRUPTED:
        say("interrupted")
    return code


def _run(arguments: list[str] | None) -> int:
    """The exit code of a command; typer's versions differ in what Ctrl-C becomes."""
    try:
        result: Any = app(arguments, prog_name=PROGRAM, standalone_mode=False)
    except typer.Exit as stop:
        return stop.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    return result if isinstance(result, int) else 0


def _silence() -> None:
    """Closes the error stream to C++ code that logs while a finished process takes itself apart."""
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
