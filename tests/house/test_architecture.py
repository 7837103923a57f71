"""The architecture page says what is so."""

import ast
import re

import pytest

from tests.data import ROOT
from tests.house.pages import prose

ARCHITECTURE = ROOT / "docs" / "architecture.md"


@pytest.mark.parametrize(
    ("heading", "most"),
    [("A third medium", 14), ("A second model family", 6), ("A third artifact kind", 2)],
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


def test_each_folder_imports_only_what_the_table_allows():
    section = prose(ARCHITECTURE).split("## Who may import whom\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([\w/]+)` \| (.*?) ?\|$", section, re.MULTILINE)
    allowed = {folder: set(re.findall(r"`([\w/]+)`", cell)) for folder, cell in rows}
    everything = {folder for folder, cell in rows if cell == "everything"}
    outside = {folder for folder, cell in rows if cell.startswith("all of `graph_ops`")}
    folders = {
        str(path.parent.relative_to(ROOT))
        for package in ("graph_ops", "export")
        for path in (ROOT / package).glob("*/__init__.py")
    }
    assert allowed.keys() == folders
    for folder in folders - everything:
        for path, imported in _imports(folder):
            fine = imported == folder or imported in allowed[folder] or imported not in folders
            fine = fine or (folder in outside and imported.startswith("graph_ops/"))
            assert fine, f"{path} imports {imported}"


def _imports(folder):
    """Every module of a folder, with the folder of the project that it imports from."""
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for module in names:
                parts = module.split(".")
                if parts[0] in ("graph_ops", "export") and len(parts) > 1:
                    yield path.relative_to(ROOT), "/".join(parts[:2])
