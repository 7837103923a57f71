"""A JPEG in pieces, against the pieces that it was made of."""

import pytest
import tensorflow as tf

from graph_ops.image.formats.jpeg_segments import parts_of
from tests.graph_ops.image.formats.made_jpeg import SCAN, adobe, jpeg, segment

parts = tf.function(parts_of, input_signature=[tf.TensorSpec([], tf.string)], autograph=False)
EVEN = [(1, 1)] * 4


@pytest.mark.parametrize(("before", "is_transformed"), [(b"", False), (adobe(0), False), (adobe(2), True)])
def test_the_pieces_are_the_files(before, is_transformed):
    file = jpeg((9, 8), EVEN)
    scan, frame = file.index(SCAN), file.index(b"\xff\xc0")
    behind = frame + 2 + 8 + 12
    found = parts(jpeg((9, 8), EVEN, before=before))
    assert found.tables == file[2:frame] + file[behind:scan]
    assert (found.frame, found.scans) == (file[frame:behind], file[scan:])
    assert bool(found.is_transformed) == is_transformed


def test_fill_bytes_junk_and_markers_alone_are_left_out():
    kept = segment(0xE1, b"Exif") + segment(0xFE, b"Adobe and so on")
    found = parts(jpeg((9, 8), EVEN, before=b"\xff\xff" + kept[1:] + b"junk\xff\0\xff\xd0\xff\x01"))
    assert found.tables == parts(jpeg((9, 8), EVEN, before=kept)).tables


def test_a_file_without_a_scan_raises():
    file = jpeg((9, 8), EVEN)
    for length in (2, 20, file.index(SCAN)):
        with pytest.raises(tf.errors.InvalidArgumentError):
            parts(file[:length])
