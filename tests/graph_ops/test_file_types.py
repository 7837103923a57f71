"""A file that is not read is called by its name."""

import json

import hypothesis
import pytest
import tensorflow as tf
from hypothesis import strategies as st

from graph_ops.file_types import (
    BINARY_TYPES,
    FILE_TYPES,
    TEXT_TYPES,
    WAV_CODECS,
    describe_types,
    file_type,
)

NAMES = {
    b"\0\0\0\x18ftypheic\0\0\0\0mif1heic": "a HEIC photograph",
    b"\0\0\0\x20ftypavif\0\0\0\0": "an AVIF image",
    b"II*\0\x08\0\0\0": "a TIFF image",
    b"MM\0*\0\0\0\x08": "a TIFF image",
    b"\xff\x0a\x7f": "a JPEG XL image",
    b"\0\0\0\x0cJXL \r\n\x87\n": "a JPEG XL image",
    b"\0\0\0\x0cjP  \r\n\x87\n": "a JPEG 2000 image",
    b"\0\0\1\0\1\0": "a Windows icon",
    b"%PDF-1.7": "a PDF document",
    b"<svg xmlns='http://www.w3.org/2000/svg'/>": "an SVG drawing",
    b'<?xml version="1.0"?>\n<!-- made by hand -->\n<svg/>': "an SVG drawing",
    b"\xef\xbb\xbf<?xml version='1.0'?><SVG>": "an SVG drawing",
    b"<?xml version='1.0'?><Error>": "an XML document",
    b"\n <!DOCTYPE HTML><p>": "an HTML page",
    b"<html>": "an HTML page",
    b'{"error": 404}': "a JSON document",
    b"data:image/png;base64,iVBORw0KGgo=": "a data URL",
    b"https://example.org/cat.jpg": "a URL",
    b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9Q": "base64 text",
    b"UklGRiQAAABXQVZFZm10IBAAAAABAAEA\r\ngD4AAAB9AAACABAAZGF0YQAAAAA=": "base64 text",
    b"ID3\4\0\0\0\0\0\0": "an MP3 file",
    b"\xff\xfb\x90\xc4": "an MP3 file",
    b"\xff\xf1\x50\x80": "an AAC file",
    b"fLaC\0\0\0\x22": "a FLAC file",
    b"OggS\0\2": "an Ogg file",
    b"\0\0\0\x18ftypM4A \0\0\0\0": "an M4A file",
    b"\0\0\0\x14ftypqt  \0\0\0\0": "an MP4 or MOV file",
    b"\x1aE\xdf\xa3": "a WebM or Matroska file",
    b"FORM\0\0\0\x32AIFFCOMM": "an AIFF file",
    b"#!AMR\n": "an AMR file",
    b".snd\0\0\0\x18": "an AU file",
    b"caff\0\1": "a Core Audio file",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "a Windows Media file",
    b"RIFF\0\0\0\0AVI LIST": "an AVI video",
    b"RIFF\0\0\0\0WAVEfmt ": "a WAV file",
    b"RIFF\0\0\0\0WEBPVP8 ": "a WebP image",
    b"\xff\xd8\xff\xe0": "a JPEG image",
    b"\x89PNG\r\n\x1a\n": "a PNG image",
    b"\x93NUMPY\1\0": "a NumPy array",
    b"PK\x03\x04": "a ZIP archive",
    b"": "an empty file",
    b"hello": "a file of unknown kind",
    b"A sentence of common words that stands in a file.": "a file of unknown kind",
    b"\0" * 40: "a file of unknown kind",
    b"RIFF": "a file of unknown kind",
    b"\xff": "a file of unknown kind",
}


def name_of(file):
    return FILE_TYPES[int(file_type(tf.constant(file)))].name


@pytest.mark.parametrize("file", NAMES, ids=lambda file: repr(file[:16]))
def test_a_file_is_known_by_its_beginning(file):
    assert name_of(file) == NAMES[file]


@pytest.mark.parametrize("kind", [*BINARY_TYPES, *TEXT_TYPES], ids=lambda kind: kind.name)
def test_each_signature_leads_to_its_type(kind):
    for marks in kind.signatures:
        head = bytearray(b"\1" * 64)
        for offset, text in marks:
            head[offset : offset + len(text)] = text
        assert name_of(bytes(head)) == kind.name


def test_names_and_remedies_are_sentences():
    assert len({kind.name for kind in FILE_TYPES}) == len(FILE_TYPES)
    for kind in FILE_TYPES:
        assert kind.name.split()[0] in ("a", "an", "base64")
        assert kind.remedy.endswith(".")
    assert not {1, 3, 6, 7, 0xFFFE} & set(WAV_CODECS)


def test_the_table_for_other_programs_is_json_with_every_sign():
    described = json.loads(json.dumps(describe_types()))
    assert [entry["name"] for entry in described] == [
        kind.name for kind in FILE_TYPES if kind.signatures or kind.pattern
    ]
    (wav,) = (entry for entry in described if entry["name"] == "a WAV file")
    assert wav["signatures"][0] == [[0, b"RIFF".hex()], [8, b"WAVE".hex()]]
    assert (wav["medium"], wav["is_text"], wav["pattern"]) == ("audio", False, None)


@hypothesis.settings(max_examples=100, deadline=None)
@hypothesis.given(st.binary(max_size=80))
def test_any_bytes_have_a_type(file):
    assert 0 <= int(file_type(tf.constant(file))) < len(FILE_TYPES)
