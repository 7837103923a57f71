"""The pipeline on Beam's local runner, in this process."""

import pytest

pytest.importorskip("apache_beam", reason="needs the extra bulk")

import apache_beam as beam
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from export.bulk.job import begin, prepare
from export.bulk.pipeline import NAMESPACE, build, run, users_error
from export.bulk.statistics import total
from tests.export.bulk.rig import ROWS, make_job, run_all, write_lines
from tests.export.bulk.test_shards import KINDS, files_of, mixed


def test_a_pipeline_writes_the_bytes_that_shards_have_without_one(model, model_folder, tmp_path):
    source = write_lines(tmp_path, mixed())
    settings = {"key": "id", "shards": 3, "max_row_bytes": 250_000}
    run_all(make_job(model_folder, source, "alone/rows", **settings), model)
    job = make_job(model_folder, source, **settings)
    prepared = prepare(job, model)
    begin(prepared)
    run(prepared)
    assert files_of(tmp_path / "out") == files_of(tmp_path / "alone")
    assert total(job.layout.marker_texts()).faults == KINDS


def test_counters_and_shards_that_are_kept(model, model_folder, tmp_path):
    prepared = prepare(make_job(model_folder, write_lines(tmp_path, mixed()), shards=2), model)
    begin(prepared)
    counted = []
    for _ in range(2):
        pipeline = beam.Pipeline(runner=FnApiRunner())
        build(pipeline, prepared)
        result = pipeline.run()
        result.wait_until_finish()
        found = result.metrics().query()["counters"]
        counted.append({each.key.metric.name: each.committed for each in found if _is_ours(each)})
    first, second = counted
    assert (first["rows"], first["media: image"], first["faults: record"]) == (6, 2, 1)
    assert second == {"shards kept": 2}


def _is_ours(counter):
    return counter.key.metric.namespace == NAMESPACE


def test_keys_that_are_found_twice_end_a_job_before_work(model, model_folder, tmp_path):
    rows = [ROWS[0], ROWS[4], ROWS[0]]
    prepared = prepare(make_job(model_folder, write_lines(tmp_path, rows), key="id", shards=2), model)
    begin(prepared)
    with pytest.raises(ValueError, match=r"`key`: .* 'plain' in .*#0 and .*#2\. Remove those"):
        run(prepared)
    assert not list((tmp_path / "out").glob("rows-*"))


def test_the_last_sentence_for_users_is_found_in_a_log():
    log = "Traceback\nKeyError: 'x'\nValueError: `key`: must be.\nOSError: `output`: full."
    log += " [while running 'x']\n"
    assert str(users_error(log)) == "`output`: full."
    assert isinstance(users_error(log), OSError)
    assert users_error("KeyError: 'x'") is None
