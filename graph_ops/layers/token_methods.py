"""What `Gemma4Tokenizer` does besides KerasHub's methods: texts in parts, spans of tokens, answers."""

from typing import Any

import tensorflow as tf

from graph_ops.faults import raise_findings
from graph_ops.layers.process import check_process
from graph_ops.pipeline.streaming import stream
from graph_ops.text.streaming import PENDING, require_streamable
from graph_ops.text.vocabulary.vocabulary import Vocabulary


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
        single, rows = _rows_of(token_ids)
        count = rows.nrows(tf.int32)
        pending = tf.zeros([count, PENDING], tf.int32) if pending is None else tf.cast(pending, tf.int32)
        found = stream(
            rows.to_tensor(),
            tf.cast(rows.row_lengths(), tf.int32),
            tf.reshape(pending, [count, PENDING]),
            tf.fill([count], is_last),
            tokenizer,
        )
        raise_findings(found.finding, "row")
        return (found.text[0], found.pending[0]) if single else (found.text, found.pending)


def _rows_of(token_ids: Any) -> tuple[bool, tf.RaggedTensor]:
    """Whether ids are of one text, and int32 [B, (L)] from ids [L] or [B, (L)] in any form."""
    ids = token_ids
    if not (isinstance(ids, tf.RaggedTensor) or hasattr(ids, "dtype")):
        ids = tf.ragged.constant(ids, dtype=tf.int32)
    ids = tf.cast(ids, tf.int32)
    single = ids.shape.rank == 1
    ids = ids[tf.newaxis] if single else ids
    return single, ids if isinstance(ids, tf.RaggedTensor) else tf.RaggedTensor.from_tensor(ids)
