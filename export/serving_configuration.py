"""What `serving_configs` says: batch sizes, and which versions and labels of a model serve. TF Serving reads
the same files.
"""

import importlib.resources
import os
import pathlib
from typing import Any

from export.batching_parameters import read_batching_parameters
from export.publish import numbered_versions

FOLDER = pathlib.Path(str(importlib.resources.files("serving_configs").joinpath("models.config"))).parent
BATCHING, MONITORING = FOLDER / "batching_parameters.txt", FOLDER / "monitoring.config"


def allowed_batch_sizes(path: str | os.PathLike[str] = BATCHING) -> tuple[int, ...]:
    """Batch sizes that TF Serving fills batches up to, rising; the last one is the largest batch."""
    return read_batching_parameters(path).allowed_batch_sizes


def read_models_config(path: str | os.PathLike[str]) -> Any:
    """A `--model_config_file` as a ModelServerConfig.

    Raises:
        ValueError: it is not one.
    """
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    try:
        return text_format.Parse(
            pathlib.Path(path).read_text(encoding="utf-8"), model_server_config_pb2.ModelServerConfig()
        )
    except text_format.ParseError as error:
        raise ValueError(
            f"`model_config`: must be a ModelServerConfig in text form; {path}, {error}. See "
            f"{FOLDER}/models.config."
        ) from None


def model_config(path: str | os.PathLike[str], name: str) -> Any:
    """The ModelConfig of one model.

    Raises:
        ValueError: the file is wrong, or has no such model.
    """
    configs = {config.name: config for config in read_models_config(path).model_config_list.config}
    if name not in configs:
        raise ValueError(
            f"`model_name`: must be a model of {path}; got {name}, and it has {sorted(configs)}. Pass one "
            f"of them."
        )
    return configs[name]


def check_model_folder(folder: pathlib.Path) -> None:
    """Checks that the folder is one of a model.

    Raises:
        ValueError: it is a version's folder, or holds no version.
    """
    if (folder / "saved_model.pb").exists():
        raise ValueError(
            f"`folder`: must be the folder of a model, above its versions; got the version {folder}. Pass "
            f"{folder.parent}."
        )
    if not numbered_versions(folder):
        raise ValueError(
            f"`folder`: must hold a version, a folder with a number for a name; found none in {folder}. "
            f"Export one first."
        )
