"""Token ids in any form as rows."""

from typing import Any

import tensorflow as tf


def as_rows(token_ids: Any) -> tuple[bool, tf.RaggedTensor]:
    """Whether ids are of one text, and int32 [B, (L)] from ids [L] or [B, (L)]: lists of any lengths, arrays,
    tensors, lists of them.
    """
    ids = token_ids
    if isinstance(ids, list | tuple) and ids and _is_row(ids[0]):
        return False, tf.ragged.stack([_as_int32(row) for row in ids])
    ids = ids if isinstance(ids, tf.RaggedTensor) else _as_int32(ids)
    ids = tf.cast(ids, tf.int32)
    single = ids.shape.rank == 1
    ids = ids[tf.newaxis] if single else ids
    return single, ids if isinstance(ids, tf.RaggedTensor) else tf.RaggedTensor.from_tensor(ids)


def _is_row(item: Any) -> bool:
    return isinstance(item, list | tuple) or len(getattr(item, "shape", ())) > 0


def _as_int32(ids: Any) -> tf.Tensor:
    if hasattr(ids, "dtype"):
        return tf.cast(ids, tf.int32)
    return tf.convert_to_tensor(ids, tf.int32)
