import bz2
import gzip
import json

import pytest

from export.bulk.dead_letters import RowFault
from export.bulk.sources import json_lines
from export.bulk.sources.json_lines import read, scan
from export.bulk.sources.record import Limits, Mark

LIMITS = Limits(1000)


def number_of(record):
    return record.fields["n"]


def write(path, lines):
    path.write_bytes(b"\n".join(lines))
    return str(path)


@pytest.mark.parametrize("chunk", [7, 1 << 20])
def test_reading_from_any_mark_gives_the_same_records(chunk, tmp_path, monkeypatch):
    monkeypatch.setattr(json_lines, "_CHUNK", chunk)
    monkeypatch.setattr(json_lines, "MARK_EVERY", 3)
    lines = [json.dumps({"n": number}).encode() for number in range(10)]
    lines[4], lines[6], lines[9] = b"", b"x" * 1001, b"y" * 5000
    path = write(tmp_path / "a.jsonl", lines)
    index = scan(path, LIMITS)
    assert (index.rows, [mark.row for mark in index.marks]) == (10, [0, 3, 6, 9])
    whole = list(read(path, Mark(0, 0), 10, LIMITS))
    assert [record.number for record in whole] == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert [record.fields.kind for record in whole if isinstance(record.fields, RowFault)] == [
        "too_large"
    ] * 2
    for mark in index.marks:
        some = list(read(path, mark, 9, LIMITS))
        assert [str(each) for each in some] == [str(each) for each in whole if mark.row <= each.number < 9]


def test_a_line_that_is_no_object_is_a_fault(tmp_path):
    path = write(tmp_path / "a.jsonl", [b"{", b"[]", b"3", b"\xff", b"[" * 900])
    faults = [record.fields for record in read(path, Mark(0, 0), 9, LIMITS)]
    assert [fault.kind for fault in faults] == ["record"] * 5


@pytest.mark.parametrize(("suffix", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_compressed_lines_and_what_breaks_off(suffix, compress, tmp_path):
    data = b"".join(b'{"n": %d, "x": "%d"}\n' % (number, number**20) for number in range(600))
    whole, cut = tmp_path / f"a.jsonl{suffix}", tmp_path / f"b.jsonl{suffix}"
    whole.write_bytes(compress(data))
    cut.write_bytes(compress(data)[:-20])
    index = scan(str(whole), LIMITS)
    assert (index.rows, index.marks, index.letters) == (600, (Mark(0, 0),), ())
    assert [number_of(record) for record in read(str(whole), Mark(0, 0), 600, LIMITS)] == list(range(600))
    index = scan(str(cut), LIMITS)
    assert index.letters[0].kind == "unreadable"
    assert index.rows < 600


def test_zstandard_lines(tmp_path):
    zstandard = pytest.importorskip("zstandard")
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(zstandard.compress(b'{"n": 1}\n'))
    assert [record.fields for record in read(str(path), Mark(0, 0), 9, LIMITS)] == [{"n": 1}]
