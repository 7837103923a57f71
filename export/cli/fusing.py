"""`python -m export fuse`: a preprocessor and a model in one SavedModel, or in one LiteRT bundle."""

import json
import pathlib
import sys
import warnings
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from export.cli.options import PreprocessorOptions, make_preprocessor, with_preprocessor_options
from export.cli.quiet import quiet_stderr

console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)


@with_preprocessor_options
def fuse(
    options: PreprocessorOptions,
    model: Annotated[
        str,
        typer.Option(
            help="A .keras file, or a preset of keras_hub.models.Gemma4CausalLM: name, folder or handle.",
            show_default=False,
        ),
    ],
    out: Annotated[
        pathlib.Path,
        typer.Option(
            help="Folder of the model; the version becomes a folder in it. Of a bundle: must not exist.",
            show_default=False,
        ),
    ],
    litert: Annotated[
        bool,
        typer.Option(
            "--litert", help="Whether to write a LiteRT bundle, whose loop over tokens is the app's."
        ),
    ] = False,
    version: Annotated[
        int | None, typer.Option(help="Version number.", show_default="one more than the highest there")
    ] = None,
    max_new_tokens: Annotated[
        int | None, typer.Option(help="Most tokens in an answer.", show_default="all that the row holds")
    ] = None,
    stop_token: Annotated[
        list[str] | None,
        typer.Option(
            help="Piece that ends an answer; may be given several times.", show_default="<eos> and <turn|>"
        ),
    ] = None,
    sampler: Annotated[
        str | None,
        typer.Option(
            help="greedy, random, top_k or top_p.", show_default="the one that the model comes with"
        ),
    ] = None,
    strip_prompt: Annotated[
        bool, typer.Option(help="Whether the text is the answer alone, without its prompt.")
    ] = False,
    engine: Annotated[
        str,
        typer.Option(
            help="sentencepiece, the fastest; or builtin, whose export loads where tensorflow-text is "
            "not installed."
        ),
    ] = "sentencepiece",
    check: Annotated[bool, typer.Option(help="Whether to load what was written and ask it once.")] = True,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Write DIR/N, one SavedModel of the preprocessor and a model: strings and media in, text out; or a
    LiteRT bundle of both.
    """
    with console.status("loading TensorFlow") as status, quiet_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from export.fusing.litert import fuse_litert
        from export.fusing.models import load_model
        from export.fusing.self_check import check_answers
        from export.fusing.write import fuse as fuse_parts
        from graph_ops.config import STOP_TOKENS

        preprocessor = make_preprocessor(options, engine="builtin" if litert else engine)
        status.update("loading the model")
        loaded = load_model(model, sampler=sampler)
        if litert:
            written = fuse_litert(preprocessor, loaded, out, report=status.update)
        else:
            written = fuse_parts(
                preprocessor,
                loaded,
                out,
                version=version,
                max_new_tokens=max_new_tokens,
                stop_tokens=STOP_TOKENS if stop_token is None else stop_token,
                strip_prompt=strip_prompt,
                report=status.update,
            )
        status.update("asking it")
        checked = check_answers(written) if check and not litert else None
    document: dict[str, Any] = {"folder": str(written), "bytes": _size(written)}
    if not litert:
        document["weights_bytes"] = _size(written / "variables")
    if checked:
        document["check"] = {
            "prompt": checked.prompt,
            "seconds": checked.seconds,
            "load_seconds": checked.load_seconds,
        }
        if "text" in checked.outputs:
            document["check"]["text"] = checked.outputs["text"][0].decode("utf-8", "replace")
    if json_:
        print(json.dumps(document))
        return
    for line in _lines(document):
        console.print(escape(line), soft_wrap=True)


def _size(folder: pathlib.Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _lines(document: dict[str, Any]) -> list[str]:
    folder, weights = document["folder"], document.get("weights_bytes")
    size = f"{document['bytes'] / 1e6:.1f} MB"
    if weights is None:
        return [f"wrote {folder} ({size}). Next: python -m export inspect {folder}"]
    lines = [f"wrote {folder} ({size}, {weights / 1e6:.1f} MB of it weights)"]
    if checked := document.get("check"):
        lines.append(f"loaded in {checked['load_seconds']:.1f} s, answers in {checked['seconds']:.3f} s")
        lines.append(f"asked: {checked['prompt']}")
        if "text" in checked:
            lines.append(f"answered: {checked['text']}")
    return [*lines, f"Next: python -m export serve {pathlib.Path(folder).parent}"]
