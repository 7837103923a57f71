"""Messages in a call -> the tensors of dialogues and of the media in their parts."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from graph_ops.chat.dialogue import Dialogues
from graph_ops.chat.marks import quote_mark
from graph_ops.config import RowConfig
from graph_ops.layers.inputs.dialogues import SWITCHES, as_dialogues
from graph_ops.layers.inputs.messages import Message, is_dialogue, read_messages, read_tools, shown_items
from graph_ops.layers.inputs.options import as_options
from graph_ops.layers.inputs.parts import decoded
from graph_ops.layers.inputs.slots import as_slots
from graph_ops.media.medium import Medium
from graph_ops.media.table import MEDIA

DEFAULTS = {"add_generation_prompt": True, "enable_thinking": False, "preserve_thinking": False}
"""Of the switches, as the template has them."""
CHAT_KEYS = ("messages", "tools", *SWITCHES)
QUOTE_MARK = quote_mark().decode("utf-8", "surrogateescape")
"""A quote that no text can spell, as a string that is not Unicode."""


class Chat(NamedTuple):
    """Dialogues of a call.

    Attributes:
        dialogues: their messages.
        tools: of each, the native text of its tools.
        batched: whether there was a list of dialogues rather than one.
    """

    dialogues: list[list[Message]]
    tools: list[list[str]]
    batched: bool

    def tensors(self, switches: dict[str, Any]) -> Dialogues:
        """The dialogues as tensors [B, …]."""
        return as_dialogues(self.dialogues, self.tools, {**DEFAULTS, **switches})

    def media(self) -> dict[str, list[list[Any]]]:
        """Files and arrays of each medium that has any, by its argument: a list a dialogue.

        Raises:
            ValueError: some parts hold their item and others do not.
        """
        found: dict[str, list[list[Any]]] = {}
        for medium in MEDIA:
            rows = [
                [item for item in shown_items(messages) if item.medium == medium.name]
                for messages in self.dialogues
            ]
            payloads = [[_payload(item, medium) for item in items] for items in rows]
            missing = [payload is None for items in payloads for payload in items]
            if any(missing) and not all(missing):
                raise ValueError(
                    f"`messages`: parts must hold all of their {medium.argument} or none; {sum(missing)} of "
                    f"{len(missing)} hold none. Put each into its part."
                )
            if missing and not any(missing):
                found[medium.argument] = payloads
        return found


def read_chat(messages: Any, tools: Any, *, quote: str) -> Chat:
    """One dialogue, or several in a list, and the tools of each or of all.

    Args:
        messages: a list of mappings, or a list of such lists.
        tools: a list of mappings for all, or a list of such lists, or None.
        quote: what stands on both sides of a string in native text.

    Raises:
        TypeError, ValueError: names the argument, the rule, what was given and how to correct it.
    """
    batched = isinstance(messages, Sequence) and bool(messages) and all(map(_is_list, messages))
    listed = messages if batched else [messages]
    dialogues = [read_messages(each, quote=quote) for each in listed]
    if batched and isinstance(tools, Sequence) and tools and all(map(_is_list, tools)):
        if len(tools) != len(listed):
            raise ValueError(
                f"`tools`: there must be one list for each dialogue, or one for all; got {len(tools)} for "
                f"{len(listed)}. Pass as many."
            )
        return Chat(dialogues, [read_tools(each, quote=quote) for each in tools], batched)
    return Chat(dialogues, [read_tools(tools, quote=quote)] * len(listed), batched)


def chat_inputs(given: dict[str, Any], *, row: RowConfig) -> tuple[dict[str, tf.Tensor], bool]:
    """The tensors of a call with `messages`, and whether they came in a batch.

    Args:
        given: `messages`, `tools`, switches, and media that are not in the parts.
        row: how many slots a row has.

    Raises:
        TypeError, ValueError: names the argument, the rule, what was given and how to correct it.
    """
    chat = read_chat(given["messages"], given.get("tools"), quote=QUOTE_MARK)
    switches = {name: given[name] for name in SWITCHES if name in given}
    inputs: dict[str, tf.Tensor] = dict(chat.tensors(switches)._asdict())
    taken = chat.media()
    if twice := taken.keys() & given.keys():
        raise ValueError(
            f"`messages`, `{min(twice)}`: a medium must be given once; got it in parts and beside. Leave one "
            "out."
        )
    rows = len(chat.dialogues)
    for medium in MEDIA:
        name, slots = medium.argument, medium.num_slots(row)
        if name in taken:
            inputs |= as_slots(taken[name], medium=medium, rows=rows, max_slots=slots)
        elif name in given:
            sizes = given.get(medium.sizes)
            beside = rows if chat.batched else None
            inputs |= as_slots(given[name], sizes, medium=medium, rows=beside, max_slots=slots)
        inputs |= as_options(given, medium=medium, batched=chat.batched)
    return inputs, chat.batched


def _payload(item: Any, medium: Medium) -> Any:
    """What a part holds; a video that is one file as a list, so that several do not become one's frames."""
    payload = decoded(item)
    return [payload] if medium.frames and isinstance(payload, bytes) else payload


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple) and is_dialogue(value)
