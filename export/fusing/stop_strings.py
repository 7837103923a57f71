"""Strings that end an answer: found in its text as it grows by an id a step, whatever ids they are spread
over.

```
ids           ▁on  e   ▁t  wo        stop "e t"
text so far    on one one t          found: the text is cut to " on"
looked at     " on" "one" "ne t"     the end of the text that a stop string may have begun in, and what is new
```

Ids of bytes become text with the last byte of their character, as in `graph_ops.text.streaming`. Texts are
compared byte by byte, which finds whole characters alone, as both are UTF-8.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from graph_ops.pipeline.served import decode_ids, kept_ids
from graph_ops.settings import Settings
from graph_ops.text.streaming import PENDING, streamed_ids


class Seen(NamedTuple):
    """What has been looked through of B answers.

    Attributes:
        pending: int32 [B, 3]; ids of bytes that wait for the rest of their character, behind zeros.
        tail: string [B]; the end of the text, which a stop string may have begun in.
        before: int32 [B]; bytes of the text that stand before the tail.
        cuts: int32 [B]; bytes of the text that stand before the first stop string, -1 where there is none.
    """

    pending: tf.Tensor
    tail: tf.Tensor
    before: tf.Tensor
    cuts: tf.Tensor


Look = Callable[[Seen, tf.Tensor, tf.Tensor], Seen]
"""From what was seen, the next ids int32 [B] and which of them are new, bool [B], to what is seen then."""


def nothing_seen(rows: tf.Tensor) -> Seen:
    """At the beginning of as many answers as a tensor [B] of any dtype has rows."""
    zeros = tf.zeros_like(rows, tf.int32)
    pending = tf.tile(zeros[:, tf.newaxis], [1, PENDING])
    return Seen(pending, tf.zeros_like(rows, tf.string), zeros, zeros - 1)


def looking_for(stops: tf.Tensor, restart_ids: tf.Tensor, settings: Settings) -> Look:
    """What looks for the stop strings of each row.

    Args:
        stops: string [B, K], UTF-8; "" for none.
        restart_ids: int32 [R]; ids with which a row's text begins anew, and its bytes are counted from 0
            again.
        settings: tokenizer, and which ids have no text.
    """

    def look(seen: Seen, ids: tf.Tensor, is_new: tf.Tensor) -> Seen:
        restarts = is_new & tf.reduce_any(tf.equal(ids[:, tf.newaxis], restart_ids), axis=1)
        seen = _restarted(seen, restarts)
        is_text = kept_ids(ids[:, tf.newaxis], (is_new & ~restarts)[:, tf.newaxis], settings)
        streamed = streamed_ids(
            ids[:, tf.newaxis],
            tf.cast(is_text[:, 0], tf.int32),
            seen.pending,
            tf.zeros_like(is_new),
            vocabulary=settings.tokenizer.vocabulary,
        )
        text, _ = decode_ids(streamed.token_ids, streamed.keep, settings.tokenizer)
        return _grown(seen, text, stops)._replace(pending=streamed.pending)

    def look_if_any(seen: Seen, ids: tf.Tensor, is_new: tf.Tensor) -> Seen:
        any_stop = tf.reduce_any(tf.not_equal(stops, ""))
        return tf.cond(any_stop, lambda: look(seen, ids, is_new), lambda: seen)

    return look_if_any


def cut_texts(texts: tf.Tensor, sizes: tf.Tensor) -> tf.Tensor:
    """The first `sizes` int32 [B] bytes of texts string [B]; all of those with -1."""
    lengths = tf.strings.length(texts)
    return tf.strings.substr(texts, tf.zeros_like(lengths), tf.where(sizes < 0, lengths, sizes))


def _restarted(seen: Seen, where: tf.Tensor) -> Seen:
    pending = tf.where(where[:, tf.newaxis], 0, seen.pending)
    return Seen(pending, tf.where(where, "", seen.tail), tf.where(where, 0, seen.before), seen.cuts)


def _grown(seen: Seen, text: tf.Tensor, stops: tf.Tensor) -> Seen:
    """With the next texts, string [B], behind what was seen."""
    looked_at = tf.strings.join([seen.tail, text])
    place = _first_place(looked_at, tf.strings.length(text), stops)
    size = tf.strings.length(looked_at)
    kept = tf.maximum(tf.reduce_max(tf.strings.length(stops), axis=1) - 1, 0)
    dropped = tf.maximum(size - kept, 0)
    return Seen(
        seen.pending,
        tf.strings.substr(looked_at, dropped, size),
        seen.before + dropped,
        tf.where((place >= 0) & (seen.cuts < 0), seen.before + place, seen.cuts),
    )


def _first_place(texts: tf.Tensor, new: tf.Tensor, stops: tf.Tensor) -> tf.Tensor:
    """Byte where the first of the stop strings [B, K] begins that end in the last `new` int32 [B] bytes of
    the texts string [B]: int32 [B], -1 for none.
    """
    sizes = tf.strings.length(texts)[:, tf.newaxis, tf.newaxis]
    ends = sizes - tf.range(tf.reduce_max(new))
    lengths = tf.strings.length(stops)[:, :, tf.newaxis]
    places = ends - lengths
    possible = (ends > sizes - new[:, tf.newaxis, tf.newaxis]) & (lengths > 0) & (places >= 0)
    flat = tf.where(possible)
    chosen = tf.cast(flat[:, 0], tf.int32)
    begins = tf.gather_nd(places, flat)
    wanted = tf.gather_nd(stops, flat[:, :2])
    is_there = tf.equal(
        tf.strings.substr(tf.gather(texts, chosen), begins, tf.strings.length(wanted)), wanted
    )
    found = tf.math.unsorted_segment_min(
        tf.boolean_mask(begins, is_there), tf.boolean_mask(chosen, is_there), tf.shape(texts)[0]
    )
    return tf.where(tf.equal(found, tf.int32.max), -1, found)
