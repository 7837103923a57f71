"""`gemma4-graph chat` as a user types it."""

import json

import pytest

from tests.export.cli.commands import PHOTO, run


@pytest.mark.slow
def test_chat_prints_the_row_of_a_dialogue(capsys, export_folder):
    arguments = ("--message", "system=Be brief.", "--message", "user=What <|turn> is it?", "--image", PHOTO)
    code, out, _ = run(capsys, "chat", str(export_folder), *arguments, "--think", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["pieces"][:2] == ["<bos>", "<|turn>"]
    assert found["pieces"].count("<|turn>") == 3
    assert "<|think|>" in found["pieces"]
    assert found["soft_tokens"]["image"] == [280]
    code, out, _ = run(capsys, "chat", str(export_folder), *arguments)
    assert (code, "soft tokens per image: 280" in out) == (0, True)


@pytest.mark.slow
def test_messages_and_tools_may_come_from_files(capsys, export_folder, tmp_path):
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}
    messages, tools = tmp_path / "messages.json", tmp_path / "tools.json"
    messages.write_text(
        json.dumps([{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [call]}])
    )
    tools.write_text(json.dumps([{"type": "function", "function": {"name": "f", "description": "d"}}]))
    given = ("--messages", str(messages), "--tools", str(tools))
    found = json.loads(run(capsys, "chat", str(export_folder), *given, "--json")[1])
    assert {"<|tool>", "<|tool_call>", "<|tool_response>"} <= set(found["pieces"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "--message: a dialogue needs a message; got none."),
        (("--message", "Hello"), "--message: must be ROLE=TEXT, such as user=Hello; got 'Hello'."),
        (("--message", "system=x", "--image", PHOTO), "--image: files belong to a user's message; got none."),
    ],
)
def test_mistakes_are_said_before_anything_is_loaded(capsys, tmp_path, arguments, says):
    code, _, err = run(capsys, "chat", str(tmp_path), *arguments)
    assert (code, says in " ".join(err.split())) == (2, True)


@pytest.mark.parametrize(("text", "says"), [("{", "must be JSON"), ("{}", "must hold a list; got dict")])
def test_a_file_of_messages_must_hold_a_list(capsys, tmp_path, text, says):
    path = tmp_path / "messages.json"
    path.write_text(text)
    code, _, err = run(capsys, "chat", str(tmp_path), "--messages", str(path))
    assert (code, says in " ".join(err.split())) == (2, True)
