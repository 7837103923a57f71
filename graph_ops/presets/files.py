"""Files of a preset folder: JSON objects and the vocabulary."""

import json
import os
import pathlib
from typing import Any

from graph_ops.presets.downloads import HUGGINGFACE_VOCABULARY, KERAS_HUB_VOCABULARY
from graph_ops.text.vocabulary.vocabulary import Vocabulary, load_vocabulary

Json = dict[str, Any]


def read_vocabulary(source: "str | os.PathLike[str] | bytes | Vocabulary") -> Vocabulary:
    """A vocabulary from its file, the bytes of one, or a preset folder of either layout that holds one.

    Raises:
        FileNotFoundError: no such file, or none in the folder.
        TypeError, ValueError: see `load_vocabulary`.
    """
    if isinstance(source, Vocabulary):
        return source
    if not isinstance(source, str | os.PathLike) or not os.path.isdir(os.path.expanduser(source)):
        return load_vocabulary(source)
    folder = pathlib.Path(source).expanduser()
    for file in (KERAS_HUB_VOCABULARY, HUGGINGFACE_VOCABULARY):
        if (folder / file).is_file():
            return load_vocabulary(folder / file)
    raise FileNotFoundError(
        f"`tokenizer`: a preset folder must hold {KERAS_HUB_VOCABULARY} or {HUGGINGFACE_VOCABULARY}; "
        f"{folder} holds neither. Fetch the whole preset, or pass a vocabulary file."
    )


def existing(folder: pathlib.Path, file: str) -> pathlib.Path:
    """The path of a file that a folder must have.

    Raises:
        FileNotFoundError: it has none.
    """
    path = folder / file
    if not path.is_file():
        raise FileNotFoundError(
            f"`preset`: a folder must hold its vocabulary; {path} is missing. Fetch the whole preset, or "
            f"pass a vocabulary as `tokenizer=`."
        )
    return path


def read_json(path: pathlib.Path) -> Json | None:
    """A file's JSON object, or None without the file.

    Raises:
        ValueError: not a JSON object.
    """
    if not path.is_file():
        return None
    try:
        parsed = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(
            f"`preset`: {path.name} must be JSON; {path} is not: {error}. Fetch the file again."
        ) from error
    if not isinstance(parsed, dict):
        raise ValueError(
            f"`preset`: {path.name} must hold a JSON object; {path} holds a {type(parsed).__name__}. Fetch "
            f"the file again."
        )
    return parsed
