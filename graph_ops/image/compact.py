"""Configurations of images and videos of which the values stay pixels, uint8, for a client to scale."""

import dataclasses
from typing import TypeVar

import tensorflow as tf

from graph_ops.config import ImageConfig, VideoConfig


class Compact:
    """What such configurations have in common."""


@dataclasses.dataclass(frozen=True)
class _CompactImages(Compact, ImageConfig):
    pass


@dataclasses.dataclass(frozen=True)
class _CompactVideos(Compact, VideoConfig):
    pass


_Config = TypeVar("_Config", ImageConfig, VideoConfig)
_COMPACT: dict[type, type] = {ImageConfig: _CompactImages, VideoConfig: _CompactVideos}


def compact(config: _Config) -> _Config:
    """The same, compact: `scale` and `offset` are left to whoever reads the values."""
    return _COMPACT[type(config)](**{**vars(config), "scale": None, "offset": None})


def values_dtype(config: ImageConfig) -> tf.DType:
    """Of `pixel_values`: uint8 if the configuration is compact, else float32."""
    return tf.uint8 if isinstance(config, Compact) else tf.float32
