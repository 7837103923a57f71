"""The software bill of materials of what an installation without extras brings: `make sbom`.

    python -m tools.sbom ENVIRONMENT OUT

ENVIRONMENT is what cyclonedx-py said of this environment, which may hold more, and OUT keeps what the
project's own dependencies reach.
"""

import importlib.metadata
import json
import pathlib
import re
import sys
from collections.abc import Iterable
from typing import Any

from packaging.requirements import Requirement

PYPROJECT = pathlib.Path(__file__).parents[1] / "pyproject.toml"


def dependencies(pyproject: str) -> set[str]:
    """Names of the project's dependencies, extras left out, as package indexes write them."""
    listed = re.search(r"^dependencies = \[\n(.*?)^\]", pyproject, re.MULTILINE | re.DOTALL)
    assert listed
    return {normalized(name) for name in re.findall(r'^    "([\w.-]+)', listed[1], re.MULTILINE)}


def normalized(name: str) -> str:
    """A package's name in lower case with single hyphens."""
    return re.sub(r"[-_.]+", "-", name).lower()


def reached(names: Iterable[str]) -> set[str]:
    """The packages and all that they need, in this environment and without extras that nobody asks for.

    Raises:
        ValueError: one of them is not installed.
    """
    found, left = set[tuple[str, str]](), [(name, "") for name in names]
    while left:
        name, extra = left.pop()
        found.add((name, extra))
        try:
            requires = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            raise ValueError(f"`environment`: must hold {name}; got none. Run: make demo") from None
        for needed in map(Requirement, requires):
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                wanted = {(normalized(needed.name), each) for each in ("", *needed.extras)}
                left += wanted - found
    return {name for name, _ in found}


def core(bom: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """The part of a bill (CycloneDX) that is of the named packages."""
    components = [each for each in bom["components"] if normalized(each["name"]) in names]
    kept = {each["bom-ref"] for each in components} | {bom["metadata"]["component"]["bom-ref"]}
    needs = {entry["ref"]: entry.get("dependsOn", []) for entry in bom["dependencies"]}
    return bom | {
        "components": components,
        "dependencies": [
            {"ref": ref, "dependsOn": [each for each in needed if each in kept]}
            for ref, needed in needs.items()
            if ref in kept
        ],
    }


def main() -> None:
    """Reads a bill and writes the part of it."""
    environment, out = map(pathlib.Path, sys.argv[1:])
    names = reached(dependencies(PYPROJECT.read_text()))
    bom = core(json.loads(environment.read_text()), names)
    out.write_text(json.dumps(bom, indent=2))
    print(f"wrote {out} ({len(bom['components'])} packages)")


if __name__ == "__main__":
    main()
