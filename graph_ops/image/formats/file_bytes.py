"""Bytes and numbers of an encoded file, in the graph."""

import tensorflow as tf

Size = tuple[tf.Tensor, tf.Tensor]
"""Height and width, int32 [] each."""


def bytes_at(encoded: tf.Tensor, offset: int | tf.Tensor, length: int | tf.Tensor) -> tf.Tensor:
    """string []: `length` bytes from `offset` on."""
    return tf.strings.substr(encoded, offset, length)


def number_at(
    encoded: tf.Tensor, offset: int | tf.Tensor, *, size: int, little_endian: bool = True
) -> tf.Tensor:
    """int32 []: the unsigned number in the `size` bytes at `offset` (signed if 4). Raises if the file ends
    before.
    """
    values = tf.cast(tf.io.decode_raw(bytes_at(encoded, offset, size), tf.uint8), tf.int32)
    shifts = tf.range(0, 8 * size, 8)
    # The reshape is what raises.
    return tf.reduce_sum(
        tf.bitwise.left_shift(tf.reshape(values, [size]), shifts if little_endian else shifts[::-1])
    )


def text_of(octets: tf.Tensor) -> tf.Tensor:
    """string []: the bytes with these numbers, integers [N] of 0 to 255."""
    return tf.strings.reduce_join(
        tf.gather([bytes([byte]) for byte in range(256)], tf.cast(octets, tf.int32))
    )


def no_size() -> Size:
    """0 × 0, int32 [] each, for a file that would not be decoded as Pillow does."""
    return tf.constant(0), tf.constant(0)


def placed(
    pixels: tf.Tensor, top: tf.Tensor, left: tf.Tensor, size: Size, *, background: tf.Tensor
) -> tf.Tensor:
    """uint8 [h, w, C] `pixels` on a canvas of `size` in the colour `background`, uint8 [C]. Raises if they do
    not fit.
    """
    below, right = size[0] - top - tf.shape(pixels)[0], size[1] - left - tf.shape(pixels)[1]
    # Padding is 0, which the background, taken away before and given back after (modulo 256), turns into
    # itself.
    return tf.pad(pixels - background, [[top, below], [left, right], [0, 0]]) + background


def steps_through(following: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
    """int32 [M]: `start`, the position that follows it, and so on up to the last before N.

    Each round takes as many steps at once as all rounds before it, so that millions of steps are some twenty
    rounds.

    Args:
        following: int32 [N], the position after each position: a later one, N for none.
        start: int32 [].
    """
    length = tf.size(following)
    leaps = tf.concat([following, [length]], 0)

    def double(visited: tf.Tensor, leaps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.concat([visited, tf.gather(leaps, visited)], 0), tf.gather(leaps, leaps)

    visited, _ = tf.while_loop(
        lambda visited, _: visited[-1] < length,
        double,
        (tf.minimum(start, length)[tf.newaxis], leaps),
        shape_invariants=(tf.TensorShape([None]), tf.TensorShape([None])),
    )
    return tf.boolean_mask(visited, visited < length)
