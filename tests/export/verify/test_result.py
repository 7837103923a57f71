"""A line of the parity table counts what differs, whatever the values are."""

import numpy as np

from export.verify.result import compare, skipped


def line(ours, theirs, **settings):
    return compare("ids", "here", "there", ours, theirs, **settings)


def test_equal_values_pass():
    found = line([np.array([1, 2])], [np.array([1, 2])])
    assert (found.compared, found.differing, found.largest, found.passed) == (2, 0, 0, True)


def test_each_value_that_is_off_by_more_than_allowed_counts():
    found = line([np.array([0.0, 0.5, 3.0])], [np.array([0.25, 0.5, 1.0])], allowed=0.5)
    assert (found.differing, found.largest, found.passed) == (1, 2.0, False)


def test_another_shape_is_a_difference_of_every_value():
    found = line([np.zeros(3), np.zeros(0)], [np.zeros(2), np.zeros((0, 1))])
    assert (found.compared, found.differing) == (2, 4)


def test_texts_are_compared_too():
    assert line([np.array([b"a", b"b"], object)], [np.array([b"a", b"c"], object)]).differing == 1


def test_a_skipped_step_passes_and_says_why():
    found = skipped("rows", "KerasHub", "keras-hub is not installed")
    assert found.passed
    assert found.compared == 0
