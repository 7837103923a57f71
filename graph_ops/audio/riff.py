"""Where the chunks of a RIFF WAVE file are.

A file is `RIFF` size `WAVE`, then chunks, each an id of four bytes, a size and that many bytes, padded to an
even length:

    offset  0      4      8      12      16     20               20 + n + n % 2
            RIFF | size | WAVE | fmt␣ | n    | n bytes (+ 1) | LIST | … | data | n | samples

`RIFX` is the same with big-endian numbers; `RF64` and `BW64` have the size of a long `data` chunk in a chunk
`ds64`. Some writers put an ID3 tag in front, and some forget the byte of padding.
Sources: Multimedia Programming Interface and Data Specifications 1.0 (IBM and Microsoft, 1991) for RIFF; EBU
Tech 3306 for RF64; ITU-R BS.2088 for BW64; id3.org, ID3v2.4.0 section 3.1, for the tag's size.
"""

from typing import NamedTuple

import tensorflow as tf

MAX_CHUNKS = 256
"""Chunks that are looked at before `data`; files have fewer than 20. More are a fault, so that a million of
them take no time.
"""
NAMES = (b"RIFF", b"RIFX", b"RF64", b"BW64")
"""What a file begins with: plain, big-endian, and two for long ones."""
PLACEHOLDER = 2**32 - 1
"""The size of a `data` chunk that is stated elsewhere, or was not known when the header was written."""
USUAL_NAMES = (b"fmt ", b"data", b"fact", b"LIST", b"PEAK", b"bext", b"cue ", b"JUNK", b"id3 ")
"""Ids by which a chunk is known that follows another without its byte of padding."""

_CHUNK_HEADER, _RIFF_HEADER, _ID3_HEADER = 8, 12, 10
_DS64_DATA_SIZE = 8  # offset in `ds64`, behind the 64-bit size of the whole file


class Chunk(NamedTuple):
    """Where the content of a chunk is.

    Attributes:
        start: int64 [], offset in the file; -1 without such a chunk.
        size: int64 [], bytes, as its header says; 0 without such a chunk.
    """

    start: tf.Tensor
    size: tf.Tensor


class Riff(NamedTuple):
    """The parts of a file that matter.

    Attributes:
        is_wave: bool [], whether the file begins as one of WAVE kind.
        is_big_endian: bool [], whether numbers and samples have their highest byte first.
        fmt: the first chunk `fmt ` before `data`.
        data: the first chunk `data`; its size is that of `ds64` where the header points there.
    """

    is_wave: tf.Tensor
    is_big_endian: tf.Tensor
    fmt: Chunk
    data: Chunk


def read_riff(encoded: tf.Tensor) -> Riff:
    """Finds the chunks of a file, string []; sizes are claims that nothing has checked."""
    start = _start(encoded)
    name, form = text_at(encoded, start, size=4), text_at(encoded, start + 8, size=4)
    _, is_big_endian, *is_long = tf.unstack(tf.equal(name, NAMES))
    is_large = tf.reduce_any(is_long)
    is_wave = tf.reduce_any(tf.equal(name, NAMES)) & tf.equal(form, b"WAVE")
    fmt, data, ds64 = _find_chunks(encoded, start + _RIFF_HEADER, is_big_endian)
    stated = number_at(encoded, ds64.start + _DS64_DATA_SIZE, size=8, is_big_endian=is_big_endian)
    is_elsewhere = is_large & (ds64.start >= 0) & (data.size == PLACEHOLDER) & (stated > 0)
    return Riff(is_wave, is_big_endian, fmt, data._replace(size=tf.where(is_elsewhere, stated, data.size)))


def is_chunk_at(encoded: tf.Tensor, position: tf.Tensor, *, is_big_endian: tf.Tensor) -> tf.Tensor:
    """Bool []: whether what lies at int64 [] looks like a chunk: an id of printable ASCII, and a size that
    ends inside the file.
    """
    rest = tf.cast(tf.strings.length(encoded), tf.int64) - position - _CHUNK_HEADER
    size = number_at(encoded, position + 4, size=4, is_big_endian=is_big_endian)
    return _is_name(encoded, position) & (rest >= size)


def number_at(encoded: tf.Tensor, position: tf.Tensor, *, size: int, is_big_endian: tf.Tensor) -> tf.Tensor:
    """int64 []: the unsigned number in `size` ≤ 8 bytes at int64 []; bytes beyond the end are 0."""
    values = tf.cast(
        tf.io.decode_raw(text_at(encoded, position, size=size), tf.uint8, fixed_length=size), tf.int64
    )
    shifts = tf.range(0, 8 * size, 8, tf.int64)
    shifts = tf.where(is_big_endian, shifts[::-1], shifts)
    return tf.reduce_sum(tf.bitwise.left_shift(values, shifts))


def text_at(encoded: tf.Tensor, position: tf.Tensor, *, size: int) -> tf.Tensor:
    """string []: up to `size` bytes from int64 [] on; none before the beginning or beyond the end."""
    length = tf.cast(tf.strings.length(encoded), tf.int64)
    inside = (position >= 0) & (position < length)
    return tf.strings.substr(encoded, tf.where(inside, position, 0), size * tf.cast(inside, tf.int64))


def _find_chunks(
    encoded: tf.Tensor, start: tf.Tensor, is_big_endian: tf.Tensor
) -> tuple[Chunk, Chunk, Chunk]:
    """`fmt `, `data` and `ds64`. Each step moves on by at least a chunk's header, and a size that leaves the
    file ends the walk.
    """
    length = tf.cast(tf.strings.length(encoded), tf.int64)

    def seeks(position: tf.Tensor, count: tf.Tensor, fmt: Chunk, data: Chunk, ds64: Chunk) -> tf.Tensor:
        return (data.start < 0) & (position + _CHUNK_HEADER <= length) & (count < MAX_CHUNKS)

    def step(
        position: tf.Tensor, count: tf.Tensor, fmt: Chunk, data: Chunk, ds64: Chunk
    ) -> tuple[tf.Tensor, tf.Tensor, Chunk, Chunk, Chunk]:
        size = number_at(encoded, position + 4, size=4, is_big_endian=is_big_endian)
        here, name = Chunk(position + _CHUNK_HEADER, size), text_at(encoded, position, size=4)
        fmt = _choose(tf.equal(name, b"fmt ") & (fmt.start < 0), here, fmt)
        data = _choose(tf.equal(name, b"data"), here, data)
        ds64 = _choose(tf.equal(name, b"ds64"), here, ds64)
        return here.start + size + _padding(encoded, here), count + 1, fmt, data, ds64

    nowhere = Chunk(tf.constant(-1, tf.int64), tf.constant(0, tf.int64))
    _, _, *found = tf.while_loop(seeks, step, (start, tf.constant(0), nowhere, nowhere, nowhere))
    fmt, data, ds64 = found
    return fmt, data, ds64


def _start(encoded: tf.Tensor) -> tf.Tensor:
    """int64 []: where the file itself begins, behind an ID3 tag if there is one."""
    zero = tf.constant(0, tf.int64)
    sizes = tf.io.decode_raw(text_at(encoded, zero + 6, size=4), tf.uint8, fixed_length=4)  # 7 bits in each
    tag = tf.reduce_sum(tf.bitwise.left_shift(tf.cast(sizes % 128, tf.int64), tf.range(21, -1, -7, tf.int64)))
    return tf.where(tf.equal(text_at(encoded, zero, size=3), b"ID3"), _ID3_HEADER + tag, 0)


def _padding(encoded: tf.Tensor, chunk: Chunk) -> tf.Tensor:
    """int64 []: 1 behind a chunk of odd size, 0 if another chunk follows at once."""
    is_forgotten = tf.reduce_any(tf.equal(text_at(encoded, chunk.start + chunk.size, size=4), USUAL_NAMES))
    return tf.cast((chunk.size % 2 == 1) & ~is_forgotten, tf.int64)


def _is_name(encoded: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
    codes = tf.io.decode_raw(text_at(encoded, position, size=4), tf.uint8, fixed_length=4)
    return tf.reduce_all((codes >= 0x20) & (codes <= 0x7E))


def _choose(condition: tf.Tensor, first: Chunk, second: Chunk) -> Chunk:
    return Chunk(*(tf.where(condition, one, other) for one, other in zip(first, second, strict=True)))
