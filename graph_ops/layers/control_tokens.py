"""Special tokens as attributes of a tokenizer, under KerasHub's names."""

from typing import Any, ClassVar, overload

from typing_extensions import Self

from graph_ops.family import GEMMA4
from graph_ops.presets.keras_hub_settings import TOKENIZER_FLAGS
from graph_ops.text.vocabulary.vocabulary import Vocabulary

_IMAGE, _AUDIO = GEMMA4.tokens_of("image"), GEMMA4.tokens_of("audio")


class TokenId:
    """The id of a special token; -1 with the flag off, or if the vocabulary has no such token.

    Args:
        name: the attribute that holds the token.
        flag: the attribute that says whether the tokenizer has such tokens.
    """

    def __init__(self, name: str, flag: str) -> None:
        self._name, self._flag = name, flag

    @overload
    def __get__(self, tokenizer: None, owner: type) -> Self: ...

    @overload
    def __get__(self, tokenizer: object, owner: type) -> int: ...

    def __get__(self, tokenizer: Any, owner: type) -> "int | Self":
        if tokenizer is None:
            return self
        vocabulary: Vocabulary = tokenizer.vocabulary
        found = vocabulary.find(getattr(tokenizer, self._name)) if getattr(tokenizer, self._flag) else None
        return -1 if found is None else found


class ControlTokens:
    """The special tokens of a tokenizer with a vocabulary and flags: as pieces, as ids, and which are on."""

    vocabulary: Vocabulary
    has_vision_tokens: bool
    has_audio_tokens: bool
    has_video_tokens: bool

    start_token, end_token, pad_token = GEMMA4.start, GEMMA4.end, GEMMA4.pad
    start_of_image_token, end_of_image_token = _IMAGE.opening, _IMAGE.closing
    image_placeholder = _IMAGE.placeholder
    start_of_audio_token, end_of_audio_token = _AUDIO.opening, _AUDIO.closing
    audio_placeholder = _AUDIO.placeholder
    (video_placeholder,) = GEMMA4.unread
    start_of_image_token_id = TokenId("start_of_image_token", "has_vision_tokens")
    image_placeholder_id = TokenId("image_placeholder", "has_vision_tokens")
    end_of_image_token_id = TokenId("end_of_image_token", "has_vision_tokens")
    start_of_audio_token_id = TokenId("start_of_audio_token", "has_audio_tokens")
    audio_placeholder_id = TokenId("audio_placeholder", "has_audio_tokens")
    end_of_audio_token_id = TokenId("end_of_audio_token", "has_audio_tokens")
    video_placeholder_id = TokenId("video_placeholder", "has_video_tokens")
    start_of_video_token_id = end_of_video_token_id = -1
    keras_hub_prefix: ClassVar[str] = "Gemma4"
    """Begins the names of KerasHub's classes of the model."""
    saved_flags: ClassVar[tuple[str, ...]] = TOKENIZER_FLAGS
    """The flags that KerasHub's tokenizer has."""
    saved_row: ClassVar[tuple[str, ...]] = ()
    """Settings of rows that KerasHub's preprocessor has; () for all of Gemma 4's."""
    more_special_tokens: ClassVar[tuple[str, ...]] = ()
    """Those that no flag switches."""
    kept_tokens: ClassVar[tuple[str, ...]] = (_IMAGE.opening,)
    """Those that stay in a generated text, since the user wrote them."""

    @property
    def special_tokens(self) -> list[str]:
        """The special tokens that the flags switch on."""
        image = (self.start_of_image_token, self.image_placeholder, self.end_of_image_token)
        audio = (self.start_of_audio_token, self.audio_placeholder, self.end_of_audio_token)
        return [
            *(self.start_token, self.end_token, self.pad_token),
            *(image if self.has_vision_tokens else ()),
            *(audio if self.has_audio_tokens else ()),
            *([self.video_placeholder] if self.has_video_tokens else ()),
            *self.more_special_tokens,
        ]

    @property
    def special_token_ids(self) -> list[int]:
        """Ids of `special_tokens`, but for those that the vocabulary lacks."""
        ids = (self.vocabulary.find(token) for token in self.special_tokens)
        return [index for index in ids if index is not None]

    def stripped_token_ids(self, *, with_audio: bool) -> list[int]:
        """Ids that `generate_postprocess` leaves out: KerasHub's set, without `kept_tokens`."""
        audio = (self.start_of_audio_token, self.audio_placeholder, self.end_of_audio_token)
        tokens = [*self.special_tokens, *(audio if with_audio and not self.has_audio_tokens else ())]
        ids = (self.vocabulary.find(token) for token in tokens if token not in self.kept_tokens)
        return [index for index in ids if index is not None]
