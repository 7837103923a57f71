"""Transparent GIF, BMP and WebP files, and those that are turned, against transformers' compositing."""

import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from graph_ops.config import ImageConfig
from tests.graph_ops.image.formats.made_gif import COLORS, gif
from tests.graph_ops.image.shown import (
    COMPOSITED,
    assert_shown_as_by_pillow,
    decoder,
    over,
    pixels_of,
    tiff,
    upright,
    xmp,
)
from tests.graph_ops.image.test_decode import drawing, saved


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("transparent", [None, 0, 2, 3, 200])
@pytest.mark.parametrize("frame", [(0, 0, 9, 7), (2, 3, 4, 2), (5, 0, 9, 20)])
def test_gif(frame, transparent, local):
    settings: dict[str, Any] = {"screen": (9, 7), "frame": frame, "transparent": transparent, "frames": 2}
    common, own = (b"", COLORS) if local else (COLORS, b"")
    assert_shown_as_by_pillow(gif(**settings, palette=common, own_palette=own))
    assert_shown_as_by_pillow(gif(**settings, palette=b""))


@pytest.mark.parametrize("mode", ["L", "P", "RGBA"])
def test_gif_of_pillow(mode):
    picture = drawing().convert(mode)
    assert_shown_as_by_pillow(saved(picture, "GIF"))
    if mode != "RGBA":
        assert_shown_as_by_pillow(saved(picture, "GIF", transparency=17, interlace=True))


WEBP = [
    {"quality": 30},
    {"quality": 95, "alpha_quality": 10},
    {"lossless": True, "exact": True},
    {"lossless": True},
]


@pytest.mark.parametrize("settings", WEBP)
def test_webp(settings):
    for picture in (drawing(), drawing().convert("RGB")):
        for extra in ({}, {"exif": tiff(6)}, {"exif": b"Exif\0\0" + tiff(5, order=">")}, {"xmp": xmp(8)}):
            assert_shown_as_by_pillow(saved(picture, "WEBP", **settings, **extra))
            others = [picture.transpose(Image.Transpose.ROTATE_180)] * 2
            animated = saved(picture, "WEBP", save_all=True, append_images=others, **settings, **extra)
            assert_shown_as_by_pillow(animated)


def test_webp_first_frame_smaller_than_the_canvas():
    empty = Image.new("RGBA", (40, 30))
    empty.paste(drawing(8, 10), (11, 5))
    others = [drawing(30, 40)]
    encoded = saved(empty, "WEBP", save_all=True, append_images=others, lossless=True, minimize_size=True)
    assert_shown_as_by_pillow(encoded)


@pytest.mark.parametrize("settings", WEBP)
@pytest.mark.parametrize("flag", [0x04, 0x08, 0x10])
def test_webp_whose_flags_say_otherwise(flag, settings):
    encoded = bytearray(saved(drawing(), "WEBP", exif=tiff(6), xmp=xmp(3), **settings))
    encoded[20] ^= flag
    assert_shown_as_by_pillow(bytes(encoded))


def test_webp_with_trailing_bytes():
    assert_shown_as_by_pillow(saved(drawing(), "WEBP", exif=tiff(6)) + b"trailing bytes")


def bitmap(*, header: int, masks: tuple[int, ...], height: int = 5) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, 4 * 5 * 7, np.uint8).tobytes()
    info = struct.pack("<IiiHHIIiiII", header, 7, height, 1, 32, 3, len(pixels), 0, 0, 0, 0)
    info = (info + struct.pack("<IIII", *masks)).ljust(header, b"\0")[: max(header, 52)]
    start = 14 + len(info)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + info + pixels


@pytest.mark.parametrize("height", [5, -5])
@pytest.mark.parametrize("header", [40, 52, 56, 108, 124])
def test_bmp(header, height):
    masks = (0xFF0000, 0xFF00, 0xFF)
    for alpha in (0, 0xFF000000):
        assert_shown_as_by_pillow(bitmap(header=header, masks=(*masks, alpha), height=height))
    assert_shown_as_by_pillow(saved(drawing(), "BMP"))


OVER_BLUE = decoder(ImageConfig(background_color=(12, 200, 255)))


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "GIF"])
def test_any_colour_may_show_through(file_format):
    encoded = saved(drawing(), file_format)
    np.testing.assert_array_equal(pixels_of(encoded, OVER_BLUE), over(upright(encoded), (12, 200, 255)))


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "GIF"])
def test_black_on_transparent_is_black_on_white_as_by_transformers(file_format):
    logo = Image.new("RGBA", (9, 6))
    logo.paste((0, 0, 0, 255), (2, 1, 4, 5))
    encoded = saved(logo, file_format, **({"lossless": True} if file_format == "WEBP" else {}))
    transformers = pytest.importorskip("transformers.image_transforms")
    expected = transformers.convert_to_rgb(upright(encoded), return_numpy=True)
    assert {tuple(color) for color in expected.reshape(-1, 3)} == {(0, 0, 0), (255, 255, 255)}
    np.testing.assert_array_equal(pixels_of(encoded, COMPOSITED), expected)
