"""The preprocessor for devices: the same steps on one row, with bytes for strings, in ops that LiteRT has as
builtins.

A text is uint8 [N] with its length int32 [1]; what lies past the length is not looked at, so that a buffer
serves all texts up to its size. Outputs are those of the served signatures, B = 1. What is wrong with the row
is a `Finding`, as everywhere.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from graph_ops.faults import Fault, Finding, check, first_finding
from graph_ops.media.slots import MediumBatch, Slots, from_counts
from graph_ops.pipeline.served import Tensors, encode_tokens, id_finding, kept_ids
from graph_ops.settings import Settings
from graph_ops.text.engines import BuiltinEngine
from graph_ops.text.reading import prompt_reading
from graph_ops.text.tokens import TokenRows


class Text(NamedTuple):
    """One text.

    Attributes:
        codes: uint8 [N]; bytes, then 0.
        length: int32 [1].
    """

    codes: tf.Tensor
    length: tf.Tensor


def engine_of(settings: Settings) -> BuiltinEngine:
    """The tokenizer's engine.

    Raises:
        ValueError: it is not the one that devices have ops for.
    """
    engine = settings.tokenizer.engine
    if not isinstance(engine, BuiltinEngine):
        raise ValueError(
            "`tokenizer`: a bundle for devices needs the engine 'builtin'. Make it with "
            "`Gemma4Tokenizer(..., engine='builtin')`."
        )
    return engine


def tokenize(text: Text, settings: Settings) -> tuple[TokenRows, Finding]:
    """Ids of a text: `TokenRows` with token_ids int32 [1, N + 1], 0 past the length; none for a text with a
    finding.
    """
    finding = length_finding(text.length, tf.size(text.codes))
    length = tf.where(finding.is_clean, text.length, 0)
    reading = prompt_reading(settings.row)
    tokens = engine_of(settings).tokenize_bytes(text.codes, length[0], reading=reading)
    return TokenRows(tokens.ids[tf.newaxis], tokens.count[tf.newaxis]), finding


def detokenize(
    token_ids: tf.Tensor, lengths: tf.Tensor, settings: Settings, *, capacity: int | None = None
) -> tuple[Text, Finding]:
    """The text of ids int32 [1, L], of which `lengths` int32 [1] count; in a buffer of `capacity` bytes, or
    of as many as there are.
    """
    finding = length_finding(lengths, tf.shape(token_ids)[1])
    keep = tf.sequence_mask(lengths, tf.shape(token_ids)[1]) & finding.is_clean[:, tf.newaxis]
    text, out_of_range = detokenize_kept(token_ids, keep, settings, capacity=capacity)
    return text, first_finding(finding, out_of_range)


def generate_postprocess(
    token_ids: tf.Tensor, padding_mask: tf.Tensor, settings: Settings, *, capacity: int | None = None
) -> tuple[Text, Finding]:
    """The text of a generated row int32 [1, S] without special tokens, where `padding_mask` int32 [1, S] is
    not 0.
    """
    keep = kept_ids(token_ids, tf.not_equal(padding_mask, 0), settings)
    return detokenize_kept(token_ids, keep, settings, capacity=capacity)


def generate_preprocess(
    prompt: Text, media: Mapping[str, MediumBatch], settings: Settings
) -> tuple[Tensors, Finding]:
    """Features [1, …] of a prompt with its media by name, as in `generate_preprocess` of the SavedModel
    (int32 and float32, masks bool), and what is wrong with the row.
    """
    tokens, finding = tokenize(prompt, settings)
    return encode_tokens(
        tokens,
        None,
        media,
        settings,
        sequence_length=settings.row.sequence_length,
        training=False,
        served=True,
        also=finding,
    )


def counted_slots(
    counts: tf.Tensor,
    budgets: tf.Tensor | None = None,
    *,
    most: int,
    frames: int | None = None,
    config: Any = None,
) -> Slots:
    """Slots of items that were preprocessed before, from their soft tokens int32 [1, K], 0 for an empty slot,
    and the budgets int32 [1, K] that they had, if there was a choice; of a medium with frames so many of them
    an item.
    """
    faulty = (counts < 0) | (counts > most)
    slots = from_counts(tf.where(faulty, 0, counts), budgets, config=config, frames=frames)
    finding = check(faulty, Fault.SOFT_TOKENS, counts, most).of_rows()
    return slots._replace(finding=first_finding(finding, slots.finding))


def length_finding(lengths: tf.Tensor, given: tf.Tensor) -> Finding:
    """TEXT_LENGTH for lengths int32 [1] outside of 0 … `given`, int32 []."""
    return check((lengths < 0) | (lengths > given), Fault.TEXT_LENGTH, lengths, given)


def detokenize_kept(
    token_ids: tf.Tensor, keep: tf.Tensor, settings: Settings, *, capacity: int | None
) -> tuple[Text, Finding]:
    """The text of the ids int32 [1, L] where `keep` bool [1, L]; none where one of them is out of range."""
    finding = id_finding(token_ids, keep, settings.tokenizer)
    kept = (keep & finding.is_clean[:, tf.newaxis])[0]
    texts = engine_of(settings).detokenize_bytes(token_ids[0], kept, capacity=capacity)
    return Text(tf.cast(texts.codes, tf.uint8), tf.reshape(texts.ends[-1], [1])), finding
