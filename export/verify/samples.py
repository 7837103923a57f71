"""Inputs to compare on: texts, pixels and sounds, from harmless to hostile, the same at every run of a
seed.
"""

import importlib.resources
import pathlib
import random
from collections.abc import Sequence

import numpy as np

PLANES = (
    (0x20, 0x7F),
    (0xA0, 0x250),
    (0x370, 0x600),
    (0x900, 0xE00),
    (0x2000, 0x2800),
    (0x3040, 0x9FFF),
    (0xAC00, 0xD7A4),
    (0x1F300, 0x1FAFF),
)
"""Ranges of code points that texts are mostly written with; the generator draws from all of Unicode too."""

FIXED_TEXTS = (
    "",
    "This is a test.",
    " leading and trailing ",
    "tabs\tand\r\nnewlines\n\n\n",
    "NUL \x00 inside",
    "Größe naïve Ångström e\u0301 ﬁ ½",
    "\u2581literal\u2581 lower one eighth block",
    "日本語のテキスト 한국어 العربية हिन्दी ไทย",
    "👩‍👩‍👧‍👦🏳️‍🌈 \U0001f1e9\U0001f1ea",
    "<bos><eos><pad><unk> <|turn>user\nhi<turn|>",
    "<|image|><|image><image|><|audio|><|audio><audio|><|video|>",
    "a" * 300,
    " " * 70,
    "\n" * 70,
    "0123456789 3.14159 1e-10",
)


DEMONSTRATION = {"image": "photo.jpg", "audio": "speech.wav"}
"""The shipped file of each medium, by its name."""


def demonstration_file(name: str) -> pathlib.Path:
    """Path of a shipped file: `photo.jpg`, `speech.wav` or `demonstration.spm`."""
    package = "graph_ops.demonstration" if name.endswith(".spm") else "export.demonstration"
    return pathlib.Path(str(importlib.resources.files(package).joinpath(name)))


def hostile_texts(
    count: int, *, pieces: Sequence[str], seed: int = 0, invalid_utf8: bool = True
) -> list[bytes]:
    """Random texts of up to about 80 characters.

    Args:
        count: how many.
        pieces: the vocabulary; its pieces are pasted together to make near misses of merges.
        seed: of the generator.
        invalid_utf8: whether some are not UTF-8.
    """
    draw = random.Random(seed)
    controls = [piece for piece in pieces[:512] if piece.startswith("<") and not piece.startswith("<0x")]
    makers = [
        lambda: "".join(chr(draw.randrange(*draw.choice(PLANES))) for _ in range(draw.randrange(40))),
        lambda: "".join(_any_character(draw) for _ in range(draw.randrange(30))),
        lambda: "".join(draw.choice(pieces).replace("\u2581", " ") for _ in range(draw.randrange(12))),
        lambda: "".join(
            draw.choice([draw.choice(controls), " ", "a", "<", "|", ">", "\n"])
            for _ in range(draw.randrange(16))
        ),
        lambda: "".join(
            draw.choice([" ", "\n", "\t", "x", "\u2581", "\u3000", "\u00a0"]) * draw.randrange(1, 40)
            for _ in range(draw.randrange(6))
        ),
        lambda: "".join(
            draw.choice("abcdefghijklmnopqrstuvwxyz ,.'-ABC0123456789\x00") for _ in range(draw.randrange(80))
        ),
    ]
    texts = [draw.choice(makers)().encode("utf-8") for _ in range(count)]
    if invalid_utf8:
        texts = [_damaged(text, draw) if index % 5 == 4 else text for index, text in enumerate(texts)]
    return texts


def _any_character(draw: random.Random) -> str:
    code = draw.randrange(0x110000)
    return chr(code if not 0xD800 <= code < 0xE000 else 0xFFFD)


def _damaged(text: bytes, draw: random.Random) -> bytes:
    """The text with a few bytes replaced, put in or cut off."""
    damaged = bytearray(text)
    for _ in range(draw.randrange(1, 4)):
        position = draw.randrange(len(damaged) + 1)
        damaged[position : position + draw.randrange(2)] = bytes([draw.randrange(0x80, 0x100)])
    return bytes(damaged[: len(damaged) - draw.randrange(2)])


def pixels(height: int, width: int, *, seed: int = 0, smooth: bool = True) -> np.ndarray:
    """An image uint8 [height, width, 3]: gradients with sharp shapes and a little noise, or noise alone."""
    generator = np.random.default_rng(seed)
    noise = generator.integers(0, 256, (height, width, 3))
    if not smooth:
        return noise.astype(np.uint8)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    waves = np.stack([np.sin(7 * x + 3 * y), np.cos(5 * y - 2 * x), np.sin(11 * x * y)], axis=-1)
    disc = ((x - 0.4) ** 2 + (y - 0.6) ** 2 < 0.05)[..., np.newaxis]
    return np.clip(127 + 100 * waves + 60 * disc + noise / 16, 0, 255).astype(np.uint8)


def sounds(length: int, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Clips float32 [length] by name: silence, noise, clicks, a full-scale square wave, a sweep."""
    generator = np.random.default_rng(seed)
    time = np.arange(length) / 16_000
    clicks = np.zeros(length, np.float32)
    clicks[::1601] = 1.0
    return {
        "silence": np.zeros(length, np.float32),
        "noise": (0.3 * generator.standard_normal(length)).astype(np.float32),
        "clicks": clicks,
        "square": np.sign(np.sin(2 * np.pi * 437 * time)).astype(np.float32),
        "sweep": np.sin(2 * np.pi * (50 + 900 * time) * time).astype(np.float32),
    }
