"""Two runs of the same steps, which may differ in batch, shape or process."""

import numpy as np

from tests.twins.audio import LOG_MEL_ERROR


def assert_same(found, expected, name=""):
    """Equal, tensor by tensor: bit for bit, but log-mel within the rounding of its sums."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            assert_same(found[key], value, key)
    elif isinstance(expected, tuple):
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif name == "audio_mel":
        np.testing.assert_allclose(found, expected, rtol=0, atol=LOG_MEL_ERROR, err_msg=name)
    else:
        np.testing.assert_array_equal(found, expected, err_msg=name)
