"""`gemma4-graph chat`: one dialogue on an artifact."""

import json
import pathlib
from typing import Annotated, Any

import typer

from export.artifact import open_artifact
from export.cli.artifacts import Folder, found
from export.cli.options import MaxSoftTokens, option, with_media_options
from export.cli.running import show_row
from export.cli.terminal import AsJson, at_work


@with_media_options
def chat(
    folder: Folder,
    media: dict[str, list[bytes]],
    message: Annotated[
        list[str] | None, option("ROLE=TEXT", "A message, such as user=Hello; may be given several times.")
    ] = None,
    messages: Annotated[
        pathlib.Path | None, option("FILE", "JSON: a list of messages in OpenAI's shape, before --message.")
    ] = None,
    tools: Annotated[
        pathlib.Path | None, option("FILE", "JSON: a list of functions' schemas in OpenAI's shape.")
    ] = None,
    max_soft_tokens: MaxSoftTokens = None,
    think: Annotated[bool, typer.Option(help="Ask the model to think.")] = False,
    json_: AsJson = False,
) -> None:
    """Run one dialogue and print what came out: ids with their pieces, soft tokens of each medium, the table
    of tensors. Files stand before the text of the last message of the user.
    """
    dialogue = [*_listed(messages, "messages"), *map(_message, message or [])]
    if not dialogue:
        raise ValueError("--message: a dialogue needs a message; got none. Pass --message user=Hello.")
    _put_in(dialogue, media)
    place = found(folder)
    with at_work("loading the model"):
        artifact = open_artifact(place)
        switches = {"enable_thinking": think}
        outputs = artifact.chat(
            dialogue, _listed(tools, "tools"), switches, max_soft_tokens=max_soft_tokens or ()
        )
        pieces = artifact.vocabulary.pieces
    show_row(outputs, pieces, [], as_json=json_)


def _message(text: str) -> dict[str, Any]:
    role, equals, content = text.partition("=")
    if not equals or not role:
        raise ValueError(f"--message: must be ROLE=TEXT, such as user=Hello; got {text!r}. Name who speaks.")
    return {"role": role, "content": content}


def _listed(path: pathlib.Path | None, name: str) -> list[Any]:
    """The list in a JSON file, or an empty one."""
    if path is None:
        return []
    try:
        listed = json.loads(path.expanduser().read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"--{name}: {path} must be JSON: {error}. Correct the file.") from None
    if not isinstance(listed, list):
        raise ValueError(f"--{name}: {path} must hold a list; got {type(listed).__name__}. Put it in one.")
    return listed


def _put_in(dialogue: list[dict[str, Any]], media: dict[str, list[bytes]]) -> None:
    """Files as parts before the text of the last message of the user."""
    parts = [{"type": name, name: file} for name, files in media.items() for file in files]
    if not parts:
        return
    last = next((each for each in reversed(dialogue) if each.get("role") == "user"), None)
    if last is None:
        raise ValueError(
            f"--{parts[0]['type']}: files belong to a user's message; got none. Pass --message user=TEXT."
        )
    content = last.get("content") or ""
    texts = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    last["content"] = [*parts, *texts]
