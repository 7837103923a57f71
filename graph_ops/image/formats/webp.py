"""WebP: "RIFF", size, "WEBP", then chunks: name, size, content padded to even length."""

import tensorflow as tf

from graph_ops.image.exif import Metadata
from graph_ops.image.formats.file_bytes import Size, bytes_at, no_size, number_at, placed, text_of

SIGNATURES = ((8, b"WEBP"),)
"""(offset, bytes) that a file begins with."""
MAX_CHUNKS = 10_000
"""Most chunks that are passed up to the one looked for. Ours: a file must not ask for minutes."""
ANIMATION, ALPHA = 0x02, 0x10
"""Flags of an extended file (first chunk `VP8X`). Source: WebP container specification."""
METADATA_CHUNKS = ((b"EXIF", 0x08), (b"XMP ", 0x04))
"""Name and flag of the chunks that say something beside the pixels. Source: the same."""


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
    is_chunk = [tf.equal(chunk, name) for name in (b"VP8X", b"VP8 ", b"VP8L")]
    names = tf.stack([~whole, *is_chunk, tf.constant(True)])
    return tf.switch_case(tf.cast(tf.argmax(names), tf.int32), [no_size, extended, lossy, lossless, no_size])


def pixels(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 3], of an animation the first frame."""
    return layers(encoded)[..., :3]


def layers(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 4], red, green, blue and alpha, of an animation the first frame; [H, W, 3] of an opaque
    file.
    """
    flags = _flags(encoded)
    is_animated = tf.bitwise.bitwise_and(flags, ANIMATION) > 0

    def still() -> tf.Tensor:
        return _still_layers(encoded)[..., : tf.where(_hides_alpha(encoded, flags), 3, 4)]

    return tf.cond(is_animated, lambda: _first_frame(encoded, flags), still)


def _hides_alpha(encoded: tf.Tensor, flags: tf.Tensor) -> tf.Tensor:
    """bool []: whether an extended file says that it is opaque, which lossless pixels are not asked for."""
    length = tf.strings.length(encoded)
    return tf.cond(
        tf.equal(bytes_at(encoded, 12, 4), b"VP8X") & (tf.bitwise.bitwise_and(flags, ALPHA) == 0),
        lambda: _chunk_at(encoded, b"VP8L", end=length) >= length,
        lambda: tf.constant(False),
    )


def metadata(encoded: tf.Tensor) -> Metadata:
    """string [] each: EXIF and XMP, which lie behind the pixels, where the flags of an extended file say that
    it has them.
    """
    flags = _flags(encoded)
    return Metadata(*(_optional_chunk(encoded, name, flags, bit) for name, bit in METADATA_CHUNKS))


def _optional_chunk(encoded: tf.Tensor, name: bytes, flags: tf.Tensor, bit: int) -> tf.Tensor:
    """string []: the content of the first chunk with that name; "" without one."""

    def content() -> tf.Tensor:
        end = tf.minimum(number_at(encoded, 4, size=4) + 8, tf.strings.length(encoded))
        at = _chunk_at(encoded, name, end=end)
        return tf.cond(
            at < end,
            lambda: bytes_at(encoded, at + 8, number_at(encoded, at + 4, size=4)),
            lambda: tf.constant(b""),
        )

    return tf.cond(tf.bitwise.bitwise_and(flags, bit) > 0, content, lambda: tf.constant(b""))


def _flags(encoded: tf.Tensor) -> tf.Tensor:
    """int32 []: those of an extended file, 0 of others."""
    return tf.cond(
        tf.equal(bytes_at(encoded, 12, 4), b"VP8X"),
        lambda: number_at(encoded, 20, size=1),
        lambda: tf.constant(0),
    )


def _chunk_at(encoded: tf.Tensor, name: bytes, *, end: tf.Tensor) -> tf.Tensor:
    """int32 []: where the first chunk of an extended file with that name begins; `end` or more without
    one.
    """
    (at,) = tf.while_loop(
        lambda at: (at <= end - 8) & tf.not_equal(bytes_at(encoded, tf.minimum(at, end), 4), name),
        lambda at: (at + 8 + (number_at(encoded, at + 4, size=4) + 1) // 2 * 2,),
        (tf.constant(30),),
        maximum_iterations=MAX_CHUNKS,
    )
    return tf.where(at <= end - 8, at, end)


def _still_layers(encoded: tf.Tensor) -> tf.Tensor:
    # channels=0: the op refuses to drop alpha itself.
    return tf.raw_ops.DecodeImage(contents=encoded, channels=0, expand_animations=False)


def _first_frame(encoded: tf.Tensor, flags: tf.Tensor) -> tf.Tensor:
    """Decodes a file that holds the first frame only: TensorFlow 2.21 corrupts its memory when it skips the
    others of an animation.
    """
    at = _chunk_at(encoded, b"ANMF", end=tf.strings.length(encoded))
    # "ANMF" size; x / 2, y / 2, width - 1, height - 1, duration in 3 bytes each, flags; the frame's own
    # chunks.
    length = number_at(encoded, at + 4, size=4) - 16
    chunks = bytes_at(encoded, at + 24, length)
    header = [b"VP8X\x0a\0\0\0\0\0\0\0", bytes_at(encoded, at + 14, 6)]
    still = tf.strings.join(
        [b"RIFF", text_of(tf.bitcast(22 + tf.strings.length(chunks), tf.uint8)), b"WEBP", *header, chunks]
    )
    top, left = 2 * number_at(encoded, at + 11, size=3), 2 * number_at(encoded, at + 8, size=3)
    frame = _still_layers(still)
    missing = tf.fill([*tf.unstack(tf.shape(frame)[:2]), 4 - tf.shape(frame)[2]], tf.constant(255, tf.uint8))
    channels = tf.where(tf.bitwise.bitwise_and(flags, ALPHA) > 0, 4, 3)
    layers = tf.concat([frame, missing], axis=-1)[..., :channels]
    return placed(layers, top, left, size(encoded), background=tf.zeros([channels], tf.uint8))
