"""`gemma4-graph saved-model`, `litert`, `inspect`, `verify`: artifacts written, looked at and compared."""

import pathlib
from typing import Annotated

import typer
from rich.markup import escape

from export.artifact import find_artifact, open_artifact
from export.cli.options import (
    Engine,
    MaxSoftTokensInput,
    Out,
    PreprocessorOptions,
    Version,
    option,
    with_preprocessor_options,
)
from export.cli.preprocessor import check_generates, make_preprocessor
from export.cli.terminal import AsJson, at_work, say, show
from export.publish import check_new, version_folder

Folder = Annotated[
    pathlib.Path,
    typer.Argument(help="DIR, for its newest version; DIR/N; or a LiteRT bundle.", metavar="DIR"),
]


@with_preprocessor_options
def saved_model(
    options: PreprocessorOptions,
    out: Out,
    version: Version = None,
    engine: Engine = "sentencepiece",
    compact: Annotated[
        bool,
        typer.Option(help="Give pixels as uint8, a quarter of the bytes, for the client to scale."),
    ] = False,
    max_soft_tokens_input: MaxSoftTokensInput = False,
    json_: AsJson = False,
) -> None:
    """Write DIR/N, a SavedModel with every signature, for TF Serving and `tf.saved_model.load`."""
    check_new(version_folder(out, version), argument="version")
    with at_work() as report:
        preprocessor = make_preprocessor(options, engine=engine, report=report)
        from export.saved_model.write import export_saved_model

        choices = {"compact": compact, "max_soft_tokens_input": max_soft_tokens_input}
        written = export_saved_model(preprocessor, out, version=version, **choices, report=report)
    _show_written(written, written, as_json=json_)


@with_preprocessor_options
def litert(
    options: PreprocessorOptions,
    out: Annotated[pathlib.Path, option("DIR", "Folder of the bundle; must not exist.")],
    static: Annotated[
        list[str] | None,
        option(
            "SIZES",
            "Fixed sizes, as browsers need: text=256,1024 image=768x768 audio=10 (seconds); may be given "
            "several times.",
        ),
    ] = None,
    max_soft_tokens_input: MaxSoftTokensInput = False,
    json_: AsJson = False,
) -> None:
    """Write a LiteRT bundle for phones, embedded devices and browsers: one .tflite in builtin ops, and
    signatures.json.
    """
    check_new(out.expanduser(), argument="out")
    with at_work() as report:
        preprocessor = make_preprocessor(options, engine="builtin", report=report)
        check_generates(preprocessor)
        from export.litert.buckets import parse_buckets
        from export.litert.write import MODEL, export_litert

        buckets = parse_buckets(static) if static else None
        written = export_litert(
            preprocessor,
            out,
            buckets=buckets,
            max_soft_tokens_input=max_soft_tokens_input,
            report=report,
        )
    _show_written(written, written / MODEL, as_json=json_)


def inspect(folder: Folder, json_: AsJson = False) -> None:
    """Print an artifact's signatures, inputs and outputs with dtype and shape, what a runtime must have, and
    which vocabulary it holds.
    """
    place = found(folder)
    with at_work():
        from export.cli import tables

        artifact = open_artifact(place)
        rows, needs = tables.in_order(artifact.tensor_rows()), artifact.requirements()
        size, sha256 = len(artifact.vocabulary.pieces), artifact.vocabulary.sha256
    document = {
        "tensors": [row._asdict() for row in rows],
        "requirements": needs._asdict() | {"ops": [op._asdict() for op in needs.ops]},
        "vocabulary": {"size": size, "sha256": sha256},
    }
    line = f"vocabulary: {size:,} pieces, sha256 {sha256}"
    parts = [tables.signature_table(rows), "", tables.requirement_lines(needs), line]
    show(document, parts, as_json=json_, indent=2)


def verify(
    folders: Annotated[
        list[pathlib.Path],
        typer.Argument(
            help="Each a DIR, for its newest version, a DIR/N, or a LiteRT bundle.", metavar="DIR"
        ),
    ],
    texts: Annotated[int, option("N", "Random strings to compare, besides the fixed ones.")] = 2000,
    json_: AsJson = False,
) -> None:
    """Reload artifacts and print how far each step is from its reference, in every runtime. Exits with 1
    where one is too far.
    """
    places = [found(folder) for folder in folders]
    with at_work() as report:
        from export.cli import tables
        from export.verify import verify as verifying

        results = verifying.verify(*places, num_texts=texts, report=report)
    document = [result._asdict() for result in results]
    show(document, [tables.parity_table(results)], as_json=json_, indent=2)
    if not all(result.passed for result in results):
        raise typer.Exit(1)


def size_of(path: pathlib.Path) -> int:
    """Bytes of a file, or of the files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def found(folder: pathlib.Path) -> pathlib.Path:
    """The folder of the artifact there; says so where that is the newest version's."""
    place = find_artifact(folder)
    if place != folder.expanduser():
        say(f"[yellow]note:[/yellow] taking {escape(str(place))}, the newest version")
    return place


def _show_written(folder: pathlib.Path, counted: pathlib.Path, *, as_json: bool) -> None:
    size = size_of(counted)
    name = "" if counted == folder else f"{counted.name}, "
    path = escape(str(folder))
    line = f"wrote {path} ({name}{size / 1e6:.1f} MB). Next: gemma4-graph run {path} --prompt Hello"
    show({"folder": str(folder), "bytes": size}, [line], as_json=as_json)
