"""What the table of targets says, and that each fact is one that a step asks for."""

import dataclasses
import re

import pytest

from graph_ops.target import LITERT, TENSORFLOW, Target
from tests.data import ROOT

SOURCES = [path.read_text(encoding="utf-8") for path in (ROOT / "graph_ops").rglob("*.py")]


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Target)])
def test_each_fact_differs_between_the_targets_and_is_asked_for(field):
    assert getattr(TENSORFLOW, field) != getattr(LITERT, field)
    assert any(f"target.{field}" in source for source in SOURCES)


def test_no_step_asks_which_target_it_is():
    asked = r"(target(\.name)? (==|!=|is|is not|in) )|(\b(is|is not|==|!=) (LITERT|TENSORFLOW)\b)"
    assert [found.group() for source in SOURCES for found in re.finditer(asked, source)] == []


def test_a_target_cannot_be_changed_but_copied():
    with pytest.raises(dataclasses.FrozenInstanceError):
        LITERT.fft = True  # type: ignore[misc]
    changed = dataclasses.replace(LITERT, fft=True)
    assert changed.fft
    assert (changed == LITERT, dataclasses.replace(changed, fft=False) == LITERT) == (False, True)
    assert len({TENSORFLOW, LITERT, changed}) == 3  # a key of caches
