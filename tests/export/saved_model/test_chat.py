"""Dialogues for an exported SavedModel."""

import pytest

from export.artifact import open_artifact
from export.saved_model.chat import SIGNATURE, chat_inputs, chat_request
from export.saved_model.run import Loaded
from export.saved_model.signatures import file_inputs
from export.saved_model.write import export_saved_model
from export.verify.samples import demonstration_file
from graph_ops.chat.dialogue import Dialogues
from graph_ops.media.table import MEDIA

TOOL = {"function": {"name": "f", "description": "d"}}
FEW_FRAMES = {"video_converter": {"config": {"num_frames": 5}}}
CALL = {"id": "1", "function": {"name": "f", "arguments": {"a": "x"}}}


def dialogue(photo):
    return [
        {
            "role": "user",
            "content": [{"type": "image", "image": photo}, {"type": "text", "text": "What <bos>?"}],
        },
        {"role": "assistant", "tool_calls": [CALL], "reasoning": "hm"},
        {"role": "tool", "tool_call_id": "1", "content": "a <|turn>"},
    ]


@pytest.mark.slow
def test_a_row_equals_that_of_the_class(make_preprocessor, photo, tmp_path):
    preprocessor = make_preprocessor()
    loaded = open_artifact(export_saved_model(preprocessor, tmp_path))
    messages, switches = dialogue(photo), {"enable_thinking": True}
    outputs = loaded.chat(messages, [TOOL], switches)
    expected = preprocessor.generate_preprocess({"messages": messages, "tools": [TOOL], **switches})
    for name in ("token_ids", "padding_mask", "vision_mask", "vision_indices"):
        assert (outputs[name][0] == expected[name].numpy()).all(), name


@pytest.mark.parametrize(("settings", "frames"), [(None, 12), (FEW_FRAMES, 5)])
def test_of_a_video_file_those_frames_are_read_that_the_export_takes(settings, frames):
    file = demonstration_file("video.gif").read_bytes()
    messages = [{"role": "user", "content": [{"type": "video", "video": file}]}]
    assert chat_inputs(messages, None, {}, settings)["videos"].shape == (1, 1, frames)


def test_inputs_are_those_of_the_signature(photo):
    inputs = chat_inputs(dialogue(photo), [TOOL], {})
    files = {name for medium in MEDIA for name in file_inputs(medium)}
    assert set(inputs) == {*Dialogues._fields, *files}
    assert inputs["images"].numpy().tolist() == [[photo]]
    assert inputs["audio"].shape == (1, 0)
    assert inputs["calls"].numpy()[0, 1, 0] == b'call:f{a:<|"|>x<|"|>}'


def test_an_export_without_the_signature_is_refused():
    with pytest.raises(ValueError, match=f"`folder`: must be an export with the signature {SIGNATURE}"):
        chat_request(Loaded(None, {}), [], None, {})
