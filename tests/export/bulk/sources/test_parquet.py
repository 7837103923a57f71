import pytest

from export.bulk.sources.parquet import read, scan
from export.bulk.sources.record import Limits, Mark

pyarrow = pytest.importorskip("pyarrow", reason="needs the extra bulk")
LIMITS = Limits(1000)


def test_rows_of_row_groups(tmp_path):
    import pyarrow.parquet

    rows = [{"prompt": str(n), "images": [{"bytes": b"x", "path": None}] * (n % 3)} for n in range(25)]
    path = str(tmp_path / "a.parquet")
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path, row_group_size=10)
    index = scan(path, LIMITS)
    assert (index.rows, index.marks) == (25, (Mark(0, 0), Mark(10, 0), Mark(20, 0)))
    for mark in index.marks:
        records = list(read(path, mark, 22, LIMITS))
        assert [record.number for record in records] == list(range(mark.row, 22))
        assert [record.fields for record in records] == rows[mark.row : 22]
