"""WAV files of any header, made by hand."""

import struct

import numpy as np

GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")


def chunk(name, body, size=None):
    return name + struct.pack("<I", len(body) if size is None else size) + body + b"\0" * (len(body) % 2)


def fmt(tag=1, channels=1, rate=16_000, bits=16, block=None, extra=b""):
    block = channels * bits // 8 if block is None else block
    return chunk(
        b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * block & 0xFFFFFFFF, block, bits) + extra
    )


def riff(*chunks, name=b"RIFF", form=b"WAVE"):
    return name + struct.pack("<I", (4 + sum(map(len, chunks))) & 0xFFFFFFFF) + form + b"".join(chunks)


def extensible(bits, tag, block=None, tail=GUID_TAIL, **settings):
    return fmt(
        0xFFFE, bits=bits, block=block, extra=struct.pack("<HHIH", 22, bits, 4, tag) + tail, **settings
    )


SINE = np.sin(np.arange(500) / 7)
PCM_16 = (SINE * 32767).astype("<i2")
GOOD = riff(fmt(), chunk(b"data", PCM_16.tobytes()))
