"""An image's size is checked without overflow, before its pixels are touched."""

import pytest
import tensorflow as tf

from graph_ops.config import ImageConfig
from graph_ops.faults import Fault
from graph_ops.image.sizes import size_finding

CONFIG, MOST = ImageConfig(max_image_pixels=100), 2**31 - 1


@pytest.mark.parametrize(
    ("height", "width", "fault"),
    [
        (10, 10, Fault.NONE),
        (0, 0, Fault.NONE),
        (100, 1, Fault.NONE),
        (11, 10, Fault.IMAGE_TOO_LARGE),
        (101, 1, Fault.IMAGE_TOO_LARGE),
        (65_536, 65_536, Fault.IMAGE_TOO_LARGE),  # a product of 2³², 0 in int32
        (-1, 5, Fault.IMAGE_SIZE),
        (5, 70_000, Fault.IMAGE_SIZE),
        (MOST, MOST, Fault.IMAGE_SIZE),
    ],
)
def test_a_size_is_good_or_a_fault_with_its_numbers(height, width, fault):
    found = size_finding(tf.constant([[height, width]]), tf.constant([66_000, 66_000]), config=CONFIG)
    assert found.fault.numpy().tolist() == [int(fault)]
    assert found.detail.numpy().tolist() == [[height, width] if fault else [0, 0]]
