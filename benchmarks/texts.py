"""Texts of every kind, of the size that a measurement wants."""

import base64
import json
import os
import pathlib
import pydoc_data.topics
import random
import tokenize

NUM_PROMPTS, PROMPT_CHARACTERS = 32, 500
LANGUAGES = {"Chinese": "cmn_hans", "Thai": "tha2", "Arabic": "arb"}
"""Of the corpus, by its rows' `language`."""


def english() -> str:
    """About 700,000 characters of English prose with some code: the language reference that every Python
    carries.
    """
    return "\n".join(pydoc_data.topics.topics.values())


def world() -> str | None:
    """The corpus that GEMMA4_CORPUS names, in 266 languages, or None."""
    return "\n".join(text[:3000] for text in _corpus().values()) or None


def prompt_batches(text: str, count: int) -> list[list[str]]:
    """Batches of prompts cut out of a text at random places."""
    draw = random.Random(0)

    def prompt() -> str:
        start = draw.randrange(len(text) - PROMPT_CHARACTERS)
        return text[start : start + PROMPT_CHARACTERS]

    return [[prompt() for _ in range(NUM_PROMPTS)] for _ in range(count)]


def cut_out(text: str, size: int, count: int, draw: random.Random) -> list[str]:
    """Texts of `size` characters from random places of a longer one."""
    starts = [draw.randrange(len(text) - size) for _ in range(count)]
    return [text[start : start + size] for start in starts]


def kinds(size: int, count: int) -> dict[str, list[str]]:
    """Texts of `size` characters by their kind; languages only where there is a corpus."""
    draw = random.Random(3)
    long = {"code": _code(), "JSON": _json(draw), "base64": _base64(draw), "emoji": _emoji(draw)}
    long |= {name: text for name, text in _languages().items() if text}
    return {
        name: cut_out(text * (2 * size // len(text) + 1), size, count, draw) for name, text in long.items()
    }


def _code() -> str:
    return pathlib.Path(tokenize.__file__).read_text(encoding="utf-8")


def _json(draw: random.Random) -> str:
    def entry() -> dict[str, object]:
        return {"id": draw.randrange(10**6), "score": draw.random(), "tags": ["a", "b"], "ok": None}

    return json.dumps([entry() for _ in range(400)], indent=2)


def _base64(draw: random.Random) -> str:
    return base64.b64encode(draw.randbytes(24_000)).decode()


def _emoji(draw: random.Random) -> str:
    return "".join(chr(draw.randrange(0x1F300, 0x1F650)) for _ in range(32_000))


def _languages() -> dict[str, str]:
    corpus = _corpus()
    return {name: corpus.get(code, "") for name, code in LANGUAGES.items()}


def _corpus() -> dict[str, str]:
    """Texts by language; none without a corpus."""
    path = os.environ.get("GEMMA4_CORPUS")
    if not path:
        return {}
    rows = (json.loads(line) for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines())
    return {row["language"]: row["text"] for row in rows}
