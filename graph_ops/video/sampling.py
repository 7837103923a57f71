"""Which frames of a video are taken, and when they are shown."""

import tensorflow as tf

from graph_ops.faults import Fault, Finding, check, first_finding
from graph_ops.target import TENSORFLOW, Target


def sampled_frames(totals: tf.Tensor, *, num_frames: int, parity: str) -> tf.Tensor:
    """int32 [N, num_frames]: which frames of videos with so many, int32 [N], are taken; -1 for none.

    In parity "keras_hub" `num_frames` of them, from the first to the last and some several times if there are
    fewer: `linspace` in float32, cut to whole numbers. In parity "transformers" the k-th is `k * total //
    num_frames`, and a video with fewer is taken as it is: the reference refuses to sample it.
    """
    totals, steps = totals[:, tf.newaxis], tf.range(num_frames)
    if parity == "transformers":
        places = _scaled(steps, totals, num_frames)
        taken = tf.where(totals < num_frames, tf.where(steps < totals, steps, -1), places)
    else:
        # As `tf.linspace` reckons it: the distance once, then its multiples, and the end as it is.
        last = tf.cast(totals - 1, tf.float32)
        distance = tf.math.divide_no_nan(last, float(max(num_frames - 1, 1)))
        places = tf.cast(distance * tf.cast(steps, tf.float32), tf.int32)
        is_end = tf.equal(steps, num_frames - 1) & (num_frames > 1)
        taken = tf.where(is_end, totals - 1, places)
    return tf.where(totals > 0, taken, -1)


def _scaled(steps: tf.Tensor, totals: tf.Tensor, num_frames: int) -> tf.Tensor:
    """`steps * totals // num_frames` without a product beyond int32."""
    whole, rest = totals // num_frames, totals % num_frames
    return steps * whole + steps * rest // num_frames


def shown_at(
    taken: tf.Tensor,
    frame_indices: tf.Tensor,
    rates: tf.Tensor,
    *,
    default_rate: float,
    parity: str,
    target: Target = TENSORFLOW,
) -> tf.Tensor:
    """int32 [N, F]: the whole second at which each frame that is taken is shown; -1 for none.

    Args:
        taken: int32 [N, F], what `sampled_frames` gives.
        frame_indices: int32 [N, T], the places of the given frames in their source; where the first is -1,
            or T is 0, the given frames are the source in parity "transformers", and the taken ones are in
            parity "keras_hub".
        rates: float64 (float32 without it) [N], frames a second of the source; 0 for the default.
        default_rate: frames a second.
        parity: one of `PARITIES`.
        target: where it runs.
    """
    dtype = tf.float64 if target.float64 else tf.float32
    in_order = tf.range(tf.shape(taken)[1]) + tf.zeros_like(taken)
    own = taken if parity == "transformers" else in_order
    padded = tf.pad(frame_indices, [[0, 0], [0, 1]], constant_values=-1)
    last = tf.shape(padded)[1] - 1
    given = tf.gather(padded, tf.clip_by_value(taken, 0, last), batch_dims=1)
    places = tf.where(padded[:, :1] >= 0, given, own)
    rates = tf.where(rates > 0, tf.cast(rates, dtype), tf.cast(default_rate, dtype))
    seconds = tf.floor(tf.math.divide_no_nan(tf.cast(places, dtype), rates[:, tf.newaxis]))
    longest = tf.cast(2**31 - 2**8, dtype)  # a float32 below 2**31
    return tf.where(taken >= 0, tf.cast(tf.minimum(seconds, longest), tf.int32), -1)


def source_finding(totals: tf.Tensor, frame_indices: tf.Tensor, rates: tf.Tensor) -> Finding:
    """VIDEO_FRAME_INDICES or VIDEO_FPS, [N], of what is said of the sources of N videos; see `shown_at`.

    Args:
        totals: int32 [N], the frames that are given of each; 0 for no video, of which nothing is asked.
        frame_indices: int32 [N, T].
        rates: float [N].
    """
    given, count = frame_indices, tf.shape(frame_indices)[1]
    padded = tf.pad(given, [[0, 0], [0, 1]], constant_values=-1)
    is_known = (padded[:, :1] >= 0) & (totals > 0)[:, tf.newaxis]
    before = tf.concat([tf.zeros_like(padded[:, :1]), padded[:, :-1]], axis=1)
    is_frame = tf.range(count + 1) < totals[:, tf.newaxis]
    wrong = is_known & is_frame & (padded < before)
    more = is_known[:, 0] & (totals > count)
    wrong |= more[:, tf.newaxis] & tf.equal(tf.range(count + 1), count)
    at = tf.argmax(tf.cast(wrong, tf.int32), axis=1, output_type=tf.int32)
    value = tf.gather(padded, at, batch_dims=1)
    indices = check(tf.reduce_any(wrong, axis=1), Fault.VIDEO_FRAME_INDICES, at, value)
    is_rate = (rates >= 0) & (rates < tf.constant(float("inf"), rates.dtype))
    rounded = tf.cast(tf.clip_by_value(tf.where(is_rate, rates, -1), -1e9, 1e9), tf.int32)
    return first_finding(indices, check(~is_rate & (totals > 0), Fault.VIDEO_FPS, rounded, 0))
