"""`gemma4-graph presets`: the released models. Needs no TensorFlow."""

from collections.abc import Mapping

from rich.table import Table

from export.cli.terminal import AsJson, show
from graph_ops.presets.catalogue import PRESETS, Preset
from graph_ops.presets.embedding import EMBEDDING_PRESETS
from graph_ops.presets.gemma3 import GEMMA3_PRESETS


def presets(json_: AsJson = False) -> None:
    """List the built-in presets: what the model reads, its parameters, a description."""
    released = PRESETS | EMBEDDING_PRESETS | GEMMA3_PRESETS
    document = {name: vars(preset) | {"family": preset.family.name} for name, preset in released.items()}
    show(document, [preset_table(released)], as_json=json_, indent=2)


def preset_table(presets: Mapping[str, Preset]) -> Table:
    """Name, parameters, what the model reads, and description of each preset."""
    table = Table("preset", "parameters", "reads", "description", box=None, pad_edge=False)
    for name, preset in presets.items():
        table.add_row(
            name, f"{preset.parameters / 1e9:.1f} B", ", ".join(preset.modalities), preset.description
        )
    return table
