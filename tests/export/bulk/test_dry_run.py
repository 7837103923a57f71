from export.bulk.dry_run import estimate
from export.bulk.job import prepare
from export.bulk.layout import Layout
from tests.export.bulk.rig import ROWS, make_job, run_all, write_lines


def test_an_estimate_of_all_rows_is_what_the_job_weighs(model, model_folder, tmp_path):
    job = make_job(model_folder, write_lines(tmp_path, [*ROWS, "{broken"]), shards=1)
    found = estimate(prepare(job, model), model, 100, lambda line: None)
    assert not (tmp_path / "out").exists()
    assert (found.rows, found.tried, found.tally.samples, len(found.letters)) == (6, 6, 5, 1)
    run_all(job, model)
    written = (tmp_path / "out" / "rows-00000-of-00001.tfrecord").stat().st_size
    assert 0 <= written - found.bytes <= 16 * len(ROWS)  # of a record, its length and two checksums
    assert found.fits
    assert found.rows_per_second > 0
    assert found.to_json()["tally"]["media"] == {"audio": 2, "image": 2}


def test_a_few_rows_stand_for_all(model, model_folder, tmp_path):
    job = make_job(model_folder, write_lines(tmp_path, [ROWS[0]] * 50))
    found = estimate(prepare(job, model), model, 5, lambda line: None)
    assert (found.rows, found.tried, found.tally.samples, found.shards) == (50, 5, 5, 1)
    assert found.bytes == 10 * found.tally.bytes
    assert Layout(job.output, "").markers() == []
