"""Answers taken apart token by token: the slow twin of `graph_ops.chat.answers`."""

import json
import pathlib
import re

GOLDENS = json.loads(pathlib.Path(__file__).with_name("chat_golden.json").read_text(encoding="utf-8"))[
    "cases"
]
MARKERS = ("<|channel>", "<channel|>", "<|tool_call>", "<tool_call|>")
STOPS = {"<eos>": "stop", "<turn|>": "stop", "<|tool_response>": "tool_calls"}


def rendered_answers():
    """What follows each place where a model answers in the goldens, and whether it begins in a thought."""
    found = {}
    for case in GOLDENS:
        for text in case["outputs"].values():
            if isinstance(text, str):
                for answer in re.split(r"<\|turn>model\n|<tool_response\|>", text)[1:]:
                    found[answer.split("<|turn>")[0], False] = None
                    if answer.startswith("<|channel>thought\n"):
                        found[answer.removeprefix("<|channel>thought\n").split("<|turn>")[0], True] = None
    return list(found)


def taken_apart(tokens, *, in_thought):
    """Thought, content, calls and the reason of the end, of pairs (text, whether it is a token)."""
    thoughts, content, calls, state, reason = [""], "", [], "thought" if in_thought else "content", "length"
    named = [False]  # which thoughts begin with the name of their channel
    for text, is_token in tokens:
        marker = text if is_token else ""
        if marker in STOPS:
            reason = STOPS[marker]
            break
        if state == "thought" and marker not in MARKERS[:2]:
            thoughts[-1] += text
        elif marker == "<|channel>":
            state = "thought"
            thoughts.append("")
            named.append(True)
        elif marker == "<|tool_call>":
            state = "call"
            calls.append("")
        elif marker in MARKERS:
            state = "content"
        elif state == "call":
            calls[-1] += text
        else:
            content += text
    thought = "".join(map(without_name, thoughts, named)).removesuffix("\n")
    return thought, content.strip(), calls, reason


def without_name(thought, is_named):
    """A thought without the name of its channel, or without as much of it as there is."""
    if not is_named or "thought".startswith(thought):
        return "" if is_named else thought
    return thought.removeprefix("thought\n")


def tokens_of(text):
    """A text as `taken_apart` wants it, each marker that it spells a token."""
    names = "|".join(map(re.escape, (*MARKERS, *STOPS)))
    parts = re.split(f"({names})", text)
    return [(part, place % 2 == 1) for place, part in enumerate(parts)]
