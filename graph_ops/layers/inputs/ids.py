"""Token ids in any form as rows."""

from typing import Any

import tensorflow as tf


def as_rows(token_ids: Any) -> tuple[bool, tf.RaggedTensor]:
    """Whether ids are of one text, and int32 [B, (L)] from ids [L] or [B, (L)]: lists of any lengths, arrays,
    tensors.
    """
    ids = token_ids
    if not (isinstance(ids, tf.RaggedTensor) or hasattr(ids, "dtype")):
        ids = tf.ragged.constant(ids, dtype=tf.int32)
    ids = tf.cast(ids, tf.int32)
    single = ids.shape.rank == 1
    ids = ids[tf.newaxis] if single else ids
    return single, ids if isinstance(ids, tf.RaggedTensor) else tf.RaggedTensor.from_tensor(ids)
