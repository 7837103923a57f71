"""GIF: 6 bytes of signature, screen width and height, flags, background, aspect, global palette; then
blocks.

Decoded is the first frame, from a file that holds it alone: TensorFlow's decoder unpacks every frame, and
needs the end that some files lack. As in Pillow,

- the file may end anywhere behind the blocks that hold the frame's pixels, and go on with anything;
- bytes between the blocks that begin none are passed over;
- a frame's own palette is passed over if it is the grey levels in order, and a screen's which is, or none,
  makes every index its grey level; an index beyond another palette is black.

Refused, although Pillow decodes them: codes of less than 2 bits, which GIF does not know, and pixels that go
on behind the end of their chain of blocks. Decoded, although Pillow refuses them: damaged pixels with
impossible codes, which giflib takes for others.
"""

import tensorflow as tf

from graph_ops.image.formats.file_bytes import Size, bytes_at, no_size, number_at, placed, text_of

SIGNATURES = ((0, b"GIF87a"), (0, b"GIF89a"))
"""(offset, bytes) that a file begins with."""
MAX_BLOCKS = 10_000
"""Most steps taken through the blocks of a file up to its first frame, and through the frame's. Ours: a file
must not ask for minutes.
"""
FRAME, EXTENSION, TRAILER = ord(","), ord("!"), ord(";")
"""Bytes that begin a block. Source: GIF89a, appendix A."""
GRAPHIC_CONTROL, COMMENT = 0xF9, 0xFE
"""Labels of extensions. Source: GIF89a, 23 and 24."""
SCREEN_BYTES, FRAME_BYTES = 13, 10
"""Bytes before the global palette, and of a frame before its own. Source: GIF89a, 18 and 20."""
LEAST_CODE_BITS = 2
"""giflib reads shorter codes otherwise than Pillow. Source: GIF89a, appendix F."""
HAS_PALETTE = 128
"""Flags from here on say that a palette follows. Source: GIF89a, 18 and 20."""
MOST_COLORS, MOST_COLORS_FLAGS = 256, 0x87
"""Of a palette, and the flags that say so. Source: GIF89a, 18."""


def size(encoded: tf.Tensor) -> Size:
    """int32 [] each: the screen, enlarged where the first frame reaches beyond it, as Pillow does; 0 × 0
    for a frame that is not decoded.
    """
    data = _data(encoded)
    frame, _ = _first_frame(data)
    left, top, width, height = (number_at(encoded, frame + at, size=2) for at in (1, 3, 5, 7))
    code_bits = _byte(data, _codes_at(data, frame))
    # The decoder allocates the frame's own size, which the header's must therefore not hide.
    filled = (width > 0) & (height > 0) & (code_bits >= LEAST_CODE_BITS)
    screen_height, screen_width = number_at(encoded, 8, size=2), number_at(encoded, 6, size=2)
    return tf.cond(
        filled,
        lambda: (tf.maximum(screen_height, top + height), tf.maximum(screen_width, left + width)),
        no_size,
    )


def pixels(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 3], of an animation the first frame."""
    data = _data(encoded)
    frame, transparent = _first_frame(data)
    codes = _codes_at(data, frame)
    palette = _palette(data, frame)
    # A screen of the frame's size with the palette of 256 colours, the frame at its top left, interlaced or
    # not.
    screen = [
        bytes_at(encoded, frame + 5, 4),
        bytes([MOST_COLORS_FLAGS, 0, 0]),
        text_of(tf.reshape(palette, [-1])),
    ]
    interlaced = tf.bitwise.bitwise_and(data[frame + 9 : frame + 10], 64)
    lengths = [b",\0\0\0\0", bytes_at(encoded, frame + 5, 4), text_of(interlaced)]
    blocks = bytes_at(encoded, codes, _blocks_end(data, codes + 1, tf.constant(MAX_BLOCKS))[0] - codes)
    still = tf.strings.join([bytes_at(encoded, 0, 6), *screen, *lengths, blocks, b"\0;"])
    return placed(
        tf.io.decode_gif(still)[0],
        number_at(encoded, frame + 3, size=2),
        number_at(encoded, frame + 1, size=2),
        size(encoded),
        background=palette[transparent],
    )


def is_transparent(encoded: tf.Tensor) -> tf.Tensor:
    """bool [H, W, 1]: where the first frame is transparent, which is around it, too, if it has a transparent
    colour. Decoded from the file with a palette in which that colour is white and all others black.
    """
    data = _data(encoded)
    frame, transparent = _first_frame(data, none=-1)

    def decoded() -> tf.Tensor:
        is_own = _byte(data, frame + 9) >= HAS_PALETTE
        flags = tf.where(is_own, frame + 9, 10)
        palette = tf.where(is_own, frame + FRAME_BYTES, SCREEN_BYTES)
        # As long as palettes can be, so that the colour is in it whatever its index.
        colors = tf.where(tf.range(MOST_COLORS) == transparent, b"\xff" * 3, b"\0" * 3)
        rest = palette + _palette_bytes(_byte(data, flags))
        marked = [
            bytes_at(encoded, 0, flags),
            text_of(tf.bitwise.bitwise_or(data[flags : flags + 1], MOST_COLORS_FLAGS)),
            bytes_at(encoded, flags + 1, palette - flags - 1),
            tf.strings.reduce_join(colors),
            bytes_at(encoded, rest, tf.size(data) - rest),
        ]
        return pixels(tf.strings.join(marked))[..., :1] > 0

    return tf.cond(transparent >= 0, decoded, lambda: tf.zeros([1, 1, 1], tf.bool))


def _data(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 [length + 1]: the file's bytes and a 0. Indexing beyond the end raises."""
    return tf.io.decode_raw(tf.strings.join([encoded, b"\0"]), tf.uint8)


def _byte(data: tf.Tensor, at: int | tf.Tensor) -> tf.Tensor:
    return tf.cast(data[at], tf.int32)


def _palette_bytes(flags: tf.Tensor) -> tf.Tensor:
    return tf.where(flags >= HAS_PALETTE, tf.bitwise.left_shift(6, tf.bitwise.bitwise_and(flags, 7)), 0)


def _codes_at(data: tf.Tensor, frame: tf.Tensor) -> tf.Tensor:
    """Where the bits of a code stand, which the blocks of codes follow."""
    return frame + FRAME_BYTES + _palette_bytes(_byte(data, frame + 9))


def _palette(data: tf.Tensor, frame: tf.Tensor) -> tf.Tensor:
    """uint8 [256, 3]: the frame's own palette or the screen's, or grey levels."""
    own = _colors(data, frame + FRAME_BYTES, _byte(data, frame + 9))
    common = _colors(data, SCREEN_BYTES, _byte(data, 10))
    colors = tf.cond(_is_grey(own), lambda: common, lambda: own)
    missing = MOST_COLORS - tf.shape(colors)[0]
    return tf.cond(_is_grey(colors), _greys, lambda: tf.pad(colors, [[0, missing], [0, 0]]))


def _colors(data: tf.Tensor, at: int | tf.Tensor, flags: tf.Tensor) -> tf.Tensor:
    """uint8 [colours, 3]"""
    return tf.reshape(data[at : at + _palette_bytes(flags)], [-1, 3])


def _greys() -> tf.Tensor:
    return tf.repeat(tf.cast(tf.range(MOST_COLORS)[:, tf.newaxis], tf.uint8), 3, axis=1)


def _is_grey(colors: tf.Tensor) -> tf.Tensor:
    """bool []: no colours, or the grey levels in order."""
    return tf.reduce_all(colors == _greys()[: tf.shape(colors)[0]])


def _first_frame(data: tf.Tensor, *, none: int = 0) -> Size:
    """Where the first image descriptor is, and the transparent colour's index (`none` if there is none)."""

    def skip(at: tf.Tensor, transparent: tf.Tensor, steps: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return tf.switch_case(
            tf.where(data[at] == EXTENSION, 0, tf.where(data[at] == TRAILER, 1, 2)),
            [
                lambda: _skip_extension(data, at, transparent, steps),
                lambda: (tf.size(data), transparent, steps),
                lambda: (at + 1, transparent, steps),
            ],
        )

    start = SCREEN_BYTES + _palette_bytes(_byte(data, 10)), tf.constant(none), tf.constant(MAX_BLOCKS)
    at, transparent, _ = tf.while_loop(
        lambda at, *_: data[at] != FRAME, skip, start, maximum_iterations=MAX_BLOCKS
    )
    return tf.where(data[at] == FRAME, at, tf.size(data)), transparent


def _skip_extension(
    data: tf.Tensor, at: tf.Tensor, transparent: tf.Tensor, steps: tf.Tensor
) -> tuple[tf.Tensor, ...]:
    """The position after an extension, beyond the end of the file if it is cut; the transparent colour; the
    steps that are left.
    """
    label, length = _byte(data, at + 1), _byte(data, at + 2)
    # "!" 0xF9 4 flags delay delay index: a graphic control extension.
    is_control = (label == GRAPHIC_CONTROL) & (length > 0)
    is_transparent = is_control & tf.cond(is_control, lambda: data[at + 3] % 2 == 1, lambda: False)
    color = tf.cond(is_transparent, lambda: _byte(data, at + 6), lambda: transparent)
    too_short = is_control & (length < tf.where(is_transparent, 4, 3))
    # Pillow passes over an empty first block, except in a comment.
    blocks = at + 2 + tf.where((label != COMMENT) & (length == 0), 1, 0)
    end, steps = _blocks_end(data, blocks, steps)
    return tf.where(too_short | (data[end] != 0), tf.size(data), end + 1), color, steps


def _blocks_end(data: tf.Tensor, at: tf.Tensor, steps: tf.Tensor) -> Size:
    """Where a chain of blocks (each a length and that many bytes) ends: at a length of 0, or at a block that
    the file cuts; and the steps that are left.
    """
    length = tf.size(data) - 1

    def skip(at: tf.Tensor, steps: tf.Tensor) -> Size:
        # All blocks but the last are usually of 255 bytes, so a whole run of them is one step.
        lengths = data[at : at + 4096 * 256 : 256]
        full = tf.reduce_sum(tf.math.cumprod(tf.cast(lengths == 255, tf.int32)))
        at += 256 * tf.minimum(full, (length - at) // 256)
        return tf.where(is_whole(at), at + 1 + _byte(data, at), at), steps - 1

    def is_whole(at: tf.Tensor, *_: tf.Tensor) -> tf.Tensor:
        return (data[at] != 0) & (at + _byte(data, at) < length)

    return tf.while_loop(is_whole, skip, (at, steps), maximum_iterations=steps)
