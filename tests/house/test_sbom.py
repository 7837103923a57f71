"""The bill of materials holds what the project's dependencies reach, and their licences are documented."""

import importlib.metadata
import re

import pytest
import tomllib

from tests.data import ROOT
from tools.sbom import PYPROJECT, core, dependencies, normalized, reached

SPDX = {
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "MIT": "MIT",
}
"""What packages without a License-Expression say -> SPDX's name."""


def component(name):
    return {"name": name, "bom-ref": f"{name}==1"}


BOM = {
    "metadata": {"component": {"bom-ref": "root"}},
    "components": [component(name) for name in ("Num_Py", "six", "pytest", "pluggy", "loop")],
    "dependencies": [
        {"ref": "root", "dependsOn": ["Num_Py==1", "pytest==1"]},
        {"ref": "Num_Py==1", "dependsOn": ["six==1", "loop==1"]},
        {"ref": "loop==1", "dependsOn": ["Num_Py==1"]},
        {"ref": "six==1"},
        {"ref": "pytest==1", "dependsOn": ["pluggy==1"]},
        {"ref": "pluggy==1"},
    ],
}


def test_only_the_named_packages_are_kept():
    bom = core(BOM, {"num-py", "six"})
    assert [each["name"] for each in bom["components"]] == ["Num_Py", "six"]
    assert bom["dependencies"] == [
        {"ref": "root", "dependsOn": ["Num_Py==1"]},
        {"ref": "Num_Py==1", "dependsOn": ["six==1"]},
        {"ref": "six==1", "dependsOn": []},
    ]


def test_what_only_an_extra_needs_is_left_out():
    found = reached(dependencies(PYPROJECT.read_text()))
    assert found >= dependencies(PYPROJECT.read_text()) | {"absl-py", "h11", "click"}
    assert not found & {"pytest", "mypy", "ruff", "hypothesis", "transformers", "sentencepiece", "keras-hub"}


def test_a_dependency_that_is_not_installed_is_named():
    with pytest.raises(
        ValueError, match=r"`environment`: must hold no-such-package; got none\. Run: make demo"
    ):
        reached(["no-such-package"])


def test_dependencies_are_those_of_the_project():
    listed = tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"]
    names = {normalized(re.split(r"[^\w.-]", each)[0]) for each in listed}
    assert dependencies(PYPROJECT.read_text()) == names


def test_the_licence_of_each_dependency_is_documented():
    section = (ROOT / "docs" / "contributing.md").read_text().split("## Licences\n")[1]
    rows = re.findall(r"^\| (`.+?) \| (.+) \|$", section, re.MULTILINE)
    documented = {name: licence for names, licence in rows for name in re.findall(r"`([\w-]+)`", names)}
    assert documented.keys() == dependencies(PYPROJECT.read_text())
    for name, licence in documented.items():
        told = importlib.metadata.metadata(name)
        assert licence == (told.json.get("license_expression") or SPDX[str(told.json["license"])]), name
