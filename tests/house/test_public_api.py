"""The public functions of the steps: tensors positional, settings keyword-only, docstrings with dtype and
dims.
"""

import importlib
import inspect
import pkgutil
import re

import pytest
import tensorflow as tf

import graph_ops

STEPS = ("audio", "chat", "image", "media", "pipeline", "rows", "text", "video")
SETTINGS = re.compile(r"\b(int|float|bool|str|\w+Config|Target|Medium|Family|Reading)\b(?!\w)")
"""Annotations of what configures a step."""
TENSORS = re.compile(r"\b((Ragged)?Tensor|MediumBatch)\b")
DTYPE = re.compile(r"\b(bool|u?int(8|16|32|64)|float(32|64)|string|resource|samples|ids)\b", re.I)
DIMS = re.compile(r"\[[^\]`]*\]")


def modules():
    for package in STEPS:
        root = importlib.import_module(f"graph_ops.{package}")
        for found in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
            yield importlib.import_module(found.name)


def public_functions():
    for module in modules():
        for name, function in vars(module).items():
            if inspect.isfunction(function) and function.__module__ == module.__name__ and name[0] != "_":
                yield pytest.param(function, id=f"{module.__name__}.{name}".removeprefix("graph_ops."))


FUNCTIONS = list(public_functions())


def annotations(function, *kinds):
    parameters = inspect.signature(function).parameters.values()
    return {each.name: inspect.formatannotation(each.annotation) for each in parameters if each.kind in kinds}


def works_on_tensors(function):
    return any(TENSORS.search(str(annotation)) for annotation in function.__annotations__.values())


def settings_among_tensors(function):
    positional = annotations(function, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return {
        name: given
        for name, given in positional.items()
        if SETTINGS.search(given) and not TENSORS.search(given)
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_configures_a_step_is_keyword_only(function):
    if works_on_tensors(function):
        assert not settings_among_tensors(function), "make these keyword-only"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_a_step_is_computed_from_is_positional(function):
    keyword = annotations(function, inspect.Parameter.KEYWORD_ONLY)
    required = inspect.signature(function).parameters
    tensors = {
        name
        for name, given in keyword.items()
        if given.endswith(".Tensor") and required[name].default is inspect.Parameter.empty
    }
    assert not tensors - CONFIGURING, "make these positional"


CONFIGURING = {
    "longest",  # a bound of a loop
    "by",  # how far to move
    "block",  # width of a part of the output
    "num_frames",  # length of the output
    "background",  # a colour, as a tensor because files say it
    "is_big_endian",  # which byte of a number comes first, as a tensor because files say it
    "floor",  # a bound, one for each row
    "keep",  # which rows are kept
}
"""Tensors that configure: they say how, not what."""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_docstring_gives_dtype_and_dims(function):
    documentation = inspect.getdoc(function)
    assert documentation, "write one"
    if works_on_tensors(function):
        assert DTYPE.search(documentation), "say the dtype of what goes in or comes out"
        assert DIMS.search(documentation), "say the dims of what goes in or comes out"


def test_every_name_that_the_package_hands_out_exists_and_is_documented():
    for name in graph_ops.__all__:
        assert inspect.getdoc(getattr(graph_ops, name)), name
    with pytest.raises(AttributeError, match="module 'graph_ops' has no attribute 'nothing'"):
        _ = graph_ops.nothing


def test_the_lint_sees_a_setting_among_the_tensors():
    def step(pixels: tf.Tensor, size: int) -> tf.Tensor:
        return pixels

    assert works_on_tensors(step)
    assert settings_among_tensors(step) == {"size": "int"}
