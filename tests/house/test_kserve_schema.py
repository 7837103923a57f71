"""The schema that `tools.kserve_schema` makes of KServe's models."""

import json
import zipfile

import pytest

from tests.data import ROOT
from tools.kserve_schema import read_classes, read_models, schema

GOLDEN = ROOT / "tests" / "golden" / "kserve_inference_service.json"
SERVICE = """
class V1beta1InferenceService(object):
    openapi_types = {'kind': 'str', 'spec': 'V1beta1Spec', 'status': 'V1beta1InferenceServiceStatus'}
    attribute_map = {'kind': 'kind', 'spec': 'spec', 'status': 'status'}
"""
SPEC = """
class V1beta1Spec(object):
    openapi_types = {
        'min_replicas': 'int', 'args': 'list[str]', 'labels': 'dict(str, str)', 'any': 'object',
        'probe': 'V1Probe', 'strategy': 'K8sIoApiAppsV1DeploymentStrategy', 'metadata': 'V1ObjectMeta'
    }
    attribute_map = {
        'min_replicas': 'minReplicas', 'args': 'args', 'labels': 'labels', 'any': 'any',
        'probe': 'probe', 'strategy': 'strategy', 'metadata': 'metadata'
    }

    @min_replicas.setter
    def min_replicas(self, min_replicas):
        if self.local_vars_configuration.client_side_validation and min_replicas is None:
            raise ValueError("Invalid value for `min_replicas`, must not be `None`")
"""


@pytest.fixture
def wheel(tmp_path):
    with zipfile.ZipFile(tmp_path / "kserve.whl", "w") as archive:
        archive.writestr("kserve/models/v1beta1_inference_service.py", SERVICE)
        archive.writestr("kserve/models/v1beta1_spec.py", SPEC)
        archive.writestr("kserve/models/v1beta1_other.py", SPEC.replace("V1beta1Spec", "V1beta1Other"))
        archive.writestr("kserve/model.py", "no model")
    return tmp_path / "kserve.whl"


def test_fields_have_their_types_and_names_in_json(wheel):
    found = schema(read_models(wheel), "from a test")
    assert found["$comment"] == "from a test"
    assert found["$defs"].keys() == {"V1beta1InferenceService", "V1beta1Spec"}, "what is reached, no status"
    assert found["$defs"]["V1beta1InferenceService"]["properties"] == {
        "kind": {"type": "string"},
        "spec": {"$ref": "#/$defs/V1beta1Spec"},
    }
    spec = found["$defs"]["V1beta1Spec"]
    assert spec["additionalProperties"] is False
    assert spec["required"] == ["minReplicas"]
    assert spec["properties"] == {
        "any": {},
        "args": {"type": "array", "items": {"type": "string"}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "metadata": {"$ref": "kubernetes.json#/$defs/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"},
        "minReplicas": {"type": "integer"},
        "probe": {"$ref": "kubernetes.json#/$defs/io.k8s.api.core.v1.Probe"},
        "strategy": {"$ref": "kubernetes.json#/$defs/io.k8s.api.apps.v1.DeploymentStrategy"},
    }


def test_what_is_not_none_is_required():
    assert read_classes(SPEC)["V1beta1Spec"].required == ["min_replicas"]


def test_the_golden_schema_says_where_it_is_from():
    golden = json.loads(GOLDEN.read_text())
    assert "From the models of KServe 0." in golden["$comment"]
    assert len(golden["$defs"]["V1beta1PredictorSpec"]["properties"]) > 50
