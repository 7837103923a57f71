"""Environments of other releases, in `build/runtimes`, each made once by pip."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
WORK = ROOT / "build" / "runtimes"
PYTHONS = ("3.11", "3.10")
"""Those that all of the releases have wheels for."""


def environment(requirement: str) -> pathlib.Path:
    """The folder of an environment with a release, such as "tensorflow==2.16.2", made if it is not there.

    Raises:
        SystemExit: there is no Python that the older releases have wheels for, or pip failed.
    """
    folder = WORK / requirement.replace("==", "-")
    if not (folder / "installed").exists():
        print(f"installing {requirement}", file=sys.stderr, flush=True)
        subprocess.run([_interpreter(), "-m", "venv", "--clear", folder], check=True)
        command = [python_of(folder), "-I", "-m", "pip", "install", "-q", requirement, *beside(requirement)]
        pip = subprocess.run(command, capture_output=True, text=True)
        if pip.returncode:
            raise SystemExit(f"pip could not install {requirement}:\n{pip.stderr}")
        (folder / "installed").touch()
    return folder


def beside(requirement: str) -> list[str]:
    """What a release needs besides, and does not say itself."""
    package, _, version = requirement.partition("==")
    minor = ".".join(version.split(".")[:2])
    if package == "tensorflow":
        return [f"tensorflow-text=={minor}.*"]
    return ["numpy<2"] if (package, minor) in (("tflite-runtime", "2.14"), ("ai-edge-litert", "1.0")) else []


def python_of(folder: pathlib.Path) -> str:
    """The interpreter of an environment."""
    return str(folder / "bin" / "python")


def packages_of(folder: pathlib.Path) -> pathlib.Path:
    """Where an environment's packages lie."""
    return next((folder / "lib").glob("python3.*/site-packages"))


def _interpreter() -> str:
    """One of PYTHONS on this machine."""
    listed = subprocess.run([ROOT / "tools" / "pythons.sh"], capture_output=True, text=True, check=True)
    for python in listed.stdout.split():
        version = subprocess.run([python, "--version"], capture_output=True, text=True, check=True).stdout
        if any(version.startswith(f"Python {wanted}.") for wanted in PYTHONS):
            return python
    raise SystemExit(
        f"Python {' or '.join(PYTHONS)} is needed: the older releases have no wheels for later ones"
    )
