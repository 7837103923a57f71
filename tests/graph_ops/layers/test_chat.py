"""Messages in the class: text, prompts, rows."""

import re

import pytest
import tensorflow as tf

import graph_ops
from graph_ops.layers.chat import ChatTemplate
from graph_ops.presets.catalogue import PRESETS
from tests.twins import chat as twin

USER = [{"role": "user", "content": "Hi"}]


@pytest.fixture(scope="module")
def preprocessor(make_preprocessor):
    return make_preprocessor(images=False, audio=False)


@pytest.mark.parametrize("variant", twin.VARIANTS)
@pytest.mark.parametrize("case", twin.GOLDENS, ids=lambda case: case["name"])
def test_a_dialogue_is_rendered_as_the_published_template_does(preprocessor, case, variant):
    assert isinstance(preprocessor, ChatTemplate)
    expected = twin.golden(case, variant)
    given = case["messages"], case["tools"]
    if isinstance(expected, dict):
        with pytest.raises(TypeError, match="`messages`: content must be a string or a list of parts"):
            preprocessor.render_chat(*given, variant=variant, **case["kwargs"])
    else:
        assert preprocessor.render_chat(*given, variant=variant, **case["kwargs"]) == expected


def test_several_dialogues_give_a_list(preprocessor):
    assert preprocessor.render_chat([USER, []], enable_thinking=[False, True]) == [
        "<bos><|turn>user\nHi<turn|>\n<|turn>model\n",
        "<bos><|turn>system\n<|think|>\n<turn|>\n<|turn>model\n",
    ]


def test_the_variant_is_a_setting(make_preprocessor):
    large = make_preprocessor(images=False, audio=False, chat_variant="large")
    assert large.render_chat(USER).endswith("<|turn>model\n<|channel>thought\n<channel|>")
    assert large.render_chat(USER, variant="small").endswith("<|turn>model\n")
    again = graph_ops.Gemma4CausalLMPreprocessor.from_config(large.get_config())
    assert again.chat_variant == "large"
    with pytest.raises(ValueError, match=r"`variant`: must be one of \('small', 'large'\); got 'medium'"):
        large.render_chat(USER, variant="medium")
    with pytest.raises(ValueError, match="`chat_version`: must be one of"):
        make_preprocessor(chat_version=1)


def test_presets_of_larger_models_have_the_larger_variant(demonstration_tokenizer):
    found = {
        name: graph_ops.Gemma4CausalLMPreprocessor.from_preset(
            name, tokenizer=demonstration_tokenizer
        ).chat_variant
        for name in PRESETS
    }
    assert found == {name: "large" if re.search("12b|26b|31b", name) else "small" for name in PRESETS}


def test_messages_become_prompts_and_media(preprocessor, photo):
    messages = [
        {"role": "user", "content": [{"type": "image", "image": photo}, {"type": "text", "text": "?"}]}
    ]
    prompts = preprocessor.chat_to_prompts(messages, enable_thinking=True)
    assert prompts == {
        "prompts": "<|turn>system\n<|think|>\n<turn|>\n<|turn>user\n<|image|>?<turn|>\n<|turn>model\n",
        "images": [photo],
    }
    both = preprocessor.chat_to_prompts([messages, USER], variant="large")
    assert both["images"] == [[photo], []]
    assert len(both["prompts"]) == 2


def test_a_rendered_prompt_and_its_messages_give_the_same_row(make_preprocessor, photo):
    preprocessor = make_preprocessor()
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "See"}, {"type": "image", "image": photo}]}
    ]
    rows = preprocessor.generate_preprocess({"messages": messages})
    prompts = preprocessor.generate_preprocess(preprocessor.chat_to_prompts(messages))
    assert rows.keys() == prompts.keys()
    for name, feature in rows.items():
        assert (feature == prompts[name]).numpy().all(), name


def test_rows_to_learn_from_end_where_the_dialogue_does(preprocessor):
    messages = [*USER, {"role": "assistant", "content": "Hello"}]
    features, y, weights = preprocessor({"messages": [messages, USER]})
    pieces = preprocessor.tokenizer.detokenize(tf.ragged.boolean_mask(y, weights)).numpy()
    assert pieces.tolist() == [b"Hello<turn|>", b""]
    assert features["padding_mask"].numpy()[:, -1].tolist() == [False, False]
    end = preprocessor.tokenizer.end_token_id
    assert end not in features["token_ids"].numpy()


def test_what_is_wrong_with_messages_is_raised(preprocessor):
    with pytest.raises(ValueError, match="row 0: `roles`: a dialogue must have a message"):
        preprocessor.generate_preprocess({"messages": []})
    with pytest.raises(ValueError, match="row 1: `roles`: a role must be one word"):
        preprocessor.generate_preprocess({"messages": [USER, [{"role": "a b", "content": "x"}]]})
    with pytest.raises(ValueError, match="row 0: `part_types`: a part must be text or a medium"):
        preprocessor.generate_preprocess({"messages": [{"role": "user", "content": [{"type": "image"}]}]})
    with pytest.raises(ValueError, match=r"`x`: keys must be among .*; got \['prompts'\]"):
        preprocessor.generate_preprocess({"messages": USER, "prompts": "Hi"})
