"""`Gemma4ImageConverter` and `Gemma4AudioConverter`: a medium's configuration as a Keras layer, callable on
its own.
"""

import dataclasses
import os
from typing import Any

import keras
import tensorflow as tf
from typing_extensions import Self

from graph_ops.audio.mel import log_mel_spectrogram
from graph_ops.config import AudioConfig, ImageConfig
from graph_ops.faults import raise_findings
from graph_ops.image.encode import encode_image_arrays, encode_images
from graph_ops.presets.catalogue import load_preset


class _Converter(keras.layers.Layer):
    """A frozen configuration, given field by field, as a layer without weights."""

    config_class: type
    medium: str

    def __init__(
        self, *, name: str | None = None, dtype: Any = "float32", trainable: bool = True, **settings: Any
    ) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        self._convert_input_args = False
        self._allow_non_tensor_positional_args = True
        known = {field.name for field in dataclasses.fields(self.config_class)}
        if unknown := settings.keys() - known:
            raise TypeError(
                f"{type(self).__name__}: settings must be among {sorted(known)}; got {sorted(unknown)}. "
                f"Remove or rename them."
            )
        self.config = self.config_class(**{key: _frozen(value) for key, value in settings.items()})
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """Everything needed to make this converter again."""
        return {**super().get_config(), **dataclasses.asdict(self.config)}

    @classmethod
    def from_preset(cls, preset: "str | os.PathLike[str]", **kwargs: Any) -> Self:
        """The converter of a preset; see `Gemma4CausalLMPreprocessor.from_preset`.

        Raises:
            ValueError: the preset's model does not read this medium.
        """
        config = getattr(load_preset(preset), cls.medium)
        if config is None:
            raise ValueError(
                f"`preset`: must be of a model that reads {cls.medium}; {os.fspath(preset)!r} is not. Pass "
                f"another preset."
            )
        return cls(**{**vars(config), **kwargs})


@keras.saving.register_keras_serializable(package="gemma4_graph")
class Gemma4ImageConverter(_Converter):
    """Images to patches, with Pillow's bicubic resize.

    Args:
        **settings: fields of `ImageConfig` (`patch_size`, `max_soft_tokens`, `pooling_kernel_size`, `scale`,
            `offset`, `max_image_pixels`), `name`, `dtype`.

    Called on pixels uint8 [H, W, 3] or [B, H, W, 3], or on encoded images string [] or [B], it gives
    `pixel_values` float32 [(B,) 2520, 768] (padding 0) and `pixel_position_ids` int32 [(B,) 2520, 2] (padding
    -1).

    Raises:
        ValueError: an image that does not decode, is too large or too thin.
    """

    config_class = ImageConfig
    medium = "image"

    @tf.autograph.experimental.do_not_convert
    def call(self, inputs: Any) -> dict[str, tf.Tensor]:
        """See the class."""
        images = tf.convert_to_tensor(inputs)
        item_rank = 0 if images.dtype == tf.string else 3
        if images.shape.rank not in (item_rank, item_rank + 1) or images.dtype not in (tf.string, tf.uint8):
            raise ValueError(
                f"`inputs`: must be uint8 [H, W, 3] or [B, H, W, 3], or encoded images []/[B]; got "
                f"{images.dtype.name} {images.shape}."
                " Round pixels to 0…255 and pass uint8."
            )
        single = images.shape.rank == item_rank
        images = images[tf.newaxis] if single else images
        outputs = encode_images(images, config=self.config) if item_rank == 0 else self._from_arrays(images)
        raise_findings(outputs.finding, "image")
        features = {"pixel_values": outputs.values, "pixel_position_ids": outputs.positions}
        return {name: feature[0] for name, feature in features.items()} if single else features

    def _from_arrays(self, images: tf.Tensor) -> Any:
        shape = tf.shape(images)
        return encode_image_arrays(images, tf.tile(shape[tf.newaxis, 1:3], [shape[0], 1]), config=self.config)


@keras.saving.register_keras_serializable(package="gemma4_graph")
class Gemma4AudioConverter(_Converter):
    """Waveforms to log-mel spectrograms, in KerasHub's layout of 30 seconds.

    Args:
        **settings: fields of `AudioConfig` (`num_mels`, `num_fft_bins`, `stride`, `sampling_rate`,
            `max_audio_length`, `min_frequency`, `max_frequency`, `mel_floor`, `per_bin_mean`,
            `per_bin_stddev`, `frame_length`), `name`, `dtype`.

    Called on samples float32 [T] or [B, T] in -1…1 it gives float32 [(B,) 3000, 128]; what is longer than 30
    s is cut, what is shorter is filled with silence.
    """

    config_class = AudioConfig
    medium = "audio"

    @tf.autograph.experimental.do_not_convert
    def call(self, audio: Any) -> tf.Tensor:
        """See the class."""
        samples = tf.convert_to_tensor(audio, tf.float32)
        if samples.shape.rank not in (1, 2):
            raise ValueError(
                f"`audio`: must be float32 [T] or [B, T]; got shape {samples.shape}. Pass one clip a row."
            )
        return log_mel_spectrogram(
            samples[..., : self.config.max_samples], num_frames=self.config.max_frames, config=self.config
        )

    def audio_shape(self) -> tuple[int, int]:
        """Frames and mel bins of one clip."""
        return self.config.max_frames, self.config.num_mels


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
