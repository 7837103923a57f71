"""Videos as files, as a client sends them."""

import io

import numpy as np
from PIL import Image

from export.videos import VideoFiles, as_video, pack_videos
from graph_ops.media.video import VIDEO


def gif(count):
    frames = [Image.fromarray(np.full((4, 5, 3), 5 * level, np.uint8)) for level in range(count)]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:], duration=100)
    return stream.getvalue()


def test_of_an_animation_the_frames_are_read_that_the_preprocessor_takes():
    settings = {"parity": "transformers", "video_converter": {"config": {"num_frames": 4}}}
    video = as_video(gif(10), settings)
    assert (len(video.frames), video.fps, video.frame_indices) == (4, 1000.0, (0, 200, 500, 700))
    assert len(as_video(gif(40)).frames) == 32


def test_other_files_and_lists_are_frames():
    still = gif(1)
    assert as_video(still) == VideoFiles((still,))
    assert as_video([still, still]) == as_video(VideoFiles((still, still))) == VideoFiles((still, still))


def test_the_videos_of_a_row_are_packed():
    videos = [VideoFiles((b"a",)), VideoFiles((b"b", b"c"), 25.0, (0, 7))]
    packed = pack_videos(videos, medium=VIDEO)
    assert {name: value.tolist() for name, value in packed.items()} == {
        "videos": [[[b"a", b""], [b"b", b"c"]]],
        "frame_indices": [[[-1, -1], [0, 7]]],
        "fps": [[0.0, 25.0]],
    }
    assert pack_videos([], medium=VIDEO)["videos"].shape == (1, 0, 1)
