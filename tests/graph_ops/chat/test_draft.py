"""Drafts with their marks written out, beside the template on goldens and on dialogues of any kind."""

import functools
import random

import pytest
import tensorflow as tf

from graph_ops.chat.draft import drafted, written
from graph_ops.chat.marks import spelled_tokens
from graph_ops.chat.plain import are_plain
from graph_ops.chat.template import render
from graph_ops.family import GEMMA4
from graph_ops.pipeline.chat import SPECS
from tests.graph_ops.chat.rig import dialogues
from tests.twins import chat as twin

SWITCHES = ("add_generation_prompt", "enable_thinking", "preserve_thinking")
TOKENS = spelled_tokens(GEMMA4)
CHAT = GEMMA4.chat
RENDERED = [case for case in twin.GOLDENS if isinstance(twin.golden(case, "small"), str)]


@functools.cache
def graph(variant):
    """Whether dialogues are plain, the text of their draft, and the template's."""

    def function(tensors):
        draft = drafted(tensors, quote=None)
        is_plain = are_plain(
            tensors,
            draft,
            media=("image", "audio", "video"),
            special=(CHAT.channel, CHAT.channel_end),
            checks_native=False,
        )
        text = written(draft.text, TOKENS, gives_empty_thought=variant in CHAT.empty_thought_variants)
        return is_plain, text, render(tensors, TOKENS, chat=CHAT, variant=variant)

    return tf.function(function, input_signature=[SPECS], autograph=False)


@pytest.mark.parametrize("variant", twin.VARIANTS)
def test_drafts_are_the_published_template(variant):
    count = 0
    for case in RENDERED:
        tensors = dialogues(case["messages"], tools=[case["tools"] or []], **case["kwargs"])
        is_plain, text, _ = graph(variant)(tensors)
        count += bool(is_plain)
        assert not is_plain or text.numpy()[0].decode() == twin.golden(case, variant), case["name"]
    assert count > 55


def usual(rng, messages):
    """A dialogue with calls, thoughts and answers, in any order."""

    def message(role):
        if role == "tool":
            return {"content": rng.choice(("21", " 21 ", "", None)), "tool_call_id": rng.choice("012")}
        if role == "user" and rng.random() < 0.3:
            return {"content": [{"type": "image"}, {"type": "text", "text": " a "}, {"type": "video"}]}
        if role == "system" and rng.random() < 0.5:
            return {"content": [{"type": "text", "text": text} for text in rng.choice((["b "], ["b ", "a"]))]}
        said = {"content": rng.choice(("Hi", " x ", "", None, "naïve 👍", "{a:1}", "assistant\n"))}
        if role != "assistant":
            return said
        calls = [
            {"id": rng.choice("01"), "function": {"name": rng.choice("fg"), "arguments": {"a": "x"}}}
            for _ in range(rng.randrange(3))
        ]
        thought = {"reasoning": " so\n"} if rng.random() < 0.5 else {}
        return said | thought | ({"tool_calls": calls} if calls else {})

    roles = ("user", "assistant", "assistant", "tool", "tool", "model", "system")
    return [{"role": role, **message(role)} for role in rng.choices(roles, k=messages)]


@pytest.mark.parametrize("variant", twin.VARIANTS)
@pytest.mark.parametrize("seed", range(3))
def test_drafts_of_the_usual_are_as_the_template_s(seed, variant):
    rng = random.Random(seed)
    count = 0
    for _ in range(300):
        switches = {name: rng.random() < 0.5 for name in SWITCHES}
        tools = [[twin.random_tool(rng) for _ in range(rng.randrange(2))]]
        tensors = dialogues(usual(rng, rng.randrange(1, 8)), tools=tools, **switches)
        is_plain, text, expected = graph(variant)(tensors)
        count += bool(is_plain)
        assert not is_plain or text.numpy().tolist() == expected.numpy().tolist()
    assert count > 150


@pytest.mark.parametrize("seed", range(3))
def test_a_batch_is_its_dialogues_one_by_one(seed):
    rng = random.Random(seed)
    batch = [usual(rng, 5) for _ in range(40)]
    _, together, _ = graph("small")(dialogues(*batch))
    alone = [graph("small")(dialogues(each))[1].numpy()[0] for each in batch]
    assert together.numpy().tolist() == alone


def test_a_text_with_the_bytes_of_marks_is_no_plain_one():
    from graph_ops.chat.draft_rules import Mark

    tensors = dialogues([{"role": "user", "content": "Hi"}])
    assert graph("small")(tensors)[0]
    for mark in Mark:
        for name in ("parts", "names", "roles"):
            shape = getattr(tensors, name).shape
            forged = tensors._replace(**{name: tf.fill(shape, b"user" + mark.text)})
            assert not graph("small")(forged)[0], (mark, name)


def test_it_has_half_the_ops_of_the_template_and_its_tokens():
    def ops(function):
        nodes = function.get_concrete_function(SPECS).graph.as_graph_def().node
        return len([node for node in nodes if node.op != "Const"])

    ours = ops(tf.function(lambda tensors: drafted(tensors, quote="'").text, autograph=False))
    whole = tf.function(lambda tensors: render(tensors, TOKENS, chat=CHAT, variant="small"), autograph=False)
    assert ours < ops(whole) / 2
