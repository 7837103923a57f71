"""GIF -> pixels, against Pillow."""

from typing import Any

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from graph_ops.image.formats import gif as gif_format
from tests.graph_ops.image.formats.against_pillow import (
    CONFIG,
    assert_as_pillow,
    assert_equals_pillow,
    assert_refused,
    assert_refused_by_both,
    drawing,
    pillow_decodes,
    pillow_pixels,
    saved,
)
from tests.graph_ops.image.formats.made_gif import COLORS, codes, gif

WHOLE: dict[str, Any] = {"screen": (5, 4), "frame": (0, 0, 5, 4)}
GREYS = bytes(level for level in range(4) for _ in range(3))


def test_animation_and_interlacing_equal_pillow():
    picture = drawing().convert("RGB").quantize(100)
    assert_equals_pillow(saved(picture, "GIF", interlace=True))
    turned = picture.transpose(Image.Transpose.ROTATE_180)
    assert_equals_pillow(
        saved(picture, "GIF", save_all=True, append_images=[turned, picture] * 4, loop=0, comment=b"x" * 3000)
    )


@pytest.mark.parametrize("own_palette", [b"", COLORS[::-1]])
@pytest.mark.parametrize("transparent", [None, 0, 2])
@pytest.mark.parametrize("frame", [(0, 0, 9, 7), (2, 3, 4, 2), (5, 0, 9, 20), (0, 6, 40, 30)])
def test_frame_that_is_not_the_screen_equals_pillow(frame, transparent, own_palette):
    for screen in ((9, 7), (0, 0)):
        assert_equals_pillow(
            gif(screen=screen, frame=frame, transparent=transparent, own_palette=own_palette, frames=2)
        )


@pytest.mark.parametrize("transparent", [None, 3, 200])
@pytest.mark.parametrize("palette", [b"", COLORS, GREYS, GREYS[:6], bytes(range(256)) * 3])
@pytest.mark.parametrize("own_palette", [b"", COLORS[::-1], GREYS])
def test_any_palette_or_none_equals_pillow(palette, own_palette, transparent):
    for bits in (2, 8):
        assert_equals_pillow(
            gif(
                screen=(9, 9),
                frame=(1, 1, 6, 5),
                palette=palette,
                own_palette=own_palette,
                transparent=transparent,
                bits=bits,
                interlaced=bits == 8,
            )
        )


@pytest.mark.parametrize("end", [b"", b"\0", b";", b"\0;", b"\0junk;,!", b";junk"])
@pytest.mark.parametrize("coded_end", [False, True])
@pytest.mark.parametrize("missing", [-30, -1, 0, 1, 5])
def test_ends_are_as_with_pillow(missing, coded_end, end):
    blocks = codes([pixel % 4 for pixel in range(20 - missing)], end=coded_end)
    assert_as_pillow(gif(**WHOLE, blocks=blocks, end=end))


def test_a_file_cut_anywhere_is_as_with_pillow():
    for file in (saved(drawing(9, 12).convert("P"), "GIF"), gif(**WHOLE, transparent=1)):
        for length in range(1, len(file)):
            assert_as_pillow(file[:length])


@pytest.mark.parametrize(
    "before",
    [
        b"\0\0\0",
        b"zz\xff",
        b"!\xfe\0",
        b"!\x01\0\3abc\0",
        b"!\xf9\0\4\1\0\0\1\0",
        b"!\xf9\2\0\0\0",
        b"!\xf9\3\1\0\0\0",
        b"!\xf9\5\1\0\0\2\0\0",
        b"!\xff\x0bNETSCAPE2.0\3\1\0\0\0",
        b";",
    ],
)
def test_what_stands_before_the_frame_is_passed_over_as_by_pillow(before):
    assert_as_pillow(gif(screen=(9, 7), frame=(1, 1, 5, 4), before=before))


def test_no_frame_an_empty_one_or_endless_blocks_are_refused():
    file = gif(**WHOLE)
    assert_refused_by_both(file[: 13 + 12] + b";")
    assert_refused_by_both(gif(screen=(9, 7), frame=(0, 0, 0, 7)))
    assert_refused(gif(**WHOLE, before=b"!\xfe\0" * 20_000))
    assert_refused(gif(**WHOLE, before=b"\0" * 20_000))
    assert_refused(gif(**WHOLE, before=(b"!\xfe" + b"\1x" * 5_000 + b"\0") * 200))


def test_codes_of_one_bit_and_pixels_behind_the_end_of_their_blocks_are_refused():
    for file in (
        gif(**WHOLE, bits=1),
        gif(**WHOLE, blocks=codes([0] * 10, end=False) + b"\0" + codes([0] * 10) + b"\0"),
    ):
        assert_refused(file)
        assert pillow_decodes(file)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_change_outside_the_codes_is_as_with_pillow(data):
    file = bytearray(gif(screen=(9, 7), frame=(1, 1, 5, 4), own_palette=COLORS[::-1], transparent=2))
    for _ in range(data.draw(st.integers(1, 3))):
        file[data.draw(st.integers(6, 68))] = data.draw(st.integers(0, 255))
    # The high bytes of the sizes: huge ones are another test's.
    file[7] = file[9] = file[41] = file[43] = file[45] = file[47] = 0
    # Some changes make damaged codes of what was none.
    if pillow_decodes(bytes(file)) and pillow_pixels(bytes(file)).size < CONFIG.max_image_pixels:
        assert_equals_pillow(bytes(file))


@pytest.mark.parametrize(("transparent", "shown"), [(None, 0), (1, 16), (9, 0)])
def test_where_a_frame_is_transparent_is_known_by_its_index(transparent, shown):
    file = gif(screen=(9, 7), frame=(0, 0, 9, 7), transparent=transparent)
    assert [int(side) for side in gif_format.size(tf.constant(file))] == [7, 9]
    assert int(tf.reduce_sum(tf.cast(gif_format.is_transparent(tf.constant(file)), tf.int32))) == shown
