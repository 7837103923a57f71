"""Files of a preset folder: read, missing, damaged."""

import json
import os
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.presets.files import existing, read_json, read_vocabulary
from tests.data import DEMONSTRATION
from tests.twins.vocabularies import REPEATABLE, small_vocabulary

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@REPEATABLE
@given(st.dictionaries(st.text(), VALUES, max_size=4), st.booleans())
def test_a_json_object_is_read_as_it_was_written(tmp_path, content, ascii_only):
    (tmp_path / "a.json").write_text(json.dumps(content, ensure_ascii=ascii_only), "utf-8")
    assert read_json(tmp_path / "a.json") == content


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": }', b"\xff\xfe{}", b'{"a": "\xc3"}'])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(
        ValueError, match=r"`preset`: a.json must be JSON; .*a.json is not: .*Fetch the file again"
    ):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("content", "kind"), [("[]", "list"), ("3", "int"), ("null", "NoneType"), ('""', "str")]
)
def test_what_is_no_object_is_refused(tmp_path, content, kind):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(ValueError, match=f"a.json must hold a JSON object; .* holds a {kind}"):
        read_json(tmp_path / "a.json")


def test_a_missing_file_is_nothing_unless_it_is_needed(tmp_path):
    assert read_json(tmp_path / "a.json") is None
    with pytest.raises(FileNotFoundError, match=r"a folder must hold its vocabulary; .*a.json is missing"):
        existing(tmp_path, "a.json")
    (tmp_path / "a.json").mkdir()
    with pytest.raises(FileNotFoundError, match="is missing"):
        existing(tmp_path, "a.json")
    (tmp_path / "b.json").write_text("{}")
    assert existing(tmp_path, "b.json") == tmp_path / "b.json"


def test_a_vocabulary_is_read_from_whatever_holds_it(tmp_path):
    vocabulary = small_vocabulary(("a",))
    assert read_vocabulary(vocabulary) is vocabulary
    assert read_vocabulary(vocabulary.proto).pieces == vocabulary.pieces
    (tmp_path / "assets" / "tokenizer").mkdir(parents=True)
    shutil.copy(DEMONSTRATION, tmp_path / "assets" / "tokenizer" / "vocabulary.spm")
    (tmp_path / "tokenizer.json").write_text("settings in this layout")
    for source in (DEMONSTRATION, str(DEMONSTRATION), tmp_path, str(tmp_path)):
        assert read_vocabulary(source).proto == DEMONSTRATION.read_bytes()


def test_the_home_of_a_user_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "empty").mkdir()
    message = rf"a preset folder must hold .*; {tmp_path}{os.sep}empty holds neither"
    with pytest.raises(FileNotFoundError, match=message):
        read_vocabulary("~/empty")
