"""`presets` as a user types it."""

import json

from tests.export.cli.commands import run


def test_presets_prints_the_eight_presets(capsys):
    code, out, _ = run(capsys, "presets")
    assert code == 0
    for part in ("gemma4_instruct_26b_a4b", "26.0 B", "text, image, audio", "mixture of experts"):
        assert part in out
    listed = json.loads(run(capsys, "presets", "--json")[1])
    assert len(listed) == 8
    assert listed["gemma4_2b"]["parameters"] == 5_100_000_000
