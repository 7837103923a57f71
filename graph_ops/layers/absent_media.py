"""The tensors without images or clips that KerasHub's class emits for a medium that was not given."""

import tensorflow as tf

from graph_ops.media.image import IMAGE
from graph_ops.settings import Settings


def with_absent_media(features: dict[str, tf.Tensor], settings: Settings) -> dict[str, tf.Tensor]:
    """The features, and those of the media that are missing, with no slot: none for a text-only preprocessor.

    Args:
        features: by name; `token_ids` int32 [B, S] among them.
        settings: what the graph is built from.
    """
    if not settings.media:
        return features
    image = settings.config_of(IMAGE)
    batch, length = tf.shape(features["token_ids"])[0], tf.shape(features["token_ids"])[1]
    nowhere = tf.zeros([batch, length], tf.bool)
    absent: dict[str, tf.Tensor] = {}
    if "pixel_values" not in features:
        patches, dim = (0, image.patch_dim) if image else (1, 48)
        width = settings.row.max_images_per_prompt * settings.row.num_vision_tokens_per_image
        absent["pixel_values"] = tf.zeros([batch, 0, patches, dim])
        absent["pixel_position_ids"] = tf.zeros([batch, 0, patches, 2], tf.int32)
        absent["vision_indices"] = tf.zeros([batch, width if image else 0], tf.int32)
        absent["vision_mask"] = nowhere
    if "audio_mel" not in features and settings.row.audio_input_feat_size > 0:
        absent["audio_mel"] = tf.zeros([batch, 0, 1, settings.row.audio_input_feat_size])
        absent["audio_mel_mask"] = tf.zeros([batch, 0, 1], tf.int32)
        absent["audio_indices"] = tf.zeros([batch, 0], tf.int32)
        absent["audio_mask"] = nowhere
    return {**features, **absent}
