"""SECURITY.md: what it says is shown by tests that are there."""

import ast
import re

import pytest

from tests.house.pages import ROOT

TEXT = (ROOT / "SECURITY.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)))


def test_every_row_names_a_test():
    rows = [
        line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith(("| ---", "| | "))
    ]
    shown = rows[next(index for index, row in enumerate(rows) if row.startswith("| attempt")) + 1 :]
    assert len(shown) > 10
    assert all("`tests/" in row for row in shown)


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_the_tests_that_it_names_are_there(path, name):
    functions = {
        node.name for node in ast.walk(ast.parse((ROOT / path).read_text())) if hasattr(node, "name")
    }
    assert not name or name in functions
