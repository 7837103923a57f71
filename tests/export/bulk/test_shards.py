"""Whole shards: what comes out, and what is left when something goes wrong."""

import json

import pytest

from export.bulk import shards as writing
from export.bulk.dead_letters import from_json_lines
from export.bulk.job import begin, prepare
from export.bulk.plan import plan_shards
from export.bulk.reader import open_rows
from export.bulk.shards import write_shard
from export.bulk.sources.formats import scan_file
from export.bulk.statistics import total
from tests.export.bulk.rig import ROWS, make_job, run_all, write_lines

BAD = [
    {"id": "no file", "prompt": "<|image|>", "response": "", "images": "nothing.jpg"},
    {"id": "no placeholder", "prompt": "Hi", "response": "", "images": "photo.jpg"},
    {"id": "no response", "prompt": "Hi"},
    "{broken",
    {"id": "large", "prompt": "x" * 300_000, "response": ""},
]
KINDS = {"unreadable": 1, "status:prompts": 1, "columns": 1, "record": 1, "too_large": 1}


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def mixed():
    return [each for pair in zip(ROWS, BAD, strict=True) for each in pair]


def test_bad_rows_are_dead_letters_and_the_others_rows(model, model_folder, tmp_path):
    job = make_job(model_folder, write_lines(tmp_path, mixed()), key="id", shards=2, max_row_bytes=250_000)
    run_all(job, model)
    tally = total(job.layout.marker_texts())
    assert (tally.rows, tally.samples, tally.faults) == (5, 5, KINDS)
    assert tally.media == {"image": 2, "audio": 2}
    keys = [row["key"].decode() for row in open_rows(job.output).as_numpy_iterator()]
    assert keys == [row["id"] for row in ROWS]
    texts = [path.read_text() for path in sorted((tmp_path / "out").glob("*dead-letters*"))]
    letters = [letter for text in texts for letter in from_json_lines(text)]
    broken, large = f"{tmp_path}/rows.jsonl#7", f"{tmp_path}/rows.jsonl#9"  # no key is read from these
    assert [each.key for each in letters] == ["no file", "no placeholder", "no response", broken, large]


@pytest.mark.parametrize("pack", [False, True])
def test_bytes_do_not_depend_on_which_shard_is_written_first(pack, model, model_folder, tmp_path):
    source = write_lines(tmp_path, mixed())
    outputs = []
    for name in "ab":
        job = make_job(model_folder, source, f"{name}/rows", shards=3, pack=pack)
        prepared = prepare(job, model)
        begin(prepared)
        indexes = [scan_file(*file, job.limits) for file in prepared.files]
        shards = plan_shards(indexes, prepared.files, shards=3)
        for shard in shards if name == "a" else shards[::-1]:
            write_shard(shard, prepared, model)
        outputs.append(files_of(tmp_path / name))
    assert outputs[0] == outputs[1]


def test_finished_shards_are_kept_and_half_written_ones_are_not_seen(
    model, model_folder, tmp_path, monkeypatch
):
    job = make_job(model_folder, write_lines(tmp_path, ROWS), shards=3)
    monkeypatch.setattr(writing.os.path, "getsize", fail_at(3))
    with pytest.raises(KeyError):
        run_all(job, model)
    seen = sorted(path.name for path in (tmp_path / "out").glob("rows-*"))
    assert seen == [f"rows-0000{number}-of-00003.tfrecord" for number in range(2)]
    with pytest.raises(FileNotFoundError, match=r"has 2 of 3\. Run the job again"):
        open_rows(job.output)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("rows-*")}
    monkeypatch.undo()
    run_all(job, model)
    assert all(path.stat().st_mtime_ns == when for path, when in before.items())
    assert len(list(open_rows(job.output))) == len(ROWS)


def fail_at(call):
    calls, real = [], writing.os.path.getsize

    def getsize(path):
        if "tmp-" in str(path):
            calls.append(path)
            if len(calls) == call:
                raise KeyError
        return real(path)

    return getsize


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(
    model, model_folder, tmp_path, monkeypatch
):
    job = make_job(model_folder, write_lines(tmp_path, ROWS), shards=1)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "publish_file", full)
    with pytest.raises(OSError, match="`output`: its disk must have room"):
        run_all(job, model)
    assert not list((tmp_path / "out").glob("rows-*"))
    assert not list((tmp_path / "out" / ".rows").iterdir())


def test_a_file_that_breaks_off_is_a_dead_letter_of_the_first_shard(model, model_folder, tmp_path):
    import gzip

    source = write_lines(tmp_path, ROWS[:1])
    (tmp_path / "zipped.jsonl.gz").write_bytes(gzip.compress(json.dumps(ROWS[4]).encode() + b"\n")[:-9])
    job = make_job(model_folder, source, shards=1)
    job = type(job)(job.model, (f"{tmp_path}/*.jsonl*",), job.output, shards=1)
    run_all(job, model)
    tally = total(job.layout.marker_texts())
    assert tally.samples in (1, 2)
    assert tally.faults["unreadable"] >= 1
