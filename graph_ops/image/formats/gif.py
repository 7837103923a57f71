"""GIF: 6 bytes of signature, screen width and height, flags, background, aspect, global palette; then
blocks.
"""

import tensorflow as tf

from graph_ops.image.formats.file_bytes import Size, bytes_at, no_size, number_at, placed, text_of

SIGNATURES = ((0, b"GIF87a"), (0, b"GIF89a"))
"""(offset, bytes) that a file begins with."""
MAX_BLOCKS = 10_000
"""Most steps taken through the blocks of a file up to its first frame. Ours: a file must not ask for
minutes.
"""


def size(encoded: tf.Tensor) -> Size:
    """int32 [] each: the screen, enlarged where the first frame reaches beyond it, as Pillow does."""
    data = _data(encoded)
    frame, _ = _first_frame(data)
    left, top, width, height = (number_at(encoded, frame + at, size=2) for at in (1, 3, 5, 7))
    # The decoder allocates the frame's own size, which the header's must therefore not hide.
    filled = (width > 0) & (height > 0)
    screen_height, screen_width = number_at(encoded, 8, size=2), number_at(encoded, 6, size=2)
    return tf.cond(
        filled,
        lambda: (tf.maximum(screen_height, top + height), tf.maximum(screen_width, left + width)),
        no_size,
    )


def pixels(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 3], of an animation the first frame: decoded from a file that holds it alone, because
    TensorFlow's decoder unpacks every frame.
    """
    data = _data(encoded)
    frame, transparent = _first_frame(data)
    own_palette = _palette_bytes(data[frame + 9])
    end = _skip_blocks(data, frame + 10 + own_palette + 1)
    # The frame's width and height become the screen's, its left and top become 0.
    own_size, rest = bytes_at(encoded, frame + 5, 4), bytes_at(encoded, frame + 5, end - frame - 5)
    screen = bytes_at(encoded, 10, 3 + _palette_bytes(data[10]))
    still = tf.strings.join([bytes_at(encoded, 0, 6), own_size, screen, b",\0\0\0\0", rest, b";"])
    start = tf.where(own_palette > 0, frame + 10, 13)
    palette = data[start : start + tf.where(own_palette > 0, own_palette, _palette_bytes(data[10]))]
    # A colour beyond the palette is black.
    colors = tf.concat([palette, tf.zeros([3 * 256], tf.int32)], axis=0)
    return placed(
        tf.io.decode_gif(still)[0],
        number_at(encoded, frame + 3, size=2),
        number_at(encoded, frame + 1, size=2),
        size(encoded),
        background=tf.cast(colors[3 * transparent :][:3], tf.uint8),
    )


def is_transparent(encoded: tf.Tensor) -> tf.Tensor:
    """bool [H, W, 1]: where the first frame is transparent, which is around it, too, if it has a transparent
    colour. Decoded from the file with a palette in which that colour is white and all others black.
    """
    data = _data(encoded)
    frame, transparent = _first_frame(data, none=-1)

    def decoded() -> tf.Tensor:
        is_own = data[frame + 9] >= 128
        flags, palette = tf.where(is_own, frame + 9, 10), tf.where(is_own, frame + 10, 13)
        # As long as palettes can be, so that the colour is in it whatever its index.
        colors = tf.where(tf.range(256) == transparent, b"\xff" * 3, b"\0" * 3)
        rest = palette + _palette_bytes(data[flags])
        marked = [
            bytes_at(encoded, 0, flags),
            text_of(tf.bitwise.bitwise_or(data[flags : flags + 1], 7)),
            bytes_at(encoded, flags + 1, palette - flags - 1),
            tf.strings.reduce_join(colors),
            bytes_at(encoded, rest, tf.size(data) - rest),
        ]
        return pixels(tf.strings.join(marked))[..., :1] > 0

    return tf.cond(transparent >= 0, decoded, lambda: tf.zeros([1, 1, 1], tf.bool))


def _data(encoded: tf.Tensor) -> tf.Tensor:
    """int32 [length]: the file's bytes. Indexing beyond the end raises."""
    return tf.cast(tf.io.decode_raw(encoded, tf.uint8), tf.int32)


def _palette_bytes(flags: tf.Tensor) -> tf.Tensor:
    return tf.where(flags >= 128, tf.bitwise.left_shift(6, tf.bitwise.bitwise_and(flags, 7)), 0)


def _first_frame(data: tf.Tensor, *, none: int = 0) -> Size:
    """Where the first image descriptor is, and the transparent colour's index (`none` if there is none)."""

    def skip_extension(at: tf.Tensor, transparent: tf.Tensor) -> Size:
        # "!" 0xF9 4 flags delay delay index: a graphic control extension.
        transparent = tf.cond(
            (data[at + 1] == 0xF9) & (data[at + 3] % 2 == 1), lambda: data[at + 6], lambda: transparent
        )
        # What is neither a frame nor an extension ends the search: beyond the end, where the next look
        # raises.
        return tf.cond(
            data[at] == ord("!"), lambda: _skip_blocks(data, at + 2), lambda: tf.size(data)
        ), transparent

    start = 13 + _palette_bytes(data[10]), tf.constant(none)
    at, transparent = tf.while_loop(
        lambda at, _: data[at] != ord(","), skip_extension, start, maximum_iterations=MAX_BLOCKS
    )
    return tf.where(data[at] == ord(","), at, tf.size(data)), transparent


def _skip_blocks(data: tf.Tensor, at: tf.Tensor) -> tf.Tensor:
    """The position after a chain of blocks (each a length and that many bytes), which a length of 0 ends."""

    def skip(at: tf.Tensor) -> tuple[tf.Tensor]:
        # All blocks but the last are usually of 255 bytes, so a whole run of them is one step.
        lengths = data[at : at + 4096 * 256 : 256]
        at += 256 * tf.reduce_sum(tf.math.cumprod(tf.cast(lengths == 255, tf.int32)))
        return (at + tf.where(data[at] > 0, data[at] + 1, 0),)

    (at,) = tf.while_loop(lambda at: data[at] != 0, skip, (at,), maximum_iterations=MAX_BLOCKS)
    return at + 1
