"""BMP, from rows of bytes: TensorFlow's decoder takes palette indices for grey levels and knows no field for
the compression.

Decoded are the headers in `HEADER_SIZES`, 1, 4, 8, 16, 24 and 32 bits, the masks in `LAYOUTS`, run lengths
(`bmp_rle`), rows in either order, and the same without the 14 bytes of file header (DIB). As in Pillow,

- a pixel offset of 0 means behind the header and palette, and so does one right behind the header of a file
  with a palette;
- an index beyond the palette is black;
- a palette of the grey levels in order, or of black and white, says how wide a pixel is: 8 bits or 1, which
  matters if the header says otherwise.

Refused are 2 bits, other masks, JPEG and PNG inside, which Pillow refuses too, and the run lengths that
`bmp_rle` names.
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.image.formats import bmp_rle
from graph_ops.image.formats.file_bytes import Size, bytes_at, no_size

FILE_HEADER_SIZE = 14
"""Bytes before the BMP header. Source: BITMAPFILEHEADER."""
CORE_SIZE, INFO_SIZE, V3_SIZE = 12, 40, 56
"""Sizes in bytes of the header with 16-bit sizes, of the one with masks behind it and of the first with
a mask for alpha. Source: BITMAPCOREHEADER, BITMAPINFOHEADER, BITMAPV3INFOHEADER.
"""
HEADER_SIZES = (CORE_SIZE, INFO_SIZE, 52, V3_SIZE, 64, 108, 124)
"""Sizes in bytes of the headers. Source: the above, BITMAPV2INFOHEADER, OS22XBITMAPHEADER, BITMAPV4HEADER,
BITMAPV5HEADER.
"""
SIGNATURES = ((0, b"BM"), *((0, bytes([size, 0, 0, 0])) for size in HEADER_SIZES))
"""(offset, bytes) that a file begins with."""
RAW, RLE8, RLE4, BITFIELDS = 0, 1, 2, 3
"""Values of the compression field. Source: BI_RGB, BI_RLE8, BI_RLE4, BI_BITFIELDS."""
MOST_STATED_COLORS, MOST_COLORS = 65536, 256
"""Most colours that a header may state and that a palette may have unless it is grey. Source: Pillow."""
NO_ALPHA = -1
LAYOUTS = (
    # bits; masks of red, green, blue and alpha; their bytes in a pixel
    (32, (0xFF0000, 0xFF00, 0xFF, 0x0), (2, 1, 0, NO_ALPHA)),
    (32, (0xFF000000, 0xFF0000, 0xFF00, 0x0), (3, 2, 1, NO_ALPHA)),
    (32, (0xFF000000, 0xFF00, 0xFF, 0x0), (3, 1, 0, NO_ALPHA)),
    (32, (0xFF000000, 0xFF0000, 0xFF00, 0xFF), (3, 2, 1, 0)),
    (32, (0xFF, 0xFF00, 0xFF0000, 0xFF000000), (0, 1, 2, 3)),
    (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000), (2, 1, 0, 3)),
    (32, (0xFF000000, 0xFF00, 0xFF, 0xFF0000), (3, 1, 0, 2)),
    (32, (0x0, 0x0, 0x0, 0x0), (2, 1, 0, 3)),
    (24, (0xFF0000, 0xFF00, 0xFF, 0x0), (2, 1, 0, NO_ALPHA)),
    (16, (0xF800, 0x7E0, 0x1F, 0x0), (0, 0, 0, NO_ALPHA)),
    (16, (0x7C00, 0x3E0, 0x1F, 0x0), (0, 0, 0, NO_ALPHA)),
)
"""BI_BITFIELDS that are decoded; 16-bit pixels have no bytes of one colour. Source: Pillow."""
SHIFTS, LEVELS_555, LEVELS_565 = (10, 5, 0), (31, 31, 31), (31, 63, 31)
"""Of red, green and blue in a 16-bit pixel: the lowest bit if green has 5, the most that it can be."""


class Header(NamedTuple):
    """Numbers of a header, int32 [] unless said otherwise.

    Attributes:
        height, width: in pixels; negative if the file says so.
        is_top_down: bool [], the top row comes first.
        bits: of a pixel.
        compression: the field's value.
        layout: bool [len(LAYOUTS)], where bits and masks match.
        palette_at: position behind the header.
        colors: in the palette.
        color_bytes: of one colour in the palette, 3 or 4.
        offset: of the pixels, as the file says.
    """

    height: tf.Tensor
    width: tf.Tensor
    is_top_down: tf.Tensor
    bits: tf.Tensor
    compression: tf.Tensor
    layout: tf.Tensor
    palette_at: tf.Tensor
    colors: tf.Tensor
    color_bytes: tf.Tensor
    offset: tf.Tensor


def size(encoded: tf.Tensor) -> Size:
    """int32 [] each, as the header says; 0 × 0 for a kind that is not decoded."""
    encoded = with_file_header(encoded)
    header = read_header(encoded)
    has_palette = header.bits <= 8
    plain = (header.compression == RAW) & tf.reduce_any(header.bits == [1, 4, 8, 16, 24, 32])
    run_length = _is_run_length(header) & tf.reduce_any(header.bits == [1, 4, 8])
    masked = (header.compression == BITFIELDS) & tf.reduce_any(header.layout)
    header_size = header.palette_at - FILE_HEADER_SIZE
    known = tf.reduce_any(header_size == tf.constant(HEADER_SIZES)) & (plain | run_length | masked)
    known &= ~has_palette | ((header.colors > 0) & (header.colors <= MOST_STATED_COLORS))
    whole = header.palette_at <= tf.strings.length(encoded)
    return tf.cond(known & whole, lambda: (header.height, header.width), no_size)


def pixels(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 3], through the palette if there is one."""
    encoded = with_file_header(encoded)
    header = read_header(encoded)
    return tf.cond(
        header.bits > 8, lambda: _colored(encoded, header), lambda: _through_palette(encoded, header)
    )


def with_file_header(encoded: tf.Tensor) -> tf.Tensor:
    """string []: the file, with a file header of offset 0 before a bare BMP header."""
    bare = tf.not_equal(bytes_at(encoded, 0, 2), b"BM")
    return tf.cond(
        bare, lambda: tf.strings.join([b"BM" + bytes(FILE_HEADER_SIZE - 2), encoded]), lambda: encoded
    )


def read_header(encoded: tf.Tensor) -> Header:
    """The numbers of any header of a file, string []; those of a kind that is not decoded may be wrong."""
    head = tf.strings.join([bytes_at(encoded, 10, 60), bytes(60)])
    words = tf.bitcast(tf.reshape(tf.io.decode_raw(head, tf.uint8)[:60], [15, 4]), tf.int32)
    offset, header_size, width, height, depth, compression = tf.unstack(words[:6])
    is_core = header_size == CORE_SIZE
    # BITMAPCOREHEADER: width, height, planes and bits of 2 bytes each.
    height, width, depth, compression = tf.cond(
        is_core,
        lambda: (_high_half(width), tf.bitwise.bitwise_and(width, 0xFFFF), height, RAW),
        lambda: (height, width, depth, compression),
    )
    bits = _high_half(depth)
    is_top_down = ~is_core & (tf.bitwise.right_shift(height, 24) == -1)
    colors = tf.where(is_core | (words[9] == 0), tf.bitwise.left_shift(1, tf.minimum(bits, 8)), words[9])
    has_alpha = (header_size >= V3_SIZE) & (bits == 32)
    return Header(
        height=tf.where(is_top_down, -height, height),
        width=width,
        is_top_down=is_top_down,
        bits=bits,
        compression=compression,
        layout=_matches(bits, words[11:15] * tf.cast(tf.stack([True, True, True, has_alpha]), tf.int32)),
        palette_at=FILE_HEADER_SIZE + header_size,
        colors=colors,
        color_bytes=tf.where(is_core, 3, 4),
        offset=offset,
    )


def _high_half(word: tf.Tensor) -> tf.Tensor:
    return tf.bitwise.bitwise_and(tf.bitwise.right_shift(word, 16), 0xFFFF)


def _matches(bits: tf.Tensor, masks: tf.Tensor) -> tf.Tensor:
    """bool [len(LAYOUTS)], where `bits` and int32 `masks` [4] are a row's."""
    known = tf.bitcast(tf.constant([masks for _, masks, _ in LAYOUTS], tf.uint32), tf.int32)
    return (bits == [bits for bits, _, _ in LAYOUTS]) & tf.reduce_all(masks == known, axis=1)


def _is_run_length(header: Header) -> tf.Tensor:
    return (header.compression == RLE8) | (header.compression == RLE4)


def _row_bytes(header: Header) -> tf.Tensor:
    """Rows are padded to whole words."""
    return (header.width * header.bits + 31) // 32 * 4


def _rows(encoded: tf.Tensor, header: Header, offset: tf.Tensor, *, bits: tf.Tensor) -> tf.Tensor:
    """uint8 [H, bytes in a row], the top row first; the last row's padding may lie beyond the end of the
    file.
    """
    row_bytes = _row_bytes(header)
    stored = tf.io.decode_raw(bytes_at(encoded, offset, header.height * row_bytes), tf.uint8)
    missing = header.height * row_bytes - tf.size(stored)
    padding = row_bytes - (header.width * bits + 7) // 8
    whole = tf.cond(
        (missing > 0) & (missing <= padding), lambda: tf.pad(stored, [[0, missing]]), lambda: stored
    )
    return _top_down(tf.reshape(whole, [header.height, row_bytes]), header)


def _top_down(rows: tf.Tensor, header: Header) -> tf.Tensor:
    return tf.cond(header.is_top_down, lambda: rows, lambda: rows[::-1])


def stored_pixels(encoded: tf.Tensor, header: Header) -> tf.Tensor:
    """uint8 [H, W, bytes of a pixel] of 16, 24 and 32-bit pixels, as they are in the file."""
    masked = header.compression == BITFIELDS
    masks_behind = masked & (header.palette_at == FILE_HEADER_SIZE + INFO_SIZE)
    behind = header.palette_at + tf.where(masks_behind, 12, 0)
    rows = _rows(encoded, header, tf.where(header.offset == 0, behind, header.offset), bits=header.bits)
    channels = header.bits // 8
    return tf.reshape(rows[:, : header.width * channels], [header.height, header.width, channels])


def places_of(header: Header) -> tf.Tensor:
    """int32 [4]: the bytes of red, green, blue and alpha in a pixel of 24 or 32 bits."""
    places = tf.gather([places for _, _, places in LAYOUTS], tf.argmax(header.layout))
    return tf.where(header.compression == BITFIELDS, places, [2, 1, 0, NO_ALPHA])


def _colored(encoded: tf.Tensor, header: Header) -> tf.Tensor:
    """uint8 [H, W, 3] of 16, 24 and 32-bit pixels."""
    stored, masked = stored_pixels(encoded, header), header.compression == BITFIELDS
    layout = tf.argmax(header.layout)

    def of_bytes() -> tf.Tensor:
        places = places_of(header)[:3]
        usual = tf.reduce_all(places == [2, 1, 0])
        return tf.cond(usual, lambda: stored[..., 2::-1], lambda: tf.gather(stored, places, axis=-1))

    def of_16_bits() -> tf.Tensor:
        six_bits = masked & (tf.gather([masks[1] for _, masks, _ in LAYOUTS], layout) == 0x7E0)
        shifts = tf.where(six_bits, [SHIFTS[0] + 1, *SHIFTS[1:]], SHIFTS)
        levels = tf.where(six_bits, LEVELS_565, LEVELS_555)
        packed = tf.cast(stored[..., 0], tf.int32) + 256 * tf.cast(stored[..., 1], tf.int32)
        shifted = tf.bitwise.right_shift(packed[..., tf.newaxis], shifts)
        return tf.cast(tf.bitwise.bitwise_and(shifted, levels) * 255 // levels, tf.uint8)

    return tf.cond(header.bits == 16, of_16_bits, of_bytes)


def _through_palette(encoded: tf.Tensor, header: Header) -> tf.Tensor:
    """uint8 [H, W, 3] of 1, 4 and 8-bit pixels."""
    palette, bits = _palette(encoded, header)
    at = header.palette_at
    # Some files state that the pixels begin where their palette does; Pillow sees through it.
    offset = tf.where(
        (header.offset == 0) | (header.offset == at), at + header.color_bytes * header.colors, header.offset
    )

    def of_runs() -> tf.Tensor:
        four_bits = header.compression == RLE4
        size = header.height, header.width
        return _top_down(bmp_rle.indices(encoded, offset, size, four_bits), header)

    def of_rows() -> tf.Tensor:
        return _unpacked(_rows(encoded, header, offset, bits=bits), bits)[:, : header.width]

    indices = tf.cond(_is_run_length(header), of_runs, of_rows)
    return tf.gather(palette, tf.cast(indices, tf.int32))


def _palette(encoded: tf.Tensor, header: Header) -> Size:
    """uint8 [256, 3] colours and int32 [] bits of an index.

    The bits are the header's unless the palette is only grey levels. Raises for too many colours.
    """
    stored = tf.io.decode_raw(
        bytes_at(encoded, header.palette_at, header.color_bytes * header.colors), tf.uint8
    )
    count = tf.size(stored) // header.color_bytes
    colors = tf.reshape(stored[: count * header.color_bytes], [count, header.color_bytes])[:, 2::-1]
    black_or_white = header.colors <= 2
    steps = tf.where(header.colors == 2, 255, 1)
    greys = tf.cast((steps * tf.range(count))[:, tf.newaxis] % 256, tf.uint8)
    is_grey = (count == header.colors) & tf.reduce_all(colors == greys)
    levels = tf.range(MOST_COLORS)
    levels = tf.cast(tf.where(black_or_white, tf.minimum(levels, 1) * 255, levels), tf.uint8)
    return tf.cond(
        is_grey,
        lambda: (tf.repeat(levels[:, tf.newaxis], 3, axis=1), tf.where(black_or_white, 1, 8)),
        lambda: (tf.pad(colors, [[0, MOST_COLORS - count], [0, 0]]), header.bits),
    )


def _unpacked(rows: tf.Tensor, bits: tf.Tensor) -> tf.Tensor:
    """uint8 [H, bytes] -> uint8 [H, indices], the highest bits of a byte first."""
    # [H, bytes] -> [H, bytes, indices in a byte].
    shifts = tf.range(8 - bits, -1, -bits)
    spread = tf.bitwise.right_shift(rows[..., tf.newaxis], tf.cast(shifts, tf.uint8))
    kept = tf.bitwise.bitwise_and(spread, tf.cast(tf.bitwise.left_shift(1, bits) - 1, tf.uint8))
    return tf.cond(bits == 8, lambda: rows, lambda: tf.reshape(kept, [tf.shape(rows)[0], -1]))
