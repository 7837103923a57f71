"""Each step has a name in the graph, so that a profile of a server says where the time goes."""

import re

import pytest

from export.saved_model.signatures import signatures
from export.signature import traced

SCOPES = {
    "generate_preprocess": (
        "prompt/",
        "tokenize/",
        "image/.*decode/",
        "image/.*resize/",
        "image/.*patches/",
        "image/.*scale/",
        "audio/.*decode/",
        "audio/.*log_mel/",
        "rows/",
        "status/",
    ),
    "preprocess": ("response/",),
    "generate_postprocess": ("detokenize/", "status/"),
}


def names(graph_def):
    yield from (node.name for node in graph_def.node)
    for function in graph_def.library.function:
        yield from (node.name for node in function.node_def)


@pytest.mark.parametrize("signature", SCOPES)
def test_the_steps_of_a_signature_have_names(make_preprocessor, signature):
    table = signatures(make_preprocessor().settings)
    found = set(names(traced(table[signature]).graph.as_graph_def()))
    for scope in SCOPES[signature]:
        # what a traced step holds is named inside its own function
        pattern = re.compile(rf"(^|/){scope.removeprefix('image/.*').removeprefix('audio/.*')}")
        assert any(pattern.search(name) for name in found), scope


def test_ops_outside_of_a_step_are_few(make_preprocessor):
    graph = traced(signatures(make_preprocessor().settings)["generate_preprocess"]).graph
    outside = [op for op in graph.get_operations() if "/" not in op.name and op.type not in tf_plumbing()]
    assert len(outside) < 60


def tf_plumbing():
    return {"Placeholder", "Const", "Identity", "NoOp", "StatefulPartitionedCall", "PartitionedCall"}
