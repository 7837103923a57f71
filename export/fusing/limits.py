"""What a request may say of where each of its answers ends: `max_new_tokens` and `stop`."""

from typing import NamedTuple

import tensorflow as tf

from export.signature import Input, Tensors
from graph_ops.chat.text import as_utf8
from graph_ops.faults import Fault, Finding, check, first_finding
from graph_ops.media.table import MEDIA

MOST_STOP_STRINGS = 16
"""For one answer. Ours: what each costs is a comparison a byte of text; hosted interfaces take 4."""
INPUTS = {
    "max_new_tokens": Input(tf.int32, (None,), "most ids of the answer; 0 for as many as the export allows"),
    "stop": Input(tf.string, (None, None), f'up to {MOST_STOP_STRINGS} texts that end it; "" for none'),
}


class Limits(NamedTuple):
    """Where each of B answers ends.

    Attributes:
        new_tokens: int32 [B]; most ids, from 1 on.
        stops: string [B, K]; texts that end it, "" for none.
        finding: what is wrong with either; such a row has no stop strings.
    """

    new_tokens: tf.Tensor
    stops: tf.Tensor
    finding: Finding


def limits_of(tensors: Tensors, rows: tf.Tensor, *, most: int) -> Limits:
    """What a request says, or, where it says nothing, what the export does.

    Args:
        tensors: those of `INPUTS`, or none of them.
        rows: a tensor [B] of any dtype.
        most: ids that an answer of the export may have.
    """
    wanted = tensors.get("max_new_tokens", tf.zeros_like(rows, tf.int32))
    is_wrong = (wanted < 0) | (wanted > most)
    finding = check(is_wrong, Fault.MAX_NEW_TOKENS, wanted, most)
    new_tokens = tf.where(is_wrong | tf.equal(wanted, 0), most, wanted)
    if "stop" not in tensors:
        return Limits(new_tokens, _no_stops(rows), finding)
    stops = tensors["stop"]
    finding = first_finding(finding, _stop_finding(stops))
    stops = tf.where(finding.is_clean[:, tf.newaxis], stops[:, :MOST_STOP_STRINGS], "")
    return Limits(new_tokens, tf.ensure_shape(stops, [None, None]), finding)


def blanked(features: Tensors, finding: Finding, *, pad: int) -> Tensors:
    """The features of rows with a finding without ids and without places of media, as those of a row to which
    a model says nothing.
    """
    is_clean = finding.is_clean[:, tf.newaxis]
    names = {name for medium in MEDIA for name in (medium.indices, medium.mask)} & features.keys()
    empty = {name: tf.zeros_like(features[name]) for name in names | {"padding_mask"}}
    empty["token_ids"] = tf.fill(tf.shape(features["token_ids"]), pad)
    return features | {name: tf.where(is_clean, features[name], nothing) for name, nothing in empty.items()}


def of_any_size(tensor: tf.Tensor) -> tf.Tensor:
    """The tensor, with a static shape that says its rank alone, so that what is traced with it serves others
    of more or less.
    """
    return tf.raw_ops.PlaceholderWithDefault(input=tensor, shape=[None] * tensor.shape.rank)


def _no_stops(rows: tf.Tensor) -> tf.Tensor:
    """String [B, 0]."""
    return of_any_size(tf.zeros_like(rows, tf.string)[:, tf.newaxis][:, :0])


def _stop_finding(stops: tf.Tensor) -> Finding:
    is_given = tf.not_equal(stops, "")
    count = tf.reduce_sum(tf.cast(is_given, tf.int32), axis=1)
    beyond = tf.reduce_any(is_given[:, MOST_STOP_STRINGS:], axis=1)
    is_broken = tf.not_equal(as_utf8(stops), stops)
    place = tf.argmax(tf.pad(tf.cast(is_broken, tf.int32), [[0, 0], [0, 1]]), axis=1, output_type=tf.int32)
    broken = tf.gather(tf.pad(stops, [[0, 0], [0, 1]]), place, batch_dims=1)
    return first_finding(
        check(beyond, Fault.STOP_COUNT, count, MOST_STOP_STRINGS),
        check(tf.reduce_any(is_broken, axis=1), Fault.STOP_TEXT, place, tf.strings.length(broken)),
    )
