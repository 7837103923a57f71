"""`Gemma4ImageConverter`, `Gemma4AudioConverter` and `Gemma4VideoConverter`: a medium's configuration as a
Keras layer, callable on its own.
"""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import tensorflow as tf
from typing_extensions import Self

from graph_ops.audio.wav import value_findings
from graph_ops.config import AudioConfig, VideoConfig
from graph_ops.faults import Finding, raise_findings
from graph_ops.layers.inputs.slots import as_slots, is_single
from graph_ops.layers.layer import PreprocessingLayer
from graph_ops.layers.setting import Setting, frozen
from graph_ops.layers.traces import Traces, only
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from graph_ops.media.medium import Medium
from graph_ops.media.slots import MediumBatch, items_of
from graph_ops.media.table import MEDIA
from graph_ops.media.video import VIDEO
from graph_ops.presets.catalogue import PRESETS, load_preset
from graph_ops.presets.saving import write_converter


class _Converter(PreprocessingLayer):
    """A frozen configuration, given field by field, as a layer without weights."""

    medium: Medium
    presets = PRESETS
    """The built-in presets by name, each a `Preset` with parameters and description."""

    def __init__(
        self, *, name: str | None = None, dtype: Any = "float32", trainable: bool = True, **settings: Any
    ) -> None:
        own = {key: settings.pop(key) for key in settings.keys() & self.without_effect.keys()}
        super().__init__(name=name, dtype=dtype, trainable=trainable, **own)
        known = {field.name for field in dataclasses.fields(self.medium.config)}
        if unknown := settings.keys() - known:
            raise TypeError(
                f"{type(self).__name__}: settings must be among {sorted(known)}; got {sorted(unknown)}. "
                f"Remove or rename them."
            )
        self.config = self.medium.config(**{key: frozen(value) for key, value in settings.items()})

    def get_config(self) -> dict[str, Any]:
        """Everything needed to make this converter again."""
        return {**super().get_config(), **dataclasses.asdict(self.config)}

    @classmethod
    def from_preset(cls, preset: "str | os.PathLike[str]", **kwargs: Any) -> Self:
        """The converter of a preset; see `Gemma4CausalLMPreprocessor.from_preset`.

        Raises:
            ValueError: the preset's model does not read this medium.
        """
        media = load_preset(preset).media
        config = media.get(cls.medium.name)
        if config is None and cls.medium is VIDEO and (image := media.get(IMAGE.name)):
            # Read by the encoder of images, with a budget of its own.
            config = VideoConfig(**{**vars(image), "max_soft_tokens": VideoConfig.max_soft_tokens})
        if config is None:
            raise ValueError(
                f"`preset`: must be of a model that reads {cls.medium.argument}; {os.fspath(preset)!r} is "
                "not. Pass another preset."
            )
        return cls(**{**vars(config), **kwargs})

    def save_to_preset(self, preset_dir: "str | os.PathLike[str]") -> None:
        """Writes the file that this converter has in a preset folder of KerasHub's layout."""
        write_converter(self.config, self.medium, preset_dir)


@keras.saving.register_keras_serializable(package="gemma4_graph")
class Gemma4ImageConverter(_Converter):
    """Images to patches, with Pillow's bicubic resize.

    Args:
        **settings: fields of `ImageConfig` (`patch_size`, `max_soft_tokens`, `pooling_kernel_size`, `scale`,
            `offset`, `max_image_pixels`, `apply_exif_orientation`, `background_color`), `name`, `dtype`;
            those of KerasHub's base class, such as `image_size` and `interpolation`, which have no effect
            here nor there.

    Called on one image (pixels [H, W, 3] of whole numbers in 0…255, or the bytes of a file) or on several (an
    array [B, H, W, 3], a list, files string [B]) it gives `pixel_values` float32 [(B,) 2520, 768] (padding 0)
    and `pixel_position_ids` int32 [(B,) 2520, 2] (padding -1). A dict with `images` comes back with the two
    added. Called on its own it has no parity to follow: files are read as for "keras_hub", their alpha left
    out unless `background_color` is a colour.

    Raises:
        ValueError: an image that does not decode, is too large or too thin.
    """

    medium = IMAGE
    without_effect: ClassVar[dict[str, Any]] = {
        "image_size": None,
        "interpolation": "bilinear",
        "antialias": False,
        "crop_to_aspect_ratio": True,
        "pad_to_aspect_ratio": False,
        "bounding_box_format": "yxyx",
        "data_format": "channels_last",
    }

    patch_size = Setting("config")
    max_soft_tokens = Setting("config")
    pooling_kernel_size = Setting("config")
    scale = Setting("config")
    offset = Setting("config")
    max_image_pixels = Setting("config")
    apply_exif_orientation = Setting("config")
    background_color = Setting("config")

    @tf.autograph.experimental.do_not_convert
    def call(self, inputs: Any) -> dict[str, Any]:
        """See the class."""
        if isinstance(inputs, dict):
            return {**inputs, **self.call(inputs["images"])}
        slots = as_slots(inputs, medium=self.medium, rows=None, max_slots=None)
        batch = _TRACES.run(_items, slots, medium=self.medium, config=self.config)
        raise_findings(batch.slots.finding, "image")
        single = is_single(inputs, medium=self.medium)
        features = {"pixel_values": batch.values, "pixel_position_ids": batch.marks}
        items = tf.nest.map_structure(only, features)
        return tf.nest.map_structure(only, items) if single else items


@keras.saving.register_keras_serializable(package="gemma4_graph")
class Gemma4AudioConverter(_Converter):
    """Waveforms to log-mel spectrograms, in KerasHub's layout of 30 seconds.

    Args:
        **settings: fields of `AudioConfig` (`features`, `num_mels`, `num_fft_bins`, `stride`,
            `sampling_rate`, `max_audio_length`, `min_frequency`, `max_frequency`, `mel_floor`,
            `per_bin_mean`, `per_bin_stddev`, `frame_length`, `strict`), `name`, `dtype`.

    Called on one clip (samples [T] in -1…1, or the bytes of a WAV file) or on several (an array [B, T], a
    list, files string [B]) it gives float32 [(B,) 3000, 128]; what is longer than 30 s is cut, what is
    shorter is filled with silence. With `features="waveform"` frames of samples, filled with 0: of the preset
    "gemma4_unified_12b" float32 [(B,) 750, 640].
    """

    medium = AUDIO

    features = Setting("config")
    num_mels = Setting("config")
    num_fft_bins = Setting("config")
    stride = Setting("config")
    sampling_rate = Setting("config")
    max_audio_length = Setting("config")
    min_frequency = Setting("config")
    max_frequency = Setting("config")
    mel_floor = Setting("config")
    per_bin_mean = Setting("config")
    per_bin_stddev = Setting("config")
    frame_length = Setting("config")
    frames_per_soft_token = Setting("config")
    strict = Setting("config")

    @property
    def num_samples(self) -> int:
        """Samples that every clip is cut or filled to."""
        return self.config.max_samples

    @tf.autograph.experimental.do_not_convert
    def call(self, audio: Any) -> tf.Tensor:
        """See the class."""
        slots = as_slots(audio, medium=self.medium, rows=None, max_slots=None)
        frames, finding = _TRACES.run(_frames, slots, config=self.config)
        raise_findings(finding, "clip")
        return only(frames) if is_single(audio, medium=self.medium) else frames

    def audio_shape(self) -> tuple[int, int]:
        """Frames of one clip, and numbers in a frame."""
        return self.config.max_frames, self.config.frame_size


@keras.saving.register_keras_serializable(package="gemma4_graph")
class Gemma4VideoConverter(_Converter):
    """Videos to the patches of `num_frames` of their frames, each as `Gemma4ImageConverter` has them.

    Args:
        **settings: fields of `VideoConfig` (`num_frames`, and those of `ImageConfig`), `name`, `dtype`;
            those of KerasHub's base class, such as `image_size`, which have no effect here nor there.

    Called on one video (pixels [T, H, W, 3] of whole numbers in 0…255, or a list of frames) or on several (an
    array [B, T, H, W, 3], a list of videos, files string [B, T]) it gives `pixel_values` float32 [(B,) 32,
    630, 768] (padding 0) and `pixel_position_ids` int32 [(B,) 32, 630, 2] (padding -1). Frames are taken as
    for parity "keras_hub".

    Raises:
        ValueError: a frame that does not decode, is too large or too thin.
    """

    medium = VIDEO
    without_effect = Gemma4ImageConverter.without_effect

    num_frames = Setting("config")
    patch_size = Setting("config")
    max_soft_tokens = Setting("config")
    pooling_kernel_size = Setting("config")
    scale = Setting("config")
    offset = Setting("config")
    max_image_pixels = Setting("config")
    apply_exif_orientation = Setting("config")
    background_color = Setting("config")

    @tf.autograph.experimental.do_not_convert
    def call(self, inputs: Any) -> dict[str, Any]:
        """See the class."""
        slots = as_slots(inputs, medium=self.medium, rows=None, max_slots=None)
        batch = _TRACES.run(_items, slots, medium=self.medium, config=self.config)
        raise_findings(batch.slots.finding, "video")
        single = is_single(inputs, medium=self.medium)
        leading = [self.config.num_frames] if single else [-1, self.config.num_frames]
        features = {"pixel_values": batch.values, "pixel_position_ids": batch.marks}
        return {name: tf.reshape(part, [*leading, *part.shape[2:]]) for name, part in features.items()}


_TRACES = Traces()
"""Of all converters: those with the same configuration share a graph."""


def _items(slots: dict[str, tf.Tensor], *, medium: Medium, config: Any) -> MediumBatch:
    return items_of(slots, medium=medium, config=config, parity="keras_hub")


def _frames(slots: dict[str, tf.Tensor], *, config: AudioConfig) -> tuple[tf.Tensor, Finding]:
    """Frames [K, F, M] of the clips of one row, and what is wrong with each of them."""
    clips = _items(slots, medium=AUDIO, config=config)
    finding = value_findings(slots["audio"][0]) if AUDIO.sizes in slots else clips.slots.finding
    return clips.values[0], finding


CONVERTERS = {
    layer.medium.name: layer for layer in (Gemma4ImageConverter, Gemma4AudioConverter, Gemma4VideoConverter)
}
"""The layer of each medium, by the medium's name."""


def converters_of(
    configs: Mapping[str, Any], given: Mapping[str, Any], *, preset: "str | os.PathLike[str]"
) -> dict[str, Any]:
    """Converters of a preset, None for a medium that its model does not read, by the preprocessor's argument.

    Args:
        configs: those of the preset, by the medium's name; None for one that is not read.
        given: arguments of the preprocessor that replace the preset's.
        preset: what it is called.

    Raises:
        ValueError: one is given for a medium that the model does not read.
    """
    found = {}
    for medium in MEDIA:
        config = configs.get(medium.name)
        # The encoder of images reads frames too.
        is_read = config is not None or (medium is VIDEO and configs.get(IMAGE.name) is not None)
        if given.get(medium.converter) is not None and not is_read:
            raise ValueError(
                f"`{medium.converter}`: must be left out for a model that does not read {medium.argument}; "
                f"got one for {os.fspath(preset)!r}. Leave it out, or choose the preset of a model that does."
            )
        found[medium.converter] = config and CONVERTERS[medium.name](**vars(config))
    return found
