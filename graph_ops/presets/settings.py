"""What a preset says, wherever it says it."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from graph_ops.text.vocabulary.vocabulary import Vocabulary

Json = dict[str, Any]

WITHOUT_AUDIO: Json = {"audio_input_feat_size": 0}
"""Arguments of a preprocessor for a model without audio encoder, which takes no empty audio tensors."""

LARGE_CHAT: Json = {"chat_variant": "large"}
"""Arguments of a preprocessor for a model with the larger models' chat template."""


class PresetSettings(NamedTuple):
    """What a preset says.

    Attributes:
        media: how items of each medium are converted, by the medium's name; left out, or None, for a model
            without an encoder for it.
        row: arguments of the preprocessor that differ from its defaults.
        tokenizer: arguments of the tokenizer besides the vocabulary.
        read_vocabulary: reads, and where needed downloads, the vocabulary.
        vocabulary_sha256: what the vocabulary must be, or None.
    """

    media: Mapping[str, Any]
    row: Json
    tokenizer: Json
    read_vocabulary: Callable[[], Vocabulary]
    vocabulary_sha256: str | None = None

    def checked_vocabulary(self, sha256: str | None = None) -> Vocabulary:
        """The vocabulary, after comparing its sha256 with `sha256` or, without that, with the preset's.

        Raises:
            ValueError: another vocabulary than the pinned one.
        """
        vocabulary = self.read_vocabulary()
        check_vocabulary(vocabulary, sha256 or self.vocabulary_sha256)
        return vocabulary


def check_vocabulary(vocabulary: Vocabulary, sha256: str | None) -> None:
    """Compares a vocabulary with the one that is pinned, if any.

    Raises:
        ValueError: another vocabulary.
    """
    if sha256 is not None and vocabulary.sha256 != sha256.lower():
        raise ValueError(
            f"`tokenizer`: the vocabulary's sha256 must be the pinned {sha256}; got {vocabulary.sha256} "
            f"({len(vocabulary):,} pieces). Fetch the file that was pinned, or pin this one with "
            "`vocabulary_sha256`."
        )
