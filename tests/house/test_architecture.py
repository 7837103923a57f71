"""The architecture page says what is so."""

import re

import pytest

from tests.data import ROOT
from tests.house.pages import prose
from tests.house.test_imports import imports

ARCHITECTURE = ROOT / "docs" / "architecture.md"


@pytest.mark.parametrize(
    ("heading", "most"),
    [("Another medium", 14), ("A second model family", 6), ("A third artifact kind", 2)],
)
def test_what_a_change_touches_exists_and_is_little(heading, most):
    section = prose(ARCHITECTURE).split(f"### {heading}\n")[1].split("\n#")[0]
    listed = re.findall(r"^- `([\w./]+)`:", section, re.MULTILINE)
    assert 0 < len(listed) <= most
    assert [path for path in listed if not (ROOT / path).is_file()] == []


def test_the_objects_of_the_architecture_page_exist():
    section = prose(ARCHITECTURE).split("## Objects\n")[1].split("\n## ")[0]
    for path in re.findall(r"`(graph_ops/[\w/]+\.py)`", section):
        assert (ROOT / path).is_file(), path


def test_each_folder_of_export_imports_only_what_the_table_allows():
    section = prose(ARCHITECTURE).split("The folders of `export`")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `export/(\w+)` \| ?(.*?) ?\|$", section, re.MULTILINE)
    allowed = {folder: set(re.findall(r"`export/(\w+)`", cell)) for folder, cell in rows}
    folders = {path.parent.name for path in (ROOT / "export").glob("*/__init__.py")}
    assert allowed.keys() == folders
    for folder in folders - {folder for folder, cell in rows if cell == "everything"}:
        for path in (ROOT / "export" / folder).rglob("*.py"):
            reached = {module.split(".")[1] for module in imports(path) if module.startswith("export.")}
            assert (reached & folders) <= allowed[folder] | {folder}, path
