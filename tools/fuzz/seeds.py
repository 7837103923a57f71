"""Small whole files of every kind, to be damaged."""

import io
import struct

import numpy as np
import soundfile
from PIL import Image


def pictures() -> list[bytes]:
    """JPEG, PNG, GIF, BMP and WebP files of every mode that Pillow writes."""
    rgba = _drawing()
    rgb, exif = rgba.convert("RGB"), Image.Exif()
    exif[0x0112] = 6
    animation = {"save_all": True, "append_images": [rgba.rotate(90), rgba.rotate(180)], "duration": 9}
    return [
        *(_saved(rgb.convert(mode), "JPEG", exif=exif) for mode in ("L", "RGB", "CMYK")),
        _saved(rgb, "JPEG", progressive=True, subsampling=0),
        *(_saved(rgba.convert(mode), "PNG", exif=exif) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")),
        _saved(rgb.convert("P"), "PNG", transparency=3),
        _saved(Image.fromarray(np.arange(900, dtype=np.uint16).reshape(30, 30) * 70), "PNG"),
        *(_saved(rgba.convert(mode), "GIF") for mode in ("L", "P", "RGBA")),
        _saved(rgba.convert("P"), "GIF", **animation),
        *(_saved(rgba.convert(mode), "BMP") for mode in ("1", "L", "P", "RGB", "RGBA")),
        *(_saved(rgba, "WEBP", lossless=lossless, exif=exif) for lossless in (False, True)),
        _saved(rgb, "WEBP"),
        _saved(rgba, "WEBP", lossless=True, **animation),
    ]


def clips() -> list[bytes]:
    """WAV files of every subtype, in both byte orders, and a streamed one."""
    samples = 0.7 * np.sin(np.arange(300) / 5)
    stereo = np.stack([samples, samples[::-1]], axis=1)
    subtypes = ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
    files = [_written(samples, subtype, order) for subtype in subtypes for order in ("LITTLE", "BIG")]
    files += [_written(stereo, "PCM_16", kind=kind) for kind in ("WAV", "WAVEX", "RF64")]
    streamed = bytearray(files[2])
    at = streamed.index(b"data") + 4
    streamed[at : at + 4] = struct.pack("<I", 2**32 - 1)
    return [*files, bytes(streamed)]


def _drawing() -> Image.Image:
    y, x = np.mgrid[0:30, 0:41]
    channels = np.stack([6 * x, 8 * y, 255 * ((x // 5 + y // 4) % 2), 9 * x - 60], axis=-1)
    return Image.fromarray(np.clip(channels, 0, 255).astype(np.uint8), "RGBA")


def _saved(picture: Image.Image, kind: str, **settings: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **settings)
    return stream.getvalue()


def _written(samples: np.ndarray, subtype: str, endian: str | None = None, *, kind: str = "WAV") -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, 16_000, subtype, endian, kind)
    return stream.getvalue()
