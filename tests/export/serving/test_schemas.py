"""The files of `serving_configs` for Compose, Kubernetes and KServe fit the published schemas, and pin their
images.
"""

import importlib.metadata
import json
import pathlib
import re

import pytest
import yaml

from tests.data import ROOT

FOLDER = ROOT / "serving_configs"
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


@pytest.fixture(scope="module")
def inference_service(kubernetes):
    """KServe's own, in tests/golden, with what it takes over from Kubernetes in kubernetes-validate."""
    jsonschema = pytest.importorskip("jsonschema", reason=needs_dev)
    referencing = pytest.importorskip("referencing", reason=needs_dev)
    schemas = pathlib.Path(kubernetes.__file__).parent / "kubernetes-json-schema"
    strict = schemas / f"v{kubernetes.latest_version()}-local-strict" / "_definitions.json"
    definitions = referencing.Resource.from_contents(json.loads(strict.read_text()))
    schema = json.loads((ROOT / "tests" / "golden" / "kserve_inference_service.json").read_text())
    registry = referencing.Registry().with_resource("kubernetes.json", definitions)
    return jsonschema.Draft202012Validator(schema, registry=registry)


def test_kserve_fits_its_own_schema(inference_service):
    (service,) = documents("kserve.yaml")
    assert [error.message for error in inference_service.iter_errors(service)] == []


MISTAKES = {
    "a field that KServe does not have": (("predictor", "minReplica"), 1, "'minReplica' was unexpected"),
    "a field of the model": (("predictor", "model", "runtimeVerson"), "2", "'runtimeVerson' was unexpected"),
    "a number in words": (("predictor", "maxReplicas"), "four", "'four' is not of type 'integer'"),
    "a version that YAML reads as a number": (
        ("predictor", "model", "runtimeVersion"),
        2.21,
        "2.21 is not of type 'string'",
    ),
    "a format by its name alone": (
        ("predictor", "model", "modelFormat"),
        "tensorflow",
        "'tensorflow' is not of type 'object'",
    ),
    "a probe that is Kubernetes' own": (
        ("predictor", "model", "readinessProbe", "httpGet", "prot"),
        8080,
        "'prot' was unexpected",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_schema_finds_a_mistake_in_kserve(inference_service, mistake):
    (service,) = documents("kserve.yaml")
    (*places, last), value, message = MISTAKES[mistake]
    part = service["spec"]
    for place in places:
        part = part[place]
    part[last] = value
    assert message in " ".join(error.message for error in inference_service.iter_errors(service))


@pytest.mark.parametrize("place", [("spec", "predictor"), ("spec", "predictor", "model", "modelFormat")])
def test_the_schema_misses_what_kserve_requires(inference_service, place):
    (service,) = documents("kserve.yaml")
    *places, last = place
    part = service
    for each in places:
        part = part[each]
    del part[last]
    (error,) = inference_service.iter_errors(service)
    assert error.message == f"{last!r} is a required property"


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
