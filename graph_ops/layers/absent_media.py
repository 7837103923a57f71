"""The tensors without items that KerasHub's class emits for a medium that was not given."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from graph_ops.media.medium import Medium
from graph_ops.media.table import MEDIA
from graph_ops.media.video import VIDEO
from graph_ops.settings import Settings


class _Empty(NamedTuple):
    """Shapes, after the batch axis, of a medium's tensors without items."""

    values: tuple[int, ...]
    marks: tuple[int, ...]
    indices: int


def with_absent_media(features: dict[str, tf.Tensor], settings: Settings) -> dict[str, tf.Tensor]:
    """The features, and those of the media that are missing, with no slot: none for a text-only preprocessor.

    Args:
        features: by name; `token_ids` int32 [B, S] among them.
        settings: what the graph is built from.
    """
    absent: dict[str, tf.Tensor] = {}
    features = _as_images(features)
    for medium in MEDIA if settings.media else ():
        if medium.values not in features and (empty := _empty(medium, settings)):
            absent |= _tensors(medium, empty, features["token_ids"])
    return {**features, **absent}


def without_items(settings: Settings, token_ids: tf.Tensor) -> dict[str, tf.Tensor]:
    """The tensors without items that KerasHub's embedding class emits, of every medium that is taken.

    Args:
        settings: what the graph is built from.
        token_ids: int32 [B, S].
    """
    found: dict[str, tf.Tensor] = {}
    for each in settings.media:
        empty = _NOT_EMBEDDED[each.medium.name](each.config)
        found |= _tensors(each.medium, empty, token_ids)
        del found[each.medium.mask]
    return found


def _as_images(features: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Frames under the names of images, as KerasHub's class has them, if there are no images beside them."""
    if IMAGE.values in features or VIDEO.values not in features:
        return features
    names = {getattr(VIDEO, name): getattr(IMAGE, name) for name in ("values", "marks", "indices", "mask")}
    return {names.get(name, name): feature for name, feature in features.items()}


def _tensors(medium: Medium, empty: _Empty, token_ids: tf.Tensor) -> dict[str, tf.Tensor]:
    batch = tf.shape(token_ids)[0]
    return {
        medium.values: tf.zeros([batch, *empty.values]),
        medium.marks: tf.zeros([batch, *empty.marks], tf.int32),
        medium.indices: tf.zeros([batch, empty.indices], tf.int32),
        medium.mask: tf.zeros_like(token_ids, tf.bool),
    }


def _no_images(settings: Settings) -> _Empty:
    image, video = settings.config_of(IMAGE), settings.config_of(VIDEO)
    if image is None:
        width = video.num_frames * video.max_soft_tokens if video else 0
        return _Empty((0, 1, 48), (0, 1, 2), width)
    return _Empty((0, 0, image.patch_dim), (0, 0, 2), settings.indices_width(IMAGE))


def _no_clips(settings: Settings) -> _Empty | None:
    bins = settings.row.audio_input_feat_size
    return _Empty((0, 1, bins), (0, 1), 0) if bins else None


def _empty(medium: Medium, settings: Settings) -> _Empty | None:
    return _EMPTY[medium.name](settings) if medium.name in _EMPTY else None


_EMPTY: dict[str, Callable[[Settings], _Empty | None]] = {IMAGE.name: _no_images, AUDIO.name: _no_clips}
"""Source: keras-hub 0.32's class, oddities included."""
_NOT_EMBEDDED: dict[str, Callable[[Any], _Empty]] = {
    IMAGE.name: lambda config: _Empty((0, 0, config.patch_dim), (0, 0, 2), 0),
    AUDIO.name: lambda config: _Empty((0, 1, config.frame_size), (0, 1), 0),
}
"""The same of its `EmbeddingGemma2TextEmbedderPreprocessor` of keras-hub 0.33."""
