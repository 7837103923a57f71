"""`Gemma4CausalLMPreprocessor`: the steps behind the interface of KerasHub's class. Composition only."""

import dataclasses
import os
from typing import Any

import keras
import tensorflow as tf

from graph_ops.config import PARITIES, PLAIN_TEXTS, RowConfig
from graph_ops.faults import raise_findings
from graph_ops.layers.converters import Gemma4AudioConverter, Gemma4ImageConverter
from graph_ops.layers.inputs import batch_inputs
from graph_ops.layers.keras_hub import (
    constructor_arguments,
    own_audio_converter,
    own_image_converter,
    own_tokenizer,
)
from graph_ops.layers.tokenizer import Gemma4Tokenizer
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from graph_ops.media.table import MEDIA
from graph_ops.pipeline.served import decode, encode
from graph_ops.presets.catalogue import PRESETS, load_preset
from graph_ops.presets.folders import PresetSettings, check_vocabulary
from graph_ops.presets.saving import write_folder
from graph_ops.settings import Settings, make_settings

_VIDEO_ARGUMENTS = {"num_frames_per_video", "num_vision_tokens_per_frame", "video_fps"}


@keras.saving.register_keras_serializable(package="gemma4_graph")
class Gemma4CausalLMPreprocessor(keras.layers.Layer):
    """Prompts, images, audio and responses to the tensors that Gemma 4 eats; a drop-in for KerasHub's class.

    Args:
        tokenizer: a `Gemma4Tokenizer`, or what makes one (path or bytes of a vocabulary). This and the
            converters may be KerasHub's, whose settings are then taken over.
        image_converter: a `Gemma4ImageConverter`, or None for a preprocessor that takes no images.
        audio_converter: a `Gemma4AudioConverter`, or None for one that takes no audio.
        sequence_length: tokens in a row.
        add_start_token: whether a training row begins with `<bos>`. A generation row always does in parity
            "keras_hub".
        add_end_token: whether a training row ends with `<eos>`.
        max_images_per_prompt: most images in a prompt.
        num_vision_tokens_per_image: soft tokens of an image in parity "keras_hub"; width of its block in
            `vision_indices` in both.
        max_audio_clips_per_prompt: most clips in a prompt.
        num_audio_tokens_per_clip: without effect, as in KerasHub; the count follows from the clip's length.
        audio_input_feat_size: mel bins of the empty audio tensors when there is no audio; 0 leaves these out.
        parity: "keras_hub" (each image takes `num_vision_tokens_per_image`) or "transformers" (each image
            takes the soft tokens that its resized shape has, audio frames follow the reference extractor,
            `<bos>` in a text is the token).
        plain_text: whose text is read without control tokens, which are then ordinary characters there:
            "none" (prompts and responses may hold them), "responses", or "all" (prompts too, but for the
            placeholders of media).
        **kwargs: `name`, `dtype`; KerasHub's video numbers, which have no effect without a video converter.

    Raises:
        ValueError: settings that contradict each other, or a vocabulary without a needed control token.
        TypeError: a tokenizer or converter that is neither ours nor KerasHub's.
    """

    presets = PRESETS
    """The built-in presets by name, each a `Preset` with parameters and description."""

    def __init__(
        self,
        tokenizer: Gemma4Tokenizer,
        image_converter: Gemma4ImageConverter | None = None,
        audio_converter: Gemma4AudioConverter | None = None,
        video_converter: None = None,
        sequence_length: int = 1024,
        add_start_token: bool = True,
        add_end_token: bool = True,
        max_images_per_prompt: int = 2,
        num_vision_tokens_per_image: int = 280,
        max_audio_clips_per_prompt: int = 1,
        num_audio_tokens_per_clip: int = 750,
        audio_input_feat_size: int = 128,
        parity: str = "keras_hub",
        plain_text: str = "none",
        **kwargs: Any,
    ) -> None:
        super().__init__(**{key: value for key, value in kwargs.items() if key not in _VIDEO_ARGUMENTS})
        self._convert_input_args = False
        self._allow_non_tensor_positional_args = True
        if video_converter is not None:
            raise ValueError(
                "`video_converter`: this preprocessor reads text, images and audio; sample frames and pass "
                "them as `images`."
            )
        self.tokenizer = tokenizer = own_tokenizer(tokenizer)
        self.image_converter = own_image_converter(image_converter)
        self.audio_converter = own_audio_converter(audio_converter)
        self.row = RowConfig(
            sequence_length=sequence_length,
            add_start_token=add_start_token,
            add_end_token=add_end_token,
            max_images_per_prompt=max_images_per_prompt,
            num_vision_tokens_per_image=num_vision_tokens_per_image,
            max_audio_clips_per_prompt=max_audio_clips_per_prompt,
            num_audio_tokens_per_clip=num_audio_tokens_per_clip,
            audio_input_feat_size=audio_input_feat_size,
            parity=parity,
            plain_text=plain_text,
        )
        self._traced: dict[Any, Any] = {}
        _check_settings(self.settings)
        self.built = True

    @classmethod
    def from_preset(
        cls, preset: "str | os.PathLike[str]", *, vocabulary_sha256: str | None = None, **kwargs: Any
    ) -> "Gemma4CausalLMPreprocessor":
        """The preprocessor of a released model, a preset folder, or a handle to download.

        Args:
            preset: a name of `presets`; a folder in KerasHub's or Hugging Face's layout;
                `hf://owner/name[@revision]` (needs huggingface_hub);
                `kaggle://owner/model/keras/variant[/version]` (needs kagglehub).
            vocabulary_sha256: refuse a vocabulary whose SentencePiece bytes have another sha256.
            **kwargs: arguments of the constructor that replace the preset's. With `tokenizer` the preset's
                vocabulary is not read; with `image_converter=None` or `audio_converter=None` it takes no such
                medium.

        Raises:
            ValueError: no such preset (names the nearest), a setting that cannot be followed, audio for a
                model that hears none, another vocabulary than the pinned one.
            FileNotFoundError: a folder in neither layout.
            OSError: a download that failed; says what to install, accept or pass instead.
        """
        settings = load_preset(preset)
        for name, config, make in _converters(settings):
            if config is None and kwargs.get(name) is not None:
                raise ValueError(
                    f"`{name}`: must be left out for a model that does not read {make.medium}; got one for "
                    f"{os.fspath(preset)!r}. Leave it "
                    "out, or choose a preset whose model does."
                )
            kwargs.setdefault(name, config and make(**vars(config)))
        if "tokenizer" not in kwargs:
            kwargs["tokenizer"] = Gemma4Tokenizer(
                settings.checked_vocabulary(vocabulary_sha256), **settings.tokenizer
            )
        else:
            kwargs["tokenizer"] = own_tokenizer(kwargs["tokenizer"])
            check_vocabulary(kwargs["tokenizer"].vocabulary, vocabulary_sha256)
        return cls(**{**settings.row, **kwargs})

    @classmethod
    def from_keras_hub(cls, preprocessor: Any, **kwargs: Any) -> "Gemma4CausalLMPreprocessor":
        """The same preprocessor as a `keras_hub.models.Gemma4CausalLMPreprocessor`, converters and vocabulary
        included.

        Args:
            preprocessor: KerasHub's, of keras-hub 0.27 or later.
            **kwargs: arguments of the constructor that replace what it says.

        Raises:
            TypeError: not such a preprocessor.
            ValueError: a setting that cannot be followed.
        """
        return cls(**{**constructor_arguments(preprocessor), **kwargs})

    def save_to_preset(self, preset_dir: "str | os.PathLike[str]") -> None:
        """Writes a folder in KerasHub's layout, from which `from_preset` and keras-hub make this preprocessor
        again.

        What KerasHub's classes have no setting for (`parity`, `max_image_pixels`) is kept in `metadata.json`,
        where `from_preset` finds it and keras-hub does not look.
        """
        write_folder(self.settings, preset_dir)

    @property
    def settings(self) -> Settings:
        """What the graph is built from."""
        configs = {
            medium.name: getattr(converter, "config", None)
            for medium in MEDIA
            for converter in [getattr(self, medium.converter)]
        }
        return make_settings(self.tokenizer, self.row, configs)

    @property
    def text_only_model(self) -> bool:
        """Whether there is no converter."""
        return self.image_converter is None and self.audio_converter is None

    def call(
        self, x: Any, y: Any = None, sample_weight: Any = None, sequence_length: int | None = None
    ) -> Any:
        """Rows for training.

        Args:
            x: dict of `prompts` and `responses` (a string or one a row) and media: `images`, `audio`, or what
                converters made of them (`pixel_values` and `pixel_position_ids`, `audio_mel` and
                `audio_mel_mask`).
            y: ignored, as in KerasHub.
            sample_weight: ignored, as in KerasHub.
            sequence_length: tokens in a row; the preprocessor's by default.

        Returns:
            `(x, y, sample_weight)`: the features by name, each token's successor, and True where it belongs
            to the response.

        Raises:
            ValueError, TypeError: bad input; in a graph, `tf.errors.InvalidArgumentError`.
        """
        if not isinstance(x, dict) or x.get("responses") is None:
            raise ValueError(
                "`x`: training needs a dict with `prompts` and `responses`. For prompts alone call "
                "`generate_preprocess`."
            )
        features = self._encode(x, sequence_length, training=True)
        labels = features.pop("y"), features.pop("sample_weight")
        return keras.utils.pack_x_y_sample_weight(features, *labels)

    def generate_preprocess(self, x: Any, sequence_length: int | None = None) -> dict[str, tf.Tensor]:
        """Rows to generate from: no end token, no labels. `x` as for a call, with or without `responses`, or
        prompts alone.
        """
        features = self._encode(x, sequence_length, training=False)
        if self.text_only_model:
            del features["position_ids"]
        return features

    def generate_postprocess(self, x: dict[str, Any]) -> Any:
        """Generated ids to text.

        Args:
            x: `token_ids` int32 [(B,) S] and `padding_mask` [(B,) S], non-zero on what is read.

        Returns:
            A string or a list of strings; string tensors in a graph.

        Raises:
            ValueError: an id outside the vocabulary.
        """
        token_ids = tf.cast(tf.convert_to_tensor(x["token_ids"]), tf.int32)
        padding_mask = tf.cast(tf.convert_to_tensor(x["padding_mask"]), tf.bool)
        single = token_ids.shape.rank == 1
        if single:
            token_ids, padding_mask = token_ids[tf.newaxis], padding_mask[tf.newaxis]
        text, finding = decode(token_ids, padding_mask, self.settings)
        raise_findings(finding, "row")
        text = text[0] if single else text
        if not tf.executing_eagerly():
            return text
        return text.numpy().decode("utf-8") if single else [row.decode("utf-8") for row in text.numpy()]

    def get_config(self) -> dict[str, Any]:
        """Everything needed to make this preprocessor again, vocabulary included."""
        layers = {name: getattr(self, name) for name in ("tokenizer", "image_converter", "audio_converter")}
        serialized = {
            name: layer and keras.saving.serialize_keras_object(layer) for name, layer in layers.items()
        }
        return {**super().get_config(), **vars(self.row), **serialized}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Gemma4CausalLMPreprocessor":
        """The inverse of `get_config`."""
        layers = {name: config.get(name) for name in ("tokenizer", "image_converter", "audio_converter")}
        made = {
            name: keras.saving.deserialize_keras_object(layer) if isinstance(layer, dict) else layer
            for name, layer in layers.items()
        }
        return cls(**{**config, **made})

    # the steps hold no Python control flow on tensors, and converting them takes a while
    @tf.autograph.experimental.do_not_convert
    def _encode(self, x: Any, sequence_length: int | None, *, training: bool) -> dict[str, tf.Tensor]:
        inputs, batched = batch_inputs(
            x, max_images=self.row.max_images_per_prompt, max_clips=self.row.max_audio_clips_per_prompt
        )
        _check_media(inputs, self.settings)
        length = self.row.sequence_length if sequence_length is None else sequence_length
        features, finding = self._run(inputs, length, training)
        raise_findings(finding, "row")
        return features if batched else {name: feature[0] for name, feature in features.items()}

    def _run(self, inputs: dict[str, tf.Tensor], sequence_length: int, training: bool) -> Any:
        """Runs the graph of `encode`, traced once for each combination of inputs, for any batch size and any
        media sizes.
        """

        def graph(inputs: dict[str, tf.Tensor]) -> Any:
            features, finding = encode(
                inputs, settings, sequence_length=sequence_length, training=training, served=False
            )
            return _as_keras_hub(features, settings), finding

        settings = self.settings
        if not tf.executing_eagerly():
            return graph(inputs)
        spec = {
            name: tf.TensorSpec(_any_size(name, tensor.shape), tensor.dtype)
            for name, tensor in inputs.items()
        }
        key = (
            self.row,
            sequence_length,
            training,
            tuple(sorted((name, repr(tensor)) for name, tensor in spec.items())),
        )
        if key not in self._traced:
            self._traced[key] = tf.function(graph, input_signature=[spec], autograph=False)
        return self._traced[key](inputs)


def _converters(settings: PresetSettings) -> tuple[tuple[str, Any, Any], ...]:
    return (
        ("image_converter", settings.image, Gemma4ImageConverter),
        ("audio_converter", settings.audio, Gemma4AudioConverter),
    )


def _row_setting(name: str) -> property:
    """A field of the preprocessor's `RowConfig` as an attribute that may be set, like KerasHub's."""

    def set_checked(self: Gemma4CausalLMPreprocessor, value: Any) -> None:
        changed = dataclasses.replace(self.row, **{name: value})
        _check_settings(self.settings._replace(row=changed))
        self.row = changed

    return property(lambda self: getattr(self.row, name), set_checked)


for _field in dataclasses.fields(RowConfig):
    setattr(Gemma4CausalLMPreprocessor, _field.name, _row_setting(_field.name))


# Leading axes of an input that may differ from call to call without a new trace; the others are the medium's
# own (channels, patches).
_VARYING_AXES = {"images": 4, "image_sizes": 2, "pixel_values": 2, "pixel_position_ids": 2}


def _any_size(name: str, shape: tf.TensorShape) -> list[int | None]:
    return [None if axis < _VARYING_AXES.get(name, 3) else size for axis, size in enumerate(shape)]


def _as_keras_hub(features: dict[str, tf.Tensor], settings: Settings) -> dict[str, tf.Tensor]:
    """Adds the tensors without images or clips that KerasHub's class emits for a medium that was not
    given.
    """
    if not settings.media:
        return features
    image = settings.config_of(IMAGE)
    batch, length = tf.shape(features["token_ids"])[0], tf.shape(features["token_ids"])[1]
    nowhere = tf.zeros([batch, length], tf.bool)
    if "pixel_values" not in features:
        patches, dim = (0, image.patch_dim) if image else (1, 48)
        width = settings.row.max_images_per_prompt * settings.row.num_vision_tokens_per_image if image else 0
        features["pixel_values"] = tf.zeros([batch, 0, patches, dim])
        features["pixel_position_ids"] = tf.zeros([batch, 0, patches, 2], tf.int32)
        features["vision_indices"] = tf.zeros([batch, width], tf.int32)
        features["vision_mask"] = nowhere
    if "audio_mel" not in features and settings.row.audio_input_feat_size > 0:
        features["audio_mel"] = tf.zeros([batch, 0, 1, settings.row.audio_input_feat_size])
        features["audio_mel_mask"] = tf.zeros([batch, 0, 1], tf.int32)
        features["audio_indices"] = tf.zeros([batch, 0], tf.int32)
        features["audio_mask"] = nowhere
    return features


def _check_settings(settings: Settings) -> None:
    row, image = settings.row, settings.config_of(IMAGE)
    if row.parity not in PARITIES:
        raise ValueError(f"`parity`: must be one of {PARITIES}; got {row.parity!r}. Pass one of them.")
    if row.plain_text not in PLAIN_TEXTS:
        raise ValueError(
            f"`plain_text`: must be one of {PLAIN_TEXTS}; got {row.plain_text!r}. Pass one of them."
        )
    for name in (
        "sequence_length",
        "max_images_per_prompt",
        "num_vision_tokens_per_image",
        "max_audio_clips_per_prompt",
    ):
        if getattr(row, name) < 1:
            raise ValueError(
                f"`{name}`: must be at least 1; got {getattr(row, name)}. Leave the converter out to have "
                f"no such medium."
            )
    if image and row.sequence_length <= row.max_images_per_prompt * row.num_vision_tokens_per_image:
        raise ValueError(
            "`sequence_length`: must exceed `max_images_per_prompt * num_vision_tokens_per_image`; got "
            f"{row.sequence_length} <= {row.max_images_per_prompt} * {row.num_vision_tokens_per_image}. "
            f"Raise it or allow fewer images."
        )
    if image and row.parity == "transformers" and row.num_vision_tokens_per_image < image.max_soft_tokens:
        raise ValueError(
            "`num_vision_tokens_per_image`: must be at least the image converter's `max_soft_tokens` with "
            "parity 'transformers'; got "
            f"{row.num_vision_tokens_per_image} < {image.max_soft_tokens}. Make them equal."
        )


def _check_media(inputs: dict[str, tf.Tensor], settings: Settings) -> None:
    for keys, config, argument, most in (
        (
            ("images", "pixel_values"),
            settings.config_of(IMAGE),
            "image_converter",
            settings.row.max_images_per_prompt,
        ),
        (
            ("audio", "audio_mel"),
            settings.config_of(AUDIO),
            "audio_converter",
            settings.row.max_audio_clips_per_prompt,
        ),
    ):
        for key in keys:
            if key not in inputs:
                continue
            if config is None:
                raise ValueError(
                    f"`{key}`: needs a preprocessor with `{argument}`; this one has none. Pass "
                    f"`{argument}=` to the constructor."
                )
            slots = inputs[key].shape[1]
            if slots is not None and slots > most:
                raise ValueError(
                    f"`{key}`: a row may have at most {most}; got {slots}. Raise the preprocessor's "
                    f"maximum or pass fewer."
                )
