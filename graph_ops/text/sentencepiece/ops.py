"""tensorflow-text's SentencePiece ops themselves.

The only import of a path that tensorflow-text does not document. Its public `SentencepieceTokenizer` cannot
stand in: it makes its model without a name, so that `tf.random.set_seed`, which clears all kernels, takes the
model away (see `engine`).
"""

from typing import Any

import tensorflow as tf


def make_model(proto: bytes, *, name: str) -> tf.Tensor:
    """A handle, resource [], of a SentencePiece model that lives under a name until it is destroyed."""
    return _ops().sentencepiece_op(model=proto, shared_name=name)


def tokenize(model: tf.Tensor, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Ids int32 [N] of strings [B], and where each text's begin, int64 [B + 1]."""
    ids, row_splits = _ops().sentencepiece_tokenize_op(
        model, texts, 0, 1.0, add_bos=False, add_eos=False, reverse=False, out_type=tf.int32
    )
    return ids, row_splits


def detokenize(model: tf.Tensor, ids: tf.Tensor, row_splits: tf.Tensor) -> tf.Tensor:
    """Strings [B] of ids int32 [N], of which each text's begin at int64 [B + 1]."""
    return _ops().sentencepiece_detokenize_op(
        model, ids, row_splits, add_bos=False, add_eos=False, reverse=False
    )


def id_to_piece(model: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """Strings [N], as the model holds them, of ids int32 [N] in range."""
    return _ops().sentencepiece_id_to_string_op(model, ids)


def _ops() -> Any:
    """Imported when needed: the other engine works where tensorflow-text is not installed."""
    from tensorflow_text.python.ops.sentencepiece_tokenizer import gen_sentencepiece_tokenizer

    return gen_sentencepiece_tokenizer
