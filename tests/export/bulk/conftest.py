"""A model, loaded once."""

import pytest


@pytest.fixture(scope="session")
def model_folder(demo):
    return demo / "gemma4" / "1"


@pytest.fixture(scope="session")
def model(model_folder):
    from export.bulk.model import load_model

    return load_model(str(model_folder))
