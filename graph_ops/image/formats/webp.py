"""WebP: "RIFF", size, "WEBP", then chunks: name, size, content padded to even length."""

import tensorflow as tf

from graph_ops.image.formats.file_bytes import Size, bytes_at, no_size, number_at, placed

SIGNATURES = ((8, b"WEBP"),)
"""(offset, bytes) that a file begins with."""
MAX_CHUNKS = 10_000
"""Most chunks that are passed up to the first frame. Ours: a file must not ask for minutes."""


def size(encoded: tf.Tensor) -> Size:
    """int32 [] each, as the first chunk says; 0 × 0 for a file that ends early."""

    def extended() -> Size:
        return number_at(encoded, 27, size=3) + 1, number_at(encoded, 24, size=3) + 1

    def lossy() -> Size:
        return number_at(encoded, 28, size=2) % 2**14, number_at(encoded, 26, size=2) % 2**14

    def lossless() -> Size:
        # 14 bits of width - 1, 14 bits of height - 1.
        height = tf.bitwise.right_shift(number_at(encoded, 22, size=3), 6) % 2**14 + 1
        return height, number_at(encoded, 21, size=2) % 2**14 + 1

    chunk = bytes_at(encoded, 12, 4)
    whole = number_at(encoded, 4, size=4) + 8 <= tf.strings.length(encoded)
    names = tf.stack([~whole, chunk == b"VP8X", chunk == b"VP8 ", chunk == b"VP8L", tf.constant(True)])
    return tf.switch_case(tf.cast(tf.argmax(names), tf.int32), [no_size, extended, lossy, lossless, no_size])


def pixels(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 3], of an animation the first frame."""
    animated = (bytes_at(encoded, 12, 4) == b"VP8X") & (
        tf.bitwise.bitwise_and(number_at(encoded, 20, size=1), 2) > 0
    )
    return tf.cond(animated, lambda: _first_frame(encoded), lambda: _still_pixels(encoded))


def _still_pixels(encoded: tf.Tensor) -> tf.Tensor:
    # channels=0: the op refuses to drop alpha itself.
    return tf.raw_ops.DecodeImage(contents=encoded, channels=0, expand_animations=False)[..., :3]


def _first_frame(encoded: tf.Tensor) -> tf.Tensor:
    """Decodes a file that holds the first frame only: TensorFlow 2.21 corrupts its memory when it skips the
    others of an animation.
    """
    (at,) = tf.while_loop(
        lambda at: bytes_at(encoded, at, 4) != b"ANMF",
        lambda at: (at + 8 + (number_at(encoded, at + 4, size=4) + 1) // 2 * 2,),
        (tf.constant(30),),
        maximum_iterations=MAX_CHUNKS,
    )
    # "ANMF" size; x / 2, y / 2, width - 1, height - 1, duration in 3 bytes each, flags; the frame's own
    # chunks.
    length = number_at(encoded, at + 4, size=4) - 16
    chunks = bytes_at(encoded, at + 24, length)
    header = [b"VP8X\x0a\0\0\0\0\0\0\0", bytes_at(encoded, at + 14, 6)]
    still = tf.strings.join(
        [b"RIFF", _little_endian_bytes(22 + tf.strings.length(chunks)), b"WEBP", *header, chunks]
    )
    top, left = 2 * number_at(encoded, at + 11, size=3), 2 * number_at(encoded, at + 8, size=3)
    return placed(_still_pixels(still), top, left, size(encoded), background=tf.zeros([3], tf.uint8))


def _little_endian_bytes(number: tf.Tensor) -> tf.Tensor:
    """The 4 bytes of an int32, as a string []."""
    every_byte = tf.constant([bytes([byte]) for byte in range(256)])
    return tf.strings.reduce_join(tf.gather(every_byte, tf.cast(tf.bitcast(number, tf.uint8), tf.int32)))
