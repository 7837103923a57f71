"""How long a line, a function and a file may be."""

import ast

import pytest

from tests.data import ROOT

MAX_FILE_LINES, MAX_BODY_LINES, MAX_COLUMNS = 300, 40, 110
SOURCES = sorted(
    path
    for package in ("graph_ops", "export", "clients/python/gemma4_client")
    for path in (ROOT / package).rglob("*.py")
)
OTHERS = sorted(
    path
    for folder in ("tests", "benchmarks", "examples", "tools", "browser")
    for path in (ROOT / folder).rglob("*.py")
)


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_file_is_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES


@pytest.mark.parametrize("path", [*SOURCES, *OTHERS], ids=name)
def test_lines_are_short(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert not [number for number, line in enumerate(lines, 1) if len(line) > MAX_COLUMNS]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_body_is_short(path):
    long = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            if lines > MAX_BODY_LINES:
                long[node.name] = lines
    assert not long
