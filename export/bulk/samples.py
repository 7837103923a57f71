"""A record of any format -> a sample: its texts, and the bytes of its media."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from export.bulk.dead_letters import RowFault
from export.bulk.files import joined, read_file
from graph_ops.chat.dialogue import PART_MEDIA
from graph_ops.layers.inputs.parts import item_of
from graph_ops.media.table import MEDIA

FIELDS = {
    "prompts": ("prompts", "prompt"),
    "responses": ("responses", "response"),
    "messages": ("messages",),
    "tools": ("tools",),
    **{medium.argument: tuple(dict.fromkeys((medium.argument, medium.name))) for medium in MEDIA},
    **{f"{medium.name}_paths": (f"{medium.name}_paths", f"{medium.name}_path") for medium in MEDIA},
}
"""Field of a sample -> the names that a record may have it under."""
TEXTS = ("prompts", "responses", "messages")
"""Those that all rows of a job have, or none."""


class Sample(NamedTuple):
    """One sample, read whole.

    Attributes:
        key: names the row.
        source: the file, and `#` and the number of the row.
        prompt: text, or None if there are messages.
        response: text, or None.
        messages: a dialogue, with bytes in its media, or None.
        tools: schemas of functions, or None.
        media: files of each medium, by its argument; those of messages are in their parts.
        size: bytes of it all.
    """

    key: str
    source: str
    prompt: str | None
    response: str | None
    messages: list[dict[str, Any]] | None
    tools: Any
    media: dict[str, list[bytes]]
    size: int


class Reading(NamedTuple):
    """How records become samples.

    Attributes:
        columns: those of `TEXTS` that a row must have.
        key: field that names a row, or "" for its place.
        prompt: of rows that have none, or "".
        max_row_bytes: of a row that is read.
    """

    columns: tuple[str, ...]
    key: str
    prompt: str
    max_row_bytes: int


def columns_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Which of `TEXTS` a record has."""
    return tuple(name for name in TEXTS if _field(record, name) is not None)


def key_of(record: Mapping[str, Any], source: str, key: str) -> str:
    """What names a row.

    Raises:
        RowFault: the field is missing.
    """
    if not key:
        return source.encode("utf-8", "backslashreplace").decode()
    value = record.get(key)
    value = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    if value is None or isinstance(value, list | dict):
        raise RowFault("columns", f"`{key}`: must name the row; got {value!r}. Give it a string.")
    text = str(value)
    if text != text.encode("utf-8", "replace").decode():
        raise RowFault("columns", f"`{key}`: must be Unicode; got {text!r}. Replace what is not.")
    return text


def read_sample(record: Mapping[str, Any], source: str, folder: str, reading: Reading) -> Sample:
    """Reads a record's texts and media.

    Args:
        record: fields by name.
        source: the file, and `#` and the number of the row.
        folder: what relative paths begin at.
        reading: how.

    Raises:
        RowFault: something is missing, unreadable or too large.
    """
    key, room = key_of(record, source, reading.key), _Room(reading.max_row_bytes)
    found = columns_of(record)
    if not found and reading.prompt:
        record, found = {**record, "prompts": reading.prompt}, ("prompts",)
    if found != reading.columns:
        wanted, got = " and ".join(reading.columns), " and ".join(found) or "none of them"
        raise RowFault("columns", f"`input`: each row must have {wanted}; got {got}. Correct the row.")
    texts = {name: _text(_field(record, name), name, room) for name in ("prompts", "responses")}
    messages = _field(record, "messages")
    if messages is not None:
        messages = _with_files(messages, folder, room)
    media = {
        medium.argument: [
            *_files(_field(record, medium.argument), medium.argument, folder, room),
            *_files(_field(record, f"{medium.name}_paths"), medium.argument, folder, room, are_paths=True),
        ]
        for medium in MEDIA
    }
    prompt, response = texts["prompts"], texts["responses"]
    return Sample(key, source, prompt, response, messages, _field(record, "tools"), media, room.taken)


class _Room:
    """How many bytes a row takes, and may."""

    def __init__(self, most: int) -> None:
        self.most, self.taken = most, 0

    def take(self, data: bytes) -> bytes:
        self.taken += len(data)
        if self.taken > self.most:
            raise RowFault(
                "too_large",
                f"`max_row_bytes`: a row must have at most {self.most:,} bytes; got more. Make its media "
                "smaller, or raise --max-row-bytes.",
            )
        return data

    def read(self, path: str, name: str) -> bytes:
        try:
            return self.take(read_file(path, self.most - self.taken))
        except OverflowError:
            self.take(bytes(self.most + 1 - self.taken))
            raise AssertionError from None
        except Exception as error:  # each of Beam's file systems has its own
            reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            raise RowFault(
                "unreadable", f"`{name}`: a file must be readable; {path}: {reason}. Check the path."
            ) from None


def _field(record: Mapping[str, Any], name: str) -> Any:
    return next((record[key] for key in FIELDS[name] if record.get(key) is not None), None)


def _text(value: Any, name: str, room: _Room) -> str | None:
    if value is None:
        return None
    try:
        text = value.decode() if isinstance(value, bytes) else value
        if not isinstance(text, str):
            raise RowFault("columns", f"`{name}`: must be a text; got {type(value).__name__}. Convert it.")
        room.take(text.encode())
    except UnicodeError as error:
        raise RowFault("columns", f"`{name}`: must be Unicode: {error}. Replace what is not.") from None
    return text


def _files(value: Any, name: str, folder: str, room: _Room, *, are_paths: bool = False) -> list[bytes]:
    """The bytes of the files that a field names or holds."""
    if value is None:
        return []
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [file for each in value for file in _files(each, name, folder, room, are_paths=are_paths)]
    if isinstance(value, Mapping):
        held = value.get("bytes")
        if isinstance(held, str):
            return [room.take(_decoded(held, name))]
        return _files(value.get("path") if held is None else held, name, folder, room)
    if isinstance(value, bytes) and are_paths:
        value = value.decode("utf-8", "surrogateescape")
    if isinstance(value, bytes):
        return [room.take(value)] if value else []
    if not isinstance(value, str):
        raise RowFault(
            "columns",
            f"`{name}`: must be paths, URIs or files' bytes; got {type(value).__name__}. Convert them.",
        )
    if value.startswith("data:"):
        return [room.take(_decoded(value.partition(",")[2], name))]
    return [room.read(joined(folder, value), name)] if value else []


def _decoded(text: str, name: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise RowFault("columns", f"`{name}`: bytes in JSON must be base64; got {text[:20]!r}.") from None


def _with_files(messages: Any, folder: str, room: _Room) -> list[dict[str, Any]]:
    """A dialogue with the bytes of files in the place of their paths; its faults are found later."""
    if not isinstance(messages, Sequence) or isinstance(messages, str | bytes):
        raise RowFault("columns", f"`messages`: must be a list; got {type(messages).__name__}. Convert it.")
    return [_message(message, index, folder, room) for index, message in enumerate(messages)]


def _message(message: Any, index: int, folder: str, room: _Room) -> Any:
    content = message.get("content") if isinstance(message, Mapping) else None
    if isinstance(content, str):
        room.take(content.encode("utf-8", "replace"))
    if not isinstance(content, Sequence) or isinstance(content, str | bytes):
        return message
    return {**message, "content": [_part(part, index, folder, room) for part in content]}


def _part(part: Any, index: int, folder: str, room: _Room) -> Any:
    """A part with the bytes of its file; base64 stays for who reads messages."""
    if not isinstance(part, Mapping) or part.get("type") not in PART_MEDIA:
        return part
    medium = PART_MEDIA[part["type"]]
    held = part.get(medium)
    if isinstance(held, Mapping) and held.keys() & {"bytes", "path"}:
        files = _files(held, "messages", folder, room)
        return {"type": medium, medium: files[0] if files else None}
    payload = item_of(part, index).payload
    is_base64 = part["type"] == "input_audio" or part.get("base64") is not None
    if not isinstance(payload, str) or is_base64 or payload.startswith("data:"):
        return part
    return {"type": medium, medium: room.read(joined(folder, payload), "messages")}
