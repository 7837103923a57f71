"""JPEG -> pixels, against Pillow."""

import struct

import pytest
import tensorflow as tf
from PIL import Image

from graph_ops.config import ImageConfig
from graph_ops.faults import Fault
from graph_ops.image.decode import decode_image
from graph_ops.image.formats import jpeg as jpeg_format
from tests.graph_ops.image.formats.against_pillow import (
    assert_as_pillow,
    assert_equals_pillow,
    assert_refused,
    assert_refused_by_both,
    drawing,
    saved,
)
from tests.graph_ops.image.formats.made_jpeg import adobe, jpeg, segment

EVEN = [(1, 1)] * 3
PHOTO = drawing().convert("RGB")


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("quality", [20, 92])
def test_photos_equal_pillow(quality, subsampling, progressive):
    assert_equals_pillow(
        saved(PHOTO, "JPEG", quality=quality, subsampling=subsampling, progressive=progressive)
    )


def test_grey_rgb_restarts_and_odd_sizes_equal_pillow():
    assert_equals_pillow(saved(PHOTO.convert("L"), "JPEG"))
    assert_equals_pillow(saved(PHOTO, "JPEG", keep_rgb=True))
    assert_equals_pillow(saved(PHOTO, "JPEG", restart_marker_rows=1))
    assert_equals_pillow(saved(PHOTO, "JPEG", restart_marker_blocks=3))
    for size in ((1, 1), (1, 9), (17, 2)):
        assert_equals_pillow(saved(drawing(*size).convert("RGB"), "JPEG"))


@pytest.mark.parametrize(
    "sampling",
    [
        [(4, 1), (1, 1), (1, 1)],
        [(1, 2), (1, 1), (1, 1)],
        [(4, 2), (1, 1), (1, 1)],
        [(3, 1), (1, 1), (1, 1)],
        [(2, 2), (2, 1), (1, 2)],
        [(1, 1), (2, 2), (1, 1)],
        [(2, 1), (2, 1), (2, 1)],
        [(2, 3)],
    ],
)
def test_any_sampling_equals_pillow(sampling):
    for size in ((40, 50), (17, 9)):
        assert_equals_pillow(jpeg(size, sampling))


@pytest.mark.parametrize("names", [b"\1\2\3", b"RGB", b"\0\1\2", b"\7\7\7"])
@pytest.mark.parametrize(
    "before", [b"", adobe(0), adobe(1), adobe(2), segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")]
)
def test_what_the_colours_are_is_read_as_by_pillow(before, names):
    assert_as_pillow(jpeg((20, 30), EVEN, names=names, before=before))


def test_the_first_of_several_images_equals_pillow():
    turned = PHOTO.transpose(Image.Transpose.ROTATE_180)
    assert_equals_pillow(saved(PHOTO, "MPO", save_all=True, append_images=[turned]))
    assert_equals_pillow(saved(PHOTO, "JPEG") + saved(turned, "JPEG"))


@pytest.mark.parametrize("progressive", [False, True])
def test_ends_are_as_with_pillow(progressive):
    file = saved(PHOTO, "JPEG", progressive=progressive)
    for after in (b"trailing", bytes(3), b"\xff", b"\xff\xd8", b"\xff\xd9"):
        assert_equals_pillow(file + after)
    for missing in (1, 2, 3, 5, 50, len(file) // 2):
        assert_refused_by_both(file[:-missing])
    assert_refused_by_both(b"\r\n" + file)


def test_other_numbers_of_colours_bits_and_frames_are_refused():
    assert_refused_by_both(jpeg((20, 30), EVEN[:2]))
    assert_refused_by_both(jpeg((20, 30), EVEN, bits=12))
    for frame in (0xC3, 0xC5, 0xC7, 0xCF):
        assert_refused_by_both(jpeg((20, 30), EVEN, frame=frame))
    file = jpeg((20, 30), EVEN)
    at = file.index(b"\xff\xc0")
    assert_refused_by_both(file[:at] + file[at : at + 19] + file[at:])


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("after", [bytes(8), b"\r\n" * 20, b"no marker of an end", bytes(300)])
def test_other_bytes_than_an_end_behind_a_whole_scan_are_as_with_pillow(after, mode):
    file = saved(drawing(64, 80).convert("RGB").convert(mode), "JPEG")[:-2]
    assert_equals_pillow(file + after)
    for missing in (40, 200, len(file) // 3):
        assert_refused(file[:-missing] + bytes(8))


def test_an_end_that_is_missing_behind_restarts_or_several_scans_is_refused():
    for settings in ({"restart_marker_rows": 1}, {"progressive": True}):
        file = saved(PHOTO, "JPEG", **settings)
        assert_refused(file[:-2] + bytes(100))
        assert_refused(file[:-300] + bytes(100))


@pytest.mark.parametrize(("mode", "size"), [("L", (17, 2)), ("RGB", (1, 9)), ("CMYK", (5, 5))])
def test_a_size_is_height_and_width(mode, size):
    file = saved(Image.new(mode, size), "JPEG")
    assert [int(side) for side in jpeg_format.size(tf.constant(file))] == [size[1], size[0]]


@pytest.mark.parametrize("side", [1_000, 8_000, 65_500])
def test_a_header_that_claims_more_than_the_file_can_hold_is_refused_undecoded(side):
    file = bytearray(saved(Image.new("RGB", (8, 8)), "JPEG"))
    frame = file.index(b"\xff\xc0")
    file[frame + 5 : frame + 9] = struct.pack(">HH", side, side)
    assert jpeg_format.pixels(tf.constant(bytes(file))).shape == (0, 0, 3)
    limit = ImageConfig(max_image_pixels=2**32)
    assert decode_image(tf.constant(bytes(file)), config=limit).finding.fault == Fault.IMAGE_UNDECODABLE


def test_a_flat_picture_holds_all_its_blocks():
    for settings in ({}, {"progressive": True}, {"quality": 1, "optimize": True, "progressive": True}):
        file = saved(Image.new("L", (3_000, 2_000), 128), "JPEG", **settings)
        assert jpeg_format.pixels(tf.constant(file)).shape == (2_000, 3_000, 3)


def test_a_pixel_of_four_colours_counts_as_four():
    config = ImageConfig(max_image_pixels=400)
    for size, fault in (((10, 10), Fault.NONE), ((10, 11), Fault.IMAGE_TOO_LARGE)):
        file = saved(Image.new("CMYK", size), "JPEG")
        assert decode_image(tf.constant(file), config=config).finding.fault == fault
