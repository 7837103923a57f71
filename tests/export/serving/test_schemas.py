"""The files of `serving_configs` for Compose, Kubernetes and KServe fit the published schemas, and pin their
images.
"""

import copy
import importlib.metadata
import json
import pathlib
import re

import pytest
import yaml

from tests.data import ROOT

FOLDER = ROOT / "serving_configs"
CONTAINER = ("args", "resources", "readinessProbe")
"""Parts of KServe's `model` that are those of Kubernetes' Container."""
needs_dev = "needs the extra dev: pip install -e '.[dev]'"


def documents(name):
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


@pytest.fixture(scope="module")
def compose_schema():
    """The Compose Specification's, which check-jsonschema carries."""
    package = pathlib.Path(pytest.importorskip("check_jsonschema", reason=needs_dev).__file__).parent
    schema = json.loads((package / "builtin_schemas" / "vendor" / "compose-spec.json").read_text())
    jsonschema = pytest.importorskip("jsonschema", reason=needs_dev)
    return jsonschema.validators.validator_for(schema)(schema)


@pytest.fixture(scope="module")
def kubernetes():
    return pytest.importorskip("kubernetes_validate", reason=needs_dev)


def test_compose_fits_the_specification(compose_schema):
    (compose,) = documents("docker-compose.yml")
    assert not list(compose_schema.iter_errors(compose))


def test_the_specification_finds_a_mistake_in_compose(compose_schema):
    (compose,) = documents("docker-compose.yml")
    compose["services"]["gemma4"]["healthcheck"]["intervall"] = "5s"
    messages = [error.message for error in compose_schema.iter_errors(compose)]
    assert any("'intervall' does not match" in message for message in messages)


@pytest.mark.parametrize("age", [0, -1], ids=["oldest", "newest"])
@pytest.mark.parametrize("kind", ["Deployment", "Service"])
def test_kubernetes_fits_its_own_schema(kubernetes, age, kind):
    (document,) = [each for each in documents("kubernetes.yaml") if each["kind"] == kind]
    kubernetes.validate(document, kubernetes.utils.all_versions()[age], strict=True)


def test_the_schema_finds_a_mistake_in_kubernetes(kubernetes):
    deployment = documents("kubernetes.yaml")[0]
    deployment["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes.ValidationError, match="'readinesProbe' was unexpected"):
        kubernetes.validate(deployment, kubernetes.latest_version(), strict=True)


@pytest.mark.parametrize("broken", [False, True])
def test_what_kserve_takes_over_from_a_container_fits_its_schema(kubernetes, broken):
    """KServe's own fields are no part of any schema that a package carries."""
    (service,) = documents("kserve.yaml")
    model = copy.deepcopy(service["spec"]["predictor"]["model"])
    container = {"name": "model"} | {part: model[part] for part in CONTAINER}
    assert set(model) == {*CONTAINER, "modelFormat", "runtimeVersion", "storageUri"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": service["metadata"],
        "spec": {"containers": [container]},
    }
    if broken:
        container["readinessProbe"]["httpGet"].pop("port")
        with pytest.raises(kubernetes.ValidationError, match="'port' is a required property"):
            kubernetes.validate(pod, kubernetes.latest_version(), strict=True)
    else:
        kubernetes.validate(pod, kubernetes.latest_version(), strict=True)


def test_images_have_the_version_that_this_project_is_tested_with():
    version = importlib.metadata.version("tensorflow-serving-api")
    texts = {path.name: path.read_text() for path in FOLDER.glob("*.y*ml")}
    texts["serving.md"] = (ROOT / "docs" / "serving.md").read_text()
    pinned = {
        name: re.findall(r"(?:tensorflow/serving:(?:\$\{TF_SERVING_TAG:-)?|runtimeVersion: )([\w.]+)", text)
        for name, text in texts.items()
    }
    assert pinned.keys() == {"docker-compose.yml", "kubernetes.yaml", "kserve.yaml", "serving.md"}
    assert all(tags == [version] for tags in pinned.values()), pinned
    assert not any("latest" in text for name, text in texts.items() if name != "serving.md")
