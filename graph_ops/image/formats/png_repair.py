"""PNG files that Pillow reads in spite of their damage, as files that TensorFlow's decoder takes."""

import tensorflow as tf

from graph_ops.image.formats.crc32 import crc32
from graph_ops.image.formats.file_bytes import bytes_at, number_at, text_of
from graph_ops.image.formats.png_chunks import FRAME, HEAD, MAX_CHUNKS, START

END = b"\0\0\0\0IEND\xaeB`\x82"
"""The last chunk. Source: PNG 1.2."""
DATA = b"IDAT"
"""Name of the chunks that hold the pixels. Source: the same."""


def repaired(encoded: tf.Tensor) -> tf.Tensor:
    """string []: what comes before the pixels as it is, the pixels in one chunk with the right CRC, and
    an end.

    Pillow neither checks the CRC of the pixels nor looks for an end behind them; of a chunk of pixels
    that is cut it takes what is there, and so does this. Raises without pixels.
    """
    start, contents = _data(encoded)
    data = tf.strings.join([DATA, tf.strings.reduce_join(contents)])
    length = text_of(tf.cast(tf.bitcast(tf.strings.length(data) - len(DATA), tf.uint8), tf.int32)[::-1])
    return tf.strings.join([bytes_at(encoded, 0, start), length, data, text_of(crc32(data)), END])


def _data(encoded: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Where the first chunk of pixels begins, and the contents of those that follow each other, string
    [N].
    """
    whole = tf.strings.length(encoded)

    def is_data(at: tf.Tensor) -> tf.Tensor:
        return tf.equal(bytes_at(encoded, tf.minimum(at + 4, whole), 4), DATA)

    def after(at: tf.Tensor) -> tf.Tensor:
        length = number_at(encoded, at, size=4, little_endian=False)
        # A length that is too large, or negative, leads to the end.
        fits = (length >= 0) & (length <= whole - at - FRAME)
        return tf.where(fits, at + length + FRAME, whole)

    def take(at: tf.Tensor, count: tf.Tensor, contents: tf.TensorArray) -> tuple[tf.Tensor, ...]:
        length = tf.maximum(number_at(encoded, at, size=4, little_endian=False), 0)
        return after(at), count + 1, contents.write(count, bytes_at(encoded, at + HEAD, length))

    (start,) = tf.while_loop(
        lambda at: (at < whole) & ~is_data(at),
        lambda at: (after(at),),
        (tf.constant(START),),
        maximum_iterations=MAX_CHUNKS,
    )
    contents = tf.TensorArray(tf.string, 0, dynamic_size=True, element_shape=[])
    _, count, contents = tf.while_loop(
        lambda at, *_: is_data(at), take, (start, tf.constant(0), contents), maximum_iterations=MAX_CHUNKS
    )
    with tf.control_dependencies([tf.debugging.assert_positive(count)]):
        return start, contents.stack()
