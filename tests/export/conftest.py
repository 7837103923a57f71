"""Artifacts that are written in a moment, for tests of what reads artifacts."""

import pytest

from tests.export.tiny import save_tiny, write_tiny_bundle


@pytest.fixture(scope="session")
def tiny_saved_model(tmp_path_factory):
    """A version folder, 1, in the folder of its model."""
    return save_tiny(tmp_path_factory.mktemp("tiny") / "1")


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory):
    return write_tiny_bundle(tmp_path_factory.mktemp("tiny") / "bundle")
