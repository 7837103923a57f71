"""Dialogues written side by side, and rewritten by rules: the template of most dialogues from half the ops.

Each message is written without a look at its neighbours, with marks. What neighbours decide is left to a few
rules on the whole text (see `draft_rules`): which tool messages answer which calls, where the assistant goes
on without a new turn, whether the model's turn is to be opened. In the end each mark is replaced by what is
written for it.
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.chat.dialogue import PART_MEDIA, PART_TYPES, Dialogues, TemplateTokens, kinds_of
from graph_ops.chat.draft_rules import (
    FIRST,
    PREFIX,
    Mark,
    Rule,
    folded_rules,
    neighbour_rules,
    turn_rules,
    written_for,
)
from graph_ops.chat.text import quoted, trimmed

ROLES = ("user", "assistant", "model", "tool", "system", "developer")
"""Those who may speak in a draft."""
_SYSTEM = "system|developer"
_TEXT = PART_TYPES.index("text")
_REST = 2**31 - 1
"""More bytes than a string has."""


class Draft(NamedTuple):
    """Dialogues of B rows.

    Attributes:
        text: string [B], with marks.
        by_turns: string [B]; the same after `turn_rules` alone.
        native: string [B]; calls and tools, each between its marks, with marks for quotes.
        has_roles: bool [], whether each message has one of `ROLES`.
    """

    text: tf.Tensor
    by_turns: tf.Tensor
    native: tf.Tensor
    has_roles: tf.Tensor


def drafted(dialogues: Dialogues, *, quote: str | None) -> Draft:
    """The draft of dialogues. It says what the template does where each message has one of `ROLES`, only the
    assistant has calls and thoughts, tools answer with texts in messages of their own, types of parts are
    known, all is UTF-8, and no text spells a token of a thought.

    Args:
        dialogues: of B rows.
        quote: of native text, to be replaced by its mark; None to leave it as it stands.
    """
    roles = dialogues.roles
    calls = _enclosed(Mark.CALL, dialogues.calls, Mark.CALL_END, axis=2)
    tools = _enclosed(Mark.TOOL, dialogues.tools, Mark.TOOL_END, axis=1)
    if quote is not None:
        calls, tools = (
            tf.strings.regex_replace(each, quoted(quote), Mark.QUOTE.text) for each in (calls, tools)
        )
    content, is_tool = _content(dialogues), tf.equal(roles, "tool")
    thought = tf.where(_keeps_thought(dialogues), dialogues.thoughts, "")
    answer = [Mark.ANSWER.text + b"response:", dialogues.names, b"{value:" + Mark.QUOTE.text, content]
    turn = [
        Mark.TURN.text,
        roles,
        b"\n" + Mark.CHANNEL.text,
        thought,
        Mark.CHANNEL_END.text,
        calls,
        Mark.SAYS.text,
    ]
    messages = tf.where(
        is_tool,
        tf.strings.join([*answer, Mark.QUOTE.text + b"}" + Mark.ANSWER_END.text]),
        tf.strings.join([*turn, content, Mark.END.text]),
    )
    by_turns = _rewritten(_whole(dialogues, messages, content, tools), turn_rules())
    native = tf.strings.join([tf.strings.reduce_join(calls, axis=1), tools])
    has_roles = tf.reduce_all(tf.strings.regex_full_match(roles, "|".join(ROLES)))
    return Draft(_rewritten(by_turns, neighbour_rules()), by_turns, native, has_roles)


def written(drafts: tf.Tensor, tokens: TemplateTokens, *, gives_empty_thought: bool) -> tf.Tensor:
    """The texts of drafts, string [B], with what is written for each mark.

    Args:
        drafts: string [B]; each begins with a mark.
        tokens: what is written for each special token.
        gives_empty_thought: as for `written_for`.
    """
    names = written_for(tokens, gives_empty_thought=gives_empty_thought)
    behind = tf.strings.substr(drafts, len(PREFIX), _REST)
    split = tf.raw_ops.StringSplitV2(input=behind, sep=PREFIX, maxsplit=-1)
    letters = tf.io.decode_raw(tf.strings.substr(split.values, 0, 1), tf.uint8)
    number = tf.cast(tf.reshape(letters, [-1]), tf.int32) - FIRST
    pieces = tf.strings.join([tf.gather(names, number), tf.strings.substr(split.values, 1, _REST)])
    return tf.strings.unsorted_segment_join(pieces, split.indices[:, 0], tf.size(drafts))


def _content(dialogues: Dialogues) -> tf.Tensor:
    """String [B, M]: the parts of each message; texts trimmed but for those of tools, media as marks."""
    kinds, is_tool = kinds_of(dialogues.part_types), tf.equal(dialogues.roles, "tool")
    texts = tf.where(is_tool[..., tf.newaxis], dialogues.parts, trimmed(dialogues.parts))
    texts = tf.where(tf.equal(kinds, _TEXT), texts, "")
    return tf.strings.reduce_join(tf.strings.join([tf.gather(_PARTS, kinds), texts]), axis=2)


def _keeps_thought(dialogues: Dialogues) -> tf.Tensor:
    """Bool [B, M]: whether the thought of a message would stay."""
    is_user = tf.cast(tf.equal(dialogues.roles, "user"), tf.int32)
    is_recent = tf.equal(tf.cumsum(is_user, axis=1, reverse=True), 0)
    has_calls = tf.reduce_any(tf.not_equal(dialogues.calls, ""), axis=2)
    return is_recent | (dialogues.preserve_thinking[:, tf.newaxis] & has_calls)


def _whole(dialogues: Dialogues, messages: tf.Tensor, content: tf.Tensor, tools: tf.Tensor) -> tf.Tensor:
    """String [B]: the system block, messages [B, M], and what opens the model's turn."""
    thinks = dialogues.enable_thinking
    is_folded = tf.reduce_any(tf.strings.regex_full_match(dialogues.roles[:, :1], _SYSTEM), axis=1)
    system, first, others = (
        tf.strings.reduce_join(each, axis=1) for each in (content[:, :1], messages[:, :1], messages[:, 1:])
    )
    system = tf.strings.join([Mark.FOLDED.text, _rewritten(system, folded_rules())])
    start = Mark.START.text + Mark.BLOCK.text
    opens = tf.where(thinks, Mark.OPENS_THINKING.text + Mark.GOES_ON.text, Mark.OPENS.text)
    return tf.strings.join(
        [
            tf.where(thinks, start + Mark.THINK.text, start),
            tf.where(is_folded, system, ""),
            tools,
            Mark.BLOCK_END.text,
            tf.where(is_folded, "", first),
            others,
            tf.where(dialogues.add_generation_prompt, opens, ""),
        ]
    )


def _rewritten(texts: tf.Tensor, rules: tuple[Rule, ...]) -> tf.Tensor:
    """Texts, string [B], by rules one after the other."""
    for pattern, rewrite in rules:
        texts = tf.strings.regex_replace(texts, pattern, rewrite)
    return texts


def _enclosed(opening: Mark, texts: tf.Tensor, closing: Mark, *, axis: int) -> tf.Tensor:
    """Each text between two marks, joined along an axis."""
    return tf.strings.reduce_join(tf.strings.join([opening.text, texts, closing.text]), axis=axis)


_MARKS_OF_MEDIA = {"image": Mark.IMAGE, "audio": Mark.AUDIO, "video": Mark.VIDEO}
_PARTS = [
    Mark.PART.text + _MARKS_OF_MEDIA[PART_MEDIA[name]].text
    if name in PART_MEDIA
    else {"text": Mark.PART.text, "list": Mark.LIST.text}.get(name, b"")
    for name in PART_TYPES
]
"""What is written for a part of each type, before its text."""
