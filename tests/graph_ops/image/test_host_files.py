"""Image files that the graph does not decode become PNGs on the host, and nothing else changes."""

import io

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageOps

from graph_ops.image.host_files import decodable_image

PIXELS = np.random.default_rng(0).integers(0, 256, [20, 30, 4], np.uint8)
RGB, RGBA = Image.fromarray(PIXELS[..., :3]), Image.fromarray(PIXELS)


def saved(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def opened(file):
    return Image.open(io.BytesIO(file))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
def test_a_kind_that_the_graph_decodes_stays_as_it_is(kind):
    file = saved(RGB, kind)
    for given in (file, file[:30], b""):
        assert decodable_image(given) is given


@pytest.mark.parametrize("kind", ["TIFF", "AVIF", "ICO", "JPEG2000", "PPM", "HEIF"])
def test_another_kind_becomes_a_png_with_pillows_pixels(kind):
    if kind == "HEIF":
        pillow_heif.register_heif_opener()
    file = saved(RGB, kind)
    turned = opened(decodable_image(file))
    assert turned.format == "PNG"
    np.testing.assert_array_equal(turned.convert("RGB"), opened(file).convert("RGB"))


@pytest.mark.parametrize("kind", ["TIFF", "AVIF"])
def test_alpha_and_orientation_are_kept(kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    file = saved(RGBA, kind, exif=exif)
    turned = opened(decodable_image(file))
    assert turned.mode == "RGBA"
    np.testing.assert_array_equal(ImageOps.exif_transpose(turned), ImageOps.exif_transpose(opened(file)))


@pytest.mark.parametrize("file", [b"<svg/>", b"%PDF-1.4", b"II*\0", b"x" * 1_000, saved(RGB, "TIFF")[:200]])
def test_what_no_library_reads_stays_as_it_is(file):
    assert decodable_image(file) is file
