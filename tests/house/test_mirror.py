"""Each module has a test file of its own at the same place, which names it."""

import ast

import pytest

import export
import gemma4_client
import graph_ops
from tests.data import ROOT
from tests.house.test_imports import imports

PACKAGES = {"graph_ops": ROOT, "export": ROOT, "gemma4_client": ROOT / "clients" / "python"}
"""Package -> the folder that it lies in."""
MODULES = sorted(
    path.relative_to(folder)
    for package, folder in PACKAGES.items()
    for path in (folder / package).rglob("*.py")
    if path.stem not in ("__init__", "__main__")
)
COMMANDS = "tests.export.cli.commands"
"""What runs the program: a module of `export/cli` may be tested through it."""
PUBLIC = {
    f"{package.__name__}.{name}": getattr(package, name).__module__
    for package in (graph_ops, export, gemma4_client)
    for name in package.__all__
}
"""A name as users write it -> the module that it is of."""


def named_by(path):
    """Everything that a file imports, and the modules of the public names that it uses."""
    yield from imports(path)
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    used = [ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)]
    yield from (PUBLIC[name] for name in [*used, *imports(path)] if name in PUBLIC)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_has_a_test_file_of_its_own_that_names_it(module):
    own = ROOT / "tests" / module.with_name(f"test_{module.name}")
    assert own.is_file(), own
    accepted = [".".join(module.with_suffix("").parts)]
    accepted += [COMMANDS] if module.parts[:2] == ("export", "cli") else []
    named = [f"{each}." for each in named_by(own)]
    assert [each for each in named if each.startswith(tuple(f"{name}." for name in accepted))]
