"""`gemma4-graph fuse`: a preprocessor and a model in one SavedModel, or in one LiteRT bundle."""

import importlib.util
import pathlib
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from export.cli.artifacts import size_of
from export.cli.options import (
    ENGINES,
    MaxSoftTokensInput,
    PreprocessorOptions,
    Version,
    choice,
    option,
    with_preprocessor_options,
)
from export.cli.preprocessor import check_generates, embeds, make_preprocessor
from export.cli.terminal import AsJson, at_work, show
from export.fusing.models import SAMPLERS
from export.publish import check_new, version_folder

if TYPE_CHECKING:
    from export.fusing.self_check import Check

_OF_THE_APP = "an app generates with a bundle, token by token, and chooses and ends as it likes"
NOT_FOR_BUNDLES = {
    "version": "a bundle has no versions; its folder is `out`",
    "max_new_tokens": _OF_THE_APP,
    "stop_tokens": _OF_THE_APP,
    "sampler": _OF_THE_APP,
    "strip_prompt": _OF_THE_APP,
    "steps": "a bundle has `prefill` and `decode` anyway",
}
"""Options of a SavedModel, and why a bundle has no use for them."""


@with_preprocessor_options
def fuse(
    options: PreprocessorOptions,
    model: Annotated[
        str,
        option(
            "NAME",
            "A .keras file, or a preset of keras_hub.models.Gemma4CausalLM or EmbeddingGemma2TextEmbedder: "
            "name, folder or handle.",
        ),
    ],
    out: Annotated[
        pathlib.Path,
        option(
            "DIR", "Folder of the model; the version becomes a folder in it. Of a bundle: must not exist."
        ),
    ],
    litert: Annotated[
        bool,
        typer.Option(help="Write a LiteRT bundle; the loop over tokens is the app's."),
    ] = False,
    version: Version = None,
    max_new_tokens: Annotated[
        int | None,
        option("N", "Most tokens in an answer; by default all that the row holds."),
    ] = None,
    stop_token: Annotated[
        list[str] | None,
        option(
            "PIECE", "Piece that ends an answer; may be given several times; by default <eos> and <turn|>."
        ),
    ] = None,
    sampler: Annotated[
        str | None,
        choice(SAMPLERS, "greedy, random, top_k or top_p; by default the one that the model comes with."),
    ] = None,
    strip_prompt: Annotated[
        bool, typer.Option(help="Whether the text is the answer alone, without its prompt.")
    ] = False,
    steps: Annotated[
        bool, typer.Option(help="Write prefill and decode too, for clients that drive the loop.")
    ] = False,
    engine: Annotated[
        str | None,
        choice(
            ENGINES,
            "sentencepiece, the default; or builtin, for programs without tensorflow-text, "
            "and the only one of bundles.",
        ),
    ] = None,
    check: Annotated[
        bool | None,
        typer.Option(
            help="Whether to load what was written and ask it once; by default yes, where it can run here."
        ),
    ] = None,
    max_soft_tokens_input: MaxSoftTokensInput = False,
    json_: AsJson = False,
) -> None:
    """Write DIR/N, one SavedModel of the preprocessor and a model: strings and media in, text or vectors out;
    or a LiteRT bundle of both.
    """
    generation: dict[str, Any] = {
        "max_new_tokens": max_new_tokens,
        "strip_prompt": strip_prompt,
        "steps": steps,
    }
    generation |= {"stop_tokens": stop_token} if stop_token else {}
    choices = {"max_soft_tokens_input": max_soft_tokens_input}
    if litert:
        given = {**generation, "stop_tokens": stop_token, "version": version, "sampler": sampler}
        check_bundle_options(given, engine)
        check_new(out.expanduser(), argument="out")
    else:
        check_new(version_folder(out, version), argument="version")
    with at_work() as report:
        preprocessor = make_preprocessor(
            options, engine=engine or ("builtin" if litert else "sentencepiece"), report=report
        )
        if litert:
            check_generates(preprocessor)
        report("loading the model")
        from export.fusing.models import load_model

        loaded = load_model(model, sampler=sampler, embeds=embeds(preprocessor))
        if litert:
            from export.fusing.litert import fuse_litert

            written = fuse_litert(preprocessor, loaded, out, **choices, report=report)
        else:
            from export.fusing.write import fuse as fuse_parts

            generation |= choices
            written = fuse_parts(preprocessor, loaded, out, version=version, report=report, **generation)
        report("asking it")
        checked = _checked(written, litert, check)
    document = _document(written, litert, checked)
    show(document, lines(document), as_json=json_)


def check_bundle_options(given: dict[str, Any], engine: str | None) -> None:
    """Refuses what has no effect on a bundle.

    Args:
        given: options by name.
        engine: of the tokenizer, if chosen.

    Raises:
        ValueError: one of them was given; says why and what to do.
    """
    for name, reason in NOT_FOR_BUNDLES.items():
        if given[name]:
            raise ValueError(
                f"`{name}`: must be left out with --litert; {reason}. Leave it out, or write a SavedModel."
            )
    if engine == "sentencepiece":
        raise ValueError(
            "`engine`: must be builtin with --litert, as devices have no op of SentencePiece; got "
            "sentencepiece. Leave it out."
        )


def _checked(written: pathlib.Path, litert: bool, wanted: bool | None) -> "Check | None":
    """The first request to what was written; not to a bundle that cannot run here, unless it is asked for."""
    if wanted is None:
        wanted = not litert or importlib.util.find_spec("ai_edge_litert") is not None
    if not wanted:
        return None
    from export.fusing.self_check import check_answers, check_bundle_answers

    return check_bundle_answers(written) if litert else check_answers(written)


def _document(written: pathlib.Path, litert: bool, checked: "Check | None") -> dict[str, Any]:
    document: dict[str, Any] = {"folder": str(written), "bytes": size_of(written)}
    if not litert:
        document["weights_bytes"] = size_of(written / "variables")
    if checked:
        document["check"] = {
            "prompt": checked.prompt,
            "seconds": checked.seconds,
            "load_seconds": checked.load_seconds,
        }
        if "text" in checked.outputs:
            document["check"]["text"] = checked.outputs["text"][0].decode("utf-8", "replace")
    return document


def lines(document: dict[str, Any]) -> list[str]:
    """What was written and answered, line by line, as rich markup."""
    folder, weights = document["folder"], document.get("weights_bytes")
    inside = "" if weights is None else f", {weights / 1e6:.1f} MB of it weights"
    found = [f"wrote {folder} ({document['bytes'] / 1e6:.1f} MB{inside})"]
    if checked := document.get("check"):
        found.append(f"loaded in {checked['load_seconds']:.1f} s, answers in {checked['seconds']:.3f} s")
        found.append(f"asked: {checked['prompt']}")
        if "text" in checked:
            found.append(f"answered: {checked['text']}")
    follow = f"inspect {folder}" if weights is None else f"serve {pathlib.Path(folder).parent}"
    return [escape(line) for line in [*found, f"Next: gemma4-graph {follow}"]]
