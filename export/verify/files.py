"""Image files that are turned or transparent, beside Pillow's pictures of them."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from export.verify import samples
from export.verify.media import PIXEL_TOLERANCE, patches_reference
from export.verify.result import Result, Subject, compare, skipped
from graph_ops.config import ImageConfig
from graph_ops.family import GEMMA4
from graph_ops.image.exif import TAG
from graph_ops.media.image import IMAGE

KINDS = (
    ("JPEG", "RGB", 6),
    ("JPEG", "L", 7),
    ("PNG", "RGB", 3),
    ("PNG", "RGBA", 8),
    ("PNG", "LA", 1),
    ("PNG", "P", 1),
    ("WEBP", "RGBA", 5),
    ("WEBP", "RGB", 2),
    ("GIF", "P", 1),
)
"""Format, Pillow's mode and orientation of each file."""


def pictures(subject: Subject) -> Iterator[Result]:
    """Patches of several files."""
    config = subject.config_of(IMAGE)
    if config is None:
        return
    name, reference = "Pillow", patches_reference(subject)
    if isinstance(reference, str):
        yield skipped("pixels of files", name, reference)
        return
    files = [image_file(*kind) for kind in KINDS]
    expected = [reference(shown(file, config, subject.parity))[0] for file in files]
    for runtime in subject.runtimes:
        rows = [
            runtime.row_of_files(GEMMA4.tokens_of("image").placeholder, {"image": [file]}) for file in files
        ]
        ours = [row[IMAGE.values][0, 0] for row in rows]
        step = f"pixels of {len(files)} files"
        yield compare(step, runtime.name, name, ours, expected, allowed=PIXEL_TOLERANCE)


def image_file(file_format: str, mode: str, orientation: int) -> bytes:
    """A file with that orientation, transparent in parts if its mode or format can be."""
    from PIL import Image

    pixels = samples.pixels(90, 130)
    alpha = np.clip(3 * np.arange(130, dtype=np.int32) - 60, 0, 255).astype(np.uint8)
    layers = np.concatenate([pixels, np.broadcast_to(alpha[:, np.newaxis], (90, 130, 1))], axis=-1)
    picture = Image.fromarray(layers, "RGBA").convert("RGB" if mode == "P" else mode)
    settings: dict[str, Any] = {"transparency": 7} if mode == "P" else {}
    if orientation != 1:
        settings["exif"] = Image.Exif()
        settings["exif"][TAG] = orientation
    file = io.BytesIO()
    (picture.quantize(60) if mode == "P" else picture).save(file, file_format, **settings)
    return file.getvalue()


def shown(file: bytes, config: dict[str, Any], parity: str) -> np.ndarray:
    """What Pillow makes of a file under an export's settings: uint8 [H, W, 3]."""
    from PIL import Image, ImageOps

    given = {name: config[name] for name in ("apply_exif_orientation", "background_color") if name in config}
    color = given.get("background_color")
    if isinstance(color, list):  # as a JSON file has it
        given["background_color"] = tuple(color)
    settings = ImageConfig(**given)
    picture: Any = Image.open(io.BytesIO(file))
    if settings.apply_exif_orientation:
        picture = ImageOps.exif_transpose(picture)
    background = settings.background(parity)
    if background is not None:
        layer = Image.new("RGBA", picture.size, (*background, 255))
        picture = Image.alpha_composite(layer, picture.convert("RGBA"))
    return np.asarray(picture.convert("RGB"))
