"""What `Gemma4Tokenizer` does besides KerasHub's methods: texts in parts, spans of tokens, answers."""

from typing import Any, NamedTuple

import tensorflow as tf

from graph_ops.faults import raise_findings
from graph_ops.layers.inputs.ids import as_rows
from graph_ops.layers.inputs.texts import as_texts
from graph_ops.layers.process import check_process
from graph_ops.layers.traces import only
from graph_ops.pipeline.offsets import Located, tokenize_with_offsets
from graph_ops.pipeline.streaming import Streamed, stream
from graph_ops.text.offsets import require_offsets
from graph_ops.text.streaming import PENDING, require_streamable
from graph_ops.text.vocabulary.vocabulary import Vocabulary


class TokensWithOffsets(NamedTuple):
    """Tokens of one text or of several.

    Attributes:
        token_ids: int32 [L], or ragged [B, (L)].
        byte_spans: int32 [L, 2], or ragged [B, (L), 2]; first byte, and the one after the last.
        character_spans: the same in code points, as Python counts.
    """

    token_ids: tf.Tensor | tf.RaggedTensor
    byte_spans: tf.Tensor | tf.RaggedTensor
    character_spans: tf.Tensor | tf.RaggedTensor


class TokenMethods:
    """Methods of a layer with a vocabulary, of which they are a part."""

    vocabulary: Vocabulary

    @tf.autograph.experimental.do_not_convert
    def detokenize_stream(
        self, token_ids: Any, pending: Any = None, *, is_last: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The text of a model's next ids: what all calls gave, one after the other, is `detokenize` of all
        ids.

        ```python
        text, pending = tokenizer.detokenize_stream(first)
        more, pending = tokenizer.detokenize_stream(second, pending)
        rest, _ = tokenizer.detokenize_stream([], pending, is_last=True)
        ```

        Args:
            token_ids: int32 [L], or [B, (L)] for B texts.
            pending: int32 [3], or [B, 3]; what the last call gave; None at first.
            is_last: whether no more ids follow. Until then the bytes that begin a character wait for the rest
                of it.

        Returns:
            string [], or [B], and int32 [3], or [B, 3]: what waits for the next call.

        Raises:
            ValueError: an id outside the vocabulary, or a vocabulary that drops a text's first space; in a
                graph, `tf.errors.InvalidArgumentError`.
        """
        check_process()
        require_streamable(self.vocabulary)
        tokenizer: Any = self
        single, rows = as_rows(token_ids)
        count = rows.nrows(tf.int32)
        pending = tf.zeros([count, PENDING], tf.int32) if pending is None else tf.cast(pending, tf.int32)
        given = {
            "token_ids": rows.to_tensor(),
            "lengths": tf.cast(rows.row_lengths(), tf.int32),
            "pending": tf.reshape(pending, [count, PENDING]),
            "is_last": tf.fill([count], is_last),
        }
        found = tokenizer._traces.run(_streamed, given, tokenizer=tokenizer)
        raise_findings(found.finding, "row")
        return (only(found.text), only(found.pending)) if single else (found.text, found.pending)

    @tf.autograph.experimental.do_not_convert
    def tokenize_with_offsets(self, inputs: Any) -> TokensWithOffsets:
        """Ids of strings as `tokenize` gives them, and which bytes and characters each stands for.

        ```python
        tokens = tokenizer.tokenize_with_offsets("a fox")
        tokens.character_spans  # [[0, 1], [1, 5]]
        ```

        Args:
            inputs: a string, or strings [B]; a byte that is not UTF-8 is one character, U+FFFD.

        Returns:
            `TokensWithOffsets`: int32 [L] with spans int32 [L, 2]; of strings [B], ragged [B, (L)] and
            [B, (L), 2]. A span is the first byte, or the first code point, and the one after the last.

        Raises:
            ValueError: a vocabulary that alters texts, or one without byte fallback.
        """
        check_process()
        require_offsets(self.vocabulary)
        tokenizer: Any = self
        texts = as_texts(inputs, "inputs")
        given = {"texts": tf.reshape(texts, [-1])}
        rows, spans = tokenizer._traces.run(_located, given, tokenizer=tokenizer)
        parts = (rows.token_ids, spans.byte_spans, spans.character_spans)
        if texts.shape.rank == 0:
            return TokensWithOffsets(*map(only, parts))
        return TokensWithOffsets(*(tf.RaggedTensor.from_tensor(part, rows.lengths) for part in parts))


def _streamed(given: dict[str, tf.Tensor], *, tokenizer: Any) -> Streamed:
    return stream(given["token_ids"], given["lengths"], given["pending"], given["is_last"], tokenizer)


def _located(given: dict[str, tf.Tensor], *, tokenizer: Any) -> Located:
    return tokenize_with_offsets(given["texts"], tokenizer)
