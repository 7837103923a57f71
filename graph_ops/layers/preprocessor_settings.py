"""What a `Gemma4CausalLMPreprocessor` is made of, as attributes of KerasHub's names that may be set."""

from typing import Any, ClassVar

import keras

from graph_ops.config import RowConfig
from graph_ops.family import GEMMA4, Family
from graph_ops.layers.chat import ChatTemplate
from graph_ops.layers.checks import check_settings
from graph_ops.layers.converters import Gemma4AudioConverter, Gemma4ImageConverter, Gemma4VideoConverter
from graph_ops.layers.from_keras_hub import own_converter, own_tokenizer
from graph_ops.layers.setting import Setting
from graph_ops.layers.tokenizer import Gemma4Tokenizer
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from graph_ops.media.medium import Medium
from graph_ops.media.table import MEDIA
from graph_ops.media.video import VIDEO
from graph_ops.presets.catalogue import PRESETS
from graph_ops.settings import Settings, make_settings
from graph_ops.text.reading import prompt_reading, response_reading

_LAYERS = ("tokenizer", *(medium.converter for medium in MEDIA))


class MediumToken:
    """A special token of a medium as an attribute; None without a converter for the medium.

    Args:
        medium: the medium.
        field: of `MediumTokens`.
    """

    def __init__(self, medium: Medium, field: str) -> None:
        self._medium, self._field = medium, field

    def __get__(self, layer: Any, owner: type) -> Any:
        if layer is None:
            return self
        given = getattr(layer, self._medium.converter) is not None
        tokens = layer.settings.family.tokens_of(self._medium.name)
        return getattr(tokens, self._field) if given else None


class PreprocessorSettings(ChatTemplate):
    """The layers and the row layout of a preprocessor. A change counts from the next call on; what does not
    fit the rest is refused.
    """

    family: ClassVar[Family] = GEMMA4
    """Of its models."""
    keras_hub_class: ClassVar[str] = "Gemma4CausalLMPreprocessor"
    """The name of KerasHub's class that it equals."""
    presets = PRESETS
    """The built-in presets by name, each a `Preset` with parameters and description."""
    tokenizer_cls: type[Gemma4Tokenizer] = Gemma4Tokenizer
    image_converter_cls = Gemma4ImageConverter
    audio_converter_cls = Gemma4AudioConverter
    video_converter_cls = Gemma4VideoConverter
    without_effect: ClassVar[dict[str, Any]] = {
        "config_file": "preprocessor.json",
    }

    sequence_length = Setting("row")
    add_start_token = Setting("row")
    add_end_token = Setting("row")
    max_images_per_prompt = Setting("row")
    num_vision_tokens_per_image = Setting("row")
    max_audio_clips_per_prompt = Setting("row")
    num_audio_tokens_per_clip = Setting("row")
    audio_input_feat_size = Setting("row")
    max_videos_per_prompt = Setting("row")
    num_frames_per_video = Setting("row")
    num_vision_tokens_per_frame = Setting("row")
    video_fps = Setting("row")
    parity = Setting("row")
    keras_hub_version = Setting("row")
    allow_special_tokens = Setting("row")
    chat_version = Setting("row")
    chat_variant = Setting("row")
    allow_special_tokens_in_chat = Setting("row")

    _row: RowConfig
    _tokenizer: Gemma4Tokenizer
    _image_converter: Gemma4ImageConverter | None
    _audio_converter: Gemma4AudioConverter | None
    _video_converter: Gemma4VideoConverter | None

    @property
    def settings(self) -> Settings:
        """What the graph is built from."""
        return self._settings_with()

    def _settings_with(self, **changed: Any) -> Settings:
        """The settings if some of tokenizer, converters (by their medium's name) and row were these."""
        media = {"image": self._image_converter, "audio": self._audio_converter}
        media["video"] = self._video_converter
        parts = {"tokenizer": self._tokenizer, "row": self._row, **media, **changed}
        configs = {name: parts[name] and parts[name].config for name in media}
        return make_settings(parts["tokenizer"], parts["row"], configs, family=self.family)

    @property
    def row(self) -> RowConfig:
        """Layout of rows; each of its fields is an attribute too."""
        return self._row

    @row.setter
    def row(self, row: RowConfig) -> None:
        accept(self._settings_with(row=row))
        self._row = row

    @property
    def tokenizer(self) -> Gemma4Tokenizer:
        """Strings to ids and back."""
        return self._tokenizer

    @tokenizer.setter
    def tokenizer(self, tokenizer: Any) -> None:
        own = own_tokenizer(tokenizer, self.tokenizer_cls)
        accept(self._settings_with(tokenizer=own))
        self._tokenizer = own

    @property
    def image_converter(self) -> Gemma4ImageConverter | None:
        """How images are converted; None for a preprocessor that takes none."""
        return self._image_converter

    @image_converter.setter
    def image_converter(self, converter: Any) -> None:
        own = own_converter(converter, medium=IMAGE)
        accept(self._settings_with(image=own))
        self._image_converter = own

    @property
    def audio_converter(self) -> Gemma4AudioConverter | None:
        """How clips are converted; None for a preprocessor that takes none."""
        return self._audio_converter

    @audio_converter.setter
    def audio_converter(self, converter: Any) -> None:
        own = own_converter(converter, medium=AUDIO)
        accept(self._settings_with(audio=own))
        self._audio_converter = own

    @property
    def video_converter(self) -> Gemma4VideoConverter | None:
        """How videos are converted; None for a preprocessor that takes none."""
        return self._video_converter

    @video_converter.setter
    def video_converter(self, converter: Any) -> None:
        own = own_converter(converter, medium=VIDEO)
        accept(self._settings_with(video=own))
        self._video_converter = own

    @property
    def text_only_model(self) -> bool:
        """Whether there is no converter."""
        return all(getattr(self, medium.converter) is None for medium in MEDIA)

    @property
    def image_size(self) -> Any:
        """The image converter's, which has no effect; None without one."""
        return self.image_converter and self.image_converter.image_size

    @image_size.setter
    def image_size(self, size: Any) -> None:
        if self.image_converter is None:
            raise ValueError("`image_size`: needs an `image_converter`; this preprocessor has none.")
        self.image_converter.image_size = size

    image_placeholder = MediumToken(IMAGE, "placeholder")
    start_of_image_token = MediumToken(IMAGE, "opening")
    end_of_image_token = MediumToken(IMAGE, "closing")
    audio_placeholder = MediumToken(AUDIO, "placeholder")
    start_of_audio_token = MediumToken(AUDIO, "opening")
    end_of_audio_token = MediumToken(AUDIO, "closing")
    video_placeholder = MediumToken(VIDEO, "placeholder")
    start_of_video_token = end_of_video_token = None

    def get_config(self) -> dict[str, Any]:
        """Everything needed to make this preprocessor again, vocabulary included."""
        layers = {name: getattr(self, name) for name in _LAYERS}
        serialized = {
            name: layer and keras.saving.serialize_keras_object(layer) for name, layer in layers.items()
        }
        return {**super().get_config(), **vars(self.row), **serialized}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The inverse of `get_config`; also of what an export says, which names its family besides."""
        config = {name: value for name, value in config.items() if name != "family"}
        layers = {name: config.get(name) for name in _LAYERS}
        made = {
            name: keras.saving.deserialize_keras_object(layer) if isinstance(layer, dict) else layer
            for name, layer in layers.items()
        }
        return cls(**{**config, **made})


def accept(settings: Settings) -> None:
    """Checks settings before they are kept, and makes what their texts are read with, so that it is tracked.

    Raises:
        ValueError: settings that contradict each other.
    """
    check_settings(settings)
    settings.tokenizer.engine.prepare([prompt_reading(settings.row), response_reading(settings.row)])
