"""The medium video: counts from positions, sizes of its tensors, what may be said of a video."""

import numpy as np
import tensorflow as tf

from graph_ops.config import RowConfig, VideoConfig
from graph_ops.media.video import VIDEO

CONFIG = VideoConfig(max_soft_tokens=3, num_frames=2)


def test_soft_tokens_are_counted_from_the_positions_of_patches():
    positions = np.full((1, 2, 27, 2), -1, np.int32)
    positions[0, 1, :18] = 0
    assert VIDEO.count(tf.constant(positions), CONFIG).numpy().tolist() == [[0, 2]]


def test_sizes_follow_from_rows_and_configuration():
    row = RowConfig(max_videos_per_prompt=4)
    assert VIDEO.dims(row, CONFIG) == {"R": 8, "Q": 27, "E": 768, "U": 24}
    assert VIDEO.block(row, CONFIG) == 3
    assert VIDEO.fixed_soft_tokens(row) is None


def test_files_are_one_a_frame_and_sources_may_be_described():
    assert (VIDEO.file_shape, VIDEO.varying) == ((None,), 3)
    files = tf.constant([[["", "a"], ["", ""]]])
    assert VIDEO.has_files(files).numpy().tolist() == [[True, False]]
    assert [(option.name, option.shape, option.unknown) for option in VIDEO.options] == [
        ("frame_indices", (None,), -1),
        ("fps", (), 0),
    ]
