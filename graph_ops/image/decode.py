"""Encoded image files -> pixels, equal to Pillow's `Image.open(file).convert("RGB")`, without ever raising.

| format | decoded                                                       | refused (IMAGE_UNDECODABLE)      |
| ------ | ------------------------------------------------------------- | -------------------------------- |
| JPEG   | grey, YCbCr, RGB; baseline and progressive                    | CMYK (TensorFlow rounds it else) |
| PNG    | all: grey, palette, alpha, 1 to 16 bits, interlaced, animated |                                  |
| GIF    | first frame, on the background that Pillow gives it           | frames without a palette         |
| BMP    | 1, 4 and 8-bit palettes, 24 and 32-bit                        | 16-bit, RLE, OS/2, rare masks    |
| WebP   | lossy, lossless, alpha; first frame of an animation           |                                  |

Alpha is dropped, not blended, and EXIF orientation is ignored, as `convert("RGB")` does. Truncated files are
refused.
"""

import functools
from collections.abc import Callable

import tensorflow as tf

from graph_ops.config import ImageConfig
from graph_ops.faults import Fault

MAX_BLOCKS = 10_000
"""Most steps taken through the blocks of a GIF or WebP file up to its first frame. Ours: a file must not ask
for minutes.
"""
BMP_HEADER_SIZES = (40, 52, 56, 64, 108, 124)
"""Sizes in bytes of the BMP headers with 32-bit width and height. Source: BITMAPINFOHEADER and its
successors.
"""
BMP_RAW, BMP_BITFIELDS = 0, 3
"""Values of a BMP header's compression field. Source: BI_RGB and BI_BITFIELDS."""

Size = tuple[tf.Tensor, tf.Tensor]
Outcome = tuple[tf.Tensor, tf.Tensor, tf.Tensor]


def decode_image(encoded: tf.Tensor, *, config: ImageConfig) -> Outcome:
    """The pixels of one encoded image, or what is wrong with it.

    The size is read from the header before anything is decoded.

    Args:
      encoded: string [], a JPEG, PNG, GIF, BMP or WebP file.
      config: `max_image_pixels`.

    Returns:
      pixels: uint8 [H, W, 3], empty ([0, 0, 3]) if there is a fault.
      fault: int32 [], NONE, IMAGE_TOO_LARGE or IMAGE_UNDECODABLE.
      detail: int32 [2], (height, width) for IMAGE_TOO_LARGE, (length in bytes, 0) for IMAGE_UNDECODABLE, else
          0.
    """
    attempts = [
        functools.partial(_attempt, encoded, size, pixels, config=config) for _, size, pixels in FORMATS
    ]
    return tf.switch_case(_format_index(encoded), [*attempts, functools.partial(_undecodable, encoded)])


def _attempt(encoded: tf.Tensor, size: Callable, pixels: Callable, *, config: ImageConfig) -> Outcome:
    """What `size` and `pixels`, which may raise, make of a file.

    A decoder raises on a damaged file, and would take the whole batch with it. A one-element dataset is the
    graph's `try`: an element that raised is dropped, and the refusal behind it comes out instead.
    """
    decode = functools.partial(_decode, size=size, pixels=pixels, config=config)
    decoded = tf.data.Dataset.from_tensors(encoded).map(decode).ignore_errors()
    outcomes = decoded.concatenate(tf.data.Dataset.from_tensors(_undecodable(encoded))).take(1)
    options = tf.data.Options()
    # For one element, tuning and rewriting cost more than they save.
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    return outcomes.with_options(options).get_single_element()


def _decode(encoded: tf.Tensor, *, size: Callable, pixels: Callable, config: ImageConfig) -> Outcome:
    height, width = size(encoded)
    too_large = tf.cast(height, tf.int64) * tf.cast(width, tf.int64) > config.max_image_pixels
    oversized = _no_pixels(), tf.constant(Fault.IMAGE_TOO_LARGE, tf.int32), tf.stack([height, width])

    def decode() -> Outcome:
        good = tf.constant(Fault.NONE, tf.int32), tf.zeros([2], tf.int32)
        return tf.reshape(pixels(encoded), [height, width, 3]), *good

    valid = (height > 0) & (width > 0)
    return tf.cond(
        valid, lambda: tf.cond(too_large, lambda: oversized, decode), lambda: _undecodable(encoded)
    )


def _undecodable(encoded: tf.Tensor) -> Outcome:
    return (
        _no_pixels(),
        tf.constant(Fault.IMAGE_UNDECODABLE, tf.int32),
        tf.stack([tf.strings.length(encoded), 0]),
    )


def _no_pixels() -> tf.Tensor:
    return tf.zeros([0, 0, 3], tf.uint8)


def _no_size() -> Size:
    """What a size function returns for a file that its pixel function would not decode as Pillow does."""
    return tf.constant(0), tf.constant(0)


def _format_index(encoded: tf.Tensor) -> tf.Tensor:
    """int32 []: the row of `FORMATS` that decodes the file; their number if none does."""
    head = tf.strings.join([_bytes(encoded, 0, 12), b"\0" * 12])
    matches = [
        tf.reduce_any([tf.equal(_bytes(head, at, len(text)), text) for at, text in marks])
        for marks, _, _ in FORMATS
    ]
    return tf.cast(tf.argmax(tf.stack([*matches, tf.constant(True)])), tf.int32)


def _bytes(encoded: tf.Tensor, offset: int | tf.Tensor, length: int | tf.Tensor) -> tf.Tensor:
    return tf.strings.substr(encoded, offset, length)


def _number(
    encoded: tf.Tensor, offset: int | tf.Tensor, size: int, *, little_endian: bool = True
) -> tf.Tensor:
    """int32 []: the unsigned number in the `size` bytes at `offset` (signed if 4). Raises if the file ends
    before.
    """
    values = tf.cast(tf.io.decode_raw(_bytes(encoded, offset, size), tf.uint8), tf.int32)
    shifts = tf.range(0, 8 * size, 8)
    # The reshape is what raises.
    return tf.reduce_sum(
        tf.bitwise.left_shift(tf.reshape(values, [size]), shifts if little_endian else shifts[::-1])
    )


# JPEG


def _jpeg_size(encoded: tf.Tensor) -> Size:
    height, width, channels = tf.unstack(tf.image.extract_jpeg_shape(encoded))
    return tf.cond(channels < 4, lambda: (height, width), _no_size)


def _jpeg_pixels(encoded: tf.Tensor) -> tf.Tensor:
    # The accurate transform is libjpeg's default, hence Pillow's; TensorFlow's default is the fast one.
    return tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")


# PNG: 8 bytes of signature, then the IHDR chunk: length, name, width, height, bit depth, colour type.


def _png_size(encoded: tf.Tensor) -> Size:
    return _number(encoded, 20, 4, little_endian=False), _number(encoded, 16, 4, little_endian=False)


def _png_pixels(encoded: tf.Tensor) -> tf.Tensor:
    def deep_grey() -> tf.Tensor:
        # Pillow clips 16-bit grey to 8 bits, but keeps the high byte of every other 16-bit image, as
        # TensorFlow does.
        grey = tf.cast(tf.minimum(tf.io.decode_png(encoded, channels=1, dtype=tf.uint16), 255), tf.uint8)
        return tf.repeat(grey, 3, axis=-1)

    is_deep_grey = (_number(encoded, 24, 1) == 16) & (_number(encoded, 25, 1) == 0)
    return tf.cond(is_deep_grey, deep_grey, lambda: tf.io.decode_png(encoded, channels=3))


# GIF: 6 bytes of signature, screen width and height, flags, background, aspect, global palette; then blocks.


def _gif_size(encoded: tf.Tensor) -> Size:
    """The screen, enlarged where the first frame reaches beyond it, as Pillow does."""
    data = _gif_data(encoded)
    frame, _ = _gif_first_frame(data)
    left, top, width, height = (_number(encoded, frame + at, 2) for at in (1, 3, 5, 7))
    # The decoder allocates the frame's own size, which the header's must therefore not hide.
    filled = (width > 0) & (height > 0)
    screen_height, screen_width = _number(encoded, 8, 2), _number(encoded, 6, 2)
    return tf.cond(
        filled,
        lambda: (tf.maximum(screen_height, top + height), tf.maximum(screen_width, left + width)),
        _no_size,
    )


def _gif_pixels(encoded: tf.Tensor) -> tf.Tensor:
    """Decodes a file that holds the first frame only, because TensorFlow's decoder unpacks every frame of an
    animation.
    """
    data = _gif_data(encoded)
    frame, transparent = _gif_first_frame(data)
    own_palette = _gif_palette_bytes(data[frame + 9])
    end = _gif_skip_blocks(data, frame + 10 + own_palette + 1)
    # The frame's width and height become the screen's, its left and top become 0.
    size, rest = _bytes(encoded, frame + 5, 4), _bytes(encoded, frame + 5, end - frame - 5)
    screen = _bytes(encoded, 10, 3 + _gif_palette_bytes(data[10]))
    still = tf.strings.join([_bytes(encoded, 0, 6), size, screen, b",\0\0\0\0", rest, b";"])
    background = tf.where(own_palette > 0, frame + 10, 13) + 3 * transparent
    return _placed(
        tf.io.decode_gif(still)[0],
        _number(encoded, frame + 3, 2),
        _number(encoded, frame + 1, 2),
        _gif_size(encoded),
        background=tf.cast(data[background : background + 3], tf.uint8),
    )


def _gif_data(encoded: tf.Tensor) -> tf.Tensor:
    """int32 [length]: the file's bytes. Indexing beyond the end raises."""
    return tf.cast(tf.io.decode_raw(encoded, tf.uint8), tf.int32)


def _gif_palette_bytes(flags: tf.Tensor) -> tf.Tensor:
    return tf.where(flags >= 128, tf.bitwise.left_shift(6, tf.bitwise.bitwise_and(flags, 7)), 0)


def _gif_first_frame(data: tf.Tensor) -> Size:
    """Where the first image descriptor is, and the transparent colour's index (0 if there is none)."""

    def skip_extension(at: tf.Tensor, transparent: tf.Tensor) -> Size:
        # "!" 0xF9 4 flags delay delay index: a graphic control extension.
        transparent = tf.cond(
            (data[at + 1] == 0xF9) & (data[at + 3] % 2 == 1), lambda: data[at + 6], lambda: transparent
        )
        # What is neither a frame nor an extension ends the search: beyond the end, where the next look
        # raises.
        return tf.cond(
            data[at] == ord("!"), lambda: _gif_skip_blocks(data, at + 2), lambda: tf.size(data)
        ), transparent

    start = 13 + _gif_palette_bytes(data[10]), tf.constant(0)
    at, transparent = tf.while_loop(
        lambda at, _: data[at] != ord(","), skip_extension, start, maximum_iterations=MAX_BLOCKS
    )
    return tf.where(data[at] == ord(","), at, tf.size(data)), transparent


def _gif_skip_blocks(data: tf.Tensor, at: tf.Tensor) -> tf.Tensor:
    """The position after a chain of blocks (each a length and that many bytes), which a length of 0 ends."""

    def skip(at: tf.Tensor) -> tuple[tf.Tensor]:
        # All blocks but the last are usually of 255 bytes, so a whole run of them is one step.
        lengths = data[at : at + 4096 * 256 : 256]
        at += 256 * tf.reduce_sum(tf.math.cumprod(tf.cast(lengths == 255, tf.int32)))
        return (at + tf.where(data[at] > 0, data[at] + 1, 0),)

    (at,) = tf.while_loop(lambda at: data[at] != 0, skip, (at,), maximum_iterations=MAX_BLOCKS)
    return at + 1


def _placed(
    pixels: tf.Tensor, top: tf.Tensor, left: tf.Tensor, size: Size, *, background: tf.Tensor
) -> tf.Tensor:
    """uint8 [h, w, 3] `pixels` on a canvas of `size` in the colour `background`. Raises if they do not
    fit.
    """
    below, right = size[0] - top - tf.shape(pixels)[0], size[1] - left - tf.shape(pixels)[1]
    # Padding is 0, which the background, taken away before and given back after (modulo 256), turns into
    # itself.
    return tf.pad(pixels - background, [[top, below], [left, right], [0, 0]]) + background


# BMP: TensorFlow's decoder takes palette indices for grey levels and knows no compression field; rows of
# bytes are simple enough.


def _bmp_size(encoded: tf.Tensor) -> Size:
    bits, compression = _number(encoded, 28, 2), _number(encoded, 30, 4)
    usual_masks = tf.equal(_bytes(encoded, 54, 12), b"\0\0\xff\0\0\xff\0\0\xff\0\0\0")
    plain = (compression == BMP_RAW) & tf.reduce_any(bits == [1, 4, 8, 24, 32])
    masked = (compression == BMP_BITFIELDS) & (bits == 32) & usual_masks
    known = tf.reduce_any(_number(encoded, 14, 4) == tf.constant(BMP_HEADER_SIZES)) & (plain | masked)
    return tf.cond(known, lambda: (tf.abs(_number(encoded, 22, 4)), _number(encoded, 18, 4)), _no_size)


def _bmp_pixels(encoded: tf.Tensor) -> tf.Tensor:
    height, width = _bmp_size(encoded)
    bits, palette_at = _number(encoded, 28, 2), 14 + _number(encoded, 14, 4)
    stated_colors = _number(encoded, 46, 4)
    colors = tf.where(stated_colors == 0, tf.bitwise.left_shift(1, tf.minimum(bits, 8)), stated_colors)
    offset = _number(encoded, 10, 4)
    # Some files state that the pixels begin where their palette does; Pillow sees through it.
    offset += tf.where((bits <= 8) & (offset == palette_at), 4 * colors, 0)
    row_bytes = (width * bits + 31) // 32 * 4
    rows = tf.reshape(
        tf.io.decode_raw(_bytes(encoded, offset, height * row_bytes), tf.uint8), [height, row_bytes]
    )
    rows = tf.cond(_number(encoded, 22, 4) < 0, lambda: rows, lambda: rows[::-1])

    def from_channels() -> tf.Tensor:
        return tf.reshape(rows[:, : width * (bits // 8)], [height, width, bits // 8])[..., 2::-1]

    def from_palette() -> tf.Tensor:
        palette = tf.reshape(tf.io.decode_raw(_bytes(encoded, palette_at, 4 * colors), tf.uint8), [colors, 4])
        # [height, row_bytes] -> [height, row_bytes, indices in a byte], the highest bits first.
        shifts = tf.range(8 - bits, -1, -bits)
        indices = tf.bitwise.right_shift(
            tf.cast(rows, tf.int32)[..., tf.newaxis], shifts
        ) % tf.bitwise.left_shift(1, bits)
        return tf.gather(palette[:, 2::-1], tf.reshape(indices, [height, -1])[:, :width])

    return tf.cond(bits > 8, from_channels, from_palette)


# WebP: "RIFF", size, "WEBP", then chunks: name, size, content padded to even length.


def _webp_size(encoded: tf.Tensor) -> Size:
    def extended() -> Size:
        return _number(encoded, 27, 3) + 1, _number(encoded, 24, 3) + 1

    def lossy() -> Size:
        return _number(encoded, 28, 2) % 2**14, _number(encoded, 26, 2) % 2**14

    def lossless() -> Size:
        # 14 bits of width - 1, 14 bits of height - 1.
        return tf.bitwise.right_shift(_number(encoded, 22, 3), 6) % 2**14 + 1, _number(
            encoded, 21, 2
        ) % 2**14 + 1

    chunk = _bytes(encoded, 12, 4)
    whole = _number(encoded, 4, 4) + 8 <= tf.strings.length(encoded)
    is_chunk = [tf.equal(chunk, name) for name in (b"VP8X", b"VP8 ", b"VP8L")]
    names = tf.stack([~whole, *is_chunk, tf.constant(True)])
    return tf.switch_case(
        tf.cast(tf.argmax(names), tf.int32), [_no_size, extended, lossy, lossless, _no_size]
    )


def _webp_pixels(encoded: tf.Tensor) -> tf.Tensor:
    animated = tf.equal(_bytes(encoded, 12, 4), b"VP8X") & (
        tf.bitwise.bitwise_and(_number(encoded, 20, 1), 2) > 0
    )
    return tf.cond(animated, lambda: _webp_first_frame(encoded), lambda: _webp_still_pixels(encoded))


def _webp_still_pixels(encoded: tf.Tensor) -> tf.Tensor:
    # channels=0: the op refuses to drop alpha itself.
    return tf.raw_ops.DecodeImage(contents=encoded, channels=0, expand_animations=False)[..., :3]


def _webp_first_frame(encoded: tf.Tensor) -> tf.Tensor:
    """Decodes a file that holds the first frame only: TensorFlow 2.21 corrupts its memory when it skips the
    others of an animation.
    """
    (at,) = tf.while_loop(
        lambda at: tf.not_equal(_bytes(encoded, at, 4), b"ANMF"),
        lambda at: (at + 8 + (_number(encoded, at + 4, 4) + 1) // 2 * 2,),
        (tf.constant(30),),
        maximum_iterations=MAX_BLOCKS,
    )
    # "ANMF" size; x / 2, y / 2, width - 1, height - 1, duration in 3 bytes each, flags; the frame's own
    # chunks.
    length = _number(encoded, at + 4, 4) - 16
    chunks = _bytes(encoded, at + 24, length)
    header = [b"VP8X\x0a\0\0\0\0\0\0\0", _bytes(encoded, at + 14, 6)]
    still = tf.strings.join(
        [b"RIFF", _little_endian_bytes(22 + tf.strings.length(chunks)), b"WEBP", *header, chunks]
    )
    top, left = 2 * _number(encoded, at + 11, 3), 2 * _number(encoded, at + 8, 3)
    return _placed(
        _webp_still_pixels(still), top, left, _webp_size(encoded), background=tf.zeros([3], tf.uint8)
    )


def _little_endian_bytes(number: tf.Tensor) -> tf.Tensor:
    """The 4 bytes of an int32, as a string []."""
    every_byte = tf.constant([bytes([byte]) for byte in range(256)])
    return tf.strings.reduce_join(tf.gather(every_byte, tf.cast(tf.bitcast(number, tf.uint8), tf.int32)))


# Where a signature is and how it reads; the size; the pixels.
FORMATS = (
    (((0, b"\xff\xd8\xff"),), _jpeg_size, _jpeg_pixels),
    (((0, b"\x89PNG\r\n\x1a\n"),), _png_size, _png_pixels),
    (((0, b"GIF87a"), (0, b"GIF89a")), _gif_size, _gif_pixels),
    (((0, b"BM"),), _bmp_size, _bmp_pixels),
    (((8, b"WEBP"),), _webp_size, _webp_pixels),
)
