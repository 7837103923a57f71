"""Image files that the graph does not decode -> PNG files, through Pillow where it is installed.

For the Python class, the command line and the client: what people have is HEIC, AVIF and TIFF. A signature of
an export never does this.
"""

import contextlib
import importlib
import io
from typing import Any

from graph_ops.image.decode import FORMATS
from graph_ops.image.exif import TAG


def decodable_image(data: bytes) -> bytes:
    """The file itself if it is empty, the graph decodes its kind, or Pillow does not; else its first frame as
    a PNG.

    The pixels are Pillow's, colours in RGB with alpha if there is any; the EXIF orientation is kept beside
    them. HEIC needs pillow-heif.
    """
    if not data or any(data[at : at + len(text)] == text for kind in FORMATS for at, text in kind.SIGNATURES):
        return data
    try:
        pillow = importlib.import_module("PIL.Image")
        with contextlib.suppress(ImportError):
            importlib.import_module("pillow_heif").register_heif_opener()
        with pillow.open(io.BytesIO(data)) as image:
            return _as_png(image, pillow)
    except Exception:
        # Decoders raise whatever they like at a damaged file; what is no image is refused by its name later.
        return data


def _as_png(image: Any, pillow: Any) -> bytes:
    image.load()  # turns some kinds itself, and then says so
    exif = pillow.Exif()
    if orientation := image.getexif().get(TAG):
        exif[TAG] = orientation
    stream = io.BytesIO()
    mode = "RGBA" if image.has_transparency_data else "RGB"
    image.convert(mode).save(stream, "PNG", exif=exif, compress_level=1)
    return stream.getvalue()
