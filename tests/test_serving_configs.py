"""What TF Serving reads, parsed with its own protos."""

import pathlib

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

FOLDER = pathlib.Path(__file__).parents[1] / "serving_configs"


def test_models_config_is_a_model_server_config():
    config = text_format.Parse((FOLDER / "models.config").read_text(), model_server_config_pb2.ModelServerConfig())
    (model,) = config.model_config_list.config
    assert (model.name, model.base_path, model.model_platform) == ("gemma4", "/models/gemma4", "tensorflow")
