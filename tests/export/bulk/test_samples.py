import base64

import pytest

from export.bulk.dead_letters import RowFault
from export.bulk.samples import Reading, columns_of, key_of, read_sample

READING = Reading(("prompts",), "", "", 1000)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"picture")
    (tmp_path / "large.jpg").write_bytes(b"x" * 1001)
    return str(tmp_path)


def read(record, folder="", **settings):
    return read_sample(record, "f#0", folder, READING._replace(**settings))


def fault(record, folder="", **settings):
    with pytest.raises(RowFault) as caught:
        read(record, folder, **settings)
    return caught.value.kind, caught.value.reason


ENCODED = base64.b64encode(b"picture").decode()


@pytest.mark.parametrize(
    "given",
    [
        "a.jpg",
        ["a.jpg"],
        {"bytes": b"picture", "path": None},
        {"bytes": ENCODED},
        {"path": "a.jpg"},
        b"picture",
        f"data:image/jpeg;base64,{ENCODED}",
    ],
    ids=str,
)
def test_a_medium_is_a_path_or_bytes_in_many_forms(given, folder):
    assert read({"prompt": "p", "images": given}, folder).media["images"] == [b"picture"]
    assert read({"prompts": "p", "image": given}, folder).media["images"] == [b"picture"]


def test_paths_have_columns_of_their_own_where_a_format_has_bytes_alone(folder):
    given = {"prompt": b"p", "image_paths": [b"a.jpg", b"a.jpg"], "images": []}
    sample = read(given, folder)
    assert sample.media == {"images": [b"picture"] * 2, "audio": [], "videos": []}
    assert (sample.prompt, sample.size) == ("p", 15)


def test_what_is_wrong_with_a_row_has_a_kind_and_a_reason(folder):
    assert fault({"prompt": "p", "images": "no.jpg"}, folder)[0] == "unreadable"
    assert fault({"prompt": "p", "images": "large.jpg"}, folder)[0] == "too_large"
    assert fault({"prompt": "p" * 1001})[0] == "too_large"
    assert fault({"prompt": "p", "images": 3})[0] == "columns"
    assert fault({"prompt": 3})[0] == "columns"
    assert fault({"prompt": "\ud800"})[0] == "columns"
    assert fault({"prompt": "p", "images": "nosuch://x"}, folder)[0] == "unreadable"
    assert fault({"prompt": "p", "images": {"bytes": "?"}})[0] == "columns"
    assert "must have prompts; got none" in fault({"text": "p"})[1]
    assert "got prompts and responses" in fault({"prompt": "p", "response": "r"})[1]


def test_a_prompt_for_rows_that_have_none(folder):
    assert read({"images": "a.jpg"}, folder, prompt="Describe <|image|>").prompt == "Describe <|image|>"


def test_a_key_is_a_field_or_the_place():
    assert key_of({"id": 3}, "f#0", "id") == "3"
    assert key_of({"id": b"x"}, "f#0", "id") == "x"
    assert key_of({}, "f#0", "") == "f#0"
    with pytest.raises(RowFault, match="columns"):
        key_of({}, "f#0", "id")


def test_files_of_messages_are_read_and_base64_is_left(folder):
    parts = [
        {"type": "text", "text": "Hi"},
        {"type": "image", "image": "a.jpg"},
        {"type": "image_url", "image_url": {"url": "a.jpg"}},
        {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{ENCODED}"}},
        {"type": "image", "image": {"bytes": b"picture", "path": None}},
    ]
    messages = [{"role": "user", "content": parts}, {"role": "assistant", "content": "A cup."}]
    sample = read({"messages": messages}, folder, columns=("messages",))
    picture = {"type": "image", "image": b"picture"}
    assert sample.messages[0]["content"] == [parts[0], picture, picture, parts[3], picture]
    assert sample.messages[1] == messages[1]
    assert columns_of({"messages": []}) == ("messages",)
    assert fault({"messages": "x"}, columns=("messages",))[0] == "columns"
