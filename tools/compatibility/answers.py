"""What an artifact answers in another environment."""

import json
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from tools.compatibility.bare import pack
from tools.compatibility.comparing import Packed, Row, compare
from tools.compatibility.environments import ROOT
from tools.compatibility.requests import Arrays

SCRIPT = ROOT / "tools" / "compatibility" / "bare.py"


def packed(arrays: Arrays) -> Packed:
    """Arrays by label and name, as JSON can hold them."""
    return {label: {name: pack(array) for name, array in inputs.items()} for label, inputs in arrays.items()}


def run_bare(python: str, kind: str, artifact: pathlib.Path, requests: pathlib.Path) -> dict[str, Any]:
    """What `bare.py` answers in another environment; a process that ends otherwise is an error of `load`."""
    answers = requests.with_name("answers.json")
    answers.unlink(missing_ok=True)
    command = [python, "-I", *map(str, (SCRIPT, kind, artifact, requests, answers))]
    process = subprocess.run(command, cwd=requests.parent, capture_output=True, text=True)
    if process.returncode:
        lines = process.stderr.strip().splitlines() or [f"exit code {process.returncode}"]
        return {"versions": {}, "outputs": {}, "errors": {"load": lines[-1]}}
    return json.loads(answers.read_text())


def rows(artifact: str, answers: Iterator[tuple[str, dict[str, Any]]]) -> Iterator[Row]:
    """A row for each runtime and what it answered; the first is what the others are compared with. Says on
    the error stream what is done, as each takes a minute.
    """
    expected: Packed | None = None
    for runtime, answer in answers:
        expected = answer["outputs"] if expected is None else expected
        comparison = compare(answer["outputs"], expected)
        print(f"{artifact}, {runtime}: {comparison.equal} of {comparison.total} equal", file=sys.stderr)
        yield Row(artifact, runtime, answer["versions"], comparison, answer["errors"])
