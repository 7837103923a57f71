"""What is said of the server and of its model."""

import threading

import pytest

from export.serving.refusals import Refusal
from export.serving.store import Choice, ModelStore
from export.serving.v2.model import chosen, is_model_ready, model_metadata, server_version


@pytest.mark.parametrize("version", ["", "1", "01", "stable"])
def test_a_version_is_a_number_or_a_label_or_the_highest(tiny_store, version):
    with chosen(tiny_store, "tiny", version) as servable:
        assert servable.version == 1
    assert is_model_ready(tiny_store, "tiny", version)


@pytest.mark.parametrize(
    ("name", "version", "message"),
    [
        ("other", "", r"Servable not found for request: Latest\(other\)"),
        ("tiny", "2", r"Servable not found for request: Specific\(tiny, 2\)"),
        ("tiny", "9" * 30, r"Servable not found for request: Specific\(tiny, "),
        ("tiny", "canary", "Unrecognized servable version label: canary"),
        ("tiny", "²", "Unrecognized servable version label: ²"),
        ("", "", "ModelSpec has no name specified."),
    ],
)
def test_what_is_not_there_is_not_found(tiny_store, name, version, message):
    for ask in (is_model_ready, model_metadata):
        with pytest.raises(Refusal, match=message) as refusal:
            ask(tiny_store, name, version)
        assert refusal.value.http_status == 404


def test_a_model_that_loads_is_not_ready_and_answers_nothing(tmp_path):
    (tmp_path / "1").mkdir()
    looked, go_on = threading.Event(), threading.Event()

    def load(version, path):
        looked.set()
        go_on.wait()
        raise ValueError("no")

    store = ModelStore("slow", tmp_path, load, Choice(), lambda _: None)
    thread = threading.Thread(target=store.refresh)
    thread.start()
    looked.wait()
    assert not is_model_ready(store, "slow", "")
    with pytest.raises(Refusal, match="is loading"):
        model_metadata(store, "slow", "")
    go_on.set()
    thread.join()
    with pytest.raises(Refusal, match="not found"):
        is_model_ready(store, "slow", "")


def test_a_refusal_inside_the_block_is_left_alone(tiny_store):
    with pytest.raises(ZeroDivisionError), chosen(tiny_store, "tiny", ""):
        raise ZeroDivisionError


def test_metadata_are_those_of_a_signature(tiny_store):
    found = model_metadata(tiny_store, "tiny", "", "tokenize")
    assert found == (
        "tiny",
        ["1"],
        "tensorflow_savedmodel",
        [("text", "BYTES", [-1])],
        [("lengths", "INT32", [-1]), ("token_ids", "INT32", [-1, -1])],
    )
    assert ("images", "BYTES", [-1, -1]) in model_metadata(tiny_store, "tiny", "").inputs
    with pytest.raises(Refusal, match="`signature_name`: must be one of"):
        model_metadata(tiny_store, "tiny", "", "classify")


def test_a_server_has_a_version_if_it_is_installed():
    assert isinstance(server_version(), str)
