"""BMP -> pixels, against Pillow."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_ops.image.formats.bmp import BITFIELDS, HEADER_SIZES, LAYOUTS, RAW, RLE4, RLE8
from tests.graph_ops.image.formats.against_pillow import (
    assert_as_pillow,
    assert_equals_pillow,
    assert_refused_by_both,
    drawing,
    saved,
)

FILE_HEADER = 14


def noise(length: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).bytes(length)


def greys(*levels: int) -> bytes:
    return b"".join(bytes([level, level, level, 0]) for level in levels)


def bmp(
    bits: int,
    size: tuple[int, int] = (9, 5),
    *,
    header: int = 40,
    compression: int = RAW,
    masks: tuple[int, ...] = (),
    colors: int = 0,
    palette: bytes = b"",
    stored: bytes | None = None,
    offset: int | None = None,
) -> bytes:
    """A BMP of noise, or of `stored`, whose pixels begin behind its palette; height may be negative."""
    width, height = size
    if header == 12:
        head = struct.pack("<IHHHH", header, width, height, 1, bits)
    else:
        numbers = (header, width, height, 1, bits, compression, 0, 0, 0, colors, 0)
        head = struct.pack("<IiiHHIIiiII", *numbers) + struct.pack(f"<{len(masks)}I", *masks)
        head = head if header == 40 else head.ljust(header, b"\1")[:header]
    if stored is None:
        stored = noise((width * bits + 31) // 32 * 4 * abs(height))
    head += palette
    offset = FILE_HEADER + len(head) if offset is None else offset
    return b"BM" + struct.pack("<III", 0, 0, offset) + head + stored


def paletted(bits: int, **settings) -> bytes:
    color_bytes = 3 if settings.get("header") == 12 else 4
    return bmp(bits, palette=noise(color_bytes << bits, seed=1), **settings)


@pytest.mark.parametrize("bits", [1, 4, 8, 16, 24, 32])
@pytest.mark.parametrize("header", HEADER_SIZES)
def test_every_header_and_depth_equals_pillow(header, bits):
    for width in (1, 9, 16):
        assert_equals_pillow(
            paletted(bits, header=header, size=(width, 5))
            if bits <= 8
            else bmp(bits, (width, 5), header=header)
        )


@pytest.mark.parametrize("bits", [1, 8, 24])
def test_rows_from_the_top_equal_pillow(bits):
    for header in (40, 124):
        assert_equals_pillow(paletted(bits, header=header, size=(9, -5)) if bits <= 8 else bmp(bits, (9, -5)))


@pytest.mark.parametrize("colors", [2, 16, 200])
def test_what_pillow_writes_equals_pillow(colors):
    assert_equals_pillow(saved(drawing().convert("RGB").quantize(colors), "BMP"))
    assert_equals_pillow(saved(drawing().convert("RGB"), "DIB"))


@pytest.mark.parametrize(("bits", "masks", "_"), LAYOUTS)
def test_every_mask_that_pillow_knows_equals_pillow(bits, masks, _):
    for header in (40, 52, 56, 124):
        assert_as_pillow(
            bmp(bits, header=header, compression=BITFIELDS, masks=masks[: 3 if header == 40 else 4])
        )


def test_a_mask_that_pillow_does_not_know_is_refused():
    assert_refused_by_both(bmp(16, compression=BITFIELDS, masks=(0xF00, 0xF0, 0xF)))
    assert_refused_by_both(bmp(32, compression=BITFIELDS, masks=(0x3FF00000, 0xFFC00, 0x3FF)))
    assert_refused_by_both(paletted(8, compression=BITFIELDS))


@pytest.mark.parametrize("bits", [1, 8, 24, 32])
@pytest.mark.parametrize("compression", [RAW, BITFIELDS])
def test_offsets_equal_pillow(bits, compression):
    masks = LAYOUTS[0][1][:3] if compression == BITFIELDS else ()
    palette = noise(4 << bits, seed=1) if bits <= 8 else b""
    for offset in (0, 54, 30, 66, 1 << 31, 1 << 20):
        file = bmp(bits, compression=compression, masks=masks, palette=palette, offset=offset)
        assert_as_pillow(file)
        assert_as_pillow(file[FILE_HEADER:])


@pytest.mark.parametrize("bits", [1, 4, 8])
@pytest.mark.parametrize("colors", [1, 2, 3, 16, 20, 256, 300, 70_000, 2**31, 2**32 - 1])
def test_palettes_of_any_size_equal_pillow(bits, colors):
    count = min(colors, 300)
    ramps = greys(*(level % 256 for level in range(count))), greys(0, 255)
    for palette in (noise(4 * count, seed=2), noise(4 * count - 1, seed=2)[: 4 * 200], *ramps):
        assert_as_pillow(bmp(bits, colors=colors, palette=palette))
        assert_as_pillow(bmp(bits, colors=colors, palette=palette, offset=0))
        assert_as_pillow(bmp(bits, colors=colors, palette=palette, offset=54))


@pytest.mark.parametrize("bits", [1, 8, 16, 24])
def test_a_few_bytes_less_or_more_are_as_with_pillow(bits):
    file = paletted(bits) if bits <= 8 else bmp(bits)
    for missing in range(1, 8):
        assert_as_pillow(file[:-missing])
    assert_equals_pillow(file + b"trailing")


@pytest.mark.parametrize("bits", [0, 2, 3, 64])
def test_other_depths_are_refused(bits):
    assert_refused_by_both(bmp(bits))


def test_other_compressions_headers_and_sizes_are_refused():
    assert_refused_by_both(bmp(24, compression=RLE8))
    assert_refused_by_both(bmp(24, compression=4))
    assert_refused_by_both(bmp(24, header=41))
    assert_refused_by_both(bmp(24, (-9, 5), stored=noise(200)))
    assert_refused_by_both(bmp(24, (9, 0)))


def test_run_lengths_equal_pillow_in_either_order_of_rows():
    runs = (b"\x05\x21\x04\x43\0\0" * 5)[:-2] + b"\0\1"
    for bits, compression in ((8, RLE8), (4, RLE4), (8, RLE4), (1, RLE8)):
        for size in ((9, 5), (9, -5)):
            assert_equals_pillow(paletted(bits, size=size, compression=compression, stored=runs))
            assert_equals_pillow(
                bmp(8, size, colors=2, palette=greys(0, 255), compression=compression, stored=runs)
            )


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_change_to_a_header_is_as_with_pillow(data):
    bits = data.draw(st.sampled_from([1, 4, 8, 16, 24, 32]))
    file = bytearray(paletted(bits, offset=0) if bits <= 8 else bmp(bits, offset=0))
    for _ in range(data.draw(st.integers(1, 3))):
        file[data.draw(st.integers(2, 53))] = data.draw(st.integers(0, 255))
    # Huge sizes are another test's; Pillow would take its time over them.
    file[19:22] = file[23:26] = bytes(3)
    assert_as_pillow(bytes(file))
