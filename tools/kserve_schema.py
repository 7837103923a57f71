"""The JSON Schema of KServe's InferenceService, from the models in its wheel, which carries no schema.

    pip download --no-deps kserve==0.21.0
    python -m tools.kserve_schema kserve-0.21.0-py3-none-any.whl tests/golden/kserve_inference_service.json

KServe's models are classes that OpenAPI's generator wrote: fields with their types, their names in JSON, and
which may not be None. What is Kubernetes' own in them is a reference into `kubernetes.json`, which stands for
the definitions of kubernetes-validate.
"""

import ast
import json
import pathlib
import re
import sys
import zipfile
from typing import Any, NamedTuple

ROOT_TYPE = "V1beta1InferenceService"
LEFT_OUT = ("V1beta1InferenceServiceStatus",)
"""What a server writes, not a user."""
PLAIN = {"str": "string", "int": "integer", "bool": "boolean", "float": "number"}
KUBERNETES = {
    "V1ObjectMeta": "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
    "V1beta1MetricQuantity": "io.k8s.apimachinery.pkg.api.resource.Quantity",
    "ResourceQuantity": "io.k8s.apimachinery.pkg.api.resource.Quantity",
}
"""Names of Kubernetes' definitions that do not follow from those of the classes."""


class Model(NamedTuple):
    """One class.

    Attributes:
        types: of its fields, by Python's name.
        names: in JSON, by Python's name.
        required: Python's names of those that may not be None.
    """

    types: dict[str, str]
    names: dict[str, str]
    required: list[str]


def read_models(wheel: pathlib.Path) -> dict[str, Model]:
    """Every model of a wheel, by the name of its class."""
    with zipfile.ZipFile(wheel) as archive:
        paths = [path for path in archive.namelist() if re.match(r"kserve/models/v\w+\.py$", path)]
        return {
            name: model for path in paths for name, model in read_classes(archive.read(path).decode()).items()
        }


def read_classes(source: str) -> dict[str, Model]:
    """The models of one module."""
    return {node.name: _model(node) for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}


def _model(node: ast.ClassDef) -> Model:
    tables = {
        ast.unparse(each.targets[0]): ast.literal_eval(each.value)
        for each in node.body
        if isinstance(each, ast.Assign)
    }
    checks = re.findall(r"client_side_validation and (\w+) is None", ast.unparse(node))
    return Model(tables["openapi_types"], tables["attribute_map"], checks)


def schema(models: dict[str, Model], comment: str) -> dict[str, Any]:
    """The schema of ROOT_TYPE with the definitions that it reaches."""
    definitions: dict[str, Any] = {}
    left = [ROOT_TYPE]
    while left:
        name = left.pop()
        if name not in definitions:
            definitions[name] = _object(models[name], models)
            left += set(re.findall(r"\w+", " ".join(models[name].types.values()))) & models.keys()
            left = [each for each in left if each not in LEFT_OUT]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": comment,
        "$ref": f"#/$defs/{ROOT_TYPE}",
        "$defs": dict(sorted(definitions.items())),
    }


def _object(model: Model, models: dict[str, Model]) -> dict[str, Any]:
    fields = {model.names[key]: kind for key, kind in model.types.items() if kind not in LEFT_OUT}
    found = {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _type(kind, models) for name, kind in sorted(fields.items())},
    }
    required = sorted(model.names[key] for key in model.required)
    return found | ({"required": required} if required else {})


def _type(kind: str, models: dict[str, Model]) -> dict[str, Any]:
    if match := re.fullmatch(r"list\[(.+)\]", kind):
        return {"type": "array", "items": _type(match[1], models)}
    if match := re.fullmatch(r"dict\(str, (.+)\)", kind):
        return {"type": "object", "additionalProperties": _type(match[1], models)}
    if kind == "object":
        return {}
    if kind in PLAIN:
        return {"type": PLAIN[kind]}
    if kind in models:
        return {"$ref": f"#/$defs/{kind}"}
    return {"$ref": f"kubernetes.json#/$defs/{_kubernetes(kind)}"}


def _kubernetes(kind: str) -> str:
    """`V1Probe` -> `io.k8s.api.core.v1.Probe`, `K8sIoApiAppsV1Scale` -> `io.k8s.api.apps.v1.Scale`."""
    if match := re.fullmatch(r"K8sIoApi([A-Z][a-z]+)(V\d+)(\w+)", kind):
        return f"io.k8s.api.{match[1].lower()}.{match[2].lower()}.{match[3]}"
    return KUBERNETES.get(kind, f"io.k8s.api.core.v1.{kind.removeprefix('V1')}")


def main() -> None:
    """Reads a wheel and writes the schema."""
    wheel, out = map(pathlib.Path, sys.argv[1:])
    version = wheel.name.split("-")[1]
    comment = f"From the models of KServe {version} (Apache-2.0): see tools/kserve_schema.py."
    out.write_text(json.dumps(schema(read_models(wheel), comment), indent=1) + "\n")
    print(f"wrote {out}")


if __name__ == "__main__":
    main()
