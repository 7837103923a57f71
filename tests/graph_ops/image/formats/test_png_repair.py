"""Nearly whole PNG files: those that Pillow reads are equal, the others are refused."""

import pytest
import tensorflow as tf

from graph_ops.faults import Fault
from graph_ops.image.formats.png_repair import repaired
from tests.graph_ops.image.shown import COMPOSITED, assert_shown_as_by_pillow, tiff
from tests.graph_ops.image.test_decode import drawing, png_chunk, saved

WHOLE = saved(drawing(), "PNG")
HEADER, CONTENT = WHOLE[:33], WHOLE[41:-16]
EXIF = png_chunk(b"eXIf", tiff(6))
PARTS = [CONTENT[at : at + 900] for at in range(0, len(CONTENT), 900)]
SPLIT = HEADER + EXIF + b"".join(png_chunk(b"IDAT", part) for part in PARTS)
READ = {
    "no end": WHOLE[:-12],
    "an end cut in its CRC": WHOLE[:-3],
    "an end cut in its name": WHOLE[:-6],
    "an end cut in its length": WHOLE[:-10],
    "an end of a wrong CRC": WHOLE[:-1] + b"\0",
    "a wrong CRC of the pixels": WHOLE[:-14] + b"\0\0" + WHOLE[-12:],
    "neither end nor CRC": WHOLE[:-16],
    "half of a CRC": WHOLE[:-14],
    "bytes behind the end": WHOLE + b"trailing bytes",
    "many chunks without an end": SPLIT,
    "many chunks, the last without its CRC": SPLIT[:-4],
}


@pytest.mark.parametrize("name", READ)
def test_what_pillow_reads_is_equal(name):
    assert_shown_as_by_pillow(READ[name])


def test_a_wrong_crc_of_any_chunk_of_pixels_is_passed_over():
    at = len(HEADER) + len(EXIF) + 8 + 900
    assert_shown_as_by_pillow(SPLIT[:at] + b"\0\0\0\0" + SPLIT[at + 4 :] + WHOLE[-12:])


@pytest.mark.parametrize("end", [34, 41, 60, len(WHOLE) // 2, len(WHOLE) - 30])
def test_cut_pixels_are_refused(end):
    _, (fault, _) = COMPOSITED(WHOLE[:end])
    assert int(fault) == Fault.IMAGE_UNDECODABLE


def test_wrong_pixels_and_wrong_headers_are_refused():
    for at in (20, 30, 60):
        damaged = WHOLE[:at] + bytes([WHOLE[at] ^ 0xFF]) + WHOLE[at + 1 :]
        _, (fault, _) = COMPOSITED(damaged)
        assert int(fault) == Fault.IMAGE_UNDECODABLE


@pytest.mark.parametrize("missing", [1, 4, 12])
def test_a_missing_end_is_given_back(missing):
    file = saved(drawing(), "PNG")
    assert repaired(tf.constant(file[:-missing])).numpy() == file
