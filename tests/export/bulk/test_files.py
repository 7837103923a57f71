import pathlib

import pytest

from export.bulk.files import (
    Found,
    find,
    joined,
    listed,
    local_copy,
    publish_file,
    read_file,
    read_text,
    scratch_file,
    sweep,
    write_file,
    write_text,
)


def test_a_pattern_names_files_in_order_and_a_folder_itself(tmp_path):
    for name in ("b.jsonl", "a.jsonl", "c.txt"):
        (tmp_path / name).write_text("12")
    assert find(f"{tmp_path}/*.jsonl") == [Found(f"{tmp_path}/{name}", 2) for name in ("a.jsonl", "b.jsonl")]
    assert find(str(tmp_path)) == [Found(str(tmp_path), 0, True)]


def test_a_pattern_that_names_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"`input`: a pattern must name files that can be read; .*none"):
        find(f"{tmp_path}/*.jsonl")


def test_paths_begin_at_a_folder_unless_they_begin_elsewhere():
    assert joined("data", "a.jpg") == "data/a.jpg"
    assert joined("", "a.jpg") == "a.jpg"
    assert joined("data", "/a.jpg") == "/a.jpg"
    assert joined("gs://b/data", "a.jpg") == "gs://b/data/a.jpg"
    assert joined("data", "gs://b/a.jpg") == "gs://b/a.jpg"


def test_a_file_larger_than_allowed_is_not_read_whole(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    assert read_file(f"{tmp_path}/a", 5) == b"12345"
    with pytest.raises(OverflowError):
        read_file(f"{tmp_path}/a", 4)
    with local_copy(f"{tmp_path}/a") as name:
        assert name == f"{tmp_path}/a"


def test_a_file_has_its_name_whole_or_not_at_all(tmp_path):
    def fail(name):
        with open(name, "w") as file:
            file.write("half")
        raise KeyError

    with pytest.raises(KeyError):
        write_file(f"{tmp_path}/a", fail, f"{tmp_path}/.hidden")
    assert listed(f"{tmp_path}/.hidden") == []
    assert read_text(f"{tmp_path}/a") is None
    write_text(f"{tmp_path}/a", "whole", f"{tmp_path}/.hidden")
    assert read_text(f"{tmp_path}/a") == "whole"


def test_a_full_disk_is_one_sentence(tmp_path):
    def fail(name):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match=r"`output`: its disk must have room"):
        write_file(f"{tmp_path}/a", fail, str(tmp_path))


def test_what_a_killed_run_left_is_swept(tmp_path):
    with scratch_file(str(tmp_path)) as name:
        open(name, "w").close()
        sweep(str(tmp_path))
        assert listed(str(tmp_path)) == []


def test_uris_are_read_and_written_by_beams_file_systems(tmp_path):
    filesystems = pytest.importorskip("apache_beam.io.filesystems", reason="needs the extra bulk").FileSystems
    from apache_beam.io.localfilesystem import LocalFileSystem

    class Mirrored(LocalFileSystem):
        """`mirror://name` is a file of the folder."""

        @classmethod
        def scheme(cls):
            return "mirror"

    for name in ("open", "create", "match", "exists", "delete", "rename"):
        setattr(Mirrored, name, _translated(getattr(LocalFileSystem, name), str(tmp_path)))
    assert filesystems.get_scheme("mirror://a") == "mirror"
    (tmp_path / "here").write_text("text")
    publish_file(str(tmp_path / "here"), "mirror://there", "mirror:/")
    assert read_file("mirror://there", 10) == b"text"
    assert [each.size for each in find("mirror://there")] == [4]
    with local_copy("mirror://there") as name:
        assert pathlib.Path(name).read_text() == "text"
    with pytest.raises(ValueError, match="none"):
        find("mirror://nothing*")
    with pytest.raises(ValueError, match="`input`"):
        find("nosuch://nothing")


def _translated(method, folder):
    def real(value):
        if isinstance(value, list):
            return [real(each) for each in value]
        return value.replace("mirror://", f"{folder}/") if isinstance(value, str) else value

    return lambda self, *given, **settings: method(self, *map(real, given), **settings)
