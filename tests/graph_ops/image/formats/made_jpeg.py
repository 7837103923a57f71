"""JPEGs that Pillow does not write: any number of colours, any sampling, constant blocks."""

import struct

import numpy as np

SCAN = b"\xff\xda"
LENGTHS = bytes([0, 0, 0, 12]) + bytes(12)
"""Twelve Huffman codes of 4 bits: code n stands for symbol n."""


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def adobe(transform: int) -> bytes:
    return segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([transform]))


def jpeg(
    size: tuple[int, int],
    sampling: list[tuple[int, int]],
    *,
    names: bytes = b"\1\2\3\4",
    before: bytes = b"",
    frame: int = 0xC0,
    bits: int = 8,
    seed: int = 0,
) -> bytes:
    """A baseline JPEG of blocks of one level each, at random.

    Args:
        size: height and width.
        sampling: of each colour, across and down.
        names: the colours' identifiers.
        before: segments behind the start.
        frame: marker of the frame.
        bits: of a sample, as the frame says.
        seed: of the levels.
    """
    height, width = size
    across, down = (max(axis) for axis in zip(*sampling, strict=True))
    units = -(-width // (8 * across)) * -(-height // (8 * down))
    random, levels, codes = np.random.default_rng(seed), [0] * len(sampling), ""
    for _ in range(units):
        for color, (columns, rows) in enumerate(sampling):
            for _ in range(columns * rows):
                level = int(random.integers(-64, 64))
                codes += coded(level - levels[color]) + "0000"
                levels[color] = level
    codes += "1" * (-len(codes) % 8)
    scan = int(codes, 2).to_bytes(len(codes) // 8, "big").replace(b"\xff", b"\xff\0")
    colors = [bytes([names[index], 16 * a + d, 0]) for index, (a, d) in enumerate(sampling)]
    head = struct.pack(">BHHB", bits, height, width, len(sampling)) + b"".join(colors)
    tables = b"".join(segment(0xC4, bytes([kind]) + LENGTHS + bytes(range(12))) for kind in (0, 16))
    selectors = b"".join(bytes([names[index], 0]) for index in range(len(sampling)))
    start = segment(0xDA, bytes([len(sampling)]) + selectors + b"\0\x3f\0")
    quantization = segment(0xDB, b"\0" + bytes([16]) * 64)
    return b"\xff\xd8" + before + quantization + segment(frame, head) + tables + start + scan + b"\xff\xd9"


def coded(difference: int) -> str:
    """Bits of a level's difference: its length's code, then itself, one less if negative."""
    length = abs(difference).bit_length()
    value = difference if difference >= 0 else difference + 2**length - 1
    return f"{length:04b}" + (f"{value:0{length}b}" if length else "")


def with_adobe(encoded: bytes, transform: int) -> bytes:
    """A file with an Adobe segment in which another transform stands."""
    at = encoded.index(b"Adobe") + 11
    return encoded[:at] + bytes([transform]) + encoded[at + 1 :]


def without_adobe(encoded: bytes) -> bytes:
    at = encoded.index(b"\xff\xee\0\x0eAdobe")
    return encoded[:at] + encoded[at + 16 :]
