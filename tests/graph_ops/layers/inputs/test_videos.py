"""Which lists are videos, and which are frames."""

import io

import numpy as np
import pytest
from PIL import Image

from graph_ops.layers.inputs.videos import check_ragged, is_one_video, videos_of
from graph_ops.media.image import IMAGE
from graph_ops.media.video import VIDEO

FRAME = np.zeros((4, 5, 3), np.uint8)
CLIP = np.zeros((6, 4, 5, 3), np.uint8)
FILE = b"BM00"


def gif():
    frames = [Image.fromarray(np.full((4, 5, 3), level, np.uint8)) for level in (0, 99, 200)]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    return stream.getvalue()


def shapes(row):
    found = videos_of(row, medium=VIDEO, most_rows=9)
    return [video.shape if hasattr(video, "shape") else len(video) for video in found]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (CLIP, [CLIP.shape]),
        ([FRAME, FRAME], [(2, 4, 5, 3)]),
        ([CLIP, CLIP[:2]], [CLIP.shape, (2, 4, 5, 3)]),
        (np.stack([CLIP, CLIP]), [CLIP.shape] * 2),
        ([FILE, FILE, FILE], [3]),
        ([[FILE, FILE], [FILE]], [2, 1]),
        (FILE, [1]),
        ([], []),
    ],
)
def test_lists_of_frames_are_one_video_and_other_lists_several(row, expected):
    assert shapes(row) == expected
    assert is_one_video(row, medium=VIDEO) == (len(expected) == 1)


def test_one_animation_is_its_frames_and_several_files_are_a_frame_each():
    animated = gif()
    assert shapes(animated) == shapes([animated]) == [3]
    assert shapes([[animated], [animated]]) == [3, 3]
    assert shapes([animated, animated]) == [2]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([FILE, FRAME], "files and arrays must not be mixed in one video"),
        ([FRAME, FRAME[:2]], "frames that are arrays must all have one size"),
        (FRAME, "a video is uint8 .* got an array of shape"),
        (np.zeros((2, 4, 5, 4)), "a frame must have 3 channels"),
        ([object()], "got object"),
    ],
)
def test_what_is_no_video_is_refused(row, message):
    with pytest.raises((TypeError, ValueError), match=f"`videos`: .*{message}"):
        videos_of(row, medium=VIDEO, most_rows=0)


def test_ragged_tensors_are_refused_of_videos_alone():
    check_ragged(IMAGE)
    with pytest.raises(TypeError, match="`videos`: must be a list, an array or a tensor"):
        check_ragged(VIDEO)
