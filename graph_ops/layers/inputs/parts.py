"""A message's part that is a medium -> the item in it, as far as one is given there."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple

from graph_ops.chat.dialogue import PART_MEDIA
from graph_ops.layers.inputs.forms import quoted

_KEYS = {
    "image": ("image", "url", "base64"),
    "image_url": ("image_url",),
    "audio": ("audio", "url", "base64"),
    "input_audio": ("input_audio",),
    "video": ("video", "url", "path"),
}
"""Type of a part -> where its item may be: OpenAI's shapes and transformers'."""
_INNER = ("url", "data")
"""Where it is in OpenAI's mappings."""


class Item(NamedTuple):
    """One medium of a dialogue.

    Attributes:
        medium: its name.
        payload: a file's bytes, an array, or text; None where the part only says where the item belongs.
        at: index of the message.
    """

    medium: str
    payload: Any
    at: int


def item_of(part: Mapping[str, Any], index: int) -> Item:
    """The item of a part of a type in `chat.dialogue.PART_MEDIA`, of the message with that index."""
    kind = part["type"]
    found = next((part[key] for key in _KEYS[kind] if part.get(key) is not None), None)
    if isinstance(found, Mapping):
        found = next((found[key] for key in _INNER if found.get(key) is not None), None)
    return Item(PART_MEDIA[kind], found, index)


def decoded(item: Item) -> Any:
    """The payload, where it is text the bytes that it stands for.

    Raises:
        ValueError: text that is neither a data URL nor base64, for example another URL: nothing is
            downloaded.
    """
    if not isinstance(item.payload, str):
        return item.payload
    head, comma, tail = item.payload.partition(",")
    encoded = tail if comma and head.startswith("data:") and head.endswith(";base64") else item.payload
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ValueError(
            f"`messages`: a part must hold a file's bytes, an array, or base64 (as a data URL or alone); an "
            f"{item.medium} part of message {item.at} has {quoted(item.payload)}. Read or download it "
            "first, and pass the bytes."
        ) from None
