"""The source uses the field's words, which docs/glossary.md explains, and plain ones."""

import re

import pytest

from tests.data import ROOT

RETIRED = re.compile(
    r"\b(whose|mend(s|ed)?|eats?|in the way of|what is given|frozen pieces?|control tokens?)\b", re.IGNORECASE
)
"""In their place: "with" and "of"; correct; take; user-defined symbol; special token."""
FOLDERS = ("graph_ops", "export", "clients/python/gemma4_client", "benchmarks", "examples", "tools")
SOURCES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
SOURCES += [
    *(ROOT / "browser").glob("*.js"),
    *(ROOT / "clients" / "javascript").glob("*.js"),
    *(ROOT / "browser").glob("*.html"),
]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_retired_word_is_left(path):
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    assert [f"{number}: {line}" for number, line in lines if RETIRED.search(line)] == []
