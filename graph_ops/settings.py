"""All that the graph of a preprocessor is built from, as one value."""

from typing import NamedTuple

from graph_ops.config import AudioConfig, ImageConfig, RowConfig
from graph_ops.rows.control_ids import ControlIds
from graph_ops.text.tokens import Tokenizer


class Settings(NamedTuple):
    """All that the graph is built from.

    Attributes:
        tokenizer: strings to ids and back.
        ids: control ids.
        row: layout of rows.
        image: how images are converted, or None.
        audio: how clips are converted, or None.
    """

    tokenizer: Tokenizer
    ids: ControlIds
    row: RowConfig
    image: ImageConfig | None
    audio: AudioConfig | None
