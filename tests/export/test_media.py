"""The table of media in exports: files are written and read back, sizes of buckets are those of items."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from export.media import MEDIA_IN_EXPORTS
from export.verify.samples import demonstration_file
from graph_ops.config import ImageConfig
from graph_ops.media.table import MEDIA

EVERY = pytest.mark.parametrize("exported", MEDIA_IN_EXPORTS.values(), ids=lambda each: each.medium.name)


def test_every_medium_has_an_entry_under_its_name():
    assert {name: each.medium for name, each in MEDIA_IN_EXPORTS.items()} == {
        medium.name: medium for medium in MEDIA
    }


@EVERY
def test_the_small_item_is_what_a_signature_takes_and_survives_a_file(exported):
    item, medium = exported.small_item, exported.medium
    assert item.dtype == medium.dtype.as_numpy_dtype
    assert item.shape[medium.varying :] == medium.item_shape[medium.varying :]
    (read,) = exported.read_files([exported.write_file(item)], {})
    np.testing.assert_array_equal(read, item)


@EVERY
def test_the_demonstration_file_is_read(exported):
    (read,) = exported.read_files([demonstration_file(exported.demonstration).read_bytes()], {})
    assert read.ndim == len(exported.medium.item_shape)
    assert read.size > 10_000


@EVERY
def test_a_file_that_does_not_decode_is_a_sentence(exported):
    with pytest.raises(ValueError, match=r"`\w+`: "):
        exported.read_files([b"no file"], {})


@EVERY
def test_a_buckets_example_is_of_its_pattern_and_gives_the_items_axes(exported):
    kind, medium = exported.buckets, exported.medium
    size = kind.example.partition("=")[2].partition(" ")[0]
    numbers = tuple(map(int, re.fullmatch(kind.pattern, size).groups()))
    assert len(kind.axes(numbers, medium.config())) == medium.varying
    assert re.fullmatch(r"\d+(x\d+)*s?", kind.label.format(*numbers))


def test_an_image_beyond_the_bundles_limit_is_refused():
    image = MEDIA_IN_EXPORTS["image"]
    with pytest.raises(ValueError, match="pixels"):
        image.read_files([image.write_file(image.small_item)], {"max_image_pixels": 16})


def test_files_are_turned_and_composited_as_the_bundle_says():
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.new("RGBA", (5, 3)).save(file, "PNG", exif=exif)
    image = MEDIA_IN_EXPORTS["image"]
    for settings, shape, level in (
        ({}, (5, 3, 3), 0),
        ({"parity": "transformers"}, (5, 3, 3), 255),
        ({"parity": "transformers", "background_color": None, "apply_exif_orientation": False}, (3, 5, 3), 0),
        ({"background_color": [9, 9, 9]}, (5, 3, 3), 9),
    ):
        (read,) = image.read_files([file.getvalue()], settings)
        np.testing.assert_array_equal(read, np.full(shape, level, np.uint8))


def test_a_bundle_says_how_files_become_pixels():
    describe = MEDIA_IN_EXPORTS["image"].describe_files
    rest = {"max_image_pixels": 64_000_000, "apply_exif_orientation": True}
    assert describe(ImageConfig(), "transformers") == rest | {"background_color": (255, 255, 255)}
    assert describe(ImageConfig(), "keras_hub") == rest | {"background_color": None}
