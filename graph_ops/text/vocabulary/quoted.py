"""Values of a file as its errors quote them."""

import json
from typing import Any

_MOST = 120  # characters


def quoted(value: Any) -> str:
    """A JSON value as JSON, at most 120 characters of it; half a surrogate pair, which cannot be printed, as
    its escape.
    """
    text = json.dumps(value, ensure_ascii=False)
    text = text if len(text) <= _MOST else f"{text[:_MOST]}…"
    return text.encode("utf-8", "backslashreplace").decode()
