"""What is said of items, in any form."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.layers.inputs.options import as_options
from graph_ops.media.image import IMAGE
from graph_ops.media.video import VIDEO


def options(*, batched, **given):
    found = as_options(given, medium=VIDEO, batched=batched)
    return {name: value.numpy().tolist() for name, value in found.items()}


@pytest.mark.parametrize(
    ("batched", "given", "expected"),
    [
        (False, [0, 5], [[[0, 5]]]),
        (False, range(2), [[[0, 1]]]),
        (False, [[0, 5], [7]], [[[0, 5], [7, -1]]]),
        (True, [[0, 5], None, [[1], [2, 3]]], [[[0, 5], [-1, -1]], [[-1, -1]] * 2, [[1, -1], [2, 3]]]),
        (True, np.array([[0, 5]]), [[[0, 5]]]),
        (True, tf.constant([[[0, 5]]]), [[[0, 5]]]),
    ],
)
def test_places_have_an_axis_for_rows_and_one_for_videos(batched, given, expected):
    assert options(batched=batched, frame_indices=given) == {"frame_indices": expected}


@pytest.mark.parametrize(
    ("batched", "given", "expected"),
    [
        (False, 30, [[30.0]]),
        (False, [30, 24.5], [[30.0, 24.5]]),
        (True, [30, None, [1, 2]], [[30.0, 0.0], [0.0, 0.0], [1.0, 2.0]]),
        (True, np.array([30.0, 2.0]), [[30.0], [2.0]]),
    ],
)
def test_rates_do_too(batched, given, expected):
    assert options(batched=batched, fps=given) == {"fps": expected}


@pytest.mark.parametrize("given", [{"frame_indices": [[[[1]]]]}, {"fps": [[[1.0]]]}, {"frame_indices": 3}])
def test_other_forms_are_refused(given):
    with pytest.raises(ValueError, match=f"`{min(given)}`: must be a"):
        options(batched=False, **given)


def test_a_medium_without_options_takes_none():
    assert as_options({"fps": 1}, medium=IMAGE, batched=False) == {}
