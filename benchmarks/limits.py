"""`python -m benchmarks.limits`: what the worst input that a limit admits costs, each in a process of its
own.
"""

import io
import json
import os
import pathlib
import resource
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.__main__ import machine
from export.cli.quiet import quiet_stderr
from graph_ops.config import AudioConfig, ImageConfig

PIXELS, SECONDS = ImageConfig().max_image_pixels, AudioConfig().max_audio_length
TEXT_BYTES = 2**20
TIMEOUT = 300


class Case(NamedTuple):
    """One input.

    Attributes:
        limit: the setting that admits it.
        medium: "image", "audio" or "text".
        make: its bytes.
    """

    limit: str
    medium: str
    make: Callable[[], bytes]


def _drawn(
    kind: str,
    *,
    noisy: bool = False,
    mode: str = "RGB",
    height: int | None = None,
    pixels: int = PIXELS,
    **options: Any,
) -> bytes:
    """An image of as many pixels as are admitted, flat or of noise."""
    import numpy as np
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    height = height or int(pixels**0.5)
    width, channels = pixels // height, len(mode)
    if noisy:
        tile = np.random.default_rng(0).integers(0, 256, [min(height, 512), 512, channels], np.uint8)
        repeats = (-(-height // tile.shape[0]), -(-width // 512), 1)
        image = Image.fromarray(np.tile(tile, repeats)[:height, :width], mode)
    else:
        image = Image.new(mode, (width, height), (200, 40, 30, 128)[:channels])
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _palette(kind: str) -> bytes:
    from PIL import Image

    side, stream = int(PIXELS**0.5), io.BytesIO()
    Image.new("P", (side, side)).save(stream, kind)
    return stream.getvalue()


def _hollow_jpeg() -> bytes:
    """A few hundred bytes with a header that claims as many pixels as are admitted."""
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "JPEG")
    file, side = bytearray(stream.getvalue()), int(PIXELS**0.5)
    frame = file.index(b"\xff\xc0")
    file[frame + 5 : frame + 9] = struct.pack(">HH", side, side)
    return bytes(file)


def _wav(rate: int, channels: int, seconds: float, *, tag: int = 3, bits: int = 64) -> bytes:
    frame = channels * bits // 8
    data = bytes(int(rate * seconds) * frame)
    header = struct.pack("<HHIIHH", tag, channels, rate, rate * frame & 0xFFFFFFFF, frame & 0xFFFF, bits)
    body = b"WAVEfmt " + struct.pack("<I", 16) + header + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _text(unit: str) -> bytes:
    encoded = unit.encode()
    return encoded * (TEXT_BYTES // len(encoded))


_PIXELS, _AUDIO, _TEXT = "max_image_pixels", "max_audio_length", "none; 1 MiB of text"
CASES = {
    "JPEG, flat": Case(_PIXELS, "image", lambda: _drawn("JPEG")),
    "JPEG, noise": Case(_PIXELS, "image", lambda: _drawn("JPEG", noisy=True)),
    "JPEG, noise, progressive": Case(_PIXELS, "image", lambda: _drawn("JPEG", noisy=True, progressive=True)),
    "JPEG, CMYK, noise": Case(
        _PIXELS, "image", lambda: _drawn("JPEG", noisy=True, mode="CMYK", pixels=PIXELS // 4)
    ),
    "JPEG, header alone": Case(_PIXELS, "image", _hollow_jpeg),
    "PNG, flat": Case(_PIXELS, "image", lambda: _drawn("PNG")),
    "PNG, noise with alpha": Case(
        _PIXELS, "image", lambda: _drawn("PNG", noisy=True, mode="RGBA", compress_level=1)
    ),
    "PNG, 64 pixels high": Case(_PIXELS, "image", lambda: _drawn("PNG", height=64)),
    "GIF, flat": Case(_PIXELS, "image", lambda: _palette("GIF")),
    "BMP, noise": Case(_PIXELS, "image", lambda: _drawn("BMP", noisy=True)),
    "BMP, palette": Case(_PIXELS, "image", lambda: _palette("BMP")),
    "WebP, lossless, flat": Case(_PIXELS, "image", lambda: _drawn("WEBP", lossless=True)),
    "WebP, lossless, flat with alpha": Case(
        _PIXELS, "image", lambda: _drawn("WEBP", mode="RGBA", lossless=True)
    ),
    "WAV, 30 s at 16 kHz": Case(_AUDIO, "audio", lambda: _wav(16_000, 1, SECONDS, tag=1, bits=16)),
    "WAV, 31 s of 64-bit stereo at 768 kHz": Case(_AUDIO, "audio", lambda: _wav(768_000, 2, SECONDS + 1)),
    "WAV, 30 s at 767,999 Hz": Case(_AUDIO, "audio", lambda: _wav(767_999, 1, SECONDS, tag=1, bits=16)),
    "WAV, 30 s at 1 Hz of 65,535 channels": Case(_AUDIO, "audio", lambda: _wav(1, 65_535, SECONDS)),
    "spaces": Case(_TEXT, "text", lambda: _text(" ")),
    "English words without spaces": Case(_TEXT, "text", lambda: _text("thequickbrownfoxjumpsoverit")),
    "emoji": Case(_TEXT, "text", lambda: _text("👩‍👩‍👧🏽")),
    "bytes that are no text": Case(_TEXT, "text", lambda: b"\xff" * TEXT_BYTES),
}


def measure(medium: str, path: pathlib.Path) -> dict[str, Any]:
    """Seconds, megabytes above those of a small input, and status of a file's content, in this process."""
    import tensorflow as tf

    from graph_ops.faults import Finding, status_messages

    encode, small = _encoder(medium)
    encode(tf.constant([small]))
    data = tf.io.read_file(str(path))[tf.newaxis]
    before = _peak()
    start = time.perf_counter()
    finding = Finding(*(part.numpy() for part in encode(data)))
    seconds = time.perf_counter() - start
    status = status_messages(Finding(*map(tf.constant, finding))).numpy()[0].decode()
    return {"seconds": seconds, "megabytes": _peak() - before, "status": status}


def _peak() -> float:
    """Megabytes that this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _encoder(medium: str) -> tuple[Callable[[Any], Any], bytes]:
    """Files or texts, string [1], to a finding, traced, and a small one."""
    import tensorflow as tf

    function = tf.function(
        _text_step() if medium == "text" else _media_step(medium),
        input_signature=[tf.TensorSpec([None], tf.string)],
        autograph=False,
    )
    return function, b"a" if medium == "text" else _small_file(medium)


def _text_step() -> Callable[[Any], Any]:
    import tensorflow as tf

    from export.verify.samples import demonstration_file
    from graph_ops import Gemma4Tokenizer
    from graph_ops.faults import Finding

    path = os.environ.get("GEMMA4_TOKENIZER") or demonstration_file("demonstration.spm")
    engine = Gemma4Tokenizer(path, engine="builtin").engine

    def step(texts: tf.Tensor) -> Finding:
        with tf.control_dependencies([engine.encode(texts, in_bulk=False).values]):
            return Finding.none(texts)

    return step


def _media_step(medium: str) -> Callable[[Any], Any]:
    from export.media import MEDIA_IN_EXPORTS

    known = MEDIA_IN_EXPORTS[medium].medium
    config = known.config()
    return lambda files: known.encode_files(files, config=config, parity="transformers").finding


def _small_file(medium: str) -> bytes:
    from export.media import MEDIA_IN_EXPORTS

    known = MEDIA_IN_EXPORTS[medium]
    return known.write_file(known.small_item)


def run(name: str, folder: pathlib.Path) -> dict[str, Any]:
    """One case, measured in a process of its own, which has not made the input."""
    case, path = CASES[name], folder / "input"
    path.write_bytes(case.make())
    size = path.stat().st_size
    arguments = [sys.executable, "-m", "benchmarks.limits", "--measure", case.medium, "--file", str(path)]
    found: dict[str, Any] = {"limit": case.limit, "input": name, "bytes": size}
    try:
        ran = subprocess.run(arguments, capture_output=True, text=True, timeout=TIMEOUT, check=True)
    except subprocess.TimeoutExpired:
        return found | {"seconds": float(TIMEOUT), "megabytes": float("nan"), "status": "not finished"}
    return found | json.loads(ran.stdout)


def table(rows: list[dict[str, Any]]) -> Table:
    """The measured cases."""
    shown = Table("limit", "worst input", "bytes", "seconds", "MB", "status", box=None, pad_edge=False)
    for row in rows:
        status = row["status"].split(";")[0][:40]
        numbers = f"{row['bytes']:,}", f"{row['seconds']:.2f}", f"{row['megabytes']:,.0f}"
        shown.add_row(row["limit"], row["input"], *numbers, status)
    return shown


def main(
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    only: Annotated[str, typer.Option(help="Cases with this in their name.")] = "",
    measure_: Annotated[str, typer.Option("--measure", hidden=True)] = "",
    file: Annotated[pathlib.Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure time and memory of the worst input that each limit admits."""
    if file:
        with quiet_stderr():
            print(json.dumps(measure(measure_, file)))
        return
    console = Console(highlight=False, width=None if os.isatty(1) else 140)
    rows = []
    with tempfile.TemporaryDirectory() as folder, console.status("setting up") as status:
        for name in (name for name in CASES if only in name):
            status.update(name)
            rows.append(run(name, pathlib.Path(folder)))
    if json_:
        print(json.dumps(rows, indent=2))
    else:
        limits = f"`max_image_pixels` {PIXELS:,}, `max_audio_length` {SECONDS} s"
        console.print(table(rows))
        console.print(f"{limits}. {machine()}.")


if __name__ == "__main__":
    typer.run(main)
