"""One request to a SavedModel: what goes in, what comes out, what is refused."""

import sys

import pytest

from export.saved_model import run as running
from tests.export.tiny import EMPTY, TABLE


@pytest.fixture(scope="module")
def loaded(tiny_saved_model):
    return running.load(tiny_saved_model)


def test_a_loaded_export_has_its_signatures(loaded):
    assert loaded.signatures.keys() == TABLE.keys()


def test_an_export_without_sentencepiece_loads_without_tensorflow_text(tiny_saved_model, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)
    assert running.load(tiny_saved_model).signatures.keys() == TABLE.keys()


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_a_folder_without_a_savedmodel_is_refused(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=r"must hold a SavedModel; no saved_model.pb in .* Pass DIR"):
        running.load(tmp_path / name)


@pytest.mark.parametrize("files", [(), (b"",), (b"12", b"345")])
def test_a_request_takes_any_number_of_files(loaded, files):
    outputs = running.request(loaded, "né", {"image": files})
    assert outputs["token_ids"].tolist() == [[110, 233]]
    assert outputs["sizes"].tolist() == [sum(map(len, files))]
    assert running.request(loaded, "né", {"image": files, "audio": []}).keys() == outputs.keys()


def test_files_that_the_export_does_not_take_are_refused(loaded):
    with pytest.raises(ValueError, match=r"`audio`: this export takes \['images', 'prompts'\] only"):
        running.request(loaded, "a", {"audio": [b"clip"]})


def test_the_status_of_the_row_is_raised(loaded):
    with pytest.raises(ValueError, match=f"^{EMPTY}$"):
        running.request(loaded, "", {"image": [b"1"]})
