import dataclasses

import pytest

from export.bulk.job import Job, begin, folder_of_rows, prepare
from export.bulk.model import Task
from tests.export.bulk.rig import ROWS, make_job, prompts_alone, write_lines


@pytest.mark.parametrize(
    "wrong",
    [
        {"shards": 0},
        {"batch_rows": 0},
        {"threads": 0},
        {"batch_bytes": -1},
        {"max_row_bytes": 0},
        {"pixels": "float16"},
        {"input": ()},
        {"input_format": "csv"},
        {"output": "out/"},
        {"format": "csv"},
    ],
    ids=str,
)
def test_a_wrong_setting_is_named(wrong):
    with pytest.raises(ValueError, match=rf"`{next(iter(wrong))}`: must be"):
        Job(**{"model": "m", "input": ("a",), "output": "out/rows", **wrong})


def test_what_is_made_follows_from_the_first_row(model, model_folder, tmp_path):
    asked = [{"messages": [{"role": "user", "content": "Hi"}]}]
    answered = [{"messages": [*asked[0]["messages"], {"role": "assistant", "content": "Hello"}]}]
    for rows, task in (
        (ROWS, Task(False, True)),
        (prompts_alone(ROWS), Task(False, False)),
        (["{broken", *asked], Task(True, False)),
        (answered, Task(True, True)),
    ):
        source = write_lines(tmp_path, rows)
        prepared = prepare(make_job(model_folder, source), model)
        assert prepared.task == task
    assert prepare(make_job(model_folder, source, labels=False), model).task == Task(True, False)
    assert folder_of_rows("a/b.jsonl", "jsonl") == "a"
    assert folder_of_rows("a/b", "folder") == "a/b"


def test_files_with_other_columns_are_refused_before_any_work(model, model_folder, tmp_path):
    write_lines(tmp_path, ROWS, "a.jsonl")
    write_lines(tmp_path, prompts_alone(ROWS), "b.jsonl")
    job = Job(str(model_folder), (f"{tmp_path}/*.jsonl",), f"{tmp_path}/out/rows")
    with pytest.raises(
        ValueError, match=r"same columns; .*a\.jsonl has prompts and responses; .*b\.jsonl has p"
    ):
        prepare(job, model)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (["{broken"], "at least one row must be readable; .*must be JSON"),
        ([{"text": "x"}], r"rows must have prompts, .* has the fields \['text'\]"),
        ([{"prompt": "x", "messages": []}], "rows must have prompts, prompts and responses, or messages"),
    ],
)
def test_input_that_gives_no_row_is_refused(rows, sentence, model, model_folder, tmp_path):
    with pytest.raises(ValueError, match=sentence):
        prepare(make_job(model_folder, write_lines(tmp_path, rows)), model)


def test_labels_need_responses(model, model_folder, tmp_path):
    source = write_lines(tmp_path, prompts_alone(ROWS))
    with pytest.raises(ValueError, match="`labels`: need responses"):
        prepare(make_job(model_folder, source, labels=True), model)


def test_an_output_of_another_job_is_refused_and_one_of_the_same_is_taken_up(model, model_folder, tmp_path):
    source = write_lines(tmp_path, ROWS)
    prepared = prepare(make_job(model_folder, source), model)
    begin(prepared)
    (tmp_path / "out" / ".rows" / "tmp-left").write_text("half")
    begin(prepared)
    assert not (tmp_path / "out" / ".rows" / "tmp-left").exists()
    other = dataclasses.replace(prepared, job=dataclasses.replace(prepared.job, pack=True, shards=3))
    with pytest.raises(ValueError, match=r"`output`: must be new, .* other values of pack, shards"):
        begin(other)
    source.write_text(source.read_text() + "\n")
    with pytest.raises(ValueError, match="other values of inputs"):
        begin(prepared)
