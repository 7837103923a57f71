"""`python -m tools.compatibility.litert`: whether a bundle of this project gives the same in other LiteRTs.

Exports a bundle, makes an environment of each release in `build/runtimes` (0.1 to 2 GB each), runs every
signature on the same inputs in each one's Interpreter, and prints which outputs are equal byte for byte, and
which release lacks a version of an op.
"""

import argparse
import importlib.metadata
import json
import os
import pathlib
import shutil
import sys
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import graph_ops
from export.litert.write import MODEL, export_litert
from export.verify import samples
from tools.compatibility.answers import packed, rows, run_bare
from tools.compatibility.bundle_requests import bundle_requests
from tools.compatibility.comparing import Row, show
from tools.compatibility.environments import WORK, environment, python_of

RELEASES = (
    *("ai-edge-litert==2.2.0", "ai-edge-litert==2.1.6", "ai-edge-litert==2.0.3", "ai-edge-litert==1.4.0"),
    *("ai-edge-litert==1.3.0", "ai-edge-litert==1.2.0", "ai-edge-litert==1.1.2", "ai-edge-litert==1.0.1"),
    *("tensorflow==2.20.0", "tensorflow==2.16.2", "tflite-runtime==2.14.0"),
)
"""The last patch of each minor release of LiteRT, and what came before it."""


def main(requirements: list[str]) -> Iterator[Row]:
    """The bundle in each release."""
    WORK.mkdir(parents=True, exist_ok=True)
    folders = {requirement: environment(requirement) for requirement in requirements}
    bundle = _export(WORK / "bundle")
    (WORK / "bundle_requests.json").write_text(json.dumps(packed(bundle_requests(bundle))))
    yield from rows("bundle", _answers(bundle, folders))


def _answers(bundle: pathlib.Path, folders: dict[str, pathlib.Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of this LiteRT first."""
    own = f"ai-edge-litert=={importlib.metadata.version('ai-edge-litert')}"
    pythons = {own: sys.executable} | {release: python_of(folder) for release, folder in folders.items()}
    for release, python in pythons.items():
        answer = run_bare(python, "bundle", bundle / MODEL, WORK / "bundle_requests.json")
        yield release.replace("==", " "), answer


def _export(folder: pathlib.Path) -> pathlib.Path:
    shutil.rmtree(folder, ignore_errors=True)
    tokenizer = graph_ops.Gemma4Tokenizer(samples.demonstration_file("demonstration.spm"), engine="builtin")
    converters = graph_ops.Gemma4ImageConverter(), graph_ops.Gemma4AudioConverter()
    return export_litert(graph_ops.Gemma4CausalLMPreprocessor(tokenizer, *converters), folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("releases", nargs="*", default=RELEASES, help="by default %(default)s")
    parser.add_argument("--json", action="store_true", help="print everything, for a script")
    parser.add_argument("--markdown", action="store_true", help="print the table for docs/compatibility.md")
    chosen = parser.parse_args()
    sys.exit(show(main(chosen.releases), as_json=chosen.json, as_markdown=chosen.markdown))
