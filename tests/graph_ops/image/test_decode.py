"""Encoded images -> pixels, against Pillow."""

import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from graph_ops.config import ImageConfig
from graph_ops.faults import Fault
from graph_ops.file_types import file_type
from graph_ops.image.decode import _decoder, _Decoding, decode_image
from tests.graph_ops.image.formats.against_pillow import (
    CONFIG,
    PILLOW_REFUSES,
    assert_equals_pillow,
    assert_refused,
    decode,
    drawing,
    pillow_pixels,
    saved,
)
from tests.graph_ops.image.formats.made_gif import gif


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
    for length in [*range(1, 40), *range(40, last, len(encoded) // 20), last]:
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
        except PILLOW_REFUSES:
            continue
        if fault == Fault.NONE:
            np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize(
    "encoded",
    [
        b"\0",
        b"\xff\xd8\xff",
        b"GIF89a",
        b"BM",
        b"RIFF\0\0\0\0WEBP",
    ],
)
def test_what_is_no_image_is_refused(encoded):
    assert_refused(encoded)


@pytest.mark.parametrize("encoded", [b"", b"%PDF-1.7 and so on", b"\xff\x0a\0", b"RIFF\0\0\0\0WAVEfmt "])
def test_another_kind_of_file_is_refused_by_its_name(encoded):
    assert_refused(encoded, Fault.IMAGE_FILE_TYPE, [int(file_type(tf.constant(encoded))), len(encoded)])


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


def test_graphs_whose_files_are_decoded_alike_share_what_decodes_them():
    for size in (4, 7):
        config = ImageConfig(max_soft_tokens=size, max_image_pixels=CONFIG.max_image_pixels)
        tf.function(
            lambda file, config=config: decode_image(file, config=config), autograph=False
        ).get_concrete_function(tf.TensorSpec([], tf.string))
    decoder = _decoder(_Decoding(CONFIG.max_image_pixels, True, None))
    assert decoder.experimental_get_tracing_count() == 1


@pytest.mark.slow
def test_decoding_works_in_map_fn_and_in_a_reloaded_saved_model(tmp_path):
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
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
        assert faults.numpy().tolist() == [Fault.NONE] * len(FILES) + [
            Fault.IMAGE_UNDECODABLE,
            Fault.IMAGE_FILE_TYPE,
        ]
        assert sums.numpy().tolist() == [int(pillow_pixels(file).sum()) for file in FILES.values()] + [0, 0]
