"""`EmbeddingGemma2TextEmbedderPreprocessor`: texts, images and audio to the rows of a model that embeds."""

import dataclasses
import os
from typing import Any, ClassVar

import keras
import tensorflow as tf

from graph_ops.config import RowConfig
from graph_ops.family import EMBEDDING_GEMMA2, Family
from graph_ops.faults import Finding, raise_findings
from graph_ops.layers.absent_media import without_items
from graph_ops.layers.as_keras_hub import join_keras_hub
from graph_ops.layers.checks import check_media
from graph_ops.layers.converters import CONVERTERS, Gemma4AudioConverter, Gemma4ImageConverter
from graph_ops.layers.from_keras_hub import own_converter, own_tokenizer
from graph_ops.layers.inputs.embedding import embedding_inputs
from graph_ops.layers.layer import PreprocessingLayer
from graph_ops.layers.process import check_process
from graph_ops.layers.tokenizer import Gemma4Tokenizer
from graph_ops.layers.traces import only
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from graph_ops.pipeline.embedding import encode_embedding
from graph_ops.presets.embedding import EMBEDDING_PRESETS, load_embedding_preset
from graph_ops.settings import Settings, make_settings
from graph_ops.text.reading import Reading, prompt_reading

_LAYERS = ("tokenizer", "image_converter", "audio_converter")
_TRUNCATIONS = ("round_robin", "waterfall")


@keras.saving.register_keras_serializable(package="gemma4_graph")
class EmbeddingGemma2TextEmbedderPreprocessor(PreprocessingLayer):
    """Texts, images and audio to the tensors that EmbeddingGemma 2 takes; a drop-in for KerasHub's class, and
    an instance of its `Preprocessor` where keras-hub is imported.

    Args:
        tokenizer: a `Gemma4Tokenizer`, or what makes one (path or bytes of a vocabulary). This and the
            converters may be KerasHub's; their settings are then taken over.
        image_converter: a `Gemma4ImageConverter`, or None for a preprocessor that takes no images.
        audio_converter: a `Gemma4AudioConverter`, or None for one that takes no audio.
        video_converter: None: a frame of a video is passed as an image.
        sequence_length: tokens in a row, `<bos>`, `<eos>` and soft tokens included; what is longer is cut.
        truncate: "round_robin" or "waterfall", which cut a single text alike.
        parity: how `<bos>` and the like in a text are read: "keras_hub", as ordinary characters, or
            "transformers", as the tokens.
        allow_special_tokens: whether texts may spell special tokens: "all", or "none" (but for the
            placeholders of media), where they are ordinary characters.
        **kwargs: `name`, `dtype`.

    Called on texts (a string, a list or a tensor), or on a dict with any of `texts`, `images`, `audio` and
    `max_soft_tokens`, it gives `token_ids` int32 [(B,) S] and `padding_mask` bool [(B,) S]; with a converter
    for images `pixel_values` float32 [(B,) 1, P, D], `pixel_position_ids` int32 [(B,) 1, P, 2] and
    `vision_indices` int32 [(B,) V]; with one for audio `audio_mel` float32 [(B,) 1, F, M], `audio_mel_mask`
    int32 [(B,) 1, F] and `audio_indices` int32 [(B,) N]. A text holds one `<|image|>` and one `<|audio|>` for
    its image and its clip.

    Raises:
        ValueError: settings that contradict each other, or a vocabulary without a needed special token.
        TypeError: a tokenizer or converter that is neither ours nor KerasHub's.
    """

    family: ClassVar[Family] = EMBEDDING_GEMMA2
    """Of its models."""
    presets = EMBEDDING_PRESETS
    """The built-in presets by name, each a `Preset` with parameters and description."""
    tokenizer_cls: type[Gemma4Tokenizer] = Gemma4Tokenizer
    image_converter_cls = Gemma4ImageConverter
    audio_converter_cls = Gemma4AudioConverter
    tasks: ClassVar[dict[str, str]] = dict(EMBEDDING_GEMMA2.embedding.tasks)
    """What stands before a text, by the name of the task."""

    def __init__(
        self,
        tokenizer: Any,
        image_converter: Gemma4ImageConverter | None = None,
        audio_converter: Gemma4AudioConverter | None = None,
        video_converter: None = None,
        sequence_length: int = 512,
        truncate: str = "round_robin",
        parity: str = "keras_hub",
        allow_special_tokens: str = "all",
        **kwargs: Any,
    ) -> None:
        check_process()
        super().__init__(**kwargs)
        if video_converter is not None:
            raise ValueError(
                "`video_converter`: this preprocessor reads text, images and audio; sample a frame and pass "
                "it as `images`."
            )
        if truncate not in _TRUNCATIONS:
            raise ValueError(
                f"`truncate`: must be one of {_TRUNCATIONS}; got {truncate!r}. Pass one of them; they cut a "
                "single text alike."
            )
        self.truncate = truncate
        self.tokenizer = own_tokenizer(tokenizer, self.tokenizer_cls)
        self.image_converter = own_converter(image_converter, medium=IMAGE)
        self.audio_converter = own_converter(audio_converter, medium=AUDIO)
        self._given = RowConfig(
            sequence_length=sequence_length,
            max_images_per_prompt=1,
            max_audio_clips_per_prompt=1,
            max_videos_per_prompt=0,
            parity=parity,
            allow_special_tokens=allow_special_tokens,
        )
        self.settings.tokenizer.engine.prepare([self.reading])

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """Its class. `isinstance` asks for it too, so that KerasHub finds its own class among the bases."""
        join_keras_hub(EmbeddingGemma2TextEmbedderPreprocessor)
        return type(self)

    @property
    def settings(self) -> Settings:
        """What the graph is built from. Media are as transformers has them, which keras-hub follows here."""
        images, audio = self.image_converter, self.audio_converter
        configs = {"image": images and images.config, "audio": audio and audio.config}
        soft_tokens = images.max_soft_tokens if images else 0
        row = dataclasses.replace(self._given, parity="transformers", num_vision_tokens_per_image=soft_tokens)
        return make_settings(self.tokenizer, row, configs, family=self.family)

    @property
    def reading(self) -> Reading:
        """How special tokens that are spelled in a text are read."""
        return prompt_reading(self._given)

    @property
    def sequence_length(self) -> int:
        """Tokens in a row."""
        return self._given.sequence_length

    @sequence_length.setter
    def sequence_length(self, length: int) -> None:
        self._given = dataclasses.replace(self._given, sequence_length=length)

    @property
    def parity(self) -> str:
        """How `<bos>` and the like in a text are read."""
        return self._given.parity

    @property
    def allow_special_tokens(self) -> str:
        """Whether texts may spell special tokens."""
        return self._given.allow_special_tokens

    @classmethod
    def from_preset(
        cls, preset: "str | os.PathLike[str]", **kwargs: Any
    ) -> "EmbeddingGemma2TextEmbedderPreprocessor":
        """The preprocessor of a released model, a preset folder, or a handle to download.

        Args:
            preset: a name of `presets`; a folder in KerasHub's or Hugging Face's layout;
                `hf://owner/name[@revision]`; `kaggle://owner/model/keras/variant[/version]`.
            **kwargs: arguments of the constructor that replace the preset's. With `tokenizer` the preset's
                vocabulary is not read; with `image_converter=None` or `audio_converter=None` it takes no such
                medium.

        Raises:
            ValueError: no such preset, or one of another model.
            FileNotFoundError: a folder in neither layout.
            OSError: a download that failed; says what to install, accept or pass instead.
        """
        settings = cls._load_preset(preset)
        for name, config in settings.media.items():
            converter = CONVERTERS[name]
            kwargs.setdefault(converter.medium.converter, config and converter(**vars(config)))
        if "tokenizer" not in kwargs:
            kwargs["tokenizer"] = cls.tokenizer_cls(settings.checked_vocabulary(), **settings.tokenizer)
        return cls(**{**settings.row, **kwargs})

    _load_preset = staticmethod(load_embedding_preset)

    def call(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        sequence_length: int | None = None,
        task: Any = None,
    ) -> Any:
        """Rows to embed; see the class.

        Args:
            x: texts, or a dict.
            y: what is to be learned, handed on.
            sample_weight: handed on too.
            sequence_length: tokens in a row; the preprocessor's by default.
            task: a name of `tasks` for all texts, or one for each, "" for none: what stands before the text.

        Returns:
            The features by name, or with `y` a tuple `(x, y)` or `(x, y, sample_weight)`.

        Raises:
            ValueError, TypeError: bad input; in a graph, `tf.errors.InvalidArgumentError`.
        """
        return keras.utils.pack_x_y_sample_weight(self._encode(x, sequence_length, task), y, sample_weight)

    # the steps hold no Python control flow on tensors, and converting them takes a while
    @tf.autograph.experimental.do_not_convert
    def _encode(self, x: Any, sequence_length: int | None, task: Any) -> dict[str, tf.Tensor]:
        settings = self.settings
        inputs, batched = embedding_inputs(x, task, row=settings.row, family=settings.family)
        check_media(inputs, settings)
        length = settings.row.sequence_length
        if sequence_length is not None:
            length = dataclasses.replace(settings.row, sequence_length=sequence_length).sequence_length
        choices = {"settings": settings, "reading": self.reading, "sequence_length": length}
        features, finding = self._traces.run(_rows, inputs, at_once=True, **choices)
        _raise(finding)
        return features if batched else tf.nest.map_structure(only, features)

    def get_config(self) -> dict[str, Any]:
        """Everything needed to make this preprocessor again, vocabulary included."""
        layers = {name: getattr(self, name) for name in _LAYERS}
        return {
            **super().get_config(),
            **{name: layer and keras.saving.serialize_keras_object(layer) for name, layer in layers.items()},
            "video_converter": None,
            **{name: getattr(self, name) for name in ("sequence_length", "truncate")},
            **{name: getattr(self, name) for name in ("parity", "allow_special_tokens")},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "EmbeddingGemma2TextEmbedderPreprocessor":
        """The inverse of `get_config`; also of what an export says, which names its family besides."""
        config = {name: value for name, value in config.items() if name != "family"}
        made = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in _LAYERS
            if isinstance(config.get(name), dict)
        }
        return cls(**{**config, **made})


def _rows(
    inputs: dict[str, tf.Tensor], settings: Settings, reading: Reading, sequence_length: int
) -> tuple[dict[str, tf.Tensor], Finding]:
    """`encode_embedding`, with the tensors that KerasHub's class emits for absent media."""
    features, finding = encode_embedding(
        inputs, settings, reading=reading, sequence_length=sequence_length, served=False
    )
    absent = without_items(settings, features["token_ids"])
    return features | {name: absent[name] for name in absent if name not in features}, finding


def _raise(finding: Finding) -> None:
    """`raise_findings`, which calls the rows' texts `texts`."""
    try:
        raise_findings(finding, "text")
    except ValueError as error:
        raise ValueError(str(error).replace("`prompts`", "`texts`")) from None
