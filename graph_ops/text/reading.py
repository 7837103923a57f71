"""How special tokens that are spelled in a text are read: as those tokens, or as ordinary characters.

| spelled in a text | TRAINED | CONTROL | PLACEHOLDERS | PLAIN |
| --- | --- | --- | --- | --- |
| `<bos>` `<eos>` `<pad>` `<unk>` | characters | tokens | characters | characters |
| `<|image|>` `<|audio|>` | tokens | tokens | tokens | characters |
| `<|video|>` | tokens | tokens | characters, tokens in FRAMES | characters |
| `<|turn>` `<tool_call|>` `<|"|>` `<unused7>` `<mask>` … | tokens | tokens | characters | characters |
| newlines, spaces, `<table>` … | tokens | tokens | tokens | tokens |

The last line's are user-defined symbols too, but say nothing to the model that the text does not say.
"""

import enum
import functools
import re

from graph_ops.config import RowConfig
from graph_ops.families import FAMILIES
from graph_ops.family import GEMMA4
from graph_ops.text.vocabulary.sentencepiece_model import PieceType
from graph_ops.text.vocabulary.vocabulary import Vocabulary

CONTROL_TOKEN = re.compile("|".join(family.special_tokens for family in FAMILIES))
"""Names of special tokens among the user-defined symbols, of any family: no other's vocabulary holds them."""


class Reading(enum.Enum):
    """See the module's table."""

    TRAINED = "trained"
    CONTROL = "control"
    PLACEHOLDERS = "placeholders"
    FRAMES = "frames"
    PLAIN = "plain"


def prompt_reading(row: RowConfig) -> Reading:
    """How a prompt is read under a row's settings."""
    if row.allow_special_tokens != "none":
        return _reading_of(row.parity)
    return Reading.FRAMES if row.max_videos_per_prompt else Reading.PLACEHOLDERS


def response_reading(row: RowConfig) -> Reading:
    """How a response is read under a row's settings."""
    return _reading_of(row.parity) if row.allow_special_tokens == "all" else Reading.PLAIN


@functools.lru_cache(maxsize=8)
def as_read(vocabulary: Vocabulary, reading: Reading) -> Vocabulary:
    """The vocabulary with a SentencePiece model that reads texts so.

    Raises:
        TypeError: `reading` is no `Reading`.
    """
    require_reading(reading)
    if reading is Reading.TRAINED:
        return vocabulary
    if reading is Reading.CONTROL:
        return vocabulary.with_control_pieces_in_text()
    kept = _placeholders(reading)
    return vocabulary.without_user_defined(
        [piece for piece in vocabulary.pieces if CONTROL_TOKEN.fullmatch(piece) and piece not in kept]
    )


def read_as_tokens(vocabulary: Vocabulary, reading: Reading) -> list[str]:
    """The special tokens that a reading takes as such where a text spells them."""
    if require_reading(reading) is Reading.PLAIN:
        return []
    placeholders = _placeholders(reading)
    return [
        piece
        for piece, kind in _special(vocabulary)
        if (kind is PieceType.USER_DEFINED or reading is Reading.CONTROL)
        and (not placeholders or piece in placeholders)
    ]


def read_differently(vocabulary: Vocabulary) -> list[str]:
    """The pieces that not all readings take alike: special tokens."""
    return [piece for piece, _ in _special(vocabulary)]


def require_reading(reading: Reading) -> Reading:
    """The reading itself.

    Raises:
        TypeError: it is no `Reading`.
    """
    if not isinstance(reading, Reading):
        names = ", ".join(map(str, Reading))
        raise TypeError(f"`reading`: must be one of {names}; got {reading!r}. Take it from `Reading`.")
    return reading


def _placeholders(reading: Reading) -> list[str]:
    """The special tokens that are all that a reading takes as such; none for other readings."""
    if reading is Reading.FRAMES:
        return [tokens.placeholder for tokens in GEMMA4.tokens]
    return [tokens.placeholder for tokens in GEMMA4.media] if reading is Reading.PLACEHOLDERS else []


def _reading_of(parity: str) -> Reading:
    return Reading.CONTROL if parity == "transformers" else Reading.TRAINED


def _special(vocabulary: Vocabulary) -> list[tuple[str, PieceType]]:
    kinds = (PieceType.CONTROL, PieceType.UNKNOWN)
    return [
        (piece, kind)
        for piece, kind in zip(vocabulary.pieces, vocabulary.types, strict=True)
        if kind in kinds or (kind is PieceType.USER_DEFINED and CONTROL_TOKEN.fullmatch(piece))
    ]
