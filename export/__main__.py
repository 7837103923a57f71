"""`python -m export`: write, look at, run and verify artifacts."""

import json
import logging
import os
import pathlib
import sys
from typing import Annotated, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import typer
from rich.console import Console
from rich.markup import escape

from export import commands_serving
from export.quiet import quiet_stderr

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Gemma 4's preprocessor as one graph: write, look at, run and verify it.",
)
console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)

Folder = Annotated[pathlib.Path, typer.Argument(help="A version folder, DIR/N.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command("saved-model")
def saved_model(
    tokenizer: Annotated[pathlib.Path, typer.Option(help="SentencePiece model (.spm or .model).", show_default=False)],
    out: Annotated[pathlib.Path, typer.Option(help="Folder of the model; the version becomes a folder in it.", show_default=False)],
    version: Annotated[int | None, typer.Option(help="Version number.", show_default="one more than the highest there")] = None,
    parity: Annotated[str, typer.Option(help="Whose rows: keras_hub or transformers.")] = "keras_hub",
    sequence_length: Annotated[int, typer.Option(help="Tokens in a row.")] = 1024,
    images: Annotated[bool, typer.Option(help="Whether prompts may have images.")] = True,
    audio: Annotated[bool, typer.Option(help="Whether prompts may have audio.")] = True,
    max_images_per_prompt: Annotated[int, typer.Option(help="Image slots in a row.")] = 2,
    max_audio_clips_per_prompt: Annotated[int, typer.Option(help="Clip slots in a row.")] = 1,
    max_image_pixels: Annotated[int, typer.Option(help="Largest height × width that is decoded.")] = 25_000_000,
    add_start_token: Annotated[bool, typer.Option(help="Whether a training row begins with <bos>.")] = True,
    add_end_token: Annotated[bool, typer.Option(help="Whether a training row ends with <eos>.")] = True,
    json_: AsJson = False,
) -> None:
    """Write DIR/N, a SavedModel with every signature, for TF Serving and `tf.saved_model.load`."""
    with console.status("loading TensorFlow") as status, quiet_stderr():
        import graph_ops
        from export.saved_model import export_saved_model

        preprocessor = graph_ops.Gemma4CausalLMPreprocessor(
            graph_ops.Gemma4Tokenizer(tokenizer),
            graph_ops.Gemma4ImageConverter(max_image_pixels=max_image_pixels) if images else None,
            graph_ops.Gemma4AudioConverter() if audio else None,
            sequence_length=sequence_length,
            add_start_token=add_start_token,
            add_end_token=add_end_token,
            max_images_per_prompt=max_images_per_prompt,
            max_audio_clips_per_prompt=max_audio_clips_per_prompt,
            parity=parity,
        )
        written = export_saved_model(preprocessor, out, version=version, report=status.update)
    size = sum(path.stat().st_size for path in written.rglob("*") if path.is_file())
    if json_:
        print(json.dumps({"folder": str(written), "bytes": size}))
    else:
        console.print(
            f"wrote {escape(str(written))} ({size / 1e6:.1f} MB). Next: python -m export run {escape(str(written))} --prompt Hello"
        )


@app.command()
def inspect(folder: Folder, json_: AsJson = False) -> None:
    """Print an artifact's signatures: inputs and outputs with dtype and shape."""
    with quiet_stderr():
        from export import tables

        rows = tables.signature_rows(folder)
    if json_:
        print(json.dumps(rows, indent=2))
    else:
        console.print(tables.signature_table(rows))


@app.command()
def run(
    folder: Folder,
    prompt: Annotated[str, typer.Option(help="Text with one <|image|> or <|audio|> for each medium.", show_default=False)],
    image: Annotated[list[pathlib.Path] | None, typer.Option(help="Image file; may be given several times.", show_default=False)] = None,
    audio: Annotated[list[pathlib.Path] | None, typer.Option(help="WAV file; may be given several times.", show_default=False)] = None,
    pictures: Annotated[
        pathlib.Path | None, typer.Option(help="Folder for PNGs of the patches and spectrograms.", show_default=False)
    ] = None,
    json_: AsJson = False,
) -> None:
    """Run one request and print what came out: ids with their pieces, soft tokens of each medium, the table of tensors."""
    with console.status("loading the model"), quiet_stderr():
        from export import running, tables
        from export.pictures import write_pictures
        from export.saved_model import read_description, read_vocabulary

        loaded = running.load(folder)
        pieces = read_vocabulary(folder).pieces
        outputs = running.request(loaded, prompt, _read(image), _read(audio))
        drawn = write_pictures(outputs, pictures, **_picture_settings(read_description(folder))) if pictures else []
    row = tables.Row(outputs["token_ids"][0][outputs["padding_mask"][0]], pieces)
    if json_:
        print(json.dumps(tables.answer_json(outputs, row)))
        return
    for part in tables.answer_parts(outputs, row):
        console.print(part)
    for path in drawn:
        console.print(f"drew {escape(str(path))}")


@app.command()
def verify(
    folder: Folder,
    texts: Annotated[int, typer.Option(help="Random strings to compare, besides the fixed ones.")] = 2000,
    json_: AsJson = False,
) -> None:
    """Reload an artifact and print, step by step, how far it is from the references. Exits with 1 where it is too far."""
    with quiet_stderr():
        from export import tables, verifying
    with console.status("loading the model") as status, quiet_stderr():
        results = verifying.verify(folder, num_texts=texts, report=status.update)
    if json_:
        print(json.dumps([result._asdict() for result in results], indent=2))
    else:
        console.print(tables.parity_table(results))
    if not all(result.passed for result in results):
        raise typer.Exit(1)


app.command()(commands_serving.serve)
app.command()(commands_serving.request)


def _picture_settings(description: dict[str, Any]) -> dict[str, Any]:
    image = (description["preprocessor"]["image_converter"] or {}).get("config", {})
    return {"pooling": image.get("pooling_kernel_size"), "scale": image.get("scale") or 1.0, "offset": image.get("offset") or 0.0}


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
        Console(stderr=True, highlight=False).print(f"[red]error:[/red] {escape(_message(error))}", soft_wrap=True)
        sys.exit(2)
    sys.exit(result if isinstance(result, int) else 0)


def _is_users(error: Exception) -> bool:
    """Whether the message was written for a user: our own checks, missing files, wrong options."""
    return isinstance(error, ValueError | OSError) or hasattr(error, "format_message")


def _message(error: Exception) -> str:
    return error.format_message() if hasattr(error, "format_message") else str(error)


if __name__ == "__main__":
    main()
