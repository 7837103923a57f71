"""Run lengths of a BMP (BI_RLE8, BI_RLE4) -> palette indices, without a loop over the commands.

A command is two bytes. The first, unless 0, is a number of pixels and the second their index (BI_RLE4: two
indices in turn). After a first 0 the second means: 0 end of the line, 1 end of the image, 2 two more bytes
are steps right and up, 3 to 255 so many pixels follow, padded to an even position in the file.

Pillow's reading is followed: pixels left out are index 0, and a run ends with its line. Refused are what it
refuses (commands that end before the pixels) and two of its oddities: a step behind a run
that left its line, and more than `MAX_BYTES_PER_PIXEL`.
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.image.formats.file_bytes import Size, steps_through

MAX_BYTES_PER_PIXEL = 8
"""Most bytes read for a pixel. Ours: a step and a run of one pixel take 6, and a file must not ask for
minutes.
"""
END_OF_LINE, END_OF_IMAGE, STEP = 0, 1, 2
"""The second byte of a command that begins with 0. Source: BI_RLE8."""


class Commands(NamedTuple):
    """M commands in file order.

    Attributes:
        at: int32 [M], byte positions.
        pixels: int64 [M], how many pixels each asks for, skipped ones included.
        is_run, is_literal, is_line_end, is_step: bool [M], their kinds.
    """

    at: tf.Tensor
    pixels: tf.Tensor
    is_run: tf.Tensor
    is_literal: tf.Tensor
    is_line_end: tf.Tensor
    is_step: tf.Tensor


def indices(encoded: tf.Tensor, start: tf.Tensor, size: Size, four_bits: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W] palette indices, rows in file order. Raises if the commands do not fill the image.

    Args:
        encoded: string [], the file.
        start: int32 [], the first command's position.
        size: height and width.
        four_bits: bool [], BI_RLE4 rather than BI_RLE8.
    """
    height, width = size
    even_start, area = start - start % 2, height * width
    length = tf.minimum(tf.strings.length(encoded) - even_start, (area + 128) * MAX_BYTES_PER_PIXEL)
    data = tf.io.decode_raw(tf.strings.substr(encoded, even_start, length), tf.uint8)
    data = tf.pad(data, [[0, 4]])
    commands = _commands(data, start % 2, width, four_bits)
    counts, is_known = _counts(commands, tf.cast(width, tf.int64), tf.cast(area, tf.int64))
    filled = is_known & (tf.reduce_sum(counts) >= tf.cast(area, tf.int64))
    # The reshape is what raises.
    values = tf.cond(
        filled, lambda: _spread(data, commands, counts, area, four_bits), lambda: tf.zeros([0], tf.uint8)
    )
    return tf.reshape(values, [height, width])


def _commands(data: tf.Tensor, start: tf.Tensor, width: tf.Tensor, four_bits: tf.Tensor) -> Commands:
    """The commands from `start` on in uint8 `data` [N + 4], which 0 0 0 0 ends, to the end of the image."""
    at = steps_through(_next_positions(data, four_bits), start)
    first, second = (tf.cast(tf.gather(data, at + byte), tf.int64) for byte in (0, 1))
    right, up = (tf.cast(tf.gather(data, at + byte), tf.int64) for byte in (2, 3))
    is_run = first > 0
    is_literal = ~is_run & (second > STEP)
    is_step = ~is_run & (second == STEP) & (at + 8 <= tf.size(data))
    skipped = tf.where(is_step, right + up * tf.cast(width, tf.int64), 0)
    pixels = tf.where(is_run, first, tf.where(is_literal, second, skipped))
    return Commands(at, pixels, is_run, is_literal, ~is_run & (second == END_OF_LINE), is_step)


def _next_positions(data: tf.Tensor, four_bits: tf.Tensor) -> tf.Tensor:
    """int32 [N]: for each position of `data` [N + 4] where the next command would be; N if there is none."""
    length = tf.size(data) - 4
    at = tf.range(length)
    first, second = data[:-4], tf.cast(data[1:-3], tf.int32)
    literal = at + 2 + tf.where(four_bits, (second + 1) // 2, second)
    special = tf.where(second > STEP, literal + literal % 2, at + 2 + tf.where(second == STEP, 2, 0))
    following = tf.where(first > 0, at + 2, tf.where(second == END_OF_IMAGE, length, special))
    # A command needs two bytes.
    return tf.where(following < length - 1, following, length)


def _counts(commands: Commands, width: tf.Tensor, area: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """int64 [M] pixels that each command makes, those that fill up a line included; bool [], whether it is
    certain.
    """
    column = _columns(commands, width)
    # A run ends with its line, beyond which only literals go.
    on_line = tf.minimum(column + commands.pixels, width) - tf.minimum(column, width)
    clipped = tf.where(commands.is_run, on_line, commands.pixels)
    counts = clipped + tf.where(commands.is_line_end, -_since(commands.is_line_end, clipped) % width, 0)
    # Where a step leads was computed as if no run before it in its line had been clipped.
    clipped_before = _since(commands.is_line_end, commands.pixels - clipped) > 0
    is_wrong = commands.is_step & clipped_before & (tf.cumsum(counts, exclusive=True) < area)
    return counts, ~tf.reduce_any(is_wrong)


def _columns(commands: Commands, width: tf.Tensor) -> tf.Tensor:
    """int64 [M]: the column before each command, if no run was clipped in a file with steps: 0 after a line's
    end, after a step where it leads; beyond `width` when pixels have not been followed by a line's end.
    """
    in_line = _since(commands.is_line_end, commands.pixels)
    breaks = commands.is_line_end | commands.is_step
    landings = tf.boolean_mask(tf.where(commands.is_step, (in_line + commands.pixels) % width, 0), breaks)
    segment = tf.cumsum(tf.cast(breaks, tf.int32), exclusive=True)
    moved = tf.where(~commands.is_step, commands.pixels, 0)
    return tf.gather(tf.pad(landings, [[1, 0]]), segment) + _since(breaks, moved)


def _since(breaks: tf.Tensor, amounts: tf.Tensor) -> tf.Tensor:
    """int64 [M]: the sum of the amounts before each item and after the last break before it."""
    before = tf.cumsum(amounts, exclusive=True)
    starts = tf.pad(tf.boolean_mask(before + amounts, breaks), [[1, 0]])
    return before - tf.gather(starts, tf.cumsum(tf.cast(breaks, tf.int32), exclusive=True))


def _spread(
    data: tf.Tensor, commands: Commands, counts: tf.Tensor, area: tf.Tensor, four_bits: tf.Tensor
) -> tf.Tensor:
    """uint8 [area]: each command's indices, one after the other."""
    starts = tf.cumsum(counts, exclusive=True)
    used = (counts > 0) & (starts < tf.cast(area, tf.int64))
    starts = tf.cast(tf.boolean_mask(starts, used), tf.int32)
    at, is_run, is_literal = (
        tf.boolean_mask(values, used) for values in (commands.at, commands.is_run, commands.is_literal)
    )
    # The command that makes each pixel: one more at every start.
    maker = tf.cumsum(tf.scatter_nd(starts[:, tf.newaxis], tf.ones_like(starts), [area])) - 1
    place = tf.range(area) - tf.gather(starts, maker)
    steps = tf.where(tf.gather(is_literal, maker), 1 + tf.where(four_bits, place // 2, place), 0)
    # Beyond the end the gathering raises.
    packed = tf.gather(data[:-4], tf.gather(at, maker) + 1 + steps)
    high = tf.bitwise.right_shift(packed, 4)
    half = tf.where(place % 2 == 0, high, tf.bitwise.bitwise_and(packed, 15))
    values = tf.where(four_bits, half, packed)
    return tf.where(tf.gather(is_run | is_literal, maker), values, 0)
