"""Token ids of a batch of texts, and what the steps ask of a tokenizer."""

from typing import NamedTuple, Protocol

import tensorflow as tf

from graph_ops.text.engines import Engine
from graph_ops.text.ids import Ids
from graph_ops.text.reading import Reading
from graph_ops.text.vocabulary.vocabulary import Vocabulary


class TokenRows(NamedTuple):
    """Token ids of a batch of texts.

    Attributes:
        token_ids: int32 [B, L], L the longest; 0 past a row's length.
        lengths: int32 [B].
    """

    token_ids: tf.Tensor
    lengths: tf.Tensor


class Tokenizer(Protocol):
    """Strings to ids and back, with one vocabulary. `Gemma4Tokenizer` is one."""

    vocabulary: Vocabulary
    engine: Engine

    def tokenize_rows(self, texts: tf.Tensor, *, reading: Reading = Reading.TRAINED) -> TokenRows:
        """Ids of strings [B]; `reading` says how special tokens that are spelled in a text are read."""

    def tokenize_flat(self, texts: tf.Tensor, *, reading: Reading = Reading.TRAINED) -> Ids:
        """The same ids without padding."""

    def detokenize_rows(self, token_ids: tf.Tensor, keep: tf.Tensor) -> tf.Tensor:
        """Strings [B] of the ids int32 [B, L] where `keep` bool [B, L]; kept ids are in range."""

    def detokenize_flat(self, token_ids: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Strings [B] of ids int32 [N] in range, of which int64 [B] belong to each text."""

    def stripped_token_ids(self, *, with_audio: bool) -> list[int]:
        """Ids that are left out of a generated text."""


def is_valid_id(token_ids: tf.Tensor, *, vocabulary_size: int) -> tf.Tensor:
    """Bool […]: whether ids int32 […] are in [0, vocabulary_size)."""
    return (token_ids >= 0) & (token_ids < vocabulary_size)
