"""All that the graph of a preprocessor is built from, as one value."""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from graph_ops.config import RowConfig
from graph_ops.families import FAMILIES
from graph_ops.family import GEMMA4, Family
from graph_ops.features import feature_names
from graph_ops.media.image import IMAGE
from graph_ops.media.medium import Medium
from graph_ops.media.table import MEDIA
from graph_ops.media.video import VIDEO
from graph_ops.rows.special_ids import MediumIds, RowIds, medium_ids, row_ids
from graph_ops.rows.videos import clock_ids
from graph_ops.text.tokens import Tokenizer
from graph_ops.text.vocabulary.vocabulary import Vocabulary

POSITIONS = "position_ids"
"""The feature that some families' models do without."""


class Configured(NamedTuple):
    """A medium that a preprocessor takes.

    Attributes:
        medium: what there is to know of it.
        config: how items are converted.
        ids: of its special tokens.
    """

    medium: Medium
    config: Any
    ids: MediumIds


class Settings(NamedTuple):
    """All that the graph is built from.

    Attributes:
        tokenizer: strings to ids and back.
        ids: of the special tokens of every row.
        row: layout of rows; no video slots without a converter.
        media: those that are taken, in the order of `MEDIA`. The placeholder of another is an ordinary token.
        family: of the model.
    """

    tokenizer: Tokenizer
    ids: RowIds
    row: RowConfig
    media: tuple[Configured, ...]
    family: Family = GEMMA4

    def config_of(self, medium: Medium) -> Any:
        """How items of a medium are converted, or None if there are none."""
        return {each.medium.name: each.config for each in self.media}.get(medium.name)

    def with_config(self, medium: Medium, config: Any) -> "Settings":
        """The same, with another configuration of a medium that is taken."""
        replaced = (each._replace(config=config) if each.medium is medium else each for each in self.media)
        return self._replace(media=tuple(replaced))

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups of the table of features that the preprocessor emits."""
        return ("text", *(each.medium.group for each in self.media))

    def feature_names(self, *groups: str) -> list[str]:
        """Names of the features of these groups that models of the family take, in the table's order."""
        names = feature_names(*groups)
        return names if self.family.has_positions else [name for name in names if name != POSITIONS]

    @property
    def dim_sizes(self) -> dict[str, int | None]:
        """The size of each letter of `features.DIMS` that is used; None for the batch, which varies."""
        sizes: dict[str, int | None] = {"B": None, "S": self.row.sequence_length}
        for each in self.media:
            sizes |= each.medium.dims(self.row, each.config)
        if "V" in sizes:
            sizes["V"] = self.indices_width(IMAGE)
        return sizes

    def indices_width(self, medium: Medium) -> int:
        """Width of a medium's indices. Those of images are no narrower than those of one video would be."""
        config = self.config_of(medium)
        frames = medium.frames(config) if medium.frames else 1
        width = medium.num_slots(self.row) * frames * medium.block(self.row, config)
        video = self.config_of(VIDEO)
        if medium is IMAGE and video:
            return max(width, video.num_frames * video.max_soft_tokens)
        return width


def make_settings(
    tokenizer: Tokenizer, row: RowConfig, configs: Mapping[str, Any], *, family: Family = GEMMA4
) -> Settings:
    """Looks up the special tokens that a preprocessor needs.

    Args:
        tokenizer: its vocabulary must hold them.
        row: layout of rows.
        configs: how items of each medium are converted, by the medium's name; None, or left out, for a medium
            that is not taken.
        family: names of the special tokens.

    Raises:
        ValueError: the vocabulary lacks a token; names it, or is that of another family, or a medium of which
            the family's items are not read.
    """
    vocabulary = tokenizer.vocabulary
    _check_family(vocabulary, family)
    _check_reads(configs, family)
    if configs.get(VIDEO.name) is None:
        row = dataclasses.replace(row, max_videos_per_prompt=0)
    else:
        clock_ids(vocabulary)
    media = tuple(
        Configured(medium, configs[medium.name], medium_ids(vocabulary, family, medium))
        for medium in MEDIA
        if configs.get(medium.name) is not None
    )
    return Settings(tokenizer, row_ids(vocabulary, family), row, media, family)


def _check_family(vocabulary: Vocabulary, family: Family) -> None:
    """Refuses a vocabulary that lacks what the family's is known by and has what another family's is."""
    missing = [token for token in family.known_by if vocabulary.find(token) is None]
    others = (each for each in FAMILIES if not set(each.known_by) - set(vocabulary.pieces))
    if missing and (other := next(others, None)):
        raise ValueError(
            f"`tokenizer`: must be a {family.title} vocabulary, which holds {', '.join(missing)}; got one of "
            f"{other.title}. Pass that of {family.title}, or use what is made for {other.title}."
        )


def _check_reads(configs: Mapping[str, Any], family: Family) -> None:
    for medium in MEDIA:
        if configs.get(medium.name) is not None and not family.reads(medium.name):
            raise ValueError(text_alone(family, medium.converter))


def text_alone(family: Family, argument: str) -> str:
    """What is said of an argument for a medium of which the family's items are not read."""
    return f"`{argument}`: must be left out for {family.title}, of which text alone is read. Leave it out."
