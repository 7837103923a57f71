"""From messages to model tensors: the template, its tokens, and the steps of `served`.

Dialogues ── draft ── plain? ── yes ─► special tokens spelled ─► ids ──────────────────┐
                      │                                                                ▼
                      no ─► findings; template, special tokens as marks ─► ids ─► `encode_tokens`, as for
                                                                             prompts, with the media
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from graph_ops.chat.dialogue import Dialogues
from graph_ops.chat.draft import drafted, written
from graph_ops.chat.findings import dialogue_finding
from graph_ops.chat.marks import Marks, marked_tokens, marks_of, spelled_tokens, tokenize_marked
from graph_ops.chat.plain import are_plain, spellable
from graph_ops.chat.template import render
from graph_ops.chat.text import as_utf8
from graph_ops.faults import Finding, first_finding
from graph_ops.pipeline.served import Tensors, encode_media, encode_tokens
from graph_ops.settings import Settings
from graph_ops.text.reading import prompt_reading
from graph_ops.text.tokens import TokenRows

_AXES = {"roles": 2, "parts": 3, "part_types": 3, "names": 2, "thoughts": 2, "calls": 3, "responses": 3} | {
    "tools": 2
}
"""Axes of each field of `Dialogues` that is a string; the others are bool [B]."""
SPECS = Dialogues(
    **{
        name: tf.TensorSpec([None] * _AXES.get(name, 1), tf.string if name in _AXES else tf.bool)
        for name in Dialogues._fields
    }
)
"""Dtype and shape of each field, whatever the sizes."""


class DialogueRows(NamedTuple):
    """Rows before media and packing.

    Attributes:
        token_ids: int32 [B, L], with the start token and one placeholder per medium; 0 past a row's length.
        lengths: int32 [B].
        is_learned: bool [B, L], True on what the model itself says.
        finding: what is wrong with each row, [B].
    """

    token_ids: tf.Tensor
    lengths: tf.Tensor
    is_learned: tf.Tensor
    finding: Finding


MakeRows = Callable[[Dialogues, tf.Tensor], DialogueRows]
"""`dialogue_rows` with its settings."""


def chat_marks(settings: Settings) -> Marks:
    """How rendered dialogues are read.

    Raises:
        ValueError: the vocabulary lacks a token of the template; names it.
    """
    row = settings.row
    return marks_of(
        settings.tokenizer.vocabulary,
        settings.family,
        reading=prompt_reading(row),
        allows_tokens=row.allow_special_tokens_in_chat,
    )


def has_chat(settings: Settings) -> bool:
    """Whether the family has a template, and the vocabulary holds its tokens."""
    if settings.family.template is None:
        return False
    find = settings.tokenizer.vocabulary.find
    return all(find(name.decode()) is not None for name in spelled_tokens(settings.family) if name)


def make_rows(settings: Settings, *, is_native: bool) -> MakeRows:
    """`dialogue_rows`, from `Dialogues` and bool [], as one function that an artifact's signatures share."""
    rows = functools.partial(dialogue_rows, settings=settings, is_native=is_native)
    learns = tf.TensorSpec([], tf.bool)
    return tf.function(rows, input_signature=[SPECS, learns], autograph=False)


def dialogue_rows(
    dialogues: Dialogues, learns: tf.Tensor, *, settings: Settings, is_native: bool
) -> DialogueRows:
    """Ids of dialogues, before media and packing.

    Args:
        dialogues: of B rows; bytes that are not UTF-8 count as U+FFFD.
        learns: bool [], whether what the model says is to be told apart from the rest.
        settings: what the graph is built from.
        is_native: whether `calls`, `responses` and `tools` are native text, to be checked, in which quotes
            are spelled; otherwise the quotes are marks, and the text is trusted.
    """
    special = _spelled(settings)
    quote = settings.family.chat.quote if is_native else None

    def marked() -> DialogueRows:
        return _marked_rows(dialogues, learns, settings, is_native=is_native)

    if not special:
        return marked()
    with tf.name_scope("draft"):
        draft = drafted(dialogues, quote=quote)
    with tf.name_scope("plain"):
        is_plain = are_plain(
            dialogues, draft, media=_media(settings), special=special, checks_native=is_native
        )
    return tf.cond(is_plain & ~learns, lambda: _plain_rows(draft.text, settings), marked)


def _marked_rows(
    dialogues: Dialogues, learns: tf.Tensor, settings: Settings, *, is_native: bool
) -> DialogueRows:
    """Of any dialogues."""
    family, row = settings.family, settings.row
    tokens = marked_tokens(learns=learns)
    with tf.name_scope("findings"):
        quote = family.chat.quote if is_native else None
        finding = dialogue_finding(dialogues, media=_media(settings), quote=quote)
    with tf.name_scope("texts"):
        dialogues = _as_text(dialogues, family.chat.quote, tokens.quote) if is_native else dialogues
    with tf.name_scope("template"):
        rendered = render(dialogues, tokens, chat=family.chat, variant=row.chat_variant)
    marked = tokenize_marked(rendered, chat_marks(settings), tokenizer=settings.tokenizer)
    return DialogueRows(*marked, finding)


def _plain_rows(drafts: tf.Tensor, settings: Settings) -> DialogueRows:
    """Of plain dialogues, with which nothing is wrong, from their drafts."""
    family, row = settings.family, settings.row
    with tf.name_scope("written"):
        rendered = written(
            drafts,
            spelled_tokens(family)._replace(start=b""),
            gives_empty_thought=row.chat_variant in family.chat.empty_thought_variants,
        )
    made = settings.tokenizer.tokenize_rows(rendered, reading=prompt_reading(row))
    token_ids = tf.pad(made.token_ids, [[0, 0], [1, 0]], constant_values=settings.ids.start)
    nothing = tf.zeros_like(token_ids, tf.bool)
    return DialogueRows(token_ids, made.lengths + 1, nothing, Finding.none(made.lengths))


def _media(settings: Settings) -> tuple[str, ...]:
    return tuple(each.medium.name for each in settings.media)


def _spelled(settings: Settings) -> tuple[str, ...]:
    """The special tokens that a prompt may spell, where the template can be written with its tokens spelled;
    otherwise none.
    """
    family = settings.family
    written = tuple(
        name.decode() for name in spelled_tokens(family) if name not in (b"", family.start.encode())
    )
    return spellable(settings.tokenizer.vocabulary, prompt_reading(settings.row), written)


def encode_chat(
    inputs: Tensors,
    settings: Settings,
    *,
    rows: MakeRows,
    sequence_length: int,
    training: bool,
    served: bool,
) -> tuple[Tensors, Finding]:
    """Messages and media to model tensors, as `served.encode` does it for prompts.

    Args:
        inputs: fields of `Dialogues`, string [B, M, …] and bool [B] (those that are missing are empty, or
            False), and media.
        settings: what the graph is built from.
        rows: what `make_rows` returns.
        sequence_length: tokens in a row.
        training: whether rows have labels and loss weights, which are True on what the model itself says.
        served: as for `served.encode`.

    Returns:
        Features by name, and what is wrong with each row. A faulty row is padding.
    """
    with tf.name_scope("dialogues"):
        dialogues = as_dialogues(inputs)
    media, excess = encode_media(inputs, settings, dialogues.enable_thinking, served=served)
    made = rows(dialogues, tf.constant(training))
    finding = first_finding(made.finding, excess) if excess else made.finding
    return encode_tokens(
        TokenRows(made.token_ids, made.lengths),
        None,
        media,
        settings,
        sequence_length=sequence_length,
        training=training,
        served=served,
        also=finding,
        learned=made.is_learned,
    )


def as_dialogues(inputs: Mapping[str, tf.Tensor]) -> Dialogues:
    """The fields of `Dialogues` among inputs, string [B, M, …] and bool [B]; "" and False for those that are
    missing.
    """
    roles = inputs["roles"]
    nothing = {
        2: tf.zeros_like(roles),
        3: tf.zeros_like(roles)[..., tf.newaxis][..., :0],
        1: tf.zeros([tf.shape(roles)[0]], tf.bool),
    }
    found = {name: inputs.get(name, nothing[_AXES.get(name, 1)]) for name in Dialogues._fields}
    if "tools" not in inputs:
        found["tools"] = nothing[2][:, :0]
    return Dialogues(**found)


def _as_text(dialogues: Dialogues, quote: str, mark: Any) -> Dialogues:
    """The same in UTF-8, and with marks for the quotes of native text."""
    names = [name for name in _AXES if name != "part_types"]
    flat = [tf.reshape(getattr(dialogues, name), [-1]) for name in names]
    texts = tf.split(as_utf8(tf.concat(flat, axis=0)), [tf.size(each) for each in flat])
    texts = {
        name: tf.reshape(text, tf.shape(getattr(dialogues, name)))
        for name, text in zip(names, texts, strict=True)
    }
    quoted = "".join(f"\\{character}" for character in quote)
    for name in ("calls", "responses", "tools"):
        texts[name] = tf.strings.regex_replace(texts[name], quoted, mark)
    return dialogues._replace(**texts)
