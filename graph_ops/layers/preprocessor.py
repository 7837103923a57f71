"""`Gemma4CausalLMPreprocessor`: the steps behind the interface of KerasHub's class. Composition only."""

import dataclasses
import os
from typing import Any

import keras
import tensorflow as tf

from graph_ops.config import RowConfig
from graph_ops.faults import Finding, raise_findings
from graph_ops.layers.answer_parsing import AnswerParsing
from graph_ops.layers.as_keras_hub import join_keras_hub
from graph_ops.layers.checks import check_media, check_settings
from graph_ops.layers.converters import (
    Gemma4AudioConverter,
    Gemma4ImageConverter,
    Gemma4VideoConverter,
    converters_of,
)
from graph_ops.layers.from_keras_hub import (
    constructor_arguments,
    own_converter,
    own_tokenizer,
)
from graph_ops.layers.inputs.batch import batch_inputs
from graph_ops.layers.preprocessor_settings import PreprocessorSettings, accept
from graph_ops.layers.process import check_process
from graph_ops.layers.token_counting import TokenCounting
from graph_ops.layers.traces import only, rows
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from graph_ops.media.video import VIDEO
from graph_ops.pipeline.served import decode
from graph_ops.presets.catalogue import load_preset
from graph_ops.presets.keras_hub_version import keras_hub_version_of
from graph_ops.presets.saving import write_folder
from graph_ops.presets.settings import check_vocabulary
from graph_ops.settings import POSITIONS, Settings


@keras.saving.register_keras_serializable(package="gemma4_graph")
class Gemma4CausalLMPreprocessor(TokenCounting, AnswerParsing, PreprocessorSettings):
    """Prompts, images, audio, videos and responses to the tensors that Gemma 4 takes; a drop-in for
    KerasHub's class, and an instance of its `Preprocessor` where keras-hub is imported.

    Args:
        tokenizer: a `Gemma4Tokenizer`, or what makes one (path or bytes of a vocabulary). This and the
            converters may be KerasHub's; their settings are then taken over.
        image_converter: a `Gemma4ImageConverter`, or None for a preprocessor that takes no images.
        audio_converter: a `Gemma4AudioConverter`, or None for one that takes no audio.
        video_converter: a `Gemma4VideoConverter`, or None for one that takes no videos.
        sequence_length: tokens in a row.
        add_start_token: whether a row begins with `<bos>`. A generation row always does in keras-hub 0.32.
        add_end_token: whether a training row ends with `<eos>`.
        max_images_per_prompt: most images in a prompt.
        num_vision_tokens_per_image: soft tokens of an image in parity "keras_hub"; width of its block in
            `vision_indices` in both.
        max_audio_clips_per_prompt: most clips in a prompt.
        num_audio_tokens_per_clip: without effect, as in KerasHub; the count follows from the clip's length.
        audio_input_feat_size: mel bins of the empty audio tensors when there is no audio; 0 leaves these out.
        num_frames_per_video: the video converter's `num_frames`.
        num_vision_tokens_per_frame: without effect; the count follows from a frame's size.
        video_fps: frames a second of a video for which `fps` does not say.
        parity: "keras_hub" (each image takes `num_vision_tokens_per_image`) or "transformers" (each image
            takes the soft tokens that its resized shape has, audio frames follow the reference extractor,
            `<bos>` in a text is the token).
        allow_special_tokens: texts in which special tokens may be spelled: "all", "prompts", or "none" (but
            for the placeholders of media). Elsewhere they are ordinary characters.
        max_videos_per_prompt: most videos in a prompt.
        chat_version: version of the chat template.
        chat_variant: "small" for E2B and E4B, "large" for the larger models.
        allow_special_tokens_in_chat: whether messages may spell special tokens, media and turns among them;
            otherwise those are ordinary characters.
        keras_hub_version: "0.32" or "0.33": the keras-hub that rows equal in parity "keras_hub"; by default
            the one that is installed.
        **kwargs: `name`, `dtype`.

    Raises:
        ValueError: settings that contradict each other, or a vocabulary without a needed special token.
        TypeError: a tokenizer or converter that is neither ours nor KerasHub's.
    """

    def __init__(
        self,
        tokenizer: Any,
        image_converter: Gemma4ImageConverter | None = None,
        audio_converter: Gemma4AudioConverter | None = None,
        video_converter: Gemma4VideoConverter | None = None,
        sequence_length: int = 1024,
        add_start_token: bool = True,
        add_end_token: bool = True,
        max_images_per_prompt: int = 2,
        num_vision_tokens_per_image: int = 280,
        max_audio_clips_per_prompt: int = 1,
        num_audio_tokens_per_clip: int = 750,
        audio_input_feat_size: int = 128,
        num_frames_per_video: int = 32,
        num_vision_tokens_per_frame: int = 70,
        video_fps: float = 24.0,
        parity: str = "keras_hub",
        allow_special_tokens: str = "all",
        chat_version: int = 5,
        chat_variant: str = "small",
        allow_special_tokens_in_chat: bool = False,
        keras_hub_version: str | None = None,
        max_videos_per_prompt: int = 1,
        **kwargs: Any,
    ) -> None:
        check_process()
        super().__init__(**kwargs)
        self._row = RowConfig(
            sequence_length=sequence_length,
            add_start_token=add_start_token,
            add_end_token=add_end_token,
            max_images_per_prompt=max_images_per_prompt,
            num_vision_tokens_per_image=num_vision_tokens_per_image,
            max_audio_clips_per_prompt=max_audio_clips_per_prompt,
            num_audio_tokens_per_clip=num_audio_tokens_per_clip,
            audio_input_feat_size=audio_input_feat_size,
            max_videos_per_prompt=max_videos_per_prompt,
            num_frames_per_video=num_frames_per_video,
            num_vision_tokens_per_frame=num_vision_tokens_per_frame,
            video_fps=video_fps,
            parity=parity,
            keras_hub_version=keras_hub_version_of(keras_hub_version),
            allow_special_tokens=allow_special_tokens,
            chat_version=chat_version,
            chat_variant=chat_variant,
            allow_special_tokens_in_chat=allow_special_tokens_in_chat,
        )
        self._tokenizer = own_tokenizer(tokenizer, self.tokenizer_cls)
        self._image_converter = own_converter(image_converter, medium=IMAGE)
        self._audio_converter = own_converter(audio_converter, medium=AUDIO)
        self._video_converter = own_converter(video_converter, medium=VIDEO)
        accept(self.settings)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """Its class. `isinstance` asks for it too, so that KerasHub finds its own class among the bases."""
        join_keras_hub(Gemma4CausalLMPreprocessor)
        return type(self)

    @classmethod
    def from_preset(
        cls, preset: "str | os.PathLike[str]", *, vocabulary_sha256: str | None = None, **kwargs: Any
    ) -> "Gemma4CausalLMPreprocessor":
        """The preprocessor of a released model, a preset folder, or a handle to download.

        Args:
            preset: a name of `presets`; a folder in KerasHub's or Hugging Face's layout;
                `hf://owner/name[@revision]` (needs huggingface_hub);
                `kaggle://owner/model/keras/variant[/version]` (needs kagglehub).
            vocabulary_sha256: refuse a vocabulary of another sha256 (of its SentencePiece bytes).
            **kwargs: arguments of the constructor that replace the preset's. With `tokenizer` the preset's
                vocabulary is not read; with `image_converter=None` or `audio_converter=None` it takes no such
                medium.

        Raises:
            ValueError: no such preset (names the nearest), a setting that cannot be followed, audio for a
                model that does not read it, another vocabulary than the pinned one.
            FileNotFoundError: a folder in neither layout.
            OSError: a download that failed; says what to install, accept or pass instead.
        """
        settings = cls._load_preset(preset)
        kwargs = converters_of(settings.media, kwargs, preset=preset) | kwargs
        if "tokenizer" not in kwargs:
            kwargs["tokenizer"] = cls.tokenizer_cls(
                settings.checked_vocabulary(vocabulary_sha256), **settings.tokenizer
            )
        else:
            kwargs["tokenizer"] = own_tokenizer(kwargs["tokenizer"], cls.tokenizer_cls)
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
        return cls(**{**constructor_arguments(preprocessor, cls.keras_hub_class), **kwargs})

    _load_preset = staticmethod(load_preset)

    def save_to_preset(self, preset_dir: "str | os.PathLike[str]") -> None:
        """Writes a folder in KerasHub's layout, from which `from_preset` and keras-hub make this preprocessor
        again.

        What KerasHub's classes have no setting for (`parity`, `max_image_pixels`, `background_color` and
        the like) is kept in `metadata.json`, where `from_preset` finds it and keras-hub does not look.
        """
        write_folder(self.settings, preset_dir)

    def call(
        self, x: Any, y: Any = None, sample_weight: Any = None, sequence_length: int | None = None
    ) -> Any:
        """Rows for training.

        Args:
            x: dict of `prompts` and `responses` (a string or one a row), or of `messages` (a dialogue or
                one a row), `tools` and the switches of `render_chat`; and media: `images`, `audio`, or what
                converters made of them (`pixel_values` and `pixel_position_ids`, `audio_mel` and
                `audio_mel_mask`). `max_soft_tokens` chooses a smaller budget for images: a number for all, or
                one for each, int32 [(B,) K], 0 for the image converter's own. Of a tuple `(x, y)` or `(x, y,
                sample_weight)` the first is taken.
            y: ignored, as in KerasHub.
            sample_weight: ignored, as in KerasHub.
            sequence_length: tokens in a row; the preprocessor's by default.

        Returns:
            `(x, y, sample_weight)`: the features by name, each token's successor, and True where it belongs
            to the response, or to what the model itself says in the dialogue.

        Raises:
            ValueError, TypeError: bad input; in a graph, `tf.errors.InvalidArgumentError`.
        """
        x = x[0] if isinstance(x, tuple) and x else x
        is_dict = isinstance(x, dict)
        if not is_dict or (x.get("responses") is None and x.get("messages") is None):
            raise ValueError(
                "`x`: training needs a dict with `prompts` and `responses`, or with `messages`. For prompts "
                "alone call `generate_preprocess`."
            )
        if x.get("messages") is not None:
            x = {**x, "add_generation_prompt": False}
        features = self._encode(x, sequence_length, training=True)
        labels = features.pop("y"), features.pop("sample_weight")
        return keras.utils.pack_x_y_sample_weight(features, *labels)

    def generate_preprocess(self, x: Any, sequence_length: int | None = None) -> dict[str, tf.Tensor]:
        """Rows to generate from: no end token, no labels. `x` as for a call, with or without `responses`, or
        prompts alone; media of messages may stand in their parts.
        """
        features = self._encode(x, sequence_length, training=False)
        if self.text_only_model:
            features.pop(POSITIONS, None)
        return features

    @tf.autograph.experimental.do_not_convert
    def generate_postprocess(self, x: dict[str, Any]) -> Any:
        """Generated ids to text.

        Args:
            x: `token_ids` int32 [(B,) S] and `padding_mask` [(B,) S], non-zero on what is read.

        Returns:
            A string or a list of strings; string tensors in a graph.

        Raises:
            ValueError: an id outside the vocabulary.
        """
        check_process()
        token_ids = tf.cast(tf.convert_to_tensor(x["token_ids"]), tf.int32)
        padding_mask = tf.cast(tf.convert_to_tensor(x["padding_mask"]), tf.bool)
        single = token_ids.shape.rank == 1
        if single:
            token_ids, padding_mask = token_ids[tf.newaxis], padding_mask[tf.newaxis]
        generated = {"token_ids": token_ids, "padding_mask": padding_mask}
        text, finding = self._traces.run(_texts, generated, settings=self.settings)
        raise_findings(finding, "row")
        text = only(text) if single else text
        if not tf.executing_eagerly():
            return text
        return text.numpy().decode("utf-8") if single else [row.decode("utf-8") for row in text.numpy()]

    # the steps hold no Python control flow on tensors, and converting them takes a while
    @tf.autograph.experimental.do_not_convert
    def _encode(self, x: Any, sequence_length: int | None, *, training: bool) -> dict[str, tf.Tensor]:
        check_process()
        settings = self.settings
        check_settings(settings)
        inputs, batched = batch_inputs(x, row=settings.row)
        check_media(inputs, settings)
        length = settings.row.sequence_length
        if sequence_length is not None:
            length = dataclasses.replace(settings.row, sequence_length=sequence_length).sequence_length
        features, finding = self._traces.run(
            rows, inputs, at_once=True, settings=settings, sequence_length=length, training=training
        )
        raise_findings(finding, "row")
        return features if batched else tf.nest.map_structure(only, features)


def _texts(generated: dict[str, tf.Tensor], *, settings: Settings) -> tuple[tf.Tensor, Finding]:
    return decode(generated["token_ids"], generated["padding_mask"], settings)
