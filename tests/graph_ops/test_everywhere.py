"""Every step gives the same wherever it runs, whatever stands in the padding."""

import functools

import numpy as np
import pytest

from tests.everywhere import PLACES, STEPS, run_eagerly, target_of

RUNS = [
    pytest.param(step, place, id=f"{step.name}, {place}")
    for step in STEPS
    for place in PLACES
    if place != "LiteRT" or not isinstance(step.litert, str)
]


def assert_same(found, expected, tolerance):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        if one.dtype.kind == "f":
            np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)
        else:
            np.testing.assert_array_equal(one, other)


@functools.cache
def eager_outputs(name):
    """What each place is compared with."""
    step = next(step for step in STEPS if step.name == name)
    return run_eagerly(step, step.inputs)


@pytest.mark.parametrize(("step", "place"), [run for run in RUNS if run.values[1] != "eager"])
def test_a_step_gives_the_same_everywhere(step, place):
    tolerance = step.tolerance[target_of(place)]
    assert_same(PLACES[place](step, step.inputs), eager_outputs(step.name), tolerance)


PADDED = [
    run
    for run in RUNS
    if any(
        one is not other and one.tobytes() != other.tobytes()
        for one, other in zip(run.values[0].inputs, run.values[0].garbage, strict=True)
        if one.dtype != object
    )
]


@pytest.mark.parametrize(("step", "place"), PADDED)
def test_garbage_in_the_padding_changes_nothing(step, place):
    tolerance = step.tolerance[target_of(place)]
    assert_same(PLACES[place](step, step.garbage), eager_outputs(step.name), tolerance)


ROWS = [
    # the counts of an expansion's medium belong to rows by place
    step
    for step in STEPS
    if step.inputs[0].ndim > 1 and "expand" not in step.name
]


@pytest.mark.parametrize("step", ROWS, ids=lambda step: step.name)
def test_rows_do_not_depend_on_one_another(step):
    whole = eager_outputs(step.name)
    reversed_rows = run_eagerly(step, [array[::-1].copy() for array in step.inputs])
    assert_same([array[::-1] for array in reversed_rows], whole, max(step.tolerance.values()))
