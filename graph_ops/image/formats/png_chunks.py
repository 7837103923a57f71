"""PNG after its signature: chunks of 4 bytes of length, 4 of name, the content, and 4 of CRC-32."""

import string
from typing import NamedTuple

import tensorflow as tf

from graph_ops.image.exif import Metadata
from graph_ops.image.formats.file_bytes import bytes_at, text_of

START, HEAD, FRAME = 8, 8, 12
"""Bytes before the first chunk, before a chunk's content, and around it. Source: PNG 1.2."""
MAX_CHUNKS = 10_000
"""Most steps taken through the chunks of a file, a run of equally long ones in a step. Ours: a file must not
ask for minutes.
"""
RUN = 256
"""Most chunks that one step passes. Ours."""
MAX_PROFILE = 200_000
"""Most bytes of a text with EXIF that are read; an EXIF block has at most 65,533. Ours."""
EXIF, XMP, PROFILE, TRANSPARENCY = range(4)
"""Rows of `Chunks.found`."""
NAMES = (
    (EXIF, b"eXIf"),
    (XMP, b"iTXtXML:com.adobe.xmp\0"),
    (XMP, b"tEXtXML:com.adobe.xmp\0"),
    (PROFILE, b"tEXtRaw profile type exif\0"),
    (TRANSPARENCY, b"tRNS"),
)
"""(row, the name and the begin of the content of a chunk that is looked for)."""


class Chunks(NamedTuple):
    """Where the chunks of a file are that matter besides the pixels.

    Attributes:
        found: int32 [4, 2], where the content of the last chunk of each kind begins and how long it is; 0, 0
            without one.
        end: int32 [], where the chunk `IEND` begins, or the first that does not fit into the file.
    """

    found: tf.Tensor
    end: tf.Tensor

    def content(self, encoded: tf.Tensor, row: int) -> tf.Tensor:
        """string []: the content of that kind; "" without one."""
        return bytes_at(encoded, self.found[row, 0], self.found[row, 1])


def chunks_of(encoded: tf.Tensor) -> Chunks:
    """The chunks of a file, a string [], that Pillow looks at for its first picture: of an animation those up
    to its second.
    """
    octets = tf.io.decode_raw(encoded, tf.uint8)

    def step(at: tf.Tensor, seen: tf.Tensor, found: tf.Tensor, over: tf.Tensor) -> tuple[tf.Tensor, ...]:
        length = _length(octets, at)
        text = bytes_at(encoded, at + 4, _LONGEST)
        name = bytes_at(text, 0, 4)
        is_data = tf.equal(name, b"IDAT")
        fits = (length >= 0) & (length <= tf.size(octets) - at - FRAME)
        over = ~fits | tf.equal(name, b"IEND") | (seen & tf.equal(name, b"fcTL"))
        matches = tf.equal(tf.strings.substr(tf.fill([len(NAMES)], text), [0] * len(NAMES), _SIZES), _TEXTS)
        row = tf.where(tf.reduce_any(matches) & ~over, tf.gather(_ROWS, tf.argmax(matches)), -1)
        found = tf.where((tf.range(4) == row)[:, tf.newaxis], [at + HEAD, length], found)
        passed = tf.cond(is_data & ~over, lambda: _run(octets, at, length), lambda: length + FRAME)
        return tf.where(over, at, at + passed), seen | is_data, found, over

    start = tf.constant(START), tf.constant(False), tf.zeros([4, 2], tf.int32), tf.constant(False)
    at, _, found, _ = tf.while_loop(
        lambda at, seen, found, over: ~over & (at <= tf.size(octets) - FRAME),
        step,
        start,
        maximum_iterations=MAX_CHUNKS,
    )
    return Chunks(found, at)


def metadata(encoded: tf.Tensor, chunks: Chunks) -> Metadata:
    """string [] each: EXIF of the chunk `eXIf`, else of a text that ImageMagick writes; XMP. Neither of
    compressed text.
    """
    profile = chunks.content(encoded, PROFILE)
    exif = tf.cond(
        (chunks.found[EXIF, 0] > 0) | tf.equal(profile, b""),
        lambda: chunks.content(encoded, EXIF),
        lambda: _from_hex(bytes_at(profile, 0, MAX_PROFILE)),
    )
    return Metadata(exif, chunks.content(encoded, XMP))


def _from_hex(profile: tf.Tensor) -> tf.Tensor:
    """string []: the bytes that the text spells in hexadecimal digits from its fourth line on."""
    digits = tf.io.decode_raw(tf.strings.reduce_join(tf.strings.split(profile, "\n")[3:]), tf.uint8)
    values = tf.gather(_DIGITS, tf.cast(digits, tf.int32))
    values = tf.boolean_mask(values, values >= 0)
    pairs = tf.reshape(values[: tf.size(values) // 2 * 2], [-1, 2])
    return text_of(16 * pairs[:, 0] + pairs[:, 1])


def _run(octets: tf.Tensor, at: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """int32 []: bytes of the chunks of the same name and length that follow each other from `at` on, up to
    `RUN`.
    """
    stride = length + FRAME
    most = tf.minimum(RUN, (tf.size(octets) - at) // stride)
    heads = tf.gather(octets, at + stride * tf.range(most)[:, tf.newaxis] + tf.range(HEAD))
    is_same = tf.reduce_all(heads == heads[0], axis=1)
    return stride * tf.reduce_sum(tf.math.cumprod(tf.cast(is_same, tf.int32)))


def _length(octets: tf.Tensor, at: tf.Tensor) -> tf.Tensor:
    """int32 []: the number in the 4 bytes there, negative from 2**31 on."""
    four = tf.cast(octets[at : at + 4], tf.int32)
    return tf.reduce_sum(tf.bitwise.left_shift(four, [24, 16, 8, 0]))


_DIGITS = [int(chr(byte), 16) if chr(byte) in string.hexdigits else -1 for byte in range(256)]
_ROWS = [row for row, _ in NAMES]
_TEXTS = [text for _, text in NAMES]
_SIZES = [len(text) for text in _TEXTS]
_LONGEST = max(_SIZES)
