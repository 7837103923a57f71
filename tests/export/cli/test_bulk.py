import json

import pytest

from export.bulk.reader import open_rows
from export.cli.bulk import FORMATS, INPUT_FORMATS, PIXELS
from tests.export.bulk.rig import ROWS, write_lines
from tests.export.cli.commands import run


def test_the_words_of_the_options_are_those_of_a_job():
    from export.bulk import job
    from export.bulk.sinks import SINKS
    from export.bulk.sources.formats import FORMATS as READ

    assert (tuple(SINKS), tuple(READ), job.PIXELS) == (FORMATS, INPUT_FORMATS, PIXELS)


def bulk(capsys, folder, tmp_path, *options):
    return run(
        capsys,
        "bulk",
        str(folder.parent),
        "--input",
        f"{tmp_path}/*.jsonl",
        "--output",
        f"{tmp_path}/out/rows",
        *options,
    )


def test_a_dry_run_says_what_a_job_will_weigh_and_writes_nothing(capsys, export_folder, tmp_path):
    write_lines(tmp_path, [*ROWS, "{broken"])
    code, printed, _ = bulk(capsys, export_folder, tmp_path, "--dry-run", "10")
    assert code == 0
    assert "6: 5 good, 1 dead letters" in printed
    assert "places are padding" in printed
    assert "must be JSON" in printed
    code, printed, _ = bulk(capsys, export_folder, tmp_path, "--dry-run", "10", "--json")
    assert json.loads(printed)["tally"]["media"] == {"audio": 2, "image": 2}
    assert not (tmp_path / "out").exists()


def test_a_job_and_its_second_run(capsys, export_folder, tmp_path):
    pytest.importorskip("apache_beam", reason="needs the extra bulk")
    write_lines(tmp_path, [*ROWS, "{broken"])
    for _ in range(2):
        code, printed, errors = bulk(capsys, export_folder, tmp_path, "--shards", "2", "--pack")
        assert code == 0
        assert "rows of 5 samples" in printed
        assert "dead letters: 1 record; see" in errors
    assert "segment_ids" in next(iter(open_rows(f"{tmp_path}/out/rows")))
    statistics = json.loads((tmp_path / "out" / "rows.statistics.json").read_text())
    assert statistics["faults"] == {"record": 1}
    code, _, errors = bulk(capsys, export_folder, tmp_path, "--shards", "3", "--pack")
    assert code == 2
    assert "`output`: must be new" in errors


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--workers", "0"], "--workers: must be a positive whole number"),
        (["--dry-run", "0"], "--dry-run: must be a positive whole number"),
        (["--workers", "2", "--beam", "runner=DataflowRunner"], "--workers: are of this machine"),
        (["--format", "csv"], "must be one of tfrecord, array_record, parquet"),
        ([], "names none"),
    ],
    ids=str,
)
def test_mistakes_are_one_line(options, sentence, capsys, export_folder, tmp_path):
    code, _, errors = bulk(capsys, export_folder, tmp_path, *options)
    assert code == 2
    assert sentence in errors
    assert len(errors.strip().splitlines()) <= 2
