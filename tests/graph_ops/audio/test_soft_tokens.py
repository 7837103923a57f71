"""What becomes of a clip, by its length alone."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.audio.encode import encode_audio
from graph_ops.audio.soft_tokens import audio_soft_tokens, too_short_finding
from graph_ops.config import PARITIES, AudioConfig
from graph_ops.faults import Fault

CONFIG = AudioConfig(max_audio_length=1)


@pytest.mark.parametrize("parity", PARITIES)
def test_soft_tokens_and_findings_are_those_of_the_samples(parity):
    lengths = np.array([0, 1, 159, 160, 161, 320, 639, 640, 641, 15_999, 16_000, 16_001, 17_000], np.int32)
    clips = tf.zeros([len(lengths), 17_000])
    expected = encode_audio(clips, tf.constant(lengths), parity=parity, config=CONFIG)
    counts, finding = audio_soft_tokens(tf.constant(lengths), parity=parity, config=CONFIG)
    assert counts.numpy().tolist() == expected.num_soft_tokens.numpy().tolist()
    assert finding.fault.numpy().tolist() == expected.finding.fault.numpy().tolist()
    assert finding.detail.numpy().tolist() == expected.finding.detail.numpy().tolist()
    short = too_short_finding(tf.constant(lengths), parity=parity, config=CONFIG)
    assert short.fault.numpy().tolist() == finding.fault.numpy().tolist()


def test_a_negative_length_is_a_finding_and_the_longest_int32_is_30_seconds():
    counts, finding = audio_soft_tokens(
        tf.constant([-1, -(2**31), 2**31 - 1]), parity="keras_hub", config=CONFIG
    )
    assert counts.numpy().tolist() == [0, 0, CONFIG.max_soft_tokens]
    assert finding.fault.numpy().tolist() == [Fault.AUDIO_LENGTH, Fault.AUDIO_LENGTH, 0]
