"""Rows of KerasHub's class beside ours: which tensors differ."""

import numpy as np

MEL_TOLERANCE = 1e-4
SMOOTH_PIXEL_TOLERANCE = 13 / 255
"""Most that `tf.image.resize` was seen off Pillow on photographs; on pure noise it is off by up to 27/255."""


def differences(theirs, ours, pixel_scale=1.0):
    """Names of tensors that are not equal, with what differs."""
    assert list(sorted(theirs)) == list(sorted(ours))
    found = {}
    for name in theirs:
        a, b = np.asarray(theirs[name]), np.asarray(ours[name])
        allowed = {"audio_mel": MEL_TOLERANCE, "pixel_values": SMOOTH_PIXEL_TOLERANCE * pixel_scale}.get(
            name, 0
        )
        if (a.shape, a.dtype) != (b.shape, b.dtype):
            found[name] = (a.shape, a.dtype), (b.shape, b.dtype)
        elif a.size and np.abs(a.astype(np.float64) - b.astype(np.float64)).max() > allowed:
            found[name] = np.abs(a.astype(np.float64) - b.astype(np.float64)).max()
    return found


def labelled(result):
    x, y, sample_weight = result
    return {**x, "y": y, "sample_weight": sample_weight}
