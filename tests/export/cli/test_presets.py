"""`presets` as a user types it."""

import json
import re

from rich.console import Console

from export.cli import presets
from graph_ops.presets.catalogue import PRESETS
from tests.export.cli.commands import run


def test_presets_prints_the_released_models(capsys):
    code, out, _ = run(capsys, "presets")
    assert code == 0
    for part in ("gemma4_instruct_26b_a4b", "26.0 B", "text, image, audio", "mixture of"):
        assert part in out
    assert "embedding_gemma2" in out
    listed = json.loads(run(capsys, "presets", "--json")[1])
    assert len(listed) == 27
    assert listed["gemma3n_e2b"]["family"] == "gemma3n"
    assert listed["gemma4_unified_12b"]["family"] == "gemma4_unified"
    assert listed["gemma4_2b"]["parameters"] == 5_100_000_000


def test_every_preset_is_a_line():
    table = presets.preset_table(PRESETS)
    assert [column.header for column in table.columns] == ["preset", "parameters", "reads", "description"]
    assert list(table.columns[0].cells) == list(PRESETS)
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table)
    assert re.search(r"gemma4_31b +31.0 B +text, image ", capture.get())
