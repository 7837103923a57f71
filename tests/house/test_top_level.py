"""What lies at the top of the repository: nothing that a download or a measurement left behind."""

import subprocess

import pytest

from tests.data import ROOT

FOLDERS = {".ci", "benchmarks", "browser", "clients", "docs", "examples", "export", "graph_ops"}
FOLDERS |= {"serving_configs", "tests", "tools"}
FILES = {".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "SECURITY.md", "pyproject.toml"}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="what is kept is read off the repository")
def test_nothing_else_is_kept_there():
    kept = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert {path.split("/")[0] for path in kept.splitlines()} == FOLDERS | FILES
