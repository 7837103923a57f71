"""Rows that come back are those of the class."""

import numpy as np
import pytest
import tensorflow as tf

from export.bulk.reader import as_training, decode_row, open_rows, parse_row, read_schema, row_files
from export.bulk.sinks import SINKS
from tests.export.bulk.rig import ROWS, make_job, run_all, same, write_lines
from tests.twins.audio import LOG_MEL_ERROR


def of_the_class(preprocessor, photo, speech):
    given: dict[str, list] = {
        "prompts": [row["prompt"] for row in ROWS],
        "responses": [row["response"] for row in ROWS],
    }
    for name, file in (("images", photo), ("audio", speech)):
        given[name] = [[file] if name in row else [] for row in ROWS]
    x, y, weight = preprocessor(given)
    arrays = {name: np.asarray(value) for name, value in {**x, "y": y, "sample_weight": weight}.items()}
    return [{name: array[row] for name, array in arrays.items()} for row in range(len(ROWS))]


def widened(array, tensor):
    """A tensor of the class, which is as wide as its batch needs, as wide as a signature's."""
    whole = tensor.pad()
    whole[tuple(slice(size) for size in array.shape)] = array
    return whole


@pytest.mark.parametrize("name", SINKS)
def test_rows_are_the_very_tensors_of_the_class(
    name, model, model_folder, tmp_path, make_preprocessor, photo, speech
):
    if SINKS[name].package:
        pytest.importorskip(SINKS[name].package)
    job = make_job(model_folder, write_lines(tmp_path, ROWS), format=name, shards=2, key="id")
    run_all(job, model)
    rows = list(open_rows(job.output).as_numpy_iterator())
    assert [row.pop("key").decode() for row in rows] == [row["id"] for row in ROWS]
    for row, wanted in zip(rows, of_the_class(make_preprocessor(), photo, speech), strict=True):
        tensors = {tensor.name: tensor for tensor in read_schema(job.output).tensors}
        whole = {key: widened(wanted[key], tensors[key]) for key in row}
        assert same(row, whole, mel=LOG_MEL_ERROR)


def test_rows_are_read_without_a_graph_and_as_batches_to_fit(model, model_folder, tmp_path):
    job = make_job(model_folder, write_lines(tmp_path, ROWS), shards=2)
    run_all(job, model)
    schema = read_schema(job.output)
    for file in row_files(job.output):
        for serialized in tf.data.TFRecordDataset(file).as_numpy_iterator():
            parsed = parse_row(tf.constant(serialized), schema=schema)
            assert same(
                decode_row(serialized, schema), {name: value.numpy() for name, value in parsed.items()}
            )
    x, y, weight = next(iter(open_rows(job.output).batch(2).map(as_training)))
    assert (y.shape, weight.dtype) == ((2, 1024), tf.bool)
    assert x["pixel_values"].shape == (2, 2, 2520, 768)
    assert not {"y", "key"} & x.keys()
    shuffled = [row["key"] for row in open_rows(job.output, shuffle_files=1).as_numpy_iterator()]
    assert sorted(shuffled) == sorted(row["key"] for row in open_rows(job.output).as_numpy_iterator())


def test_float_pixels_are_the_same_again(model, model_folder, tmp_path):
    source = write_lines(tmp_path, ROWS[1:2])
    outputs = []
    for pixels in ("uint8", "float32"):
        job = make_job(model_folder, source, f"{pixels}/rows", pixels=pixels, shards=1)
        run_all(job, model)
        outputs.append(next(open_rows(job.output).as_numpy_iterator()))
    assert same(*outputs)


def test_an_output_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"`output`: must be what a job had as --output; there is no"):
        open_rows(f"{tmp_path}/rows")
