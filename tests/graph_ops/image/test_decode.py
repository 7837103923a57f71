"""Encoded images -> pixels, against Pillow."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from graph_ops.config import ImageConfig
from graph_ops.faults import Fault
from graph_ops.image.decode import decode_image

CONFIG = ImageConfig(max_image_pixels=1_000_000)


def drawing(height: int = 61, width: int = 83) -> Image.Image:
    """An RGBA image with gradients, edges, noise and every kind of transparency."""
    y, x = np.mgrid[0:height, 0:width]
    random = np.random.default_rng(0)
    channels = np.stack([3 * x, 4 * y, 255 * ((x // 9 + y // 7) % 2), 5 * x - 60], axis=-1) + random.integers(
        -20, 20, (height, width, 4)
    )
    return Image.fromarray(np.clip(channels, 0, 255).astype(np.uint8), "RGBA")


def saved(picture: Image.Image, file_format: str, **settings) -> bytes:
    file = io.BytesIO()
    picture.save(file, file_format, **settings)
    return file.getvalue()


def pillow_pixels(encoded: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB"))


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def decode(encoded):
    return decode_image(encoded, config=CONFIG)


def assert_equals_pillow(encoded: bytes):
    pixels, (fault, detail) = decode(encoded)
    assert (int(fault), detail.numpy().tolist()) == (Fault.NONE, [0, 0])
    np.testing.assert_array_equal(pixels, pillow_pixels(encoded))


def assert_refused(encoded: bytes, fault: Fault = Fault.IMAGE_UNDECODABLE, detail: list[int] | None = None):
    pixels, (actual_fault, actual_detail) = decode(encoded)
    assert int(actual_fault) == fault
    assert actual_detail.numpy().tolist() == (detail or [len(encoded), 0])
    assert pixels.shape == (0, 0, 3)


def png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(
    width: int,
    height: int,
    bits: int,
    color_type: int,
    rows: bytes,
    *,
    interlaced: bool = False,
    chunks: bytes = b"",
) -> bytes:
    """A PNG of ready-made scan lines, for what Pillow cannot write."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, interlaced))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + chunks
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


def scan_lines(values: np.ndarray) -> bytes:
    """[height, ...] -> a filter byte and the values, row by row; 16-bit values are big-endian."""
    return b"".join(b"\0" + row.astype(row.dtype.newbyteorder(">")).tobytes() for row in values)


def interlaced_rows(values: np.ndarray) -> bytes:
    """uint8 [height, width, channels] in the seven passes of Adam7."""
    passes = (
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    )
    return b"".join(scan_lines(values[top::down, left::right]) for top, left, down, right in passes)


def gif(
    *,
    screen: tuple[int, int],
    frame: tuple[int, int, int, int],
    transparent: int | None = None,
    local: bool = False,
    frames: int = 1,
) -> bytes:
    """A GIF whose frame (left, top, width, height) need not be the screen's. Pixels count 0 1 2 3 0 1 ...;
    2-bit codes, uncompressed.
    """
    palette = bytes(range(10, 22))
    _, _, width, height = frame
    # Clear (4), one pixel, clear, one pixel, ... end (5), in 3-bit codes, the lowest bits first.
    codes = [code for pixel in range(width * height) for code in (4, pixel % 4)] + [5]
    packed = sum(code << 3 * place for place, code in enumerate(codes)).to_bytes(
        (3 * len(codes) + 7) // 8, "little"
    )
    blocks = b"".join(
        bytes([len(packed[at : at + 255])]) + packed[at : at + 255] for at in range(0, len(packed), 255)
    )
    control = b"" if transparent is None else b"!\xf9\x04\x01\0\0" + bytes([transparent]) + b"\0"
    image = (
        b","
        + struct.pack("<HHHHB", *frame, 0x81 if local else 0)
        + (palette if local else b"")
        + b"\x02"
        + blocks
        + b"\0"
    )
    head = (
        b"GIF89a" + struct.pack("<HHBBB", *screen, 0 if local else 0x81, 3, 0) + (b"" if local else palette)
    )
    return head + b"!\xfe\x02hi\0" + (control + image) * frames + b";"


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("quality", [20, 92])
def test_jpeg_equals_pillow(quality, subsampling, progressive):
    picture = drawing().convert("RGB")
    assert_equals_pillow(
        saved(picture, "JPEG", quality=quality, subsampling=subsampling, progressive=progressive)
    )


def test_jpeg_of_grey_rgb_and_odd_sizes_equals_pillow():
    assert_equals_pillow(saved(drawing().convert("L"), "JPEG"))
    assert_equals_pillow(saved(drawing().convert("RGB"), "JPEG", keep_rgb=True))
    for size in ((1, 1), (1, 9), (17, 2)):
        assert_equals_pillow(saved(drawing(*size).convert("RGB"), "JPEG"))


def test_jpeg_in_cmyk_is_refused_because_its_conversion_rounds_differently():
    assert_refused(saved(drawing().convert("RGB").convert("CMYK"), "JPEG"))


MODES = [
    (kind, mode) for kind in ("PNG", "GIF", "BMP", "WEBP") for mode in ("1", "L", "LA", "P", "RGB", "RGBA")
]
MODES.remove(("BMP", "LA"))  # Pillow writes no such file


@pytest.mark.parametrize(("file_format", "mode"), MODES)
def test_every_mode_equals_pillow(file_format, mode):
    assert_equals_pillow(saved(drawing().convert(mode), file_format))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_png_of_few_bits_equals_pillow(bits):
    rows = np.random.default_rng(bits).integers(0, 256, (20, 4), np.uint8)
    transparency = png_chunk(b"tRNS", b"\0\1")
    palette = png_chunk(b"PLTE", bytes(range(100, 148)))
    for chunks in (b"", transparency):
        assert_equals_pillow(png(32 // bits - 1, 20, bits, 0, scan_lines(rows), chunks=chunks))
        assert_equals_pillow(png(32 // bits - 1, 20, bits, 3, scan_lines(rows), chunks=palette + chunks))


@pytest.mark.parametrize(("color_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
@pytest.mark.parametrize("top", [256, 65536])
def test_png_of_16_bits_equals_pillow(color_type, channels, top):
    values = np.random.default_rng(0).integers(0, top, (20, 30, channels)).astype(np.uint16)
    values[0, 0] = 255, *[256] * (channels - 1)
    assert_equals_pillow(png(30, 20, 16, color_type, scan_lines(values)))


def test_png_interlaced_equals_pillow():
    values = np.asarray(drawing().convert("RGB"))
    assert_equals_pillow(png(83, 61, 8, 2, interlaced_rows(values), interlaced=True))


def test_png_with_one_transparent_colour_or_an_animation_equals_pillow():
    picture = drawing().convert("RGB")
    assert_equals_pillow(saved(picture, "PNG", transparency=picture.getpixel((3, 3))))
    assert_equals_pillow(
        saved(
            picture, "PNG", save_all=True, append_images=[picture.transpose(Image.Transpose.ROTATE_180)] * 3
        )
    )
    assert_equals_pillow(saved(drawing().convert("RGB").quantize(50), "PNG", transparency=7))


def test_gif_animation_and_interlacing_equal_pillow():
    picture = drawing().convert("RGB").quantize(100)
    assert_equals_pillow(saved(picture, "GIF", interlace=True))
    turned = picture.transpose(Image.Transpose.ROTATE_180)
    assert_equals_pillow(
        saved(picture, "GIF", save_all=True, append_images=[turned, picture] * 4, loop=0, comment=b"x" * 3000)
    )


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("transparent", [None, 0, 2])
@pytest.mark.parametrize("frame", [(0, 0, 9, 7), (2, 3, 4, 2), (5, 0, 9, 20), (0, 6, 40, 30)])
def test_gif_frame_that_is_not_the_screen_equals_pillow(frame, transparent, local):
    assert_equals_pillow(gif(screen=(9, 7), frame=frame, transparent=transparent, local=local, frames=2))


def test_gif_without_palette_or_frame_is_refused():
    encoded = bytearray(gif(screen=(9, 7), frame=(0, 0, 9, 7), local=True))
    assert_refused(bytes(encoded[:13]) + b";")
    assert_refused(bytes(encoded[:13]) + b"!\xfe\0" * 20_000 + bytes(encoded[13:]))
    assert_refused(gif(screen=(9, 7), frame=(0, 0, 0, 7)))


def test_bmp_variants_equal_pillow():
    picture = drawing().convert("RGB")
    for colors in (2, 16, 200):
        assert_equals_pillow(saved(picture.quantize(colors), "BMP"))
    bottom_up = saved(picture, "BMP")
    assert_equals_pillow(bottom_up[:22] + struct.pack("<i", -61) + bottom_up[26:])
    four_bits = b"BM" + struct.pack("<IIIIiiHHIIIIII", 0, 0, 14 + 40 + 48, 40, 5, 2, 1, 4, 0, 0, 0, 0, 12, 0)
    assert_equals_pillow(four_bits + bytes(range(3, 51)) + b"\x01\x23\x40\0" + b"\xb9\x87\x60\0")


def test_bmp_that_is_compressed_or_16_bit_is_refused():
    encoded = saved(drawing().convert("RGB"), "BMP")
    assert_refused(encoded[:30] + struct.pack("<I", 1) + encoded[34:])
    assert_refused(encoded[:28] + struct.pack("<H", 16) + encoded[30:])
    assert_refused(encoded[:14] + struct.pack("<I", 12) + encoded[18:])


@pytest.mark.parametrize(
    "settings", [{"quality": 30}, {"quality": 95, "alpha_quality": 10}, {"lossless": True, "exact": True}]
)
def test_webp_still_and_animated_equal_pillow(settings):
    for picture in (drawing(), drawing().convert("RGB"), drawing(1, 1)):
        assert_equals_pillow(saved(picture, "WEBP", **settings))
        others = [picture.transpose(Image.Transpose.ROTATE_180), picture]
        assert_equals_pillow(
            saved(picture, "WEBP", save_all=True, append_images=others, icc_profile=b"odd", **settings)
        )


def test_webp_first_frame_smaller_than_the_canvas_equals_pillow():
    empty = Image.new("RGBA", (40, 30))
    empty.paste(drawing(8, 10), (11, 5))
    encoded = saved(
        empty, "WEBP", save_all=True, append_images=[drawing(30, 40)], lossless=True, minimize_size=True
    )
    frame = encoded.index(b"ANMF") + 8
    assert encoded[frame + 6] < 39, "the frame is narrower than the canvas"
    assert_equals_pillow(encoded)


FILES = {
    "jpeg": saved(drawing().convert("RGB"), "JPEG"),
    "progressive jpeg": saved(drawing().convert("RGB"), "JPEG", progressive=True),
    "png": saved(drawing(), "PNG"),
    "gif": saved(drawing().convert("P"), "GIF"),
    "bmp": saved(drawing().convert("RGB"), "BMP"),
    "lossy webp": saved(drawing(), "WEBP"),
    "lossless webp": saved(drawing(), "WEBP", lossless=True),
    "animated webp": saved(
        drawing(), "WEBP", save_all=True, append_images=[drawing().transpose(Image.Transpose.ROTATE_180)]
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_truncated_files_are_refused(name):
    encoded = FILES[name]
    # Of a PNG the end is no part of the pixels, and Pillow reads on without.
    last = len(encoded) - (30 if name == "png" else 6)
    for length in [*range(40), *range(40, last, len(encoded) // 20), last]:
        assert_refused(encoded[:length])


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_refused_or_decodes_as_by_pillow(name):
    random = np.random.default_rng(1)
    for _ in range(30):
        damaged = bytearray(FILES[name])
        damaged[int(random.integers(0, len(damaged)))] ^= int(random.integers(1, 256))
        pixels, (fault, _) = decode(bytes(damaged))
        assert int(fault) in (Fault.NONE, Fault.IMAGE_UNDECODABLE, Fault.IMAGE_TOO_LARGE)
        try:
            expected = pillow_pixels(bytes(damaged))
        except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
            continue
        if fault == Fault.NONE:
            np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"\0",
        b"\xff\xd8\xff",
        b"GIF89a",
        b"BM",
        b"RIFF\0\0\0\0WEBP",
        b"%PDF-1.7 and so on",
        b"\xff\x0a\0",
    ],
)
def test_what_is_no_image_is_refused(encoded):
    assert_refused(encoded)


def with_size(name: str, height: int, width: int) -> bytes:
    """One of `FILES` whose header claims another size."""
    at, layout, size = {
        "png": (16, ">II", (width, height)),
        "bmp": (18, "<ii", (width, height)),
    }[name]
    encoded = FILES[name]
    claim = struct.pack(layout, *size)
    return encoded[:at] + claim + encoded[at + len(claim) :]


def test_a_file_over_the_pixel_limit_is_refused_by_its_header():
    for name in ("JPEG", "PNG", "GIF", "BMP", "WEBP"):
        picture = Image.new("L", (1001, 1000))
        assert_refused(saved(picture, name), Fault.IMAGE_TOO_LARGE, [1000, 1001])
        assert_equals_pillow(saved(picture.crop((0, 0, 1000, 1000)), name))


def test_a_header_that_claims_gigabytes_is_refused_before_anything_is_allocated():
    assert_refused(with_size("png", 60_000, 60_000), Fault.IMAGE_TOO_LARGE, [60_000, 60_000])
    assert_refused(with_size("png", 2**31 - 1, 2**31 - 1), Fault.IMAGE_TOO_LARGE, [2**31 - 1, 2**31 - 1])
    assert_refused(with_size("png", 2**31, 5))
    assert_refused(with_size("bmp", 60_000, 60_000), Fault.IMAGE_TOO_LARGE, [60_000, 60_000])
    assert_refused(gif(screen=(60_000, 60_000), frame=(0, 0, 5, 5)), Fault.IMAGE_TOO_LARGE, [60_000, 60_000])
    hidden = bytearray(gif(screen=(9, 7), frame=(0, 0, 9, 7)))
    at = hidden.index(b",\0\0\0\0\x09")
    hidden[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    assert_refused(bytes(hidden), Fault.IMAGE_TOO_LARGE, [65535, 65535])
    start = FILES["jpeg"].index(b"\xff\xc0")
    jpeg = FILES["jpeg"][: start + 5] + b"\xea\x60\xea\x60" + FILES["jpeg"][start + 9 :]
    assert_refused(jpeg, Fault.IMAGE_TOO_LARGE, [60_000, 60_000])


def test_a_header_that_lies_within_the_limit_is_refused():
    assert_refused(with_size("png", 61, 84))
    assert_refused(with_size("bmp", 62, 83))


def test_decoding_works_in_map_fn_and_in_a_reloaded_saved_model(tmp_path):
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def faults_and_sums(files):
        def one(file):
            pixels, (fault, _) = decode_image(file, config=CONFIG)
            return fault, tf.reduce_sum(tf.cast(pixels, tf.int32))

        return tf.map_fn(one, files, fn_output_signature=(tf.int32, tf.int32))

    module.faults_and_sums = faults_and_sums
    tf.saved_model.save(module, str(tmp_path))
    files = [*FILES.values(), b"broken", b""]
    for function in (faults_and_sums, tf.saved_model.load(str(tmp_path)).faults_and_sums):
        faults, sums = function(tf.constant(files))
        assert faults.numpy().tolist() == [Fault.NONE] * len(FILES) + [Fault.IMAGE_UNDECODABLE] * 2
        assert sums.numpy().tolist() == [int(pillow_pixels(file).sum()) for file in FILES.values()] + [0, 0]
