"""What TF Serving reads, parsed with its protos and checked against the code and against one another."""

import pathlib
import re

import pytest
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format, wrappers_pb2
from tensorflow_serving.config import model_server_config_pb2

from export.cli.serving import tf_serving_arguments
from export.serving.server import GRPC, REST, Settings
from export.serving_configuration import allowed_batch_sizes, model_config
from tests.data import ROOT

FOLDER = ROOT / "serving_configs"
README = (FOLDER / "README.md").read_text()
FIELD = descriptor_pb2.FieldDescriptorProto
INT64, STRING = ".google.protobuf.Int64Value", ".google.protobuf.StringValue"

MESSAGES = {
    # Fields of TF Serving's session_bundle_config.proto and monitoring_config.proto, which its Python package
    # leaves out.
    "BatchingParameters": {
        "max_batch_size": (1, INT64),
        "batch_timeout_micros": (2, INT64),
        "max_enqueued_batches": (3, INT64),
        "num_batch_threads": (4, INT64),
        "thread_pool_name": (5, STRING),
        "allowed_batch_sizes": (6, FIELD.TYPE_INT64),
        "pad_variable_length_inputs": (7, FIELD.TYPE_BOOL),
    },
    "PrometheusConfig": {"enable": (1, FIELD.TYPE_BOOL), "path": (2, FIELD.TYPE_STRING)},
    "MonitoringConfig": {"prometheus_config": (1, ".test.PrometheusConfig")},
}


@pytest.fixture(scope="module")
def protos():
    file = descriptor_pb2.FileDescriptorProto(name="test.proto", package="test", syntax="proto3")
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            label = FIELD.LABEL_REPEATED if field == "allowed_batch_sizes" else FIELD.LABEL_OPTIONAL
            of_type = {"type_name": kind} if isinstance(kind, str) else {"type": kind}
            message.field.add(name=field, number=number, label=label, **of_type)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return lambda name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"test.{name}"))()


@pytest.fixture(scope="module")
def model():
    config = text_format.Parse(
        (FOLDER / "models.config").read_text(), model_server_config_pb2.ModelServerConfig()
    )
    (model,) = config.model_config_list.config
    return model


@pytest.fixture(scope="module")
def compose():
    (service,) = yaml.safe_load((FOLDER / "docker-compose.yml").read_text())["services"].values()
    return service


@pytest.fixture(scope="module")
def kubernetes():
    return {
        document["kind"]: document
        for document in yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text())
    }


@pytest.fixture(scope="module")
def container(kubernetes):
    (container,) = kubernetes["Deployment"]["spec"]["template"]["spec"]["containers"]
    return container


@pytest.fixture(scope="module")
def kserve():
    return yaml.safe_load((FOLDER / "kserve.yaml").read_text())


def flags(arguments):
    return dict(argument.removeprefix("--").split("=", 1) for argument in arguments)


def test_models_config_names_the_model_its_folder_and_labels_of_versions_that_serve(model):
    assert (model.name, model.base_path, model.model_platform) == (
        Settings(pathlib.Path()).name,
        "/models/gemma4",
        "tensorflow",
    )
    assert model.model_version_policy.latest.num_versions == len(model.version_labels) == 2
    assert dict(model.version_labels) == {"stable": 1, "canary": 2}


def test_batching_parameters_agree_with_themselves_and_the_warmup_requests(protos):
    parameters = text_format.Parse(
        (FOLDER / "batching_parameters.txt").read_text(), protos("BatchingParameters")
    )
    sizes = list(parameters.allowed_batch_sizes)
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == parameters.max_batch_size.value
    assert tuple(sizes) == allowed_batch_sizes()
    assert not parameters.pad_variable_length_inputs
    for field in ("batch_timeout_micros", "max_enqueued_batches", "num_batch_threads"):
        assert getattr(parameters, field).value > 0


def test_every_batching_number_of_the_readme_is_the_files(protos):
    parameters = text_format.Parse(
        (FOLDER / "batching_parameters.txt").read_text(), protos("BatchingParameters")
    )
    for field in parameters.DESCRIPTOR.fields:
        value = getattr(parameters, field.name)
        if field.name == "thread_pool_name":
            continue
        text = {
            "allowed_batch_sizes": lambda v: ", ".join(map(str, v)),
            "pad_variable_length_inputs": lambda v: str(v).lower(),
        }
        shown = text.get(field.name, lambda v: str(v.value))(value)
        assert f"| `{field.name}` | {shown} |" in README


def test_monitoring_config_is_where_prometheus_looks(protos, kubernetes):
    config = text_format.Parse((FOLDER / "monitoring.config").read_text(), protos("MonitoringConfig"))
    assert config.prometheus_config.enable
    annotations = kubernetes["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/path"] == config.prometheus_config.path
    assert annotations["prometheus.io/port"] == str(REST)


def test_every_flag_is_explained(compose, container, kserve, tmp_path):
    used = [*compose["command"], *container["args"], *kserve["spec"]["predictor"]["model"]["args"]]
    used += tf_serving_arguments(tmp_path, GRPC, REST, "gemma4", None, 1)
    used += tf_serving_arguments(tmp_path, GRPC, REST, "gemma4", FOLDER / "models.config", 1)
    table = README.split("## Flags")[1].split("##")[0]
    for flag in flags(used):
        assert f"`--{flag}`" in table, flag
    for flag, value in flags(compose["command"]).items():
        (row,) = [
            line
            for line in table.splitlines()
            if line.startswith("|") and f"`--{flag}`" in line.split("|")[1]
        ]
        assert pathlib.PurePath(value).name in row


def test_compose_and_kubernetes_start_the_server_alike(compose, container):
    assert compose["entrypoint"] == container["command"] == ["tensorflow_model_server"]
    assert compose["command"] == container["args"]


def test_paths_in_flags_are_mounted_files_of_this_folder(compose, container, kubernetes, model):
    folders = {volume.rsplit(":", 2)[1] for volume in compose["volumes"]}
    assert folders == {model.base_path, "/serving_configs"}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {
        "model": str(pathlib.PurePath(model.base_path).parent),
        "configuration": "/serving_configs",
    }
    assert {
        volume["name"] for volume in kubernetes["Deployment"]["spec"]["template"]["spec"]["volumes"]
    } == set(mounts)
    for flag, value in flags(compose["command"]).items():
        if flag.endswith("_file"):
            assert (FOLDER / pathlib.PurePath(value).relative_to("/serving_configs")).is_file()


def test_ports_are_the_same_everywhere(compose, container, kubernetes):
    given = flags(container["args"])
    assert (int(given["port"]), int(given["rest_api_port"])) == (GRPC, REST)
    assert compose["ports"] == [f"{GRPC}:{GRPC}", f"{REST}:{REST}"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"grpc": GRPC, "rest": REST}
    service = kubernetes["Service"]["spec"]
    assert {port["name"]: (port["port"], port["targetPort"]) for port in service["ports"]} == {
        "grpc": (GRPC, "grpc"),
        "rest": (REST, "rest"),
    }
    assert service["selector"] == kubernetes["Deployment"]["spec"]["selector"]["matchLabels"]


def test_probes_ask_for_this_model_and_resources_are_bounded(container, kserve, model):
    predictor = kserve["spec"]["predictor"]["model"]
    assert kserve["metadata"]["name"] == model.name
    assert predictor["storageUri"].endswith(model.name)
    assert container["readinessProbe"]["httpGet"]["path"] == predictor["readinessProbe"]["httpGet"]["path"]
    assert container["readinessProbe"]["httpGet"]["path"] == f"/v1/models/{model.name}/metadata"
    assert container["livenessProbe"]["httpGet"]["path"] == f"/v1/models/{model.name}"
    for resources in (container["resources"], predictor["resources"]):
        assert resources["requests"].keys() == resources["limits"].keys() == {"cpu", "memory"}


def test_files_of_the_folder_are_listed_in_its_readme():
    listed = set(re.findall(r"^\| `([\w.-]+\.\w+)` \|", README, re.MULTILINE))
    assert listed == {
        path.name for path in FOLDER.iterdir() if path.suffix not in ("", ".py") and path.name != "README.md"
    }


def test_a_moved_configuration_keeps_its_policy_and_labels(tmp_path, model):
    given = flags(tf_serving_arguments(tmp_path, GRPC, REST, "gemma4", FOLDER / "models.config", 1))
    moved = model_config(given["model_config_file"], "gemma4")
    pathlib.Path(given["model_config_file"]).unlink()
    assert moved.base_path == str(tmp_path.resolve())
    assert dict(moved.version_labels) == dict(model.version_labels)
    assert moved.model_version_policy == model.model_version_policy
