"""CRC-32 in the graph, against zlib's."""

import zlib

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_ops.image.formats.crc32 import crc32

sums = tf.function(crc32, input_signature=[tf.TensorSpec([], tf.string)], autograph=False)


def assert_equals_zlib(text: bytes):
    assert bytes(sums(text).numpy()) == zlib.crc32(text).to_bytes(4, "big")


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=4, max_size=1000))
def test_any_bytes(text):
    assert_equals_zlib(text)


def test_lengths_around_whole_rows():
    for length in (4, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 1_000_003):
        assert_equals_zlib(np.random.default_rng(length).bytes(length))
