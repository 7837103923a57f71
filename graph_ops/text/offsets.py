r"""Which bytes and which characters of a text each of its tokens stands for.

A token is a number of whole characters of the text, or one byte of a character that is no piece. So its place
follows from the ids before it, whatever engine they came from, and the text says where its characters are.

```
text         é      ␣ f  o  x    🦊
bytes        0 1    2 3  4  5    6    7    8    9
token        0xC3 0xA9 | ▁fox    | 0xF0 0x9F 0xA6 0x8A
byte span    0,1  1,2  | 2,6     | 6,7  7,8  8,9  9,10
characters   0,1  0,1  | 1,5     | 5,6  5,6  5,6  5,6
```

A byte that is not UTF-8 is read as U+FFFD: one character, of one byte.
"""

import functools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.text.bpe import utf8
from graph_ops.text.bpe.arrays import places, taken
from graph_ops.text.bytes_of_ids import NO_BYTE, bytes_of
from graph_ops.text.tokens import TokenRows
from graph_ops.text.vocabulary.vocabulary import Vocabulary


class Spans(NamedTuple):
    """Where tokens stand in their text, each from its first byte or character up to the one after its last.

    Attributes:
        byte_spans: int32 [B, L, 2]; 0 past a row's length.
        character_spans: int32 [B, L, 2]; in code points, the same.
    """

    byte_spans: tf.Tensor
    character_spans: tf.Tensor


def require_offsets(vocabulary: Vocabulary) -> None:
    """Checks that every character of a text is in a token.

    Raises:
        ValueError: a vocabulary that alters texts, or one without byte fallback.
    """
    if not has_offsets(vocabulary):
        raise ValueError(
            "`tokenizer`: offsets need a vocabulary that takes texts as they are and has byte fallback; this "
            "one alters texts or has an unknown piece in them. Pass a Gemma 4 vocabulary."
        )


def has_offsets(vocabulary: Vocabulary) -> bool:
    """Whether a token's place follows from the ids."""
    return vocabulary.keeps_text and vocabulary.has_byte_fallback


def characters_of(token_ids: tf.Tensor, vocabulary: Vocabulary) -> tf.Tensor:
    """How many characters each id int32 […], in range, stands for: int32 […]. The first byte of a character
    stands for it, the others for none.
    """
    return tf.cast(taken(_characters(vocabulary), token_ids), tf.int32)


def spans(
    rows: TokenRows,
    characters: tf.Tensor,
    stream: tf.Tensor,
    text_ends: tf.Tensor,
    *,
    vocabulary: Vocabulary,
) -> Spans:
    """The spans of the tokens of B texts.

    Args:
        rows: all ids of the texts, int32 [B, L] with lengths [B].
        characters: int32 [B, L]; `characters_of` the ids.
        stream: int32 [N]; the bytes of one text after the other, a `utf8.SEPARATOR` after each.
        text_ends: int32 [B]; where each text's first separator is.
        vocabulary: that of the ids.
    """
    is_token = tf.sequence_mask(rows.lengths, tf.shape(rows.token_ids)[1])
    ids = tf.where(is_token, rows.token_ids, 0)
    is_byte = is_token & (bytes_of(ids, vocabulary) < NO_BYTE)
    counts = tf.where(is_token, characters, 0)
    end = tf.cumsum(counts, axis=1)
    start = end - tf.where(is_byte, 1, counts)
    begins = tf.concat([[0], text_ends + 1], axis=0)[:-1]
    byte_start, byte_end = _in_bytes(start, end, begins, stream)
    # a byte of a character: its own, but where a byte that is not UTF-8, or a space, stands for three
    own = byte_start + tf.minimum(_place_in_character(is_byte, counts), byte_end - byte_start - 1)
    first, last = tf.where(is_byte, own, byte_start), tf.where(is_byte, own + 1, byte_end)
    pairs = (tf.stack(pair, axis=2) for pair in ((first, last), (start, end)))
    return Spans(*(tf.where(is_token[..., tf.newaxis], pair, 0) for pair in pairs))


def _in_bytes(
    start: tf.Tensor, end: tf.Tensor, begins: tf.Tensor, stream: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Places in characters of their text int32 [B, L] as places in bytes of their text. `begins` int32 [B]
    says where a text begins in the stream.
    """
    is_start = utf8.decode(stream).is_start
    before = tf.cumsum(tf.cast(is_start, tf.int32), exclusive=True)
    base = taken(before, begins)[:, tf.newaxis]
    of_characters = places(is_start)
    most = tf.size(of_characters) - 1  # which only ids of another text go beyond
    first, last = (
        taken(of_characters, tf.minimum(base + place, most)) - begins[:, tf.newaxis] for place in (start, end)
    )
    return first, last


def _place_in_character(is_byte: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """How many bytes of the same character stand before a byte, int32 [B, L]: 0 … 3."""
    is_tail = tf.cast(is_byte & tf.equal(counts, 0), tf.int32)
    padded = tf.pad(is_tail, [[0, 0], [2, 0]])
    size = tf.shape(is_tail)
    before, one_before = (tf.slice(padded, [0, start], size) for start in (1, 0))
    return is_tail * (1 + before * (1 + one_before))


@functools.lru_cache(maxsize=8)
def _characters(vocabulary: Vocabulary) -> np.ndarray:
    """`characters_of` each id: uint8 or int32 [V]."""
    counts = np.array([len(piece) for piece in vocabulary.pieces], np.int32)
    with tf.init_scope():
        values = bytes_of(tf.range(len(counts)), vocabulary).numpy()
    counts[values < NO_BYTE] = 1
    counts[(values >= 0x80) & (values < 0xC0)] = 0
    return counts.astype(np.uint8) if counts.max() < 2**8 else counts
