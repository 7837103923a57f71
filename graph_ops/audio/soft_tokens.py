"""Lengths of clips -> how many soft tokens they take, and what is wrong with them; without a sample."""

import tensorflow as tf

from graph_ops.audio.frames import least_samples, num_soft_tokens, num_valid_frames
from graph_ops.config import AudioConfig
from graph_ops.faults import Fault, Finding, check, first_finding


def audio_soft_tokens(lengths: tf.Tensor, *, parity: str, config: AudioConfig) -> tuple[tf.Tensor, Finding]:
    """Soft tokens int32 [N] of clips of so many samples, int32 [N], at `config.sampling_rate`; 0 for no clip
    and for a faulty one, and what is wrong with each: AUDIO_LENGTH (negative) or AUDIO_TOO_SHORT.
    """
    negative = check(lengths < 0, Fault.AUDIO_LENGTH, lengths, config.max_samples)
    too_short = too_short_finding(lengths, parity=parity, config=config)
    finding = first_finding(negative, too_short)
    sound = tf.where(finding.is_clean, lengths, 0)
    frames = num_valid_frames(sound, parity=parity, config=config)
    return num_soft_tokens(frames, config=config), finding


def too_short_finding(lengths: tf.Tensor, *, parity: str, config: AudioConfig) -> Finding:
    """AUDIO_TOO_SHORT for clips int32 [N] with samples, but none that gives a soft token."""
    least = least_samples(parity=parity, config=config)
    return check((lengths > 0) & (lengths < least), Fault.AUDIO_TOO_SHORT, lengths, least)
