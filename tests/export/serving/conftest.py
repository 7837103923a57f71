"""A store of a model that loads in a moment."""

import pytest

from export.serving.prediction import load_servable
from export.serving.store import Choice, ModelStore


@pytest.fixture(scope="session")
def tiny_store(tiny_saved_model):
    """The model `tiny` with version 1, which is also called stable."""
    choice = Choice(labels={"stable": 1})
    store = ModelStore("tiny", tiny_saved_model.parent, load_servable, choice, lambda _: None)
    store.refresh()
    return store
