"""What the template does to texts: white space at their ends, and thoughts inside an answer, go."""

import tensorflow as tf

WHITE_SPACE = (
    r"\x{9}-\x{D}\x{1C}-\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}"
)
"""The 29 code points that Python's `str.strip` takes off, as members of a class of RE2's;
`tf.strings.strip` knows those of ASCII alone.
"""

VALID = r"[\x{0}-\x{D7FF}\x{E000}-\x{10FFFF}]"
"""An expression of RE2's for a character."""
_REPLACEMENT = "\ufffd".encode()


def trimmed(texts: tf.Tensor) -> tf.Tensor:
    """Texts, string […] in UTF-8, without the white space at their ends: Python's `str.strip`."""
    return tf.strings.regex_replace(texts, rf"\A[{WHITE_SPACE}]+|[{WHITE_SPACE}]+\z", "")


def without_thoughts(texts: tf.Tensor, *, opening: str, closing: str) -> tf.Tensor:
    """Texts, string […] in UTF-8, without what stands from an `opening` to the next `closing`, or to the
    end; a `closing` that nothing opened goes too.
    """
    begin, end = quoted(opening), quoted(closing)
    return tf.strings.regex_replace(texts, rf"(?s){begin}.*?(?:{end}|\z)|{end}", "")


def as_utf8(texts: tf.Tensor) -> tf.Tensor:
    """Texts, string […], with U+FFFD for each byte that is not UTF-8, as SentencePiece reads it.

    After a byte 0xFF was put at the end, each match takes the characters up to the next byte that is none,
    and that byte; the last U+FFFD is the one for the 0xFF, and is cut off.
    """

    def replaced() -> tf.Tensor:
        ended = tf.strings.join([texts, b"\xff"])
        marked = tf.strings.regex_replace(ended, rf"({VALID}*)\C", rb"\1" + _REPLACEMENT)
        lengths = tf.strings.length(marked)
        return tf.strings.substr(marked, tf.zeros_like(lengths), lengths - len(_REPLACEMENT))

    return tf.cond(tf.reduce_all(is_utf8(texts)), lambda: texts, replaced)


def is_utf8(texts: tf.Tensor) -> tf.Tensor:
    """Bool […]: whether texts, string […], are UTF-8."""
    return tf.strings.regex_full_match(texts, f"{VALID}*")


def quoted(text: str) -> str:
    """A regular expression of RE2's for the text itself."""
    return "".join(character if character.isalnum() else f"\\{character}" for character in text)
