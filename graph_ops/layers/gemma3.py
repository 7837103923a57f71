"""Gemma 3 and the models made of it: the text of their rows, behind the interface of KerasHub's classes."""

import functools
from typing import Any, ClassVar

import keras

from graph_ops.families import EMBEDDING_GEMMA, FUNCTION_GEMMA, GEMMA3, GEMMA3N
from graph_ops.family import Family
from graph_ops.layers.embedder import EmbeddingGemma2TextEmbedderPreprocessor
from graph_ops.layers.preprocessor import Gemma4CausalLMPreprocessor
from graph_ops.layers.tokenizer import Gemma4Tokenizer
from graph_ops.media.table import MEDIA
from graph_ops.presets.gemma3 import GEMMA3_PRESETS, SAVED_ROW, load_gemma3_preset
from graph_ops.settings import text_alone

_IMAGE = GEMMA3.tokens_of("image")
_IMAGE_3N, _AUDIO_3N = map(GEMMA3N.tokens_of, ("image", "audio"))


@keras.saving.register_keras_serializable(package="gemma4_graph")
class Gemma3Tokenizer(Gemma4Tokenizer):
    """Gemma 3's SentencePiece tokenizer as graph ops.

    Args:
        proto: as for `Gemma4Tokenizer`.
        has_vision_tokens: whether `Gemma3CausalLMPreprocessor.generate_postprocess` leaves image tokens out.
        **kwargs: as for `Gemma4Tokenizer`.

    Raises:
        ValueError, FileNotFoundError: as for `Gemma4Tokenizer`.
    """

    presets = GEMMA3_PRESETS
    keras_hub_prefix = "Gemma3"
    saved_flags: ClassVar[tuple[str, ...]] = ("has_vision_tokens",)
    saved_row = SAVED_ROW
    start_of_image_token, end_of_image_token = _IMAGE.opening, _IMAGE.closing
    image_placeholder = _IMAGE.placeholder
    kept_tokens = (_IMAGE.opening,)
    _load_preset = functools.partial(load_gemma3_preset, families=(GEMMA3, FUNCTION_GEMMA, EMBEDDING_GEMMA))

    def __init__(self, proto: Any, has_vision_tokens: bool = True, **kwargs: Any) -> None:
        super().__init__(proto, has_vision_tokens, **{"has_video_tokens": False, **kwargs})


@keras.saving.register_keras_serializable(package="gemma4_graph")
class Gemma3nTokenizer(Gemma4Tokenizer):
    """Gemma 3n's SentencePiece tokenizer as graph ops.

    Args:
        proto: as for `Gemma4Tokenizer`.
        **kwargs: as for `Gemma4Tokenizer`.

    Raises:
        ValueError, FileNotFoundError: as for `Gemma4Tokenizer`.
    """

    presets = GEMMA3_PRESETS
    keras_hub_prefix = "Gemma3n"
    saved_flags: ClassVar[tuple[str, ...]] = ()
    saved_row = SAVED_ROW
    start_of_image_token, end_of_image_token = _IMAGE_3N.opening, _IMAGE_3N.closing
    image_placeholder = _IMAGE_3N.placeholder
    start_of_audio_token, end_of_audio_token = _AUDIO_3N.opening, _AUDIO_3N.closing
    audio_placeholder = _AUDIO_3N.placeholder
    more_special_tokens = GEMMA3N.unread
    kept_tokens = (_IMAGE_3N.opening, _AUDIO_3N.opening)
    _load_preset = functools.partial(load_gemma3_preset, families=(GEMMA3N,))

    def __init__(self, proto: Any, **kwargs: Any) -> None:
        super().__init__(proto, **{"has_audio_tokens": True, "has_video_tokens": False, **kwargs})


@keras.saving.register_keras_serializable(package="gemma4_graph")
class Gemma3CausalLMPreprocessor(Gemma4CausalLMPreprocessor):
    r"""Prompts and responses to the tensors that Gemma 3 takes, as of KerasHub's class without images.

    Args:
        tokenizer: a `Gemma3Tokenizer`, ours or KerasHub's, or what makes one (path or bytes of a vocabulary).
        image_converter: None: text alone is read.
        sequence_length: tokens in a row.
        add_start_token: whether a training row begins with `<bos>`.
        add_end_token: whether a training row ends with `<eos>`.
        **kwargs: `parity`, `allow_special_tokens` and `keras_hub_version` as for
            `Gemma4CausalLMPreprocessor`; its settings of media and of the chat template are without effect;
            `name`, `dtype`.

    Rows have `token_ids` int32 [(B,) S] and `padding_mask` bool [(B,) S]. There is no chat template: turns
    are written in `prompts`, as `<start_of_turn>user\n…<end_of_turn>\n<start_of_turn>model\n`.

    Raises:
        ValueError: a converter, a vocabulary of another family or without a needed special token.
        TypeError: a tokenizer that is neither ours nor KerasHub's.
    """

    family = GEMMA3
    keras_hub_class = "Gemma3CausalLMPreprocessor"
    presets = GEMMA3_PRESETS
    tokenizer_cls: type[Gemma4Tokenizer] = Gemma3Tokenizer
    _load_preset = functools.partial(load_gemma3_preset, families=(GEMMA3,))

    def __init__(
        self,
        tokenizer: Any,
        image_converter: None = None,
        sequence_length: int = 1024,
        add_start_token: bool = True,
        add_end_token: bool = True,
        **kwargs: Any,
    ) -> None:
        _check_text_alone(self.family, kwargs | {"image_converter": image_converter})
        super().__init__(
            tokenizer,
            image_converter,
            sequence_length=sequence_length,
            add_start_token=add_start_token,
            add_end_token=add_end_token,
            **kwargs,
        )


@keras.saving.register_keras_serializable(package="gemma4_graph")
class FunctionGemmaCausalLMPreprocessor(Gemma3CausalLMPreprocessor):
    """The same for FunctionGemma, a Gemma 3 of which the vocabulary holds tokens around declarations, calls
    and responses of functions. KerasHub's class is that of Gemma 3.
    """

    family = FUNCTION_GEMMA
    _load_preset = functools.partial(load_gemma3_preset, families=(FUNCTION_GEMMA,))


@keras.saving.register_keras_serializable(package="gemma4_graph")
class Gemma3nCausalLMPreprocessor(Gemma3CausalLMPreprocessor):
    """The same for Gemma 3n.

    Args:
        tokenizer: a `Gemma3nTokenizer`, ours or KerasHub's, or what makes one (path or bytes of a
            vocabulary).
        image_converter: None: text alone is read.
        audio_converter: None.
        sequence_length: tokens in a row.
        **kwargs: as for `Gemma3CausalLMPreprocessor`.
    """

    family = GEMMA3N
    keras_hub_class = "Gemma3nCausalLMPreprocessor"
    tokenizer_cls = Gemma3nTokenizer
    _load_preset = functools.partial(load_gemma3_preset, families=(GEMMA3N,))

    def __init__(
        self,
        tokenizer: Any,
        image_converter: None = None,
        audio_converter: None = None,
        sequence_length: int = 1024,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            tokenizer, image_converter, sequence_length, audio_converter=audio_converter, **kwargs
        )


@keras.saving.register_keras_serializable(package="gemma4_graph")
class Gemma3TextEmbedderPreprocessor(EmbeddingGemma2TextEmbedderPreprocessor):
    """Texts to the tensors that EmbeddingGemma, the first, takes: a drop-in for KerasHub's class.

    Args:
        tokenizer: a `Gemma3Tokenizer`, ours or KerasHub's, or what makes one (path or bytes of a vocabulary).
        sequence_length: tokens in a row, `<bos>` and `<eos>` included; what is longer is cut.
        truncate: "round_robin" or "waterfall", which cut a single text alike.
        **kwargs: `parity` and `allow_special_tokens` as for `EmbeddingGemma2TextEmbedderPreprocessor`;
            `name`, `dtype`.

    Called on texts (a string, a list or a tensor) it gives `token_ids` int32 [(B,) S] and `padding_mask` bool
    [(B,) S]; `task=` names what stands before each text.

    Raises:
        ValueError: a converter, a vocabulary of another family or without a needed special token.
        TypeError: a tokenizer that is neither ours nor KerasHub's.
    """

    family = EMBEDDING_GEMMA
    presets = GEMMA3_PRESETS
    tokenizer_cls = Gemma3Tokenizer
    tasks: ClassVar[dict[str, str]] = dict(EMBEDDING_GEMMA.embedding.tasks)
    _load_preset = functools.partial(load_gemma3_preset, families=(EMBEDDING_GEMMA,))

    def __init__(
        self, tokenizer: Any, sequence_length: int = 256, truncate: str = "round_robin", **kwargs: Any
    ) -> None:
        _check_text_alone(self.family, kwargs)
        super().__init__(tokenizer, sequence_length=sequence_length, truncate=truncate, **kwargs)


CLASSES: dict[str, type[Gemma4CausalLMPreprocessor | EmbeddingGemma2TextEmbedderPreprocessor]] = {
    made.family.name: made
    for made in (
        *(Gemma4CausalLMPreprocessor, EmbeddingGemma2TextEmbedderPreprocessor),
        *(Gemma3CausalLMPreprocessor, FunctionGemmaCausalLMPreprocessor, Gemma3nCausalLMPreprocessor),
        Gemma3TextEmbedderPreprocessor,
    )
}
"""Our preprocessors by the name of their family."""


def _check_text_alone(family: Family, given: dict[str, Any]) -> None:
    """Refuses converters, KerasHub's of these models among them.

    Raises:
        ValueError: there is one.
    """
    for medium in MEDIA:
        if given.get(medium.converter) is not None:
            raise ValueError(text_alone(family, medium.converter))
