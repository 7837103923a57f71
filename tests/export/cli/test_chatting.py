"""`gemma4-graph chat` as a user types it."""

import json

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tests.export.cli.commands import PHOTO, run
from tests.export.serving.rig import http

DIALOGUE = {
    "roles": ["system", "user"],
    "parts": [["Be brief."], ["Hi"]],
    "part_types": [["text"], ["text"]],
    "images": [""],
    "audio": [""],
    "add_generation_prompt": True,
    "enable_thinking": False,
    "preserve_thinking": False,
}
SIGNATURE = "generate_preprocess_chat"


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


@pytest.mark.release
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


@pytest.mark.slow
def test_a_server_gives_the_same_row_over_rest_and_grpc_as_the_command(capsys, server, export_folder):
    body = json.dumps({"signature_name": SIGNATURE, "instances": [DIALOGUE]}).encode()
    status, answer = http(server.rest_port, "/v1/models/gemma4:predict", body)
    assert status == 200
    rest = json.loads(answer)["predictions"][0]
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "gemma4", SIGNATURE
    for name, value in DIALOGUE.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto([value]))
    channel = grpc.insecure_channel(
        f"127.0.0.1:{server.port}", options=[("grpc.max_receive_message_length", 64 << 20)]
    )
    response = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, 60)
    (ids,) = tf.make_ndarray(response.outputs["token_ids"])
    messages = ("--message", "system=Be brief.", "--message", "user=Hi")
    found = json.loads(run(capsys, "chat", str(export_folder), *messages, "--json")[1])
    assert rest["status"] == response.outputs["status"].string_val[0].decode() == ""
    assert rest["token_ids"] == ids.tolist()
    assert np.trim_zeros(ids, "b").tolist() == found["token_ids"]
