"""Token ids as a model emits them, a few at a time: which of them become text now, and which wait.

A token that is a byte says nothing alone: `0xF0` may be the first byte of 🦊 or, if something else follows,
a U+FFFD. So the last tokens of a call wait for the next one while they are the beginning of a character.

```
ids            0xF0 0x9F | 0xA6 0x8A a | 0xF0 | <turn|>
text                     | 🦊a         |      | �<turn|>
pending after  0xF0 0x9F |             | 0xF0 |
```

Nothing else waits. A byte waits only if UTF-8 allows some character that begins so: see table 3-7,
"Well-Formed UTF-8 Byte Sequences", of the Unicode standard.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.text.bytes_of_ids import NO_BYTE, bytes_of
from graph_ops.text.vocabulary.vocabulary import Vocabulary

PENDING = 3
"""Most ids that wait: the bytes of a character but for the last."""


class StreamedIds(NamedTuple):
    """Ids of B texts that are being streamed.

    Attributes:
        token_ids: int32 [B, 3 + L]; those that waited and those that came.
        keep: bool [B, 3 + L]; which of them become text now.
        pending: int32 [B, 3]; those that wait, behind zeros.
    """

    token_ids: tf.Tensor
    keep: tf.Tensor
    pending: tf.Tensor


def require_streamable(vocabulary: Vocabulary) -> None:
    """Checks that a text's beginning is decoded as its middle is.

    Raises:
        ValueError: a vocabulary that drops a text's first space.
    """
    if not vocabulary.keeps_text:
        raise ValueError(
            "`tokenizer`: streaming needs a vocabulary that takes texts as they are; this one drops a space "
            "at the beginning of a text. Pass a Gemma 4 vocabulary, or detokenize whole texts."
        )


def streamed_ids(
    token_ids: tf.Tensor,
    lengths: tf.Tensor,
    pending: tf.Tensor,
    is_last: tf.Tensor,
    *,
    vocabulary: Vocabulary,
) -> StreamedIds:
    """What becomes text now.

    Args:
        token_ids: int32 [B, L]; the new ids, then anything.
        lengths: int32 [B]; how many of them are new, 0 … L.
        pending: int32 [B, 3]; what the last call gave, zeros at first. What is no byte in it is left out.
        is_last: bool [B]; whether nothing follows, so that nothing waits.
        vocabulary: tells which ids are bytes.
    """
    joined = tf.concat([pending, token_ids], axis=1)
    place = tf.range(tf.shape(joined)[1])
    last = tf.gather(joined, lengths[:, tf.newaxis] + tf.range(PENDING), batch_dims=1)
    waiting = tf.where(is_last, 0, _waiting(bytes_of(last, vocabulary)))[:, tf.newaxis]
    is_byte = bytes_of(pending, vocabulary) < NO_BYTE
    is_there = tf.concat([is_byte, tf.ones_like(token_ids, tf.bool)], axis=1)
    keep = is_there & (place < lengths[:, tf.newaxis] + PENDING - waiting)
    return StreamedIds(joined, keep, tf.where(tf.range(PENDING) < PENDING - waiting, 0, last))


def _waiting(values: tf.Tensor) -> tf.Tensor:
    """How many of the last three ids wait, int32 [B], from their bytes int32 [B, 3], `NO_BYTE` for none."""
    lengths, lowest, highest = tf.unstack(tf.gather_nd(_LEADS, values[..., tf.newaxis]), axis=-1)
    follows = (values[:, 1:] >= lowest[:, :2]) & (values[:, 1:] <= highest[:, :2])
    is_tail = (values[:, 2] >= 0x80) & (values[:, 2] < 0xC0)
    one, two = lengths[:, 2] >= 2, (lengths[:, 1] >= 3) & follows[:, 1]
    three = tf.equal(lengths[:, 0], 4) & follows[:, 0] & is_tail
    return tf.where(three, 3, tf.where(two, 2, tf.cast(one, tf.int32)))


def _leads() -> np.ndarray:
    """int32 [257, 3]; for each first byte of a character its length, and the lowest and the highest second
    byte; length 0 for what begins none.
    """
    leads = np.tile(np.array([0, 0x80, 0xBF], np.int32), (NO_BYTE + 1, 1))
    leads[0xC2:0xE0, 0], leads[0xE0:0xF0, 0], leads[0xF0:0xF5, 0] = 2, 3, 4
    leads[0xE0, 1], leads[0xED, 2], leads[0xF0, 1], leads[0xF4, 2] = 0xA0, 0x9F, 0x90, 0x8F
    return leads


_LEADS = _leads()
