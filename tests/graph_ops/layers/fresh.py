"""A Python program in a fresh interpreter."""

import os
import subprocess
import sys
import textwrap

from tests.data import ROOT

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}


def run(program, *arguments, timeout=300):
    """What it prints; fails with what it says on its way out."""
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **QUIET},
        timeout=timeout,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    return ran.stdout
