"""A fused artifact that takes messages: what the model answers to them is what it answers to the rendered
text, taken apart.
"""

import numpy as np
import pytest
import tensorflow as tf

from export import fuse
from export.fusing.answering import WITH_LIMITS
from export.fusing.chat import SIGNATURES, chat_marks
from export.fusing.generate import Generation
from tests.export.fusing.rig import NEW_TOKENS, our_preprocessor, png, small_model, text_preprocessor

QUESTION, SECOND = "What is in it?", "And now?"


@pytest.fixture(scope="module")
def model():
    return small_model()


@pytest.fixture(scope="module")
def preprocessor(model):
    return our_preprocessor(model)


@pytest.fixture(scope="module")
def signatures(model, preprocessor, tmp_path_factory):
    folder = fuse(preprocessor, model, tmp_path_factory.mktemp("chat"), max_new_tokens=NEW_TOKENS)
    loaded = tf.saved_model.load(str(folder))
    yield loaded.signatures
    del loaded


def messages_with(photo):
    return [
        [{"role": "user", "content": QUESTION}],
        [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [{"type": "image", "image": photo}, {"type": "text", "text": SECOND}],
            },
        ],
    ]


def inputs_of(photo):
    """The same two dialogues as tensors."""
    return {
        "roles": [["user", ""], ["system", "user"]],
        "parts": [[[QUESTION, ""], ["", ""]], [["Be brief.", ""], ["", SECOND]]],
        "part_types": [[["text", ""], ["", ""]], [["text", ""], ["image", "text"]]],
        "images": [[b"", b""], [photo, b""]],
        "audio": [[b""], [b""]],
        "add_generation_prompt": [True, True],
        "enable_thinking": [False, False],
        "preserve_thinking": [False, False],
    }


def called(signature, inputs):
    given = signature.structured_input_signature[1]
    tensors = {name: tf.constant(inputs[name], spec.dtype) for name, spec in given.items()}
    return {name: value.numpy() for name, value in signature(**tensors).items()}


@pytest.mark.slow
def test_an_answer_to_messages_is_the_one_to_the_rendered_text_taken_apart(preprocessor, signatures):
    photo = png(768, 768, 0)
    found = called(signatures["chat"], inputs_of(photo))
    assert found["status"].tolist() == [b"", b""]
    texts = [preprocessor.render_chat(each, add_generation_prompt=True) for each in messages_with(photo)]
    prompts = {"prompts": [text.removeprefix("<bos>") for text in texts]}
    media = {name: inputs_of(photo)[name] for name in ("images", "audio")}
    rendered = called(signatures["generate"], prompts | media)
    assert rendered["status"].tolist() == [b"", b""]
    for row, dialogue in enumerate(messages_with(photo)):
        features = preprocessor.generate_preprocess({"messages": [dialogue]})
        start = int(np.sum(features["padding_mask"]))
        expected = rendered["token_ids"][row, start : start + NEW_TOKENS]
        assert found["token_ids"][row, : len(expected)].tolist() == expected.tolist()
        length = int(np.max(np.flatnonzero(found["token_ids"][row]), initial=-1)) + 1
        parsed = preprocessor.parse_response(found["token_ids"][row, :length])
        assert found["content"][row].decode() == parsed.content
        assert found["thought"][row].decode() == parsed.thought
        assert found["finish_reason"][row].decode() == parsed.finish_reason


@pytest.mark.release
def test_limits_and_stop_strings_end_an_answer_to_messages(preprocessor, signatures):
    photo = png(768, 768, 0)
    free = {"max_new_tokens": [0, 0], "stop": [[""], [""]]}
    whole = called(signatures["chat"], inputs_of(photo))
    same = called(signatures["chat_with_limits"], inputs_of(photo) | free)
    assert all(whole[name].tolist() == same[name].tolist() for name in whole)
    content = whole["content"][0].decode()
    stop = content[len(content) // 2 :][:2]
    found = called(
        signatures["chat_with_limits"], inputs_of(photo) | {"max_new_tokens": [0, 2], "stop": [[stop], [""]]}
    )
    assert found["content"][0].decode() == content[: content.index(stop)].rstrip()
    assert found["finish_reason"].tolist() == [b"stop", b"length"]
    assert found["num_new_tokens"][1] == 2
    assert found["token_ids"][1, :3].tolist() == [*whole["token_ids"][1, :2], 0]
    count = found["num_new_tokens"][0]
    assert 0 < count < whole["num_new_tokens"][0]
    np.testing.assert_array_equal(
        found["log_probabilities"][0, :count], whole["log_probabilities"][0, :count]
    )
    wrong = free | {"max_new_tokens": [NEW_TOKENS + 1, 0], "stop": [[""], [b"\xff"]]}
    found = called(signatures["chat_with_limits"], inputs_of(photo) | wrong)
    assert b"`max_new_tokens`: must be from 0 to 12" in found["status"][0]
    assert b"`stop`: a stop string must be UTF-8" in found["status"][1]
    assert found["content"].tolist() == [b"", b""]


def test_parts_of_an_answer_begin_at_its_markers():
    settings = text_preprocessor().settings
    find = settings.tokenizer.vocabulary.find
    names = ("<|channel>", "<channel|>", "<|tool_call>", "<tool_call|>")
    marks = chat_marks(Generation((find("<eos>"),), settings.ids.pad), settings)
    assert marks.restarts == tuple(find(name) for name in names)


@pytest.mark.slow
def test_a_faulty_dialogue_has_a_status_and_no_answer_and_others_keep_theirs(signatures):
    photo = png(768, 768, 0)
    good = called(signatures["chat"], inputs_of(photo))
    faulty = called(signatures["chat"], inputs_of(photo) | {"images": [[photo, b""], [photo, b""]]})
    assert b"image" in faulty["status"][0]
    assert (faulty["content"][0], faulty["thought"][0]) == (b"", b"")
    assert not faulty["token_ids"][0].any()
    assert faulty["token_ids"][1].tolist() == good["token_ids"][1].tolist()


@pytest.mark.slow
def test_tools_go_in_and_their_dialogue_is_answered(preprocessor, signatures):
    photo = png(768, 768, 0)
    absent = {
        "names": [["", ""]] * 2,
        "thoughts": [["", ""]] * 2,
        "calls": [[[""], [""]]] * 2,
        "responses": [[[""], [""]]] * 2,
        "tools": [[""], [""]],
    }
    plain = called(signatures["chat"], inputs_of(photo))
    same = called(signatures["chat_tools"], inputs_of(photo) | absent)
    assert same["token_ids"].tolist() == plain["token_ids"].tolist()
    declared = 'declaration:get{description:<|"|>Weather.<|"|>}'
    with_tools = called(signatures["chat_tools"], inputs_of(photo) | absent | {"tools": [[declared], [""]]})
    assert with_tools["status"].tolist() == [b"", b""]
    assert with_tools["token_ids"][1].tolist() == plain["token_ids"][1].tolist()


def test_a_chat_also_ends_where_the_model_waits_for_a_tool(preprocessor):
    settings = preprocessor.settings
    find = settings.tokenizer.vocabulary.find
    marks = chat_marks(Generation((find("<eos>"),), settings.ids.pad), settings)
    assert set(marks.stops) == {find("<eos>"), find("<turn|>"), find("<|tool_response>")}


@pytest.mark.slow
def test_there_is_one_for_each_signature_that_takes_messages(signatures):
    assert {name + ending for name in SIGNATURES for ending in ("", WITH_LIMITS)} <= set(signatures)
