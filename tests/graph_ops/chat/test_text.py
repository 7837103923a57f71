"""What happens to texts, beside Python's own methods."""

import random
import sys

import tensorflow as tf

from graph_ops.chat.text import as_utf8, trimmed, without_thoughts

OPENING, CLOSING = "<|channel>", "<channel|>"


def test_every_character_is_trimmed_that_python_strips():
    characters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    texts = [f"{character}x{character}y{character}" for character in characters]
    assert [text.decode() for text in trimmed(tf.constant(texts)).numpy()] == [text.strip() for text in texts]


def test_texts_of_white_space_alone_become_empty():
    assert trimmed(tf.constant(["", " ", "\u3000\n \x1c", "a"])).numpy().tolist() == [b"", b"", b"", b"a"]


def test_thoughts_go_as_splitting_and_joining_takes_them():
    rng = random.Random(0)
    words = (OPENING, CLOSING, "x", "\n", "<|", "channel>", "é")
    texts = ["".join(rng.choices(words, k=rng.randrange(9))) for _ in range(5000)]
    kept = without_thoughts(tf.constant(texts), opening=OPENING, closing=CLOSING)
    assert [text.decode() for text in kept.numpy()] == [
        "".join(piece.split(OPENING)[0] for piece in text.split(CLOSING)) for text in texts
    ]


def decoded(data):
    """Each byte that begins no character as U+FFFD."""
    text, at = "", 0
    while at < len(data):
        for length in (1, 2, 3, 4):
            try:
                text += data[at : at + length].decode()
                at += length
                break
            except UnicodeDecodeError:
                continue
        else:
            text, at = f"{text}\ufffd", at + 1
    return text


def test_each_byte_that_is_not_utf8_becomes_a_replacement_character():
    rng = random.Random(1)
    pieces = [bytes([byte]) for byte in range(0x7E, 0x100)]
    pieces += [
        b"a",
        b"\0",
        "é€😀\ud7ff\ue000".encode(),
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe0\x80\x80",
    ]
    data = [b"".join(rng.choices(pieces, k=rng.randrange(9))) for _ in range(5000)]
    assert [text.decode() for text in as_utf8(tf.constant(data)).numpy()] == [decoded(each) for each in data]


def test_texts_in_utf8_stay_as_they_are():
    texts = ["", "a", "é\0\n", "\ufffd😀"]
    assert [text.decode() for text in as_utf8(tf.constant(texts)).numpy()] == texts
