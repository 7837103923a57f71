"""`python -m tools.compatibility.tensorflows`: whether SavedModels of this TensorFlow are the same in others.

Exports both engines with the TensorFlow of this environment, makes an environment of each other release in
`build/runtimes` (2 GB each), runs every signature on the same inputs in Python and through the C library that
TF Serving too is built on, and prints which outputs are equal byte for byte.
"""

import argparse
import importlib.metadata
import json
import os
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import graph_ops
from export.saved_model.write import export_saved_model
from export.verify import samples
from tools.compatibility.answers import packed, rows, run_bare
from tools.compatibility.c_library import run_c_library
from tools.compatibility.comparing import Row, show
from tools.compatibility.environments import WORK, environment, packages_of, python_of
from tools.compatibility.requests import saved_model_requests

VERSIONS = ("2.16.2", "2.17.1", "2.18.1", "2.19.1", "2.20.0")
ENGINES = ("sentencepiece", "builtin")


def main(versions: list[str]) -> Iterator[Row]:
    """Each engine in each release, in Python and through the C library."""
    WORK.mkdir(parents=True, exist_ok=True)
    folders = {version: environment(f"tensorflow=={version}") for version in versions}
    (WORK / "requests.json").write_text(json.dumps(packed(saved_model_requests())))
    for engine in ENGINES:
        yield from rows(f"SavedModel, {engine}", _answers(_export(engine, WORK / "exports"), folders))


def _answers(
    exported: pathlib.Path, folders: dict[str, pathlib.Path]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of this TensorFlow first."""
    own = importlib.metadata.version("tensorflow")
    pythons = {own: sys.executable} | {version: python_of(folder) for version, folder in folders.items()}
    for version, python in pythons.items():
        yield f"TensorFlow {version}", run_bare(python, "saved_model", exported, WORK / "requests.json")
    packages = {own: _own_packages()} | {version: packages_of(folder) for version, folder in folders.items()}
    for version, place in packages.items():
        yield f"C API {version}", _through_c(place, exported) | {"versions": {"tensorflow": version}}


def _through_c(packages: pathlib.Path, exported: pathlib.Path) -> dict[str, Any]:
    try:
        return {"outputs": packed(run_c_library(packages, exported, saved_model_requests())), "errors": {}}
    except ValueError as error:
        return {"outputs": {}, "errors": {"load": str(error)}}


def _own_packages() -> pathlib.Path:
    return pathlib.Path(str(importlib.metadata.distribution("tensorflow").locate_file("")))


def _export(engine: str, folder: pathlib.Path) -> pathlib.Path:
    tokenizer = graph_ops.Gemma4Tokenizer(samples.demonstration_file("demonstration.spm"), engine=engine)
    converters = graph_ops.Gemma4ImageConverter(), graph_ops.Gemma4AudioConverter()
    return export_saved_model(graph_ops.Gemma4CausalLMPreprocessor(tokenizer, *converters), folder / engine)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("versions", nargs="*", default=VERSIONS, help="TensorFlows; by default %(default)s")
    parser.add_argument("--json", action="store_true", help="print everything, for a script")
    parser.add_argument("--markdown", action="store_true", help="print the table for docs/compatibility.md")
    chosen = parser.parse_args()
    sys.exit(show(main(chosen.versions), as_json=chosen.json, as_markdown=chosen.markdown))
