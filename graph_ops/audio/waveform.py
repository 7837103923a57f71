"""Samples -> frames of raw samples, for models that take sound without an encoder."""

import tensorflow as tf

from graph_ops.config import AudioConfig


def raw_frames(samples: tf.Tensor, *, num_frames: int | tf.Tensor, config: AudioConfig) -> tf.Tensor:
    """The samples as they are, cut into frames that stand side by side.

    Frame i holds samples `stride` i … `stride` (i + 1) − 1, and 0 where there are none.

        samples     1 2 3 4 5            stride 2
        frames      [1 2] [3 4] [5 0]

    Args:
        samples: float32 [..., T], about [-1, 1].
        num_frames: int or int32 [], frames to cut.
        config: `stride`, in samples: 640, 40 ms, in Gemma 4 unified.

    Returns:
        float32 [..., num_frames, stride]. Source: `Gemma4UnifiedAudioFeatureExtractor`.
    """
    size = num_frames * config.stride
    missing = tf.maximum(size - tf.shape(samples)[-1], 0)
    padded = tf.pad(samples, [*[[0, 0]] * (samples.shape.rank - 1), [0, missing]])[..., :size]
    shape = tf.concat([tf.shape(samples)[:-1], tf.stack([num_frames, config.stride])], 0)
    frames = tf.reshape(padded, shape)
    frames.set_shape(
        [*samples.shape[:-1], num_frames if isinstance(num_frames, int) else None, config.stride]
    )
    return frames
