"""Who may import whom, and that the steps need neither Keras nor download code."""

import ast
import subprocess
import sys

import pytest

from tests.data import ROOT

MAY_IMPORT = {
    # from the ground up: each may import those named here, and itself
    "rules": set(),
    "config": {"rules"},
    "family": {"config"},
    "families": {"family"},
    "target": set(),
    "shapes": set(),
    "file_types": set(),
    "fault_table": {"config", "target"},
    "faults": {"fault_table", "file_types"},
    "features": set(),
    "text": {"config", "families", "family"},
    "chat": {"family", "faults", "text"},
    "image": {"config", "faults", "file_types", "shapes", "target"},
    "audio": {"config", "faults", "file_types", "shapes", "target"},
    "video": {"config", "faults", "shapes", "target", "image"},
    "media": {"config", "faults", "shapes", "target", "image", "audio", "video"},
    "rows": {"family", "faults", "shapes", "media", "text"},
    "settings": {"config", "families", "family", "features", "media", "rows", "text"},
    "pipeline": {"chat", "family", "faults", "media", "rows", "settings", "shapes", "target", "text"},
    "presets": {"config", "families", "family", "media", "settings", "text"},
    "layers": {
        "chat",
        "config",
        "families",
        "family",
        "faults",
        "features",
        "target",
        "shapes",
        "text",
        "image",
        "audio",
        "video",
        "media",
    }
    | {"rows", "settings", "pipeline", "presets"},
}
"""Part of graph_ops -> the other parts that it may import."""
FOREIGN = {
    "keras": {"layers"},
    "keras_hub": {"layers"},
    "kagglehub": {"presets"},
    "huggingface_hub": {"presets"},
}
"""Package -> the parts of graph_ops that may import it."""
FILES = sorted((ROOT / "graph_ops").rglob("*.py"))


def part_of(module):
    """`graph_ops.text.bpe.utf8` -> `text`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports(path):
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_is_below_it(path):
    own = path.relative_to(ROOT / "graph_ops").parts[0].removesuffix(".py")
    if own == "__init__":
        return
    reached = {part_of(module) for module in imports(path) if module.startswith("graph_ops.")}
    assert reached <= MAY_IMPORT[own] | {own}
    packages = {module.split(".")[0] for module in imports(path)}
    assert not [name for name in packages & FOREIGN.keys() if own not in FOREIGN[name]]
    assert "export" not in packages


def test_there_is_no_circle():
    order = list(MAY_IMPORT)
    for part, allowed in MAY_IMPORT.items():
        assert all(order.index(other) < order.index(part) for other in allowed), part


def test_every_part_is_in_the_table():
    found = {path.relative_to(ROOT / "graph_ops").parts[0].removesuffix(".py") for path in FILES}
    assert found - {"__init__", "demonstration"} == MAY_IMPORT.keys()


STEPS = """
import sys
import tensorflow  # which itself loads a part of Keras

before = set(sys.modules)
sys.meta_path.insert(0, type("Watch", (), {"find_spec": lambda self, name, *_: asked.add(name)})())
asked = set()
import graph_ops.pipeline.litert, graph_ops.pipeline.served, graph_ops.settings, graph_ops.features
print(sorted(name for name in asked | (set(sys.modules) - before)
             if name.split(".")[0] in ("keras", "keras_hub", "kagglehub", "huggingface_hub", "requests")
             or name.startswith(("graph_ops.presets", "graph_ops.layers"))))
"""


def test_the_steps_load_neither_keras_nor_download_code():
    found = subprocess.run(
        [sys.executable, "-c", STEPS], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert found.stdout.strip().splitlines()[-1] == "[]"


CLIENT = sorted((ROOT / "clients" / "python" / "gemma4_client").glob("*.py"))
STANDARD = set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", CLIENT, ids=lambda path: path.name)
def test_the_client_imports_grpc_and_protobuf_alone(path):
    packages = {module.split(".")[0] for module in imports(path)}
    assert packages - STANDARD <= {"gemma4_client", "google", "grpc"}


INITIALISES_NOTHING = """
import export, graph_ops, export.serving.server
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(1)  # raises once an op has run
"""


def test_an_import_runs_no_op_so_that_threads_can_still_be_chosen():
    subprocess.run([sys.executable, "-c", INITIALISES_NOTHING], capture_output=True, cwd=ROOT, check=True)
