"""What can be wrong with one row, as a table: a code for devices, a sentence for people.

Every step that can meet bad data returns `fault` int32 (a `Fault`, 0 = good) and `detail` int32 [..., 2] (the
two numbers that its sentence quotes) beside its result instead of raising, because in a server one raised
error fails every row of the batch. Python callers get the same sentence as a `ValueError`.
"""

import enum
import string
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.file_types import FILE_TYPES, UNKNOWN_CODEC, WAV_CODECS
from graph_ops.target import LITERT

MOST_QUOTED = 8
"""How many faulty items one exception quotes."""


class Fault(enum.IntEnum):
    """Codes of per-row faults. A code, once released, keeps its meaning."""

    NONE = 0
    IMAGE_UNDECODABLE = 1
    IMAGE_TOO_LARGE = 2
    IMAGE_TOO_THIN = 3
    IMAGE_COUNT = 4
    AUDIO_UNDECODABLE = 5
    AUDIO_FORMAT = 6
    AUDIO_TRUNCATED = 7
    AUDIO_EMPTY = 8
    AUDIO_COUNT = 9
    MEDIA_IN_RESPONSE = 10
    MEDIA_DO_NOT_FIT = 11
    TOKEN_ID_OUT_OF_RANGE = 12
    IMAGE_LIMIT = 13
    AUDIO_LIMIT = 14
    TEXT_LENGTH = 15
    AUDIO_LENGTH = 16
    SOFT_TOKENS = 17
    IMAGE_SIZE = 18
    AUDIO_VALUE = 19
    IMAGE_FILE_TYPE = 20
    AUDIO_FILE_TYPE = 21
    AUDIO_CODEC = 22
    AUDIO_TOO_SHORT = 23
    TOO_MANY_TOKENS = 30
    SPELLED_QUOTE = 31


SENTENCES: Mapping[Fault, str] = {
    Fault.IMAGE_FILE_TYPE: (
        "`images`: an image must be a JPEG, PNG, GIF, BMP or WebP file; got {0:file_type}, {1} bytes. "
        "{0:remedy}"
    ),
    Fault.IMAGE_UNDECODABLE: (
        "`images`: an image must be an intact JPEG, PNG, GIF, BMP or WebP file; got {0} bytes that do not "
        "decode. Re-encode it, for example as PNG."
    ),
    Fault.IMAGE_TOO_LARGE: (
        "`images`: an image must not exceed `max_image_pixels`; got one of height {0} and width {1}. "
        "Shrink it or raise `max_image_pixels`."
    ),
    Fault.IMAGE_TOO_THIN: (
        "`images`: an image must keep at least one soft token when its aspect ratio is kept; got one of "
        "height {0} and width {1}. Crop or pad it."
    ),
    Fault.IMAGE_COUNT: (
        "`prompts`: a prompt needs one `<|image|>` for each of its images; got {0} placeholder(s) and {1} "
        "image(s). Make them equal."
    ),
    Fault.AUDIO_FILE_TYPE: ("`audio`: a clip must be a WAV file; got {0:file_type}, {1} bytes. {0:remedy}"),
    Fault.AUDIO_UNDECODABLE: (
        "`audio`: a clip must be a RIFF WAVE file with `fmt ` and `data` chunks; got {0} bytes that are "
        "not. Convert it to 16-bit PCM WAV."
    ),
    Fault.AUDIO_CODEC: (
        "`audio`: a WAV file must hold integers, floats, A-law or mu-law; got {0:codec}, format tag {0}. "
        "Convert it to 16-bit PCM WAV, for example with `ffmpeg -i in.wav -c:a pcm_s16le out.wav`."
    ),
    Fault.AUDIO_FORMAT: (
        "`audio`: a WAV file must hold integers of 1 to 32 bits, floats of 32 or 64, A-law or mu-law, at 1 "
        "Hz "
        "to 768 kHz, under a consistent header; got format tag {0} with {1} bits. Convert it to 16-bit PCM "
        "WAV."
    ),
    Fault.AUDIO_TRUNCATED: (
        "`audio`: with `strict`, the `data` chunk must have the size that its header states; it states {0} "
        "bytes and {1} are there. Send the whole file, rewrite its header, or switch `strict` off."
    ),
    Fault.AUDIO_EMPTY: (
        "`audio`: a clip must have at least one sample; got {0}. Leave the clip and its `<|audio|>` out."
    ),
    Fault.AUDIO_TOO_SHORT: (
        "`audio`: a clip must be long enough for one soft token, {1} samples at 16 kHz (10 ms); got {0}. Pad "
        "it with silence, or leave the clip and its `<|audio|>` out."
    ),
    Fault.AUDIO_VALUE: (
        "`audio`: samples must be finite and within ±2**31, the range of 32-bit integers; got {0} that are "
        "not, the first at {1}. Scale the clip to -1…1 and replace NaN and infinities."
    ),
    Fault.AUDIO_COUNT: (
        "`prompts`: a prompt needs one `<|audio|>` for each of its clips; got {0} placeholder(s) and {1} "
        "clip(s). Make them equal."
    ),
    Fault.MEDIA_IN_RESPONSE: (
        "`responses`: media belong in the prompt; got {0} placeholder(s) in a response, the first as "
        "token {1}. Move them to `prompts`."
    ),
    Fault.MEDIA_DO_NOT_FIT: (
        "`prompts`: all of a prompt's media must fit into the row; they end at token {0} of a row that holds "
        "{1}. Raise `sequence_length` or shorten the text before the last medium."
    ),
    Fault.TOO_MANY_TOKENS: (
        "`prompts`: a request must fit into the row, or its text is cut; it takes {0} tokens of a row that "
        "holds {1}. Raise `sequence_length` or shorten the text."
    ),
    Fault.SPELLED_QUOTE: (
        '`token_ids`: in a call, `<|"|>` must be the token; got {0} in the text of a call, of which {1} are '
        "the token, so that its strings cannot be told apart. Leave the call out, or let the model answer "
        "again."
    ),
    Fault.TOKEN_ID_OUT_OF_RANGE: (
        "`token_ids`: an id must be in [0, {1}); got {0}. Pass ids of this vocabulary."
    ),
    Fault.IMAGE_LIMIT: (
        "`images`: a prompt may have at most `max_images_per_prompt` images; got {0}, and the most is {1}. "
        "Send fewer or raise the limit."
    ),
    Fault.AUDIO_LIMIT: (
        "`audio`: a prompt may have at most `max_audio_clips_per_prompt` clips; got {0}, and the most is "
        "{1}. Send fewer or raise the limit."
    ),
    Fault.TEXT_LENGTH: (
        "`prompts`, `text`: a length must be from 0 to the number of bytes or ids given; got {0}, and {1} "
        "are given. Pass the true length, or take a signature for longer texts."
    ),
    Fault.AUDIO_LENGTH: (
        "`audio_lengths`: a length must be from 0 to the number of samples given; got {0}, and {1} are "
        "given. Pass the true length, or take a signature for longer clips."
    ),
    Fault.SOFT_TOKENS: (
        "`image_soft_tokens`, `audio_soft_tokens`: a count must be from 0 to the most that a medium takes; "
        "got {0}, and the most is {1}. Pass what `preprocess_image` and `preprocess_audio` return."
    ),
    Fault.IMAGE_SIZE: (
        "`image_sizes`: a height and width must lie within the array that holds the image, on a device also "
        f"within {LITERT.longest_side:,} pixels; got {{0}} and {{1}}. Pass the true size, or 0, 0 for no "
        "image."
    ),
}


class Finding(NamedTuple):
    """What is wrong with each item.

    Attributes:
        fault: int32 […], a `Fault`; 0 where nothing is wrong.
        detail: int32 […, 2], the two numbers that the sentence quotes.
    """

    fault: tf.Tensor
    detail: tf.Tensor

    @classmethod
    def none(cls, like: tf.Tensor) -> "Finding":
        """Nothing wrong with any item of a tensor […] of any dtype."""
        zeros = tf.zeros_like(like, tf.int32)
        return cls(zeros, tf.stack([zeros, zeros], axis=-1))

    @property
    def is_clean(self) -> tf.Tensor:
        """Bool […], True where nothing is wrong."""
        return tf.equal(self.fault, 0)

    def at(self, index: tf.Tensor) -> "Finding":
        """The finding of one item."""
        return Finding(self.fault[index], self.detail[index])

    def of_rows(self) -> "Finding":
        """A row's finding [B]: the first fault of its K slots, from [B, K]; K may be 0."""
        fault, detail = tf.pad(self.fault, [[0, 0], [0, 1]]), tf.pad(self.detail, [[0, 0], [0, 1], [0, 0]])
        slot = tf.argmax(tf.not_equal(fault, 0), axis=1, output_type=tf.int32)
        return Finding(tf.gather(fault, slot, batch_dims=1), tf.gather(detail, slot, batch_dims=1))


def check(condition: tf.Tensor, fault: Fault, first: tf.Tensor | int, second: tf.Tensor | int) -> Finding:
    """`fault` with its two numbers where `condition` bool […] holds, `Fault.NONE` elsewhere."""
    zeros = tf.zeros_like(condition, tf.int32)
    detail = tf.stack([zeros + first, zeros + second], axis=-1)
    return Finding(tf.where(condition, int(fault), zeros), tf.where(condition[..., tf.newaxis], detail, 0))


def first_finding(*findings: Finding) -> Finding:
    """For each item the first of several findings that is a fault."""
    fault, detail = findings[0]
    for later in findings[1:]:
        clean = tf.equal(fault, 0)
        fault = tf.where(clean, later.fault, fault)
        detail = tf.where(clean[..., tf.newaxis], later.detail, detail)
    return Finding(fault, detail)


def status_messages(finding: Finding) -> tf.Tensor:
    """The sentence of each row's fault, "" for a good row: string [B]."""
    good = tf.zeros_like(finding.fault, tf.string)
    return tf.cond(tf.reduce_any(tf.not_equal(finding.fault, 0)), lambda: _sentences(finding), lambda: good)


def raise_findings(finding: Finding, item: str) -> None:
    """Raises what is wrong with any of B items: `ValueError` eagerly, an assertion in a graph.

    Raises:
        ValueError: quotes each faulty item's index and sentence.
    """
    messages = status_messages(finding)
    if tf.executing_eagerly():
        faulty = [(index, message) for index, message in enumerate(messages.numpy()) if message]
        lines = [f"{item} {index}: {message.decode()}" for index, message in faulty[:MOST_QUOTED]]
        if len(faulty) > MOST_QUOTED:
            lines.append(f"and {len(faulty) - MOST_QUOTED:,} more")
        if faulty:
            raise ValueError("\n".join(lines))
    else:
        tf.debugging.Assert(tf.reduce_all(finding.is_clean), [messages], summarize=MOST_QUOTED)


def sentence(fault: Fault, first: int, second: int) -> str:
    """The sentence of one fault with its two numbers."""
    numbers = tf.constant([[first, second]], tf.int32)
    return status_messages(Finding(tf.constant([int(fault)]), numbers)).numpy()[0].decode()


def _sentences(finding: Finding) -> tf.Tensor:
    """A sentence is text, a field, text, … text: both come from constant tables by code, and what the fields
    say of a row is put together once for all sentences.
    """
    texts, fields = _TABLES
    columns = [tf.zeros_like(finding.fault, tf.string)]
    for number, form in _FIELDS:
        detail = finding.detail[:, number]
        columns.append(_WORDS[form](detail) if form else tf.strings.as_string(detail))
    said = tf.gather(tf.stack(columns, axis=1), tf.gather(fields, finding.fault), batch_dims=1)
    parts = tf.stack([tf.gather(texts, finding.fault), said], axis=2)
    return tf.strings.reduce_join(tf.reshape(parts, [-1, 2 * texts.shape[1]]), axis=1)


def _tables() -> tuple[np.ndarray, np.ndarray]:
    """Texts string [codes, parts] and what follows each of them, int32 [codes, parts]: 1 + an index of
    `_FIELDS`, or 0 for nothing.
    """
    parsed = {code: list(string.Formatter().parse(sentence)) for code, sentence in SENTENCES.items()}
    shape = max(Fault) + 1, max(map(len, parsed.values()))
    texts, fields = np.full(shape, b"", object), np.zeros(shape, np.int32)
    for code, parts in parsed.items():
        for place, (text, field, form, _) in enumerate(parts):
            texts[code, place] = text.encode()
            if field is not None:
                fields[code, place] = 1 + _FIELDS.index((int(field), form))
    return texts, fields


def _listed(words: Sequence[str]) -> Callable[[tf.Tensor], tf.Tensor]:
    """The word with a number int32 [B]; what is no number of a word gets the first."""
    return lambda numbers: tf.gather(words, tf.where((numbers > 0) & (numbers < len(words)), numbers, 0))


def _codec(tags: tf.Tensor) -> tf.Tensor:
    place = tf.reduce_max(tf.where(tf.equal(tags[:, tf.newaxis], list(WAV_CODECS)), _PLACES, 0), axis=1)
    return tf.gather([UNKNOWN_CODEC, *WAV_CODECS.values()], place)


_PLACES = tuple(range(1, len(WAV_CODECS) + 1))
_WORDS: Mapping[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "file_type": _listed([kind.name for kind in FILE_TYPES]),
    "remedy": _listed([kind.remedy for kind in FILE_TYPES]),
    "codec": _codec,
}
"""What a sentence may say in place of a number: numbers int32 [B] to words string [B]."""
_FIELDS = ((0, ""), (1, ""), *((0, form) for form in _WORDS))
"""What a sentence may name: `{0}`, `{1}`, and the first number as a word."""
_TABLES = _tables()
