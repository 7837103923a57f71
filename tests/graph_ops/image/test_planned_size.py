"""What becomes of an image, by its size alone."""

import functools

import numpy as np
import tensorflow as tf

from graph_ops.config import ImageConfig
from graph_ops.faults import Fault
from graph_ops.image.encode import encode_image_arrays
from graph_ops.image.planned_size import image_soft_tokens, planned_sizes
from graph_ops.target import LITERT

CONFIG = ImageConfig(max_soft_tokens=12, max_image_pixels=10_000)


def test_soft_tokens_and_findings_are_those_of_the_pixels():
    rng = np.random.default_rng(0)
    sizes = np.concatenate(
        [rng.integers(0, 130, (300, 2)), [[0, 0], [1, 129], [129, 1], [-1, 5], [100, 101]]]
    )
    sizes = sizes.astype(np.int32)
    images = np.zeros((len(sizes), 130, 130, 3), np.uint8)
    encode = tf.function(functools.partial(encode_image_arrays, config=CONFIG), autograph=False)
    expected = encode(tf.constant(images), tf.constant(sizes))
    counts, finding = image_soft_tokens(tf.constant(sizes), config=CONFIG)
    assert counts.numpy().tolist() == expected.num_soft_tokens.numpy().tolist()
    assert finding.fault.numpy().tolist() == expected.finding.fault.numpy().tolist()
    assert finding.detail.numpy().tolist() == expected.finding.detail.numpy().tolist()
    assert {int(fault) for fault in finding.fault} >= {0, Fault.IMAGE_TOO_LARGE, Fault.IMAGE_TOO_THIN}


def test_a_side_beyond_the_limits_is_a_finding():
    plan = planned_sizes(tf.constant([[60, 60], [61, 5]]), tf.constant([60, 60]), config=CONFIG)
    assert plan.finding.fault.numpy().tolist() == [0, Fault.IMAGE_SIZE]
    assert plan.sizes.numpy().tolist() == [[60, 60], [0, 0]]
    assert plan.targets.numpy()[1].tolist() == [0, 0]
    longest = LITERT.longest_side or 0
    sizes = tf.constant([[1, longest], [1, longest + 1], [2**31 - 1] * 2])
    large = ImageConfig(max_image_pixels=10**6)
    _, finding = image_soft_tokens(sizes, config=large, target=LITERT)
    assert finding.fault.numpy().tolist() == [0, Fault.IMAGE_SIZE, Fault.IMAGE_SIZE]
    _, finding = image_soft_tokens(sizes, config=large)
    assert finding.fault.numpy().tolist() == [0, 0, Fault.IMAGE_TOO_LARGE]
