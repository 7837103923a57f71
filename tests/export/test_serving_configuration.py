"""What the files of `serving_configs` say to our own code, and folders that are not a model's."""

import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.serving_configuration import (
    BATCHING,
    FOLDER,
    MONITORING,
    allowed_batch_sizes,
    check_model_folder,
    model_config,
    read_models_config,
)
from tests.twins.vocabularies import REPEATABLE

MODELS = """
model_config_list {
  config { name: "a" base_path: "/models/a" model_platform: "tensorflow" }
  config { name: "b" base_path: "/models/b" }
}
"""


def test_the_shipped_files_are_there():
    assert FOLDER == BATCHING.parent == MONITORING.parent
    assert all(path.is_file() for path in (BATCHING, MONITORING, FOLDER / "models.config"))
    assert allowed_batch_sizes() == allowed_batch_sizes(str(BATCHING))
    assert allowed_batch_sizes()[0] == 1


@REPEATABLE
@given(st.sets(st.integers(1, 10**6), min_size=1).map(sorted))
def test_batch_sizes_are_those_of_the_lines_in_order(tmp_path, sizes):
    file = tmp_path / "batching.txt"
    lines = [f"allowed_batch_sizes: {size} # of allowed_batch_sizes: 7" for size in sizes]
    largest = f"max_batch_size {{ value: {sizes[-1]} }}"
    file.write_text("\n".join([largest, "# allowed_batch_sizes: 3", *lines]))
    assert allowed_batch_sizes(file) == tuple(sizes)


def test_a_model_is_found_by_its_name(tmp_path):
    file = tmp_path / "models.config"
    file.write_text(MODELS)
    assert model_config(file, "b").base_path == "/models/b"
    assert [config.name for config in read_models_config(file).model_config_list.config] == ["a", "b"]
    with pytest.raises(ValueError, match=r"got c, and it has \['a', 'b'\]. Pass one of them"):
        model_config(file, "c")


def test_an_empty_file_has_no_model(tmp_path):
    file = tmp_path / "models.config"
    file.touch()
    assert not read_models_config(file).model_config_list.config
    with pytest.raises(ValueError, match=r"and it has \[\]"):
        model_config(file, "")


def test_a_wrong_configuration_is_refused(tmp_path):
    wrong = tmp_path / "models.config"
    wrong.write_text("model_config_list { config { title: 'x' } }")
    with pytest.raises(ValueError, match="`model_config`: must be a ModelServerConfig in text form"):
        read_models_config(wrong)
    with pytest.raises(
        ValueError, match=r"`model_name`: must be a model of .*; got x, and it has \['gemma4'\]"
    ):
        model_config(FOLDER / "models.config", "x")


def test_a_folder_with_a_version_is_a_models(tmp_path):
    (tmp_path / "12").mkdir()
    check_model_folder(tmp_path)


@pytest.mark.parametrize("names", [(), ("a",), ("v1", ".3"), ("1.5",), ("٣", "²")])
def test_a_folder_without_a_version_is_refused(tmp_path, names):
    for name in names:
        (tmp_path / name).mkdir()
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ValueError, match=f"must hold a version, .*; found none in {folder}"):
            check_model_folder(folder)


def test_a_file_with_a_number_for_a_name_is_no_version(tmp_path):
    (tmp_path / "1").touch()
    with pytest.raises(ValueError, match="must hold a version"):
        check_model_folder(tmp_path)


def test_the_folder_of_a_version_names_the_one_above(tmp_path):
    version = pathlib.Path(tmp_path, "1")
    version.mkdir()
    (version / "saved_model.pb").touch()
    with pytest.raises(ValueError, match=f"got the version {version}. Pass {tmp_path}"):
        check_model_folder(version)
