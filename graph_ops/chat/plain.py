"""Dialogues that are plain, as most are: the same text as `template`'s from a third of its ops.

In a plain batch every message is the user's, the model's or the system's; there is no tool, call, response or
thought; and no text spells a special token, alone or put together with its neighbours. Then nothing can be
forged: special tokens are written with their names, and the row is tokenized as a prompt is.
"""

import functools
from collections.abc import Iterable

import tensorflow as tf

from graph_ops.chat.dialogue import PART_MEDIA, PART_TYPES, Dialogues, TemplateTokens, kinds_of
from graph_ops.chat.template import model_turn, placeholders, system_block
from graph_ops.chat.text import is_utf8, quoted, trimmed
from graph_ops.family import Chat
from graph_ops.text.reading import Reading, read_as_tokens
from graph_ops.text.vocabulary.sentencepiece_model import PieceType
from graph_ops.text.vocabulary.vocabulary import Vocabulary

_SYSTEM = ("system", "developer")
_NONE, _TEXT, _LIST = (PART_TYPES.index(name) for name in ("", "text", "list"))
_ROLES = ("user", "assistant", "model", *_SYSTEM)


@functools.lru_cache(maxsize=8)
def spellable(vocabulary: Vocabulary, reading: Reading, names: tuple[str, ...]) -> tuple[str, ...]:
    """The special tokens that a reading takes as such where a text spells them, if those with these names are
    among them, and no text beside one can make another user-defined symbol with a part of it; otherwise none.
    """
    special = read_as_tokens(vocabulary, reading)
    symbols = {
        piece
        for piece, kind in zip(vocabulary.pieces, vocabulary.types, strict=True)
        if kind is PieceType.USER_DEFINED and len(piece) > 1
    }
    stand_alone = not any(_overlap(name, symbol) for name in names for symbol in symbols)
    return tuple(special) if stand_alone and set(names) <= set(special) else ()


def texts_of(dialogues: Dialogues) -> tf.Tensor:
    """String [B, M, P]: parts that are texts, without white space at their ends; "" for others."""
    return tf.where(tf.equal(dialogues.part_types, "text"), trimmed(dialogues.parts), "")


def are_plain(
    dialogues: Dialogues, texts: tf.Tensor, *, media: tuple[str, ...], special: Iterable[str]
) -> tf.Tensor:
    """Bool []: whether all dialogues of a batch are plain.

    Args:
        dialogues: of B rows.
        texts: string [B, M, P], from `texts_of`.
        media: names of those that are taken.
        special: every special token that is read as such where a text spells it.
    """
    types = ["", "text", "list", *(name for name in PART_TYPES if PART_MEDIA.get(name) in media)]
    said = tf.strings.reduce_join(tf.reshape(texts, [tf.shape(texts)[0], -1]), axis=1)
    spells = tf.strings.regex_full_match(said, f"(?s).*(?:{'|'.join(map(quoted, special))}).*")
    others = (dialogues.names, dialogues.thoughts, dialogues.calls, dialogues.responses, dialogues.tools)
    flat = tf.concat([tf.reshape(each, [-1]) for each in others], axis=0)
    roles = tf.strings.regex_full_match(dialogues.roles, "|".join(_ROLES))
    return (
        (tf.size(dialogues.roles) > 0)
        & tf.reduce_all(roles)
        & tf.reduce_all(tf.strings.regex_full_match(dialogues.part_types, "|".join(types)))
        & tf.reduce_all(is_utf8(texts))
        & tf.reduce_all(tf.equal(flat, ""))
        & ~tf.reduce_any(spells)
    )


def render_plain(
    dialogues: Dialogues, texts: tf.Tensor, tokens: TemplateTokens, *, chat: Chat, variant: str
) -> tf.Tensor:
    """The text of each dialogue of a plain batch, string [B], as `template.render` gives it, from behind the
    start token.

    Args:
        dialogues: of B rows.
        texts: string [B, M, P], from `texts_of`.
        tokens: what is written for each special token.
        chat: how the family's models chat.
        variant: one of the chat's variants.
    """
    roles, kinds, thinks = dialogues.roles, kinds_of(dialogues.part_types), dialogues.enable_thinking
    is_assistant = tf.equal(roles, "assistant")
    is_model = is_assistant | tf.equal(roles, "model")
    is_folded = tf.reduce_any(tf.equal(roles[:, :1], _SYSTEM), axis=1)
    follows, precedes = (
        tf.pad(each, [[0, 0], ends])
        for each, ends in ((is_assistant[:, :-1], [1, 0]), (is_assistant[:, 1:], [0, 1]))
    )
    header = tf.strings.join([tokens.turn, tf.where(is_assistant, "model", roles), "\n"])
    media = tf.gather(placeholders(tokens), kinds)
    messages = tf.strings.join(
        [
            tf.where(is_model & follows, "", header),
            tf.strings.reduce_join(tf.strings.join([texts, media]), axis=2),
            tf.where(is_model & precedes, "", tf.strings.join([tokens.turn_end, "\n"])),
        ]
    )
    first = tf.where(is_folded, "", messages[:, 0])
    system = tf.where(is_folded, _system_text(texts[:, 0], kinds[:, 0]), "")
    block = system_block(tokens, is_folded | thinks, thinks, [system])
    opened = model_turn(tokens, thinks, gives_empty_thought=variant in chat.empty_thought_variants)
    following = tf.where(dialogues.add_generation_prompt, opened, "")
    return tf.strings.join([block, first, tf.strings.reduce_join(messages[:, 1:], axis=1), following])


def _system_text(texts: tf.Tensor, kinds: tf.Tensor) -> tf.Tensor:
    """String [B], of a first message's parts [B, P]: each leaves a space, unless there is a text alone."""
    is_string = tf.equal(kinds, _TEXT) & tf.equal(tf.math.count_nonzero(kinds, axis=1, keepdims=True), 1)
    spaces = tf.where((kinds > _NONE) & tf.not_equal(kinds, _LIST) & ~is_string, " ", "")
    return tf.strings.reduce_join(tf.strings.join([texts, spaces]), axis=1)


def _overlap(name: str, symbol: str) -> bool:
    """Whether a symbol other than a token itself may lie across one of the token's ends, or hold it."""
    if symbol == name:
        return any(name.startswith(name[at:]) for at in range(1, len(name)))
    return name in symbol or any(
        name.startswith(symbol[at:]) or name.endswith(symbol[:at]) for at in range(1, len(symbol))
    )
