"""What a file is that is not read: its kind by its first bytes, and how to convert it.

Sources: the signatures are those of the formats' own specifications, as Wikipedia's "List of file signatures"
collects them; ISO/IEC 14496-12 for the brand behind `ftyp`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

Mark = tuple[int, bytes]
"""(offset, bytes) that must stand there."""


class FileType(NamedTuple):
    """A kind of file.

    Attributes:
        name: for a sentence, with its article.
        signatures: of each, every mark must be there.
        remedy: what to do with it, as a sentence.
        medium: name of the medium that is read from such files, if one is.
        pattern: regular expression, capitals aside and for all lines at once, that the text of a file of this
            kind may fit too.
    """

    name: str
    signatures: tuple[tuple[Mark, ...], ...]
    remedy: str
    medium: str | None = None
    pattern: str | None = None


def _starts(*texts: bytes) -> tuple[tuple[Mark, ...], ...]:
    return tuple(((0, text),) for text in texts)


def _brands(*names: bytes) -> tuple[tuple[Mark, ...], ...]:
    return tuple(((4, b"ftyp" + name),) for name in names)


def _riff(form: bytes) -> tuple[tuple[Mark, ...], ...]:
    return tuple(((0, name), (8, form)) for name in (b"RIFF", b"RIFX", b"RF64"))


_TO_JPEG = "Convert it to JPEG or PNG, for example with ImageMagick, `magick in.{0} out.png`."
_TO_WAV = "Convert it to WAV, for example with `ffmpeg -i in.{0} out.wav`."
_AS_IMAGE = "Pass it as one of `images`."
_AS_AUDIO = "Pass it as `audio`."
_DECODE = "Pass the bytes that it stands for, for example those of `base64.b64decode(text)`."
_FETCH = "It is often the answer of a server to a wrong address; fetch the file itself."

UNKNOWN = FileType("a file of unknown kind", (), "Check that it is the file that was meant, and not cut.")

BINARY_TYPES = (
    FileType("a HEIC photograph", _brands(b"hei", b"hev", b"mif1", b"msf1"), _TO_JPEG.format("heic")),
    FileType("an AVIF image", _brands(b"avif", b"avis"), _TO_JPEG.format("avif")),
    FileType("a TIFF image", _starts(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _TO_JPEG.format("tiff")),
    FileType("a JPEG XL image", _starts(b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"), _TO_JPEG.format("jxl")),
    FileType(
        "a JPEG 2000 image",
        _starts(b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n"),
        _TO_JPEG.format("jp2"),
    ),
    FileType("a Windows icon", _starts(b"\0\0\1\0", b"\0\0\2\0"), _TO_JPEG.format("ico")),
    FileType("a Photoshop document", _starts(b"8BPS"), _TO_JPEG.format("psd")),
    FileType("a QOI image", _starts(b"qoif"), _TO_JPEG.format("qoi")),
    FileType("an OpenEXR image", _starts(b"v/1\x01"), _TO_JPEG.format("exr")),
    FileType("a PostScript document", _starts(b"%!PS", b"\xc5\xd0\xd3\xc6"), _TO_JPEG.format("eps")),
    FileType(
        "a PDF document",
        _starts(b"%PDF"),
        "Turn its pages into images, for example with `pdftoppm -png in.pdf page`.",
    ),
    FileType("an M4A file", _brands(b"M4A", b"M4B", b"F4A"), _TO_WAV.format("m4a")),
    FileType("an MP4 or MOV file", _brands(b""), _TO_WAV.format("mp4")),
    FileType("an Ogg file", _starts(b"OggS"), _TO_WAV.format("ogg")),
    FileType("a FLAC file", _starts(b"fLaC"), _TO_WAV.format("flac")),
    FileType("a WebM or Matroska file", _starts(b"\x1aE\xdf\xa3"), _TO_WAV.format("webm")),
    FileType(
        "an AIFF file", (((0, b"FORM"), (8, b"AIFF")), ((0, b"FORM"), (8, b"AIFC"))), _TO_WAV.format("aiff")
    ),
    FileType("an AMR file", _starts(b"#!AMR"), _TO_WAV.format("amr")),
    FileType("an AU file", _starts(b".snd", b"dns."), _TO_WAV.format("au")),
    FileType("a Core Audio file", _starts(b"caff"), _TO_WAV.format("caf")),
    FileType("a Windows Media file", _starts(b"\x30\x26\xb2\x75"), _TO_WAV.format("wma")),
    FileType("a Wave64 file", _starts(b"riff\x2e\x91\xcf\x11"), _TO_WAV.format("w64")),
    FileType("an AVI video", _riff(b"AVI "), _TO_WAV.format("avi")),
    FileType("a MIDI file", _starts(b"MThd"), "It holds notes, not sound; render it to WAV."),
    FileType("an AAC file", _starts(b"\xff\xf1", b"\xff\xf9"), _TO_WAV.format("aac")),
    FileType(
        "an MP3 file",
        _starts(b"ID3", *(bytes([0xFF, low]) for low in (0xFB, 0xFA, 0xF3, 0xF2, 0xE3, 0xE2))),
        _TO_WAV.format("mp3"),
    ),
    FileType("a JPEG image", _starts(b"\xff\xd8\xff"), _AS_IMAGE, "image"),
    FileType("a PNG image", _starts(b"\x89PNG\r\n\x1a\n"), _AS_IMAGE, "image"),
    FileType("a GIF image", _starts(b"GIF87a", b"GIF89a"), _AS_IMAGE, "image"),
    FileType("a WebP image", _riff(b"WEBP"), _AS_IMAGE, "image"),
    FileType("a BMP image", (((0, b"BM"), (6, b"\0\0\0\0")),), _AS_IMAGE, "image"),
    FileType("a WAV file", _riff(b"WAVE"), _AS_AUDIO, "audio"),
    FileType("a NumPy array", _starts(b"\x93NUMPY"), "Load it with `numpy.load` and pass the array."),
    FileType("a ZIP archive", _starts(b"PK\x03\x04"), "Unpack it and pass the file inside."),
    FileType("a gzip file", _starts(b"\x1f\x8b"), "Unpack it and pass the file inside."),
)
"""By their first bytes; the first that fits. Most alike ones are told apart by their order."""

TEXT_TYPES = (
    FileType(
        "an SVG drawing",
        _starts(b"<svg"),
        _TO_JPEG.format("svg"),
        pattern=r"<(\?xml|!doctype svg|!--).*<svg.*",
    ),
    FileType("an HTML page", _starts(b"<!doctype html", b"<html", b"<head", b"<body"), _FETCH),
    FileType("an XML document", _starts(b"<?xml"), _FETCH),
    FileType("a JSON document", _starts(b"{", b"["), _FETCH),
    FileType("a data URL", _starts(b"data:"), _DECODE),
    FileType(
        "a URL", _starts(b"http://", b"https://", b"gs://", b"file://"), "Pass the bytes of the file there."
    ),
)
"""By the beginning of their text, spaces and capitals aside."""

BASE64 = FileType("base64 text", (), _DECODE, pattern=r"[A-Za-z0-9+/_-]{20,}={0,2}[A-Za-z0-9+/=_\s-]*")
"""By its alphabet."""

EMPTY = FileType("an empty file", (), "Check that it was written to its end.")

FILE_TYPES = (UNKNOWN, *BINARY_TYPES, *TEXT_TYPES, BASE64, EMPTY)
"""The place of a type is its number in a fault's detail, and keeps its meaning within a release."""

WAV_CODECS: Mapping[int, str] = {
    0x02: "Microsoft ADPCM",
    0x11: "IMA ADPCM",
    0x20: "Yamaha ADPCM",
    0x22: "DSP Group TrueSpeech",
    0x31: "GSM 6.10",
    0x40: "G.721 ADPCM",
    0x45: "G.726 ADPCM",
    0x50: "MPEG layer 2",
    0x55: "MP3",
    0x64: "G.726 ADPCM",
    0x65: "G.722 ADPCM",
    0xFF: "AAC",
    0x92: "Dolby AC-3",
    0x160: "Windows Media Audio",
    0x161: "Windows Media Audio",
    0x162: "Windows Media Audio",
    0x674F: "Ogg Vorbis",
    0x704F: "Opus",
    0x1600: "AAC",
    0x1610: "AAC",
    0x2000: "Dolby AC-3",
    0xF1AC: "FLAC",
}
"""Compressed sound in a WAV file, by the format tag. Source: Microsoft's `mmreg.h`; RFC 2361."""
UNKNOWN_CODEC = "sound of a kind that is not decoded"

_HEAD = 1024  # bytes that are looked at


def file_type(encoded: tf.Tensor) -> tf.Tensor:
    """int32 []: the place in `FILE_TYPES` of the kind of a file, string []."""
    head = tf.strings.substr(encoded, 0, _HEAD)
    text = tf.strings.strip(tf.strings.regex_replace(tf.strings.lower(head), "^\ufeff", ""))
    binary, textual = _first_match(head, BINARY_TYPES), _first_match(text, TEXT_TYPES)
    patterned = [
        (tf.strings.regex_full_match(text, f"(?is){kind.pattern}"), tf.constant(number))
        for number, kind in enumerate(FILE_TYPES)
        if kind.pattern
    ]
    candidates = [
        (binary < len(BINARY_TYPES), 1 + binary),
        *patterned,
        (textual < len(TEXT_TYPES), 1 + len(BINARY_TYPES) + textual),
        (tf.equal(encoded, ""), tf.constant(FILE_TYPES.index(EMPTY))),
    ]
    found = tf.constant(0)
    for condition, number in reversed(candidates):
        found = tf.where(condition, number, found)
    return found


def describe_types() -> list[dict[str, Any]]:
    """The table for a program that decodes files itself: the first entry that fits names a file.

    A signature is a list of [offset, bytes in hexadecimal] that must all stand there; `is_text` says that it
    is one of the text in small letters, without spaces around it.
    """
    return [
        {
            "name": kind.name,
            "remedy": kind.remedy,
            "medium": kind.medium,
            "is_text": kind not in BINARY_TYPES,
            "signatures": [[[offset, text.hex()] for offset, text in marks] for marks in kind.signatures],
            "pattern": kind.pattern,
        }
        for kind in FILE_TYPES
        if kind.signatures or kind.pattern
    ]


def _first_match(text: tf.Tensor, types: tuple[FileType, ...]) -> tf.Tensor:
    """int32 []: the first type with a signature that fits the text; their number if there is none."""
    owners, codes, matters = _signature_table(types)
    head = tf.io.decode_raw(text, tf.uint8, fixed_length=codes.shape[1])
    fits = tf.reduce_all((head == codes) | ~matters, axis=1)
    return tf.reduce_min(tf.where(fits, owners, len(types)))


def _signature_table(types: tuple[FileType, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of S signatures int32 [S], the type of each; uint8 [S, N], its bytes; bool [S, N], which of them
    count.
    """
    signatures = [(index, marks) for index, kind in enumerate(types) for marks in kind.signatures]
    width = max(offset + len(text) for _, marks in signatures for offset, text in marks)
    codes, matters = np.zeros([len(signatures), width], np.uint8), np.zeros([len(signatures), width], bool)
    for row, (_, marks) in enumerate(signatures):
        for offset, text in marks:
            codes[row, offset : offset + len(text)] = list(text)
            matters[row, offset : offset + len(text)] = True
    return np.array([index for index, _ in signatures], np.int32), codes, matters
