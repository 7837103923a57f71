"""`python -m export`: write, look at, run and verify artifacts."""

import dataclasses
import json
import logging
import os
import pathlib
import sys
import warnings
from typing import Annotated, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import typer
from rich.console import Console
from rich.markup import escape

from export.cli import fusing as commands_fusing
from export.cli import serving as commands_serving
from export.cli.options import PreprocessorOptions, make_preprocessor, with_preprocessor_options
from export.cli.quiet import quiet_stderr

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Gemma 4's preprocessor as one graph: write, look at, run and verify it.",
)
console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)

Folder = Annotated[
    pathlib.Path, typer.Argument(help="A version folder, DIR/N, or a LiteRT bundle.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command()
def presets(json_: AsJson = False) -> None:
    """List the built-in presets: what the model reads, its parameters, a description."""
    with console.status("loading TensorFlow"), quiet_stderr():
        from export.cli import tables
        from graph_ops.presets.catalogue import PRESETS
    if json_:
        print(json.dumps({name: dataclasses.asdict(preset) for name, preset in PRESETS.items()}, indent=2))
    else:
        console.print(tables.preset_table(PRESETS))


@app.command("saved-model")
@with_preprocessor_options
def saved_model(
    options: PreprocessorOptions,
    out: Annotated[
        pathlib.Path,
        typer.Option(help="Folder of the model; the version becomes a folder in it.", show_default=False),
    ],
    version: Annotated[
        int | None, typer.Option(help="Version number.", show_default="one more than the highest there")
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            help="sentencepiece, the fastest; or builtin, whose export loads where tensorflow-text is "
            "not installed."
        ),
    ] = "sentencepiece",
    compact: Annotated[
        bool, typer.Option(help="Give pixels as uint8, a quarter of the bytes, for the client to scale.")
    ] = False,
    json_: AsJson = False,
) -> None:
    """Write DIR/N, a SavedModel with every signature, for TF Serving and `tf.saved_model.load`."""
    with (
        console.status("loading TensorFlow") as status,
        quiet_stderr(),
        warnings.catch_warnings(action="always", record=True) as notes,
    ):
        from export.saved_model.write import export_saved_model

        written = export_saved_model(
            make_preprocessor(options, engine=engine, report=status.update),
            out,
            version=version,
            compact=compact,
            report=status.update,
        )
    _print_written(written, notes, json_)


@app.command()
@with_preprocessor_options
def litert(
    options: PreprocessorOptions,
    out: Annotated[
        pathlib.Path, typer.Option(help="Folder of the bundle; must not exist.", show_default=False)
    ],
    static: Annotated[
        list[str] | None,
        typer.Option(
            help="Fixed sizes, as browsers need: text=256,1024 image=768x768 audio=10 (seconds); may be "
            "given several times."
        ),
    ] = None,
    json_: AsJson = False,
) -> None:
    """Write a LiteRT bundle for phones, embedded devices and browsers: one .tflite in builtin ops, and
    signatures.json.
    """
    with (
        console.status("loading TensorFlow") as status,
        quiet_stderr(),
        warnings.catch_warnings(action="always", record=True) as notes,
    ):
        from export.litert.buckets import parse_buckets
        from export.litert.write import MODEL, export_litert

        buckets = parse_buckets(static) if static else None
        written = export_litert(
            make_preprocessor(options, engine="builtin", report=status.update),
            out,
            buckets=buckets,
            report=status.update,
        )
    _print_written(written, notes, json_, of=written / MODEL)


@app.command()
def inspect(folder: Folder, json_: AsJson = False) -> None:
    """Print an artifact's signatures: inputs and outputs with dtype and shape."""
    with quiet_stderr():
        from export.cli import tables

        rows = tables.signature_rows(folder)
    if json_:
        print(json.dumps(rows, indent=2))
    else:
        console.print(tables.signature_table(rows))


@app.command()
def run(
    folder: Folder,
    prompt: Annotated[
        str, typer.Option(help="Text with one <|image|> or <|audio|> for each medium.", show_default=False)
    ],
    image: Annotated[
        list[pathlib.Path] | None,
        typer.Option(help="Image file; may be given several times.", show_default=False),
    ] = None,
    audio: Annotated[
        list[pathlib.Path] | None,
        typer.Option(help="WAV file; may be given several times.", show_default=False),
    ] = None,
    pictures: Annotated[
        pathlib.Path | None,
        typer.Option(help="Folder for PNGs of the patches and spectrograms.", show_default=False),
    ] = None,
    json_: AsJson = False,
) -> None:
    """Run one request and print what came out: ids with their pieces, soft tokens of each medium, the table
    of tensors.
    """
    with console.status("loading the model"), quiet_stderr():
        from export.cli import tables
        from export.cli.pictures import write_pictures
        from export.outputs import scaled
        from export.running import run_once

        outputs, pieces, settings = run_once(folder, prompt, {"image": _read(image), "audio": _read(audio)})
        drawn = (
            write_pictures(scaled(outputs, settings), pictures, **_picture_settings(settings))
            if pictures
            else []
        )
    row = tables.Row(outputs["token_ids"][0][outputs["padding_mask"][0].astype(bool)], pieces)
    if json_:
        print(json.dumps(tables.answer_json(outputs, row)))
        return
    for part in tables.answer_parts(outputs, row):
        console.print(part)
    for path in drawn:
        console.print(f"drew {escape(str(path))}")


@app.command()
def verify(
    folders: Annotated[
        list[pathlib.Path],
        typer.Argument(help="Version folders, DIR/N, and LiteRT bundles.", show_default=False),
    ],
    texts: Annotated[int, typer.Option(help="Random strings to compare, besides the fixed ones.")] = 2000,
    json_: AsJson = False,
) -> None:
    """Reload artifacts and print how far each step is from its reference, in every runtime. Exits with 1
    where one is too far.
    """
    with quiet_stderr():
        from export.cli import tables
        from export.verify import verify as verifying
    with console.status("loading") as status, quiet_stderr():
        results = verifying.verify(*folders, num_texts=texts, report=status.update)
    if json_:
        print(json.dumps([result._asdict() for result in results], indent=2))
    else:
        console.print(tables.parity_table(results))
    if not all(result.passed for result in results):
        raise typer.Exit(1)


app.command()(commands_fusing.fuse)
app.command()(commands_serving.serve)
app.command()(commands_serving.request)


def _print_written(
    written: pathlib.Path,
    notes: list[warnings.WarningMessage],
    json_: bool,
    *,
    of: pathlib.Path | None = None,
) -> None:
    size = sum(path.stat().st_size for path in (written.rglob("*") if of is None else [of]) if path.is_file())
    _print_notes(notes)
    if json_:
        print(json.dumps({"folder": str(written), "bytes": size}))
    else:
        folder = escape(str(written))
        name = "" if of is None else f"{of.name}, "
        console.print(
            f"wrote {folder} ({name}{size / 1e6:.1f} MB). Next: python -m export run {folder} --prompt Hello"
        )


def _print_notes(notes: list[warnings.WarningMessage]) -> None:
    """Our own warnings, which say what was left out; other packages' are theirs to mend."""
    for note in notes:
        if note.category is UserWarning and str(note.message).startswith("`"):
            Console(stderr=True, highlight=False).print(
                f"[yellow]note:[/yellow] {escape(str(note.message))}", soft_wrap=True
            )


def _picture_settings(settings: dict[str, Any]) -> dict[str, Any]:
    image = (settings["image_converter"] or {}).get("config", {})
    return {
        "pooling": image.get("pooling_kernel_size"),
        "scale": image.get("scale") or 1.0,
        "offset": image.get("offset") or 0.0,
    }


def _read(paths: list[pathlib.Path] | None) -> list[bytes]:
    return [path.read_bytes() for path in paths or []]


def main(arguments: list[str] | None = None) -> None:
    """Entry point: a user's mistake is one line on the error stream and exit code 2, not a traceback."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        result: Any = app(arguments, standalone_mode=False)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except Exception as error:
        if not _is_users(error):
            raise
        Console(stderr=True, highlight=False).print(
            f"[red]error:[/red] {escape(_message(error))}", soft_wrap=True
        )
        sys.exit(2)
    sys.exit(result if isinstance(result, int) else 0)


def _is_users(error: Exception) -> bool:
    """Whether the message was written for a user: our own checks, missing files and packages, wrong
    options.
    """
    return (
        isinstance(error, ValueError | OSError)
        or (isinstance(error, ImportError) and str(error).startswith("`"))
        or hasattr(error, "format_message")
    )


def _message(error: Exception) -> str:
    return error.format_message() if hasattr(error, "format_message") else str(error)
