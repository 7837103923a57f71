"""The chat template as jinja2 renders it, from our own words of it; and dialogues to compare with."""

import json
import pathlib
import random
from typing import Any

import jinja2

_FOLDER = pathlib.Path(__file__).parent
GOLDENS = json.loads((_FOLDER / "chat_golden.json").read_text(encoding="utf-8"))["cases"]
"""Dialogues, and what the published template renders of them."""
VARIANTS = ("small", "large")
_TEMPLATE = jinja2.Environment(trim_blocks=True, lstrip_blocks=True).from_string(
    (_FOLDER / "chat.jinja").read_text(encoding="utf-8")
)


def render(messages: list[Any], tools: Any = None, *, variant: str, **switches: bool) -> str:
    """The text of one dialogue."""
    return _TEMPLATE.render(messages=messages, tools=tools, large=variant == "large", **switches)


def golden(case: dict[str, Any], variant: str) -> Any:
    """What the published template gives for a case: a string, or a mapping with `error`."""
    return case["outputs"][f"{variant}_v5"]


WORDS = (
    *("", " ", "Hi", "  a b ", "\n\nx\n", "naïve 👍🏽", "\u2003y\u200b", "<b>", "\r\n"),
    *(
        "<|channel>",
        "<channel|>",
        "<|channel>t<channel|>",
        "<|turn>",
        "<turn|>",
        "<|image|>",
        '<|"|>',
        "<bos>",
    ),
)
ROLES = ("user", "assistant", "tool", "system", "developer", "model", "critic")


def random_text(rng: random.Random) -> str:
    """A few of `WORDS`."""
    return "".join(rng.choices(WORDS, k=rng.randrange(5)))


def random_value(rng: random.Random, depth: int = 0) -> Any:
    """JSON of any kind."""
    plain = (None, True, False, 0, -3, 2.0, 1e20, 0.1, random_text(rng))
    if depth > 2 or rng.random() < 0.6:
        return rng.choice(plain)
    if rng.random() < 0.5:
        return [random_value(rng, depth + 1) for _ in range(rng.randrange(3))]
    return {
        key: random_value(rng, depth + 1) for key in rng.sample(("b", "A", "a", "B1", "_"), rng.randrange(4))
    }


def random_content(rng: random.Random, role: str, *, media: bool) -> Any:
    """None, a string, parts, or for a tool's message a number."""
    kind = rng.randrange(5 if role == "tool" else 4)
    if kind == 0:
        return None
    if kind in (1, 2):
        return random_text(rng)
    if kind == 4:
        return rng.choice((True, False, 42, -1.5))
    kinds = ("text", "text", "image", "audio", "other", "image_url") if media else ("text",)
    listed = (rng.choice(kinds) for _ in range(rng.randrange(4)))
    return [{"type": each, **({"text": random_text(rng)} if each == "text" else {})} for each in listed]


def random_dialogue(rng: random.Random, *, media: bool = True, most: int = 8) -> list[dict[str, Any]]:
    """Messages in any order, sensible or not."""
    messages = []
    for _ in range(rng.randrange(most)):
        role = rng.choices(ROLES, weights=(4, 6, 5, 1, 1, 1, 1))[0]
        message: dict[str, Any] = {"role": role, "content": random_content(rng, role, media=media)}
        if rng.random() < 0.3:
            message[rng.choice(("reasoning", "reasoning_content"))] = random_text(rng)
        if rng.random() < 0.4:
            message["tool_calls"] = [
                {
                    "id": rng.choice(("1", "2", "3")),
                    "function": {
                        "name": rng.choice("fg"),
                        "arguments": rng.choice((None, {}, {"a": random_value(rng), "B": 1})),
                    },
                }
                for _ in range(rng.randrange(3))
            ]
        if rng.random() < 0.1:
            message["tool_responses"] = [
                {"name": "h", "response": random_value(rng)} for _ in range(rng.randrange(3))
            ]
        if role == "tool":
            message |= {"tool_call_id": rng.choice(("1", "2", "9")), "name": rng.choice(("f", "n"))}
        messages.append(message)
    return messages


def random_schema(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    """A property of a tool's parameters, with all that the template looks at and some that it drops."""
    schema: dict[str, Any] = {}
    if rng.random() < 0.9:
        schema["type"] = rng.choice(("string", "integer", "array", "object", ["string", "null"], "Boolean"))
    if rng.random() < 0.5:
        schema["description"] = random_text(rng)
    if rng.random() < 0.3:
        schema["nullable"] = rng.random() < 0.5
    if rng.random() < 0.3:
        schema["enum"] = [random_text(rng) for _ in range(rng.randrange(3))]
    if rng.random() < 0.2:
        schema["default"] = random_value(rng)
    if depth < 3 and rng.random() < 0.4:
        schema["items"] = random_schema(rng, depth + 1)
    if depth < 3 and rng.random() < 0.5:
        schema["properties"] = {
            key: random_schema(rng, depth + 1)
            for key in rng.sample(("x", "Y", "type", "a"), rng.randrange(3))
        }
    if rng.random() < 0.3:
        schema["required"] = rng.sample(("x", "Y"), rng.randrange(3))
    return schema


def random_tool(rng: random.Random) -> dict[str, Any]:
    """A tool in OpenAI's form."""
    function: dict[str, Any] = {"name": "tool", "description": random_text(rng)}
    if rng.random() < 0.8:
        function["parameters"] = {**random_schema(rng), "type": "object"}
    if rng.random() < 0.2:
        function["response"] = {"type": "object", "description": random_text(rng)}
    return {"type": "function", "function": function}
