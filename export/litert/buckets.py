"""Fixed sizes of a static bundle's inputs: runtimes in browsers cannot resize them."""

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE


class BucketKind(NamedTuple):
    """How the sizes of a medium's items are written.

    Attributes:
        pattern: regular expression with a group for each number.
        example: for an error message.
        label: `str.format` of the numbers, which ends the signature's name.
        axes: (numbers, the medium's configuration) -> lengths of the axes that vary.
    """

    pattern: str
    example: str
    label: str
    axes: Callable[[tuple[int, ...], Any], tuple[int, ...]]


KINDS: Mapping[str, BucketKind] = {
    IMAGE.name: BucketKind(
        r"([1-9]\d*)x([1-9]\d*)", "image=768x1024 (height x width)", "{0}x{1}", lambda sides, config: sides
    ),
    AUDIO.name: BucketKind(
        r"([1-9]\d*)",
        "audio=10 (seconds)",
        "{0}s",
        lambda seconds, config: (seconds[0] * config.sampling_rate,),
    ),
}
TEXT = BucketKind(r"([1-9]\d*)", "text=256,1024 (bytes)", "{0}", lambda size, config: size)


@dataclasses.dataclass(frozen=True)
class Buckets:
    """Sizes of a static bundle's inputs.

    Attributes:
        text: most bytes of a text, and most ids to detokenize.
        media: of each medium, by name, sizes as `KINDS` writes them: (height, width) of an image in pixels,
            (seconds,) of a clip.
    """

    text: tuple[int, ...] = ()
    media: Mapping[str, tuple[tuple[int, ...], ...]] = dataclasses.field(default_factory=dict)


def parse_buckets(texts: list[str]) -> Buckets:
    """Buckets from `["text=256,1024", "image=768x768", "audio=10"]`.

    Raises:
        ValueError: something else.
    """
    kinds = {"text": TEXT, **KINDS}
    sizes: dict[str, list[tuple[int, ...]]] = {name: [] for name in kinds}
    for text in texts:
        name, _, values = text.partition("=")
        for value in values.split(","):
            match = re.fullmatch(kinds[name].pattern, value) if name in kinds else None
            if not match:
                examples = " or ".join(kind.example for kind in kinds.values())
                raise ValueError(f"--static: must be like {examples}; got {text!r}.")
            sizes[name].append(tuple(int(number) for number in match.groups()))
    distinct = {name: tuple(dict.fromkeys(found)) for name, found in sizes.items()}
    lengths = tuple(length for (length,) in distinct.pop("text"))
    return Buckets(lengths, {name: found for name, found in distinct.items() if found})
