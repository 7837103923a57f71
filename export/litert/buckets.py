"""Fixed sizes of a static bundle's inputs: runtimes in browsers cannot resize them."""

import dataclasses
import re
from collections.abc import Mapping

from export.media import MEDIA_IN_EXPORTS, BucketKind

TEXT = BucketKind(r"([1-9]\d*)", "text=256,1024 (bytes)", "{0}", lambda size, config: size)


@dataclasses.dataclass(frozen=True)
class Buckets:
    """Sizes of a static bundle's inputs.

    Attributes:
        text: most bytes of a text, and most ids to detokenize.
        media: of each medium, by name, sizes as `MEDIA_IN_EXPORTS` writes them: (height, width) of an image
            in pixels, (seconds,) of a clip.
    """

    text: tuple[int, ...] = ()
    media: Mapping[str, tuple[tuple[int, ...], ...]] = dataclasses.field(default_factory=dict)


def parse_buckets(texts: list[str]) -> Buckets:
    """Buckets from `["text=256,1024", "image=768x768", "audio=10"]`.

    Raises:
        ValueError: something else.
    """
    kinds = {"text": TEXT, **{name: each.buckets for name, each in MEDIA_IN_EXPORTS.items()}}
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
