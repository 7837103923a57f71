"""Calls in native text -> JSON as Python holds it: the way back of a call, for what runs the tools.

Host code: mappings of any depth.

```
call:f{a:1,b:[<|"|>x<|"|>]}   ->   {"name": "f", "arguments": {"a": 1, "b": ["x"]}}
```

Between quotes everything is text. Elsewhere white space around values counts for nothing, and a word that is
no number, `true`, `false` or `null` is a string.
"""

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

from graph_ops.family import GEMMA4

MOST_DEPTH = 64
"""Most lists and mappings inside each other that are read. Ours."""

_CHAT = GEMMA4.chat
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_BARE = re.compile(r"[^,:{}\[\]]*")
_SPACE = re.compile(r"[ \t\r\n]*")


def parse_calls(native: "str | Iterable[str]") -> list[dict[str, Any]]:
    """The calls of an answer.

    Args:
        native: as `parse_response` gives them: a text with any number of calls, each with or without
            `<|tool_call>` and `<tool_call|>` around it, or several texts.

    Returns:
        `{"name": …, "arguments": {…}}` for each call, in order. Of equal keys the last counts.

    Raises:
        ValueError: something else than calls, or one that was cut; says where.
    """
    if isinstance(native, str):
        return list(_Reader(native).calls())
    return [call for text in native for call in _Reader(text).calls()]


class _Reader:
    """A text and how far it was read."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def calls(self) -> Iterable[dict[str, Any]]:
        """Each call up to the end of the text."""
        self._skip_space()
        while self._at < len(self._text):
            self._take(_CHAT.call)
            self._expect("call:")
            name = self._until("{", "a name and `{`")
            yield {"name": name.strip(), "arguments": self._mapping(1)}
            self._skip_space()
            self._take(_CHAT.call_end)
            self._skip_space()

    def _value(self, depth: int) -> Any:
        if depth > MOST_DEPTH:
            raise self._error(f"at most {MOST_DEPTH} lists and mappings inside each other")
        if self._take(_CHAT.quote):
            return self._until(_CHAT.quote, f"the closing `{_CHAT.quote}`")
        if self._take("{"):
            return self._mapping(depth + 1)
        if self._take("["):
            items: list[Any] = []
            self._items("]", lambda: items.append(self._value(depth + 1)))
            return items
        return _bare_value(self._bare())

    def _mapping(self, depth: int) -> dict[str, Any]:
        """The entries behind `{`."""
        found: dict[str, Any] = {}

        def entry() -> None:
            key = self._until(_CHAT.quote, "its end") if self._take(_CHAT.quote) else self._bare()
            self._skip_space()
            self._expect(":")
            self._skip_space()
            found[key] = self._value(depth)

        self._items("}", entry)
        return found

    def _items(self, end: str, read: Callable[[], None]) -> None:
        """Items with commas between them, up to the end."""
        self._skip_space()
        if self._take(end):
            return
        while True:
            self._skip_space()
            read()
            self._skip_space()
            if self._take(end):
                return
            self._expect(",", f"`,` or `{end}`")

    def _bare(self) -> str:
        """A key or a value without quotes."""
        found = _BARE.match(self._text, self._at)
        word = found.group() if found else ""
        self._at += len(word)
        if not word.strip():
            raise self._error("a key or a value")
        return word.strip()

    def _until(self, end: str, wanted: str) -> str:
        """The text up to an end, which is taken too."""
        found = self._text.find(end, self._at)
        if found < 0:
            raise self._error(wanted)
        text, self._at = self._text[self._at : found], found + len(end)
        return text

    def _take(self, text: str) -> bool:
        """Takes the text if it is next."""
        is_next = self._text.startswith(text, self._at)
        self._at += len(text) * is_next
        return is_next

    def _expect(self, text: str, wanted: str | None = None) -> None:
        if not self._take(text):
            raise self._error(wanted or f"`{text}`")

    def _skip_space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _error(self, wanted: str) -> ValueError:
        rest = self._text[self._at : self._at + 20]
        got = repr(rest) if rest else "the end of the text"
        return ValueError(
            f"`native`: must be calls such as call:f{{a:1}}; at character {self._at} it needs {wanted}; got "
            f"{got}. An answer that was cut may lack its end: leave its last call out."
        )


def _bare_value(word: str) -> Any:
    """A number, `true`, `false`, `null`, or else the word itself."""
    if word in _WORDS:
        return _WORDS[word]
    number = _NUMBER.fullmatch(word)
    if not number or not math.isfinite(float(word)):
        return word
    return float(word) if number[1] or number[2] else int(word)
