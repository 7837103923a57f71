"""The lines that commands end with."""

from rich.console import Console

from export.cli import artifacts, fusing, presets
from graph_ops.presets.catalogue import PRESETS


def test_the_size_of_a_folder_is_that_of_its_files(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(bytes(3))
    (tmp_path / "y").write_bytes(bytes(4))
    assert artifacts.size_of(tmp_path) == 7
    assert artifacts.size_of(tmp_path / "y") == 4


def test_every_preset_is_a_line():
    table = presets.preset_table(PRESETS)
    assert [column.header for column in table.columns] == ["preset", "parameters", "reads", "description"]
    assert list(table.columns[0].cells) == list(PRESETS)
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table)
    assert "gemma4_31b               31.0 B      text, image " in capture.get()


def test_what_was_fused_is_said_with_what_it_answered():
    check = {"prompt": "What [is] this?", "seconds": 0.25, "load_seconds": 1.5, "text": "A [cup]."}
    document = {"folder": "models/1", "bytes": 3_000_000, "weights_bytes": 2_000_000, "check": check}
    assert fusing.lines(document) == [
        "wrote models/1 (3.0 MB, 2.0 MB of it weights)",
        "loaded in 1.5 s, answers in 0.250 s",
        r"asked: What \[is] this?",
        r"answered: A \[cup].",
        "Next: gemma4-graph serve models",
    ]
    assert fusing.lines({"folder": "bundle", "bytes": 10_000}) == [
        "wrote bundle (0.0 MB)",
        "Next: gemma4-graph inspect bundle",
    ]


def test_each_option_of_a_saved_model_alone_has_its_reason():
    unset = {"version": None, "max_new_tokens": None, "stop_tokens": None, "sampler": None}
    fusing.check_bundle_options({**unset, "strip_prompt": False}, None)
    fusing.check_bundle_options({**unset, "strip_prompt": False}, "builtin")
    assert fusing.NOT_FOR_BUNDLES.keys() == {*unset, "strip_prompt"}
