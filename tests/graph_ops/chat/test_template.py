"""The chat template, beside what the published one gives and beside jinja2 on dialogues of any kind."""

import random

import pytest
import tensorflow as tf

from graph_ops.chat.marks import spelled_tokens
from graph_ops.chat.template import render
from graph_ops.family import GEMMA4
from graph_ops.pipeline.chat import SPECS
from tests.graph_ops.chat.rig import spelled
from tests.twins import chat as twin

RENDERED = [case for case in twin.GOLDENS if isinstance(twin.golden(case, "small"), str)]
SWITCHES = ("add_generation_prompt", "enable_thinking", "preserve_thinking")


@pytest.mark.parametrize("variant", twin.VARIANTS)
@pytest.mark.parametrize("case", RENDERED, ids=lambda case: case["name"])
def test_a_dialogue_is_rendered_as_the_published_template_does(case, variant):
    tools = [case["tools"] or []]
    assert spelled(case["messages"], tools=tools, variant=variant, **case["kwargs"]) == [
        twin.golden(case, variant)
    ]


@pytest.mark.parametrize("variant", twin.VARIANTS)
def test_the_twin_is_the_published_template_too(variant):
    assert [
        twin.render(case["messages"], case["tools"], variant=variant, **case["kwargs"]) for case in RENDERED
    ] == [twin.golden(case, variant) for case in RENDERED]


@pytest.mark.parametrize("variant", twin.VARIANTS)
@pytest.mark.parametrize("seed", range(4))
def test_any_dialogue_is_rendered_as_jinja2_does(seed, variant):
    rng = random.Random(seed)
    dialogues = [twin.random_dialogue(rng) for _ in range(250)]
    tools = [[twin.random_tool(rng) for _ in range(rng.randrange(3))] for _ in dialogues]
    switches = [{name: rng.random() < 0.5 for name in SWITCHES} for _ in dialogues]
    together = {name: [each[name] for each in switches] for name in SWITCHES}
    assert spelled(*dialogues, tools=tools, variant=variant, **together) == [
        twin.render(messages, listed, variant=variant, **each)
        for messages, listed, each in zip(dialogues, tools, switches, strict=True)
    ]


def test_dialogues_beside_a_longer_one_stay_as_they_are():
    texts = spelled(*(case["messages"] for case in RENDERED))
    assert texts == [spelled(case["messages"])[0] for case in RENDERED]


def test_a_message_may_stand_anywhere_among_empty_places():
    messages = next(case for case in RENDERED if case["name"] == "call_two_parallel")["messages"]
    (expected,) = spelled(messages)
    tensors = _spread(messages)
    text = render(tensors, spelled_tokens(GEMMA4), chat=GEMMA4.chat, variant="small")
    assert text.numpy()[0].decode() == expected


def _spread(messages):
    """The tensors of a dialogue with an empty place before and behind each message."""
    from tests.graph_ops.chat.rig import dialogues

    def spread(tensor):
        wide = tf.stack([tf.zeros_like(tensor), tensor, tf.zeros_like(tensor)], axis=2)
        return tf.reshape(wide, tf.concat([[1, 3 * len(messages)], tf.shape(tensor)[2:]], axis=0))

    tensors = dialogues(messages)
    per_message = ("roles", "parts", "part_types", "names", "thoughts", "calls", "responses")
    return tensors._replace(**{name: spread(getattr(tensors, name)) for name in per_message})


def test_the_graph_has_no_control_flow_and_few_nodes():
    def function(tensors):
        return render(tensors, spelled_tokens(GEMMA4), chat=GEMMA4.chat, variant="large")

    graph = tf.function(function, autograph=False).get_concrete_function(SPECS).graph.as_graph_def()
    kinds = {node.op for node in graph.node}
    assert not kinds & {"If", "StatelessIf", "While", "StatelessWhile", "PyFunc", "EagerPyFunc"}
    assert not graph.library.function
    assert len([node for node in graph.node if node.op != "Const"]) < 260
