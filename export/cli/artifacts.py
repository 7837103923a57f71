"""`gemma4-graph saved-model`, `litert`, `inspect`, `run`, `verify`: artifacts written, looked at, tried and
compared.
"""

import pathlib
from typing import Annotated, Any

import typer
from rich.markup import escape

from export.artifact import find_artifact, open_artifact
from export.cli.options import (
    Engine,
    MaxSoftTokens,
    MaxSoftTokensInput,
    Out,
    PreprocessorOptions,
    Prompt,
    Version,
    option,
    with_media_options,
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
    """Print an artifact's signatures: inputs and outputs with dtype and shape."""
    place = found(folder)
    with at_work():
        from export.cli import tables

        rows = tables.in_order(open_artifact(place).tensor_rows())
    show([row._asdict() for row in rows], [tables.signature_table(rows)], as_json=json_, indent=2)


@with_media_options
def run(
    folder: Folder,
    prompt: Prompt,
    media: dict[str, list[bytes]],
    max_soft_tokens: MaxSoftTokens = None,
    pictures: Annotated[
        pathlib.Path | None,
        option("DIR", "Folder for PNGs of the patches and spectrograms."),
    ] = None,
    json_: AsJson = False,
) -> None:
    """Run one request and print what came out: ids with their pieces, soft tokens of each medium, the table
    of tensors.
    """
    place = found(folder)
    with at_work("loading the model"):
        from export.cli.pictures import write_pictures
        from export.media import decodable
        from export.outputs import scaled

        artifact = open_artifact(place)
        settings, pieces = artifact.settings, artifact.vocabulary.pieces
        files = decodable(media, settings)
        outputs = artifact.request(prompt, files, max_soft_tokens=max_soft_tokens or ())
        drawn = (
            write_pictures(scaled(outputs, settings), pictures, patching=_patching(settings))
            if pictures
            else []
        )
    lines = [f"drew {escape(str(path))}" for path in drawn]
    show_row(outputs, pieces, lines, as_json=json_)


def show_row(outputs: Any, pieces: Any, lines: list[str], *, as_json: bool) -> None:
    """Prints what came out for one row, and then lines."""
    from export.cli import tables

    row = tables.Row(outputs["token_ids"][0][outputs["padding_mask"][0].astype(bool)], pieces)
    show(tables.answer_json(outputs, row), [*tables.answer_parts(outputs, row), *lines], as_json=as_json)


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


def _patching(settings: dict[str, Any]) -> dict[str, Any]:
    """How each medium of pixels became patches, by its name."""
    from export.cli.pictures import Patching

    found = {}
    for name in ("image", "video"):
        if layer := settings.get(f"{name}_converter"):
            config = layer["config"]
            found[name] = Patching(
                config["pooling_kernel_size"], config["scale"] or 1.0, config["offset"] or 0.0
            )
    return found
