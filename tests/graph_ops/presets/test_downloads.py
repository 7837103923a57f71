"""Handles: what is asked of the download libraries, with stand-ins for their download calls only, and how
their failures are told.
"""

import dataclasses
import shutil
import sys
import types

import huggingface_hub
import kagglehub
import pytest
import requests
from huggingface_hub import errors

import graph_ops
from graph_ops.family import GEMMA4
from graph_ops.presets import downloads
from graph_ops.presets.catalogue import PRESETS
from graph_ops.presets.downloads import DownloadError
from tests.data import DEMONSTRATION, ROOT

Preprocessor = graph_ops.Gemma4CausalLMPreprocessor
KAGGLE = "kaggle://keras/gemma4/keras/gemma4_2b/2"


@pytest.fixture
def published(tmp_path, make_preprocessor):
    """A folder in KerasHub's layout, as it lies on the other side."""
    make_preprocessor(sequence_length=700).save_to_preset(tmp_path / "published")
    (tmp_path / "published" / "model.weights.h5").write_bytes(b"gigabytes")
    return tmp_path / "published"


@pytest.fixture
def huggingface(monkeypatch, published, tmp_path):
    """Stands in for `huggingface_hub.snapshot_download`: copies what was asked for; the calls are kept."""
    calls = []

    def snapshot_download(repo_id, *, revision=None, allow_patterns):
        calls.append((repo_id, revision))
        for pattern in allow_patterns:
            for source in published.glob(pattern):
                target = tmp_path / "cache" / source.relative_to(published)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
        return str(tmp_path / "cache")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return calls


@pytest.fixture
def kaggle(monkeypatch, published, tmp_path):
    """Stands in for `kagglehub.model_download`, which fetches one file and fails with 404 where there is
    none.
    """
    calls = []

    def model_download(handle, path):
        calls.append((handle, path))
        if not (published / path).is_file():
            raise response_error(requests.HTTPError, 404)
        target = tmp_path / "cache" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return shutil.copy(published / path, target)

    monkeypatch.setattr(kagglehub, "model_download", model_download)
    return calls


def response_error(kind, status):
    return kind(
        f"{status} Client Error", response=types.SimpleNamespace(status_code=status, headers={}, request=None)
    )


def failing(error):
    def download(*_, **__):
        raise error

    return download


@pytest.mark.parametrize(("handle", "revision"), [("hf://owner/name", None), ("hf://owner/name@v2", "v2")])
def test_a_hugging_face_handle_is_a_folder_without_weights(huggingface, tmp_path, handle, revision):
    assert Preprocessor.from_preset(handle).sequence_length == 700
    assert huggingface == [("owner/name", revision)]
    assert not list((tmp_path / "cache").rglob("*.h5"))


def test_a_kaggle_handle_is_a_folder_without_weights(kaggle, tmp_path):
    (tmp_path / "published" / "image_converter.json").unlink()
    assert Preprocessor.from_preset(KAGGLE).sequence_length == 700
    assert {handle for handle, _ in kaggle} == {"keras/gemma4/keras/gemma4_2b/2"}
    assert not list((tmp_path / "cache").rglob("*.h5"))


def takes_small_vocabularies(monkeypatch, name):
    small = dataclasses.replace(GEMMA4, vocabulary_size=4096)
    monkeypatch.setitem(PRESETS, name, dataclasses.replace(PRESETS[name], family=small))


def test_a_built_in_preset_needs_its_vocabulary_only(kaggle, monkeypatch):
    takes_small_vocabularies(monkeypatch, "gemma4_2b")
    made = Preprocessor.from_preset("gemma4_2b")
    assert made.tokenizer.proto == DEMONSTRATION.read_bytes()
    assert kaggle == [("keras/gemma4/keras/gemma4_2b/2", downloads.KERAS_HUB_VOCABULARY)]


def test_a_built_in_preset_turns_to_hugging_face_where_kaggle_fails(monkeypatch):
    asked = []

    def download(repository, file):
        asked.append((repository, file))
        return str(DEMONSTRATION)

    takes_small_vocabularies(monkeypatch, "gemma4_instruct_31b")
    monkeypatch.setattr(kagglehub, "model_download", failing(response_error(requests.HTTPError, 403)))
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    assert graph_ops.Gemma4Tokenizer.from_preset("gemma4_instruct_31b").vocabulary_size() == 4096
    assert asked == [("google/gemma-4-31B-it", "tokenizer.json")]


def test_a_downloaded_vocabulary_of_another_size_is_refused(kaggle):
    with pytest.raises(
        ValueError, match="`preset`: the vocabulary that was downloaded must have 262,144 pieces; got 4,096"
    ):
        Preprocessor.from_preset("gemma4_2b")


@pytest.mark.parametrize(
    "handle",
    [
        "hf://name",
        "hf://a/b/c",
        "hf:///b",
        "kaggle://a/b/c",
        "kaggle://a/b/c/d/1/2",
        "gs://bucket/folder",
        "://a/b",
        "hf://",
    ],
)
def test_a_handle_of_another_shape_is_refused(handle):
    with pytest.raises(ValueError, match="`preset`: a handle must be 'hf://owner/name"):
        Preprocessor.from_preset(handle)


@pytest.mark.parametrize(
    ("handle", "package", "extra"),
    [("hf://owner/name", "huggingface_hub", "huggingface"), (KAGGLE, "kagglehub", "kaggle")],
)
def test_a_missing_package_is_named_with_the_extra_to_install(monkeypatch, handle, package, extra):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        DownloadError,
        match=rf"needs the package {package}.*pip install 'gemma4-graph\[{extra}\]'.*pass the folder",
    ):
        Preprocessor.from_preset(handle)


def test_the_extras_that_errors_name_exist():
    project = ROOT.joinpath("pyproject.toml").read_text()
    for package, extra in downloads._PACKAGES.values():
        assert f'{extra} = ["{package}' in project


@pytest.mark.parametrize("status", [401, 403])
def test_a_licence_that_is_not_accepted_is_told_with_where_to_accept_it(monkeypatch, status):
    monkeypatch.setattr(
        huggingface_hub, "snapshot_download", failing(response_error(errors.GatedRepoError, status))
    )
    with pytest.raises(
        DownloadError,
        match=r"may not be read .*`hf auth login` and accept the licence at huggingface.co/owner/name",
    ):
        Preprocessor.from_preset("hf://owner/name")
    monkeypatch.setattr(kagglehub, "model_download", failing(response_error(requests.HTTPError, status)))
    with pytest.raises(
        DownloadError,
        match=r"may not be read .*`kagglehub.login\(\)` and accept the licence at kaggle.com/models/keras",
    ):
        Preprocessor.from_preset(KAGGLE)


def test_a_model_that_does_not_exist_is_told(monkeypatch):
    monkeypatch.setattr(
        huggingface_hub, "snapshot_download", failing(response_error(errors.RepositoryNotFoundError, 404))
    )
    with pytest.raises(DownloadError, match="there is no hf://owner/name"):
        Preprocessor.from_preset("hf://owner/name")


def test_no_network_is_told_by_the_real_library(monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        DownloadError, match=r"hf://owner/name could not be downloaded \(.*Check the network.*pass the folder"
    ):
        Preprocessor.from_preset("hf://owner/name")


def test_where_both_libraries_fail_both_reasons_are_told(monkeypatch):
    monkeypatch.setattr(kagglehub, "model_download", failing(requests.ConnectionError("no route")))
    monkeypatch.setattr(
        huggingface_hub, "hf_hub_download", failing(response_error(errors.GatedRepoError, 401))
    )
    with pytest.raises(DownloadError) as raised:
        Preprocessor.from_preset("gemma4_2b")
    for part in (
        "kaggle://keras/gemma4/keras/gemma4_2b/2 could not",
        "no route",
        "hf://google/gemma-4-E2B may not be read",
        "`tokenizer=`",
    ):
        assert part in str(raised.value)
