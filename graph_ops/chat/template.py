"""Gemma 4's chat template, version 5: dialogues -> the text that the model continues.

```
start
<|turn>system ¶ <|think|> ¶ text of a first system message, <|tool>…<tool|> … <turn|> ¶      where asked for
<|turn>ROLE ¶ thought, calls, responses, content <turn|> ¶                                of each message
<|turn>model ¶                                                                       to generate from
```

¶ is a newline. String ops alone, and no control flow: messages are rendered side by side, those without a
turn of their own as "". What is written for a special token is an argument, so that the same ops give a text
to read and a text of which the tokens cannot be forged (see `marks`).
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.chat.dialogue import PART_MEDIA, PART_TYPES, Dialogues, TemplateTokens, kinds_of
from graph_ops.chat.text import trimmed, without_thoughts
from graph_ops.chat.turns import Turns, turns_of
from graph_ops.family import Chat


class _Content(NamedTuple):
    """What a message says, string [B, M] each.

    Attributes:
        shown: texts trimmed, media as placeholders.
        system: as it stands in the system block.
        answer: of a tool message: texts as they are.
        media: the placeholders alone.
    """

    shown: tf.Tensor
    system: tf.Tensor
    answer: tf.Tensor
    media: tf.Tensor


def render(dialogues: Dialogues, tokens: TemplateTokens, *, chat: Chat, variant: str) -> tf.Tensor:
    """The text of each dialogue, string [B].

    Args:
        dialogues: of B rows; UTF-8.
        tokens: what is written for each special token.
        chat: how the family's models chat.
        variant: one of the chat's variants.

    Source: the chat template of the released models, version 5.
    """
    with tf.name_scope("turns"):
        turns = turns_of(dialogues)
    with tf.name_scope("content"):
        content = _content(dialogues, turns, tokens, chat)
    with tf.name_scope("messages"):
        messages = tf.where(turns.is_shown, _messages(dialogues, turns, content, tokens), "")
    with tf.name_scope("system"):
        system = _system_block(dialogues, turns, content, tokens)
    with tf.name_scope("generation_prompt"):
        following = _generation_prompt(
            dialogues, turns, tokens, gives_empty_thought=variant in chat.empty_thought_variants
        )
    return tf.strings.join([tokens.start, system, tf.strings.reduce_join(messages, axis=1), following])


def _content(dialogues: Dialogues, turns: Turns, tokens: TemplateTokens, chat: Chat) -> _Content:
    parts, kinds = dialogues.parts, kinds_of(dialogues.part_types)
    media = tf.gather(placeholders(tokens), kinds)
    is_text, is_value = tf.equal(kinds, _TEXT), tf.equal(kinds, _VALUE)
    said = tf.where(
        turns.is_model[:, :, tf.newaxis],
        without_thoughts(parts, opening=chat.channel, closing=chat.channel_end),
        parts,
    )
    said = tf.where(is_text, trimmed(said), "")
    is_string = tf.equal(tf.math.count_nonzero(kinds, axis=2, keepdims=True), 1) & is_text
    leaves_space = (kinds > _NONE) & (kinds != _LIST) & ~is_string
    system = tf.strings.join([said, tf.where(leaves_space, " ", "")])
    values = tf.where(is_value, parts, "")
    texts = tf.where(is_text, parts, "")
    is_quoted = tf.reduce_any(kinds > _NONE, axis=2) & ~tf.reduce_any(is_value, axis=2)
    quote = tf.where(is_quoted, tokens.quote, "")
    nothing = tf.where(tf.reduce_any(kinds > _NONE, axis=2), "", "null")
    answer = [quote, _joined(texts), _joined(values), nothing, quote]
    return _Content(
        _joined(tf.strings.join([said, media])), _joined(system), tf.strings.join(answer), _joined(media)
    )


def _messages(dialogues: Dialogues, turns: Turns, content: _Content, tokens: TemplateTokens) -> tf.Tensor:
    roles = tf.where(tf.equal(dialogues.roles, "assistant"), "model", dialogues.roles)
    opens = ~(turns.is_model & turns.follows_assistant)
    opener = tf.where(opens, tf.strings.join([tokens.turn, roles, "\n"]), "")
    thinks = tf.not_equal(dialogues.thoughts, "") & (
        turns.is_recent | (dialogues.preserve_thinking[:, tf.newaxis] & turns.has_calls)
    )
    thought = [tokens.channel, "thought\n", dialogues.thoughts, "\n", tokens.channel_end]
    responses = _responses(dialogues, turns, content, tokens)
    learn = tf.where(turns.is_model, tokens.learn, "")
    goes_on = ~opens & tf.equal(dialogues.roles, "assistant")
    return tf.strings.join(
        [
            opener,
            tf.where(goes_on, "", learn),
            tf.where(thinks, tf.strings.join(thought), ""),
            _joined(_enclosed(tokens.call, dialogues.calls, tokens.call_end)),
            responses,
            tf.where(turns.has_responses, learn, ""),
            content.shown,
            _closer(turns, content, tokens),
        ]
    )


def _closer(turns: Turns, content: _Content, tokens: TemplateTokens) -> tf.Tensor:
    """String [B, M]: what ends a message."""
    waits = turns.has_responses & tf.equal(content.shown, "") & turns.is_last
    goes_on = turns.is_model & turns.precedes_assistant
    closed = tf.where(goes_on | waits, "", tf.strings.join([tokens.turn_end, "\n"]))
    asked = tf.strings.join([tokens.response, tf.where(goes_on, tokens.learn, "")])
    return tf.where(turns.has_calls & ~turns.has_responses, asked, closed)


def _responses(dialogues: Dialogues, turns: Turns, content: _Content, tokens: TemplateTokens) -> tf.Tensor:
    """String [B, M]: the responses that a message shows, its own or those of tool messages behind it."""
    given = _joined(_enclosed(tokens.response, dialogues.responses, tokens.response_end))
    name = tf.where(tf.equal(dialogues.names, ""), "unknown", dialogues.names)
    made = [tokens.response, "response:", name, "{value:", content.answer, "}", tokens.response_end]
    block = tf.where(tf.equal(given, ""), tf.strings.join(made), given)
    shape = tf.shape(dialogues.roles)
    answers = tf.reshape(tf.strings.join([block, content.media]), [-1])
    count = tf.size(answers)
    answered = tf.strings.unsorted_segment_join(answers, turns.owner, count + 1)[:count]
    return tf.where(turns.has_own_responses, given, tf.reshape(answered, shape))


def _system_block(dialogues: Dialogues, turns: Turns, content: _Content, tokens: TemplateTokens) -> tf.Tensor:
    """String [B]."""
    tools = tf.strings.reduce_join(_enclosed(tokens.tool, dialogues.tools, tokens.tool_end), axis=1)
    text = tf.strings.reduce_join(tf.where(turns.is_folded, content.system, ""), axis=1)
    thinks = dialogues.enable_thinking
    is_there = thinks | tf.reduce_any(turns.is_folded, axis=1) | tf.not_equal(tools, "")
    return system_block(tokens, is_there, thinks, [text, tools])


def system_block(
    tokens: TemplateTokens, is_there: tf.Tensor, thinks: tf.Tensor, texts: list[tf.Tensor]
) -> tf.Tensor:
    """String [B]: the block with what it says, string [B] each, where bool [B] says that it is there; it asks
    for thoughts where bool [B] says so.
    """
    think = tf.where(thinks, tf.strings.join([tokens.think, "\n"]), "")
    block = [tokens.turn, "system\n", think, *texts, tokens.turn_end, "\n"]
    return tf.where(is_there, tf.strings.join(block), "")


def _generation_prompt(
    dialogues: Dialogues, turns: Turns, tokens: TemplateTokens, *, gives_empty_thought: bool
) -> tf.Tensor:
    """String [B]."""
    is_last = turns.is_shown & turns.is_last
    calls, responds = (
        tf.reduce_any(is_last & flags, axis=1) for flags in (turns.has_calls, turns.has_responses)
    )
    thinks = dialogues.enable_thinking
    opened = model_turn(tokens, thinks, gives_empty_thought=gives_empty_thought)
    goes_on = tf.where(responds & thinks, _thought(tokens), "")
    return tf.where(dialogues.add_generation_prompt, tf.where(calls | responds, goes_on, opened), "")


def model_turn(tokens: TemplateTokens, thinks: tf.Tensor, *, gives_empty_thought: bool) -> tf.Tensor:
    """What opens a turn of the model: string [B], with an empty thought where it gives those and bool [B]
    does not ask for thoughts; string [] where it gives none.
    """
    opened = tf.strings.join([tokens.turn, "model\n"])
    if not gives_empty_thought:
        return opened
    return tf.strings.join(
        [opened, tf.where(thinks, "", tf.strings.join([_thought(tokens), tokens.channel_end]))]
    )


def _thought(tokens: TemplateTokens) -> tf.Tensor:
    """What opens a thought."""
    return tf.strings.join([tokens.channel, "thought\n"])


def _enclosed(opening: bytes, texts: tf.Tensor, closing: bytes) -> tf.Tensor:
    """The texts between two tokens; "" stays."""
    return tf.where(tf.equal(texts, ""), "", tf.strings.join([opening, texts, closing]))


def _joined(texts: tf.Tensor) -> tf.Tensor:
    """String [B, M] from [B, M, N]."""
    return tf.strings.reduce_join(texts, axis=2)


def placeholders(tokens: TemplateTokens) -> list[bytes]:
    """What is written for each of `PART_TYPES`: b"" for those that are no medium."""
    media = {"image": tokens.image, "audio": tokens.audio, "video": tokens.video}
    return [media[PART_MEDIA[name]] if name in PART_MEDIA else b"" for name in PART_TYPES]


_NONE, _TEXT, _VALUE, _LIST = (PART_TYPES.index(name) for name in ("", "text", "value", "list"))
