import numpy as np
import pytest

from export.bulk.schema import Stored, Tensor
from export.bulk.sinks import SINKS, as_example, check_sink

TENSORS = (
    Tensor("token_ids", "int32", (6,), 0, "int32"),
    Tensor("pixel_values", "float32", (2, 4, 6), 0.0, "uint8", (1.0,), (0.0,)),
)
ROW = {"token_ids": Stored(np.array([2, 5], np.int32), np.array([2]))}


def test_the_bytes_of_an_example_are_the_same_each_time():
    pixels = {"pixel_values": Stored(np.ones((3, 6), np.uint8), np.array([3]))}
    assert as_example("k", ROW | pixels, TENSORS) == as_example("k", pixels | ROW, TENSORS)


@pytest.mark.parametrize("name", SINKS)
def test_files_of_the_same_rows_are_the_same_bytes(name, tmp_path):
    if SINKS[name].package:
        pytest.importorskip(SINKS[name].package)
    for copy in "ab":
        with SINKS[name].opened(str(tmp_path / copy), TENSORS) as write:
            for key in range(70):
                write(str(key), ROW)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_format_that_is_not_there_is_refused(monkeypatch):
    with pytest.raises(
        ValueError, match="`format`: must be one of tfrecord, array_record, parquet; got 'csv'"
    ):
        check_sink("csv")
    monkeypatch.setitem(SINKS, "parquet", SINKS["parquet"]._replace(package="no_such_package"))
    with pytest.raises(ImportError, match="pip install no_such_package"):
        check_sink("parquet")
