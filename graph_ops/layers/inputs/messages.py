"""A dialogue as Python holds it -> its messages, one value each, and the media that their parts hold.

Messages are mappings in OpenAI's shape or in transformers': `role`, `content` (a string or parts),
`reasoning` or `reasoning_content`, `tool_calls`, `tool_responses`, `name`, `tool_call_id`.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from graph_ops.chat.dialogue import PART_MEDIA
from graph_ops.chat.native_text import call_text, declaration_text, response_text, value_text
from graph_ops.layers.inputs.forms import quoted
from graph_ops.layers.inputs.parts import Item, item_of

_SYSTEM = ("system", "developer")


class Message(NamedTuple):
    """One message.

    Attributes:
        role: of who speaks.
        parts: type and text of each part; see `chat.dialogue.PART_TYPES`.
        items: the media of its parts, in order.
        name: of a tool message: the function that it answers for, or "".
        thought: text, or "".
        calls: native text of each.
        responses: native text of each that the message itself has.
    """

    role: str
    parts: tuple[tuple[str, str], ...]
    items: tuple[Item, ...]
    name: str
    thought: str
    calls: tuple[str, ...]
    responses: tuple[str, ...]


def read_messages(messages: Any, *, quote: str) -> list[Message]:
    """The messages of one dialogue.

    Args:
        messages: a list of mappings.
        quote: what stands on both sides of a string in native text.

    Raises:
        TypeError, ValueError: where the template would raise, or lose something without a word; names the
            message, the rule, what was given and how to correct it.
    """
    if not is_dialogue(messages):
        raise TypeError(
            "`messages`: a dialogue must be a list of mappings such as {'role': 'user', 'content': 'Hi'}; "
            f"got {_described(messages)}. Pass such a list."
        )
    given = [_checked(message, index) for index, message in enumerate(messages)]
    return [_message(given, index, quote) for index in range(len(given))]


def read_tools(tools: Any, *, quote: str) -> list[str]:
    """The native text of tools, from their schemas in OpenAI's form.

    Raises:
        TypeError, ValueError: not a list of such schemas.
    """
    if tools is None:
        return []
    if not is_dialogue(tools):
        raise TypeError(
            f"`tools`: must be a list of mappings, the schemas of functions; got {_described(tools)}. Pass "
            "schemas, for example those of `transformers.utils.get_json_schema(function)`."
        )
    return [
        _native(functools.partial(declaration_text, tool), quote, f"tool {index}")
        for index, tool in enumerate(tools)
    ]


def is_dialogue(value: Any) -> bool:
    """Whether a value is a list of mappings, or empty; a batch is a list of such lists."""
    is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    return is_list and all(isinstance(message, Mapping) for message in value)


def shown_items(messages: Sequence[Message]) -> list[Item]:
    """The media of a dialogue in the order of their placeholders in the rendered text: those of a tool's
    response stand before those of the message that called it.
    """
    items: list[Item] = []
    for index, message in enumerate(messages):
        if message.role == "tool" or (index == 0 and message.role in _SYSTEM):
            continue
        if message.calls and not message.responses:
            for following in messages[index + 1 :]:
                if following.role != "tool":
                    break
                items += following.items
        items += message.items
    return items


def _checked(message: Mapping[str, Any], index: int) -> Mapping[str, Any]:
    role = message.get("role")
    if not isinstance(role, str) or not role:
        raise ValueError(
            f"`messages`: a message must have a `role`, a string that is not empty; message {index} has "
            f"{quoted(role)}. Name who speaks: 'user', 'assistant', 'system', 'tool'."
        )
    return message


def _message(messages: list[Mapping[str, Any]], index: int, quote: str) -> Message:
    message = messages[index]
    role = message["role"]
    is_folded, is_tool = index == 0 and role in _SYSTEM, role == "tool"
    parts, items = _parts(message.get("content"), index, is_folded=is_folded, is_tool=is_tool)
    if is_tool:  # of which the template shows the content alone
        return Message(role, parts, items, _answered(messages, index), "", (), ())
    thought = message.get("reasoning") or message.get("reasoning_content") or ""
    return Message(
        role,
        parts,
        items,
        "",
        _string(thought, "reasoning", index),
        tuple([_call(call, index, quote) for call in message.get("tool_calls") or ()]),
        tuple([_response(each, index, quote) for each in message.get("tool_responses") or ()]),
    )


def _parts(
    content: Any, index: int, *, is_folded: bool, is_tool: bool
) -> tuple[tuple[tuple[str, str], ...], tuple[Item, ...]]:
    if content is None:
        return (), ()
    if isinstance(content, str):
        return (("text", content),), ()
    if is_tool and isinstance(content, bool | int | float):
        return (("value", value_text(content, quote="")),), ()
    if isinstance(content, Mapping) or not isinstance(content, Sequence) or isinstance(content, bytes):
        raise TypeError(
            f"`messages`: content must be a string or a list of parts; message {index} has "
            f"{_described(content)}. "
            + (
                "Pass what a tool answered as `tool_responses` of the message with the call, or as text, for "
                "example `json.dumps(content)`."
                if is_tool
                else "Pass it as a string."
            )
        )
    parts: list[tuple[str, str]] = []
    items = []
    for part in content:
        if not isinstance(part, Mapping):
            raise TypeError(
                f"`messages`: a part must be a mapping such as {{'type': 'text', 'text': 'Hi'}}; message "
                f"{index} has {_described(part)}. Write it so."
            )
        kind = part.get("type")
        text = _string(part.get("text") or "", "text", index)
        if is_folded:
            _check_folded(part, index)
            parts.append(("text", text))
        elif kind == "text":
            parts.append(("text", text))
        elif kind in PART_MEDIA:
            parts.append((PART_MEDIA[kind], ""))
            items.append(item_of(part, index))
        else:
            parts.append(("other", ""))
    return (*parts, ("list", "")), tuple(items)


def _check_folded(part: Mapping[str, Any], index: int) -> None:
    """The template drops the media of a first system message; one that is there must not be lost."""
    if part.get("type") in PART_MEDIA and item_of(part, index).payload is not None:
        raise ValueError(
            f"`messages`: a system message at the beginning shows no media; message {index} has a part of "
            f"type {part['type']!r}. Move it to a user's message."
        )


def _call(call: Any, index: int, quote: str) -> str:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping):
        raise TypeError(
            "`messages`: a tool call must be a mapping with a `function`, which has `name` and `arguments`; "
            f"message {index} has {quoted(call)}. Write it so."
        )
    arguments = function.get("arguments")
    if arguments is not None and not isinstance(arguments, Mapping):
        raise TypeError(
            "`messages`: the arguments of a tool call must be a mapping; message "
            f"{index} has {_described(arguments)}. Parse them, for example with `json.loads(arguments)`."
        )
    name = _name(function.get("name"), index)
    return _native(functools.partial(call_text, name, arguments), quote, f"message {index}")


def _response(response: Any, index: int, quote: str) -> str:
    if not isinstance(response, Mapping):
        raise TypeError(
            "`messages`: a tool response must be a mapping with `name` and `response`; message "
            f"{index} has {_described(response)}. Write it so."
        )
    name, body = _name(response.get("name") or "unknown", index), response.get("response")
    return _native(functools.partial(response_text, name, body), quote, f"message {index}")


def _native(build: Callable[..., str], quote: str, where: str) -> str:
    """Native text; the quote may be one that no Unicode text can hold, so the text must be Unicode."""
    try:
        build(quote="").encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            "`messages`, `tools`: must be Unicode, which has no lone surrogates; got "
            f"{error.object[error.start]!r} in {where}. Replace it, for example with `text.encode('utf-8', "
            "'replace').decode()`."
        ) from None
    return build(quote=quote)


def _answered(messages: list[Mapping[str, Any]], index: int) -> str:
    """The function that a tool message answers for: of the last call with its id, else its own name."""
    message, owner = messages[index], index - 1
    while owner >= 0 and messages[owner]["role"] == "tool":
        owner -= 1
    calls = messages[owner].get("tool_calls") or () if owner >= 0 else ()
    matching = [call for call in calls if call.get("id") == message.get("tool_call_id")]
    name = matching[-1]["function"].get("name") if matching else message.get("name") or "unknown"
    return _name(name, index)


def _name(name: Any, index: int) -> str:
    if not isinstance(name, str):
        raise TypeError(
            f"`messages`: a function must have a name, a string; message {index} has {quoted(name)}. Name it."
        )
    return name


def _string(value: Any, key: str, index: int) -> str:
    if not isinstance(value, str):
        raise TypeError(
            f"`messages`: `{key}` must be a string; message {index} has {_described(value)}. Convert it."
        )
    return value


def _described(value: Any) -> str:
    return f"{type(value).__name__} {quoted(value)}"
