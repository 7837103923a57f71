"""Which keras-hub rows equal."""

import importlib
import importlib.util
import sys

import pytest

from graph_ops.config import KERAS_HUB_VERSIONS, RowConfig
from graph_ops.presets.keras_hub_version import installed_version, keras_hub_version_of


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("0.27.1", "0.32"),
        ("0.32", "0.32"),
        ("0.32.9", "0.32"),
        ("0.33.0.dev202610250352", "0.33"),
        ("0.34", "0.33"),
        ("1.0", "0.33"),
    ],
)
def test_a_version_has_the_rows_of_the_latest_that_is_not_above_it(named, expected):
    assert keras_hub_version_of(named) == expected
    assert expected in KERAS_HUB_VERSIONS


def test_what_is_no_version_is_refused():
    with pytest.raises(ValueError, match=r"`keras_hub_version`: must be a version .*; got 'new'"):
        keras_hub_version_of("new")


def test_without_a_name_it_is_the_installed_one(monkeypatch):
    keras_hub = pytest.importorskip("keras_hub")
    assert installed_version() == keras_hub.__version__
    assert keras_hub.__version__.startswith(keras_hub_version_of(None))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert installed_version() is None
    assert keras_hub_version_of(None) == RowConfig().keras_hub_version


def test_of_two_that_are_installed_it_is_the_one_that_would_be_imported(monkeypatch, tmp_path):
    for folder, name, version in (("b", "keras_hub", "0.32.0"), ("a", "keras_hub_nightly", "0.33.0.dev1")):
        (tmp_path / folder / "keras_hub").mkdir(parents=True)
        (tmp_path / folder / "keras_hub" / "__init__.py").touch()
        about = tmp_path / folder / f"{name}-{version}.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Name: {name.replace('_', '-')}\nVersion: {version}\n")
        monkeypatch.syspath_prepend(tmp_path / folder)
    monkeypatch.delitem(sys.modules, "keras_hub", raising=False)
    importlib.invalidate_caches()
    assert installed_version() == "0.33.0.dev1"
