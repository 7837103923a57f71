"""GIFs that Pillow does not write."""

import struct

COLORS = bytes(range(10, 22))
"""A palette of four colours."""


def codes(pixels: list[int], *, bits: int = 2, end: bool = True) -> bytes:
    """Blocks of uncompressed codes of `bits` + 1 bits: a clearing one before each pixel; without the 0 behind
    them.
    """
    clear = 1 << bits
    numbers = [code for pixel in pixels for code in (clear, pixel)] + ([clear + 1] if end else [])
    packed = sum(code << (bits + 1) * place for place, code in enumerate(numbers))
    stored = packed.to_bytes(((bits + 1) * len(numbers) + 7) // 8, "little")
    return b"".join(
        bytes([len(part)]) + part for part in (stored[at : at + 255] for at in range(0, len(stored), 255))
    )


def flags(palette: bytes) -> int:
    """The flags of a screen or frame with a palette of a power of two colours."""
    return 0x80 | (len(palette) // 3).bit_length() - 2 if palette else 0


def gif(
    *,
    screen: tuple[int, int],
    frame: tuple[int, int, int, int],
    transparent: int | None = None,
    palette: bytes = COLORS,
    own_palette: bytes = b"",
    frames: int = 1,
    interlaced: bool = False,
    bits: int = 2,
    before: bytes = b"!\xfe\x02hi\0",
    blocks: bytes | None = None,
    end: bytes = b";",
) -> bytes:
    """A GIF whose frame (left, top, width, height) need not be the screen's. Pixels count 0 1 2 3 0 1 …"""
    _, _, width, height = frame
    if blocks is None:
        blocks = codes([pixel % 2**bits for pixel in range(width * height)], bits=bits) + b"\0"
    control = b"" if transparent is None else b"!\xf9\x04\x01\0\0" + bytes([transparent]) + b"\0"
    descriptor = struct.pack("<HHHHB", *frame, flags(own_palette) | (64 if interlaced else 0))
    image = control + b"," + descriptor + own_palette + bytes([bits]) + blocks
    head = b"GIF89a" + struct.pack("<HHBBB", *screen, flags(palette), 3, 0) + palette
    return head + before + image * frames + end
