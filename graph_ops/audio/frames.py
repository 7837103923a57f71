"""Which frames a clip has, and the frames themselves.

Both references compute the same frames and differ in which of them count: see `num_valid_frames`.
"""

import numpy as np
import tensorflow as tf

from graph_ops.config import AudioConfig

_SAMPLES_BEYOND = {"keras_hub": 0, "transformers": 1}


def num_valid_frames(lengths: tf.Tensor, *, parity: str, config: AudioConfig) -> tf.Tensor:
    """Frames that a clip's mask marks as audio, in closed form.

    * "keras_hub": min(length // 160, 3000), as many whole hops as the clip has. Source: `_preprocess_audio`.
    * "waveform" features, in either: ceil(min(length, 480000) / 640), the last one filled up with zeros.
      Source: `Gemma4UnifiedAudioFeatureExtractor`.
    * "transformers": (min(length, 480000) − 1) // 160 and never negative. Its extractor cuts windows of 321
      samples, one more than a frame, and counts window i if its last sample is audio: with 160 samples padded
      on the left that is sample 160 i + 160 of the clip. Padding to a multiple of 128 adds windows but none
      that counts. Source: `Gemma4AudioFeatureExtractor`.

    Args:
        lengths: int32 [...], samples.
        parity: "keras_hub" or "transformers".
        config: hop and longest clip.

    Returns:
        int32 [...] in [0, max_frames].

    Raises:
        ValueError: `parity` is neither of the two.
    """
    hops = (tf.minimum(lengths, config.max_samples) - _samples_beyond(parity, config)) // config.stride
    return tf.maximum(hops, 0)


def least_samples(*, parity: str, config: AudioConfig) -> int:
    """Samples in the shortest clip with a valid frame, and so with a soft token: 160 in "keras_hub" parity,
    161 in "transformers" parity, 1 where frames hold samples.
    """
    return config.stride + _samples_beyond(parity, config)


def _samples_beyond(parity: str, config: AudioConfig) -> int:
    """Samples that a clip must have besides whole hops for the last of these to count; less than none where a
    frame counts from its first sample on.
    """
    if parity not in _SAMPLES_BEYOND:
        raise ValueError(
            f"`parity` must be one of {sorted(_SAMPLES_BEYOND)}; got {parity!r}. Pass one of these."
        )
    return 1 - config.stride if config.is_raw else _SAMPLES_BEYOND[parity]


def num_sounding_frames(lengths: tf.Tensor, *, config: AudioConfig) -> tf.Tensor:
    """Frames that touch a clip's samples, int32 [...]: min(ceil(length / 160) + 1, 3000), and 0 for no clip;
    later ones see silence.
    """
    touching = tf.where(lengths > 0, -(-lengths // config.stride) + 1, 0)
    return tf.minimum(touching, config.max_frames)


def num_soft_tokens(num_frames: tf.Tensor, *, config: AudioConfig) -> tf.Tensor:
    """Soft tokens that the encoder makes of valid frames: min(ceil(num_frames / 4), 750).

    The encoder's two convolutions each keep every second entry of the mask, beginning with the first; on a
    mask that is a run of ones this rounds up twice, which is rounding up once. Source:
    `Gemma4Processor.replace_audio_token` and `Gemma4CausalLMPreprocessor`, which agree.

    Args:
        num_frames: int32 [...], valid frames of each clip.
        config: time reduction and most soft tokens.

    Returns:
        int32 [...].
    """
    return tf.minimum(-(-num_frames // config.frames_per_soft_token), config.max_soft_tokens)


def hann_window(*, config: AudioConfig) -> np.ndarray:
    """The periodic Hann window 0.5 − 0.5 cos(2 π n / 320), float32 [frame_length]; what both references
    multiply a frame by.
    """
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(config.frame_length) / config.frame_length)).astype(
        np.float32
    )


def windowed_halves(
    samples: tf.Tensor, num_frames: int | tf.Tensor, *, config: AudioConfig
) -> tuple[tf.Tensor, tf.Tensor]:
    """First and second half of each frame, times the window's: float32 [..., num_frames, 160] each.

    A frame is two neighbouring hops, so no gather is needed. The product with the window is rounded to
    float32, as the references' is.

        160 zeros | hop 0 | hop 1 | hop 2 …     [..., num_frames + 1, 160]
        └── frame 0 ────┘       │
                  └── frame 1 ──┘
    """
    hop, window = config.stride, hann_window(config=config)
    unpadded = [[0, 0]] * (samples.shape.rank - 1)
    missing = tf.maximum(num_frames * hop - tf.shape(samples)[-1], 0)
    padded = tf.pad(samples, [*unpadded, [hop, missing]])[..., : (num_frames + 1) * hop]
    hops = tf.reshape(padded, tf.concat([tf.shape(samples)[:-1], tf.stack([num_frames + 1, hop])], 0))
    return hops[..., :-1, :] * window[:hop], hops[..., 1:, :] * window[hop:]
