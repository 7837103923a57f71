"""Dialogues in which nothing could be forged, as in most: they are written as a text and read as a prompt.

In a plain batch no text spells a special token, alone or put together with its neighbours. Then special
tokens are written with their names, from a draft, and the row is tokenized as a prompt is.
"""

import functools
from collections.abc import Iterable

import tensorflow as tf

from graph_ops.chat.dialogue import PART_MEDIA, PART_TYPES, Dialogues
from graph_ops.chat.draft import Draft
from graph_ops.chat.draft_rules import Mark, wrong_turns
from graph_ops.chat.findings import two_levels_of
from graph_ops.chat.text import VALID, quoted
from graph_ops.text.reading import Reading, read_as_tokens
from graph_ops.text.vocabulary.sentencepiece_model import PieceType
from graph_ops.text.vocabulary.vocabulary import Vocabulary

_DEPTH = 6


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


def are_plain(
    dialogues: Dialogues,
    draft: Draft,
    *,
    media: tuple[str, ...],
    special: Iterable[str],
    checks_native: bool,
) -> tf.Tensor:
    """Bool []: whether nothing is wrong with any dialogue of a batch, and their draft is right and spells no
    special token.

    Args:
        dialogues: of B rows.
        draft: of the same.
        media: names of those that are taken.
        special: every special token that a text may not spell, those of thoughts among them.
        checks_native: whether native text is to be checked; otherwise it is trusted.
    """
    types = ["", "text", "list", *(name for name in PART_TYPES if PART_MEDIA.get(name) in media)]
    given = (dialogues.parts, dialogues.names, dialogues.thoughts, dialogues.calls, dialogues.tools)
    texts = [tf.strings.reduce_join(each, separator=" ") for each in given]
    responses = tf.strings.reduce_join(dialogues.responses)
    # UTF-8, and no response behind the last mark
    is_text = tf.strings.regex_full_match(
        tf.strings.join([*texts, Mark.VALUE.text, responses]), f"{VALID}*{Mark.VALUE.expression}"
    )
    is_wrong = _holds(draft.by_turns, [wrong_turns()]) | _holds(draft.text, map(quoted, special))
    is_plain = (
        draft.has_roles
        & tf.reduce_all(tf.strings.regex_full_match(dialogues.part_types, "|".join(types)))
        & is_text
        & ~tf.reduce_any(is_wrong)
    )
    return is_plain & _parse(draft.native) if checks_native else is_plain


def _holds(texts: tf.Tensor, expressions: Iterable[str]) -> tf.Tensor:
    """Bool [B]: whether something in texts, string [B], matches one of the expressions."""
    return tf.strings.regex_full_match(texts, f"(?s).*(?:{'|'.join(expressions)}).*")


def _parse(native: tf.Tensor) -> tf.Tensor:
    """Bool []: whether all native text of drafts, string [B], is read: what `findings` reads, but for names
    with brackets in them and objects more than six levels deep.
    """
    marks = f"{Mark.START.expression}-{Mark.VALUE.expression}"
    quote, read = Mark.QUOTE.expression, Mark.VALUE.expression
    rest = tf.strings.regex_replace(native, f"{quote}[^{marks}]*{quote}", Mark.VALUE.text)
    levels = two_levels_of(rf"(?:{read}|[^\{{\}}\[\],:\x{{1}}{marks}]+)")
    for _ in range(_DEPTH // 2):
        rest = tf.strings.regex_replace(rest, levels, Mark.VALUE.text)
    name = rf"[^\{{\}}{marks}]+{read}"
    forms = ((Mark.CALL, "call", Mark.CALL_END), (Mark.TOOL, "declaration", Mark.TOOL_END))
    known = (f"{opening.expression}(?:{head}:{name})?{end.expression}" for opening, head, end in forms)
    return tf.reduce_all(tf.strings.regex_full_match(rest, f"(?:{'|'.join(known)})*"))


def _overlap(name: str, symbol: str) -> bool:
    """Whether a symbol other than a token itself may lie across one of the token's ends, or hold it."""
    if symbol == name:
        return any(name.startswith(name[at:]) for at in range(1, len(name)))
    return name in symbol or any(
        name.startswith(symbol[at:]) or name.endswith(symbol[:at]) for at in range(1, len(symbol))
    )
