import pytest

from export.bulk.files import Found
from export.bulk.sources.formats import FORMATS, format_of, read_rows, scan_file
from export.bulk.sources.record import Limits
from export.cli.bulk import INPUT_FORMATS

LIMITS = Limits(1000)


def number_of(record):
    return record.fields["n"]


def test_a_files_name_says_its_format_unless_another_is_asked_for():
    for path, name in (("a.jsonl.gz", "jsonl"), ("a.parquet", "parquet"), ("a.tfrecord", "tfrecord")):
        assert format_of(Found(path, 1)) is FORMATS[name]
    assert format_of(Found("a", 0, True)) is FORMATS["folder"]
    assert format_of(Found("a.txt", 1), "jsonl") is FORMATS["jsonl"]
    with pytest.raises(ValueError, match=r"`input`: a file's name must end with its format .*; got a\.txt"):
        format_of(Found("a.txt", 1))


def test_the_command_names_every_format():
    assert tuple(FORMATS) == INPUT_FORMATS


def test_rows_are_read_by_number(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"n": 0}\n{"n": 1}\n{"n": 2}\n')
    index = scan_file(str(path), "jsonl", LIMITS)
    assert [number_of(record) for record in read_rows(index, "jsonl", 1, 3, LIMITS)] == [1, 2]


@pytest.mark.parametrize("name", ["jsonl", "tfrecord", "parquet"])
def test_a_file_that_cannot_be_read_has_no_rows_and_a_letter(name, tmp_path):
    if name == "parquet":
        pytest.importorskip("pyarrow")
        (tmp_path / "a").write_bytes(b"no parquet")
    index = scan_file(str(tmp_path / "a"), name, LIMITS)
    assert (index.rows, [letter.kind for letter in index.letters]) == (0, ["unreadable"])
