"""A process that was forked after TensorFlow had run is noticed."""

import os

import pytest

from graph_ops.layers import process
from tests.graph_ops.layers.fresh import run


@pytest.fixture
def first(monkeypatch):
    """Sets the process in which layers ran first."""
    return lambda number: monkeypatch.setattr(process, "_first_process", number)


def test_the_first_process_is_noted_and_may_go_on(first):
    first(None)
    process.check_process()
    assert process._first_process == os.getpid()
    process.check_process()


def test_another_process_is_refused_and_not_noted(first):
    first(os.getpid() + 1)
    for _ in range(2):
        with pytest.raises(
            RuntimeError, match=r"forked after .* had run in its parent: .*get_context\('spawn'\)"
        ):
            process.check_process()
    assert process._first_process == os.getpid() + 1


FORKED = """
    import multiprocessing
    import graph_ops
    from tests.data import DEMONSTRATION

    preprocessor = graph_ops.Gemma4CausalLMPreprocessor(graph_ops.Gemma4Tokenizer(DEMONSTRATION))
    converter = graph_ops.Gemma4ImageConverter()
    preprocessor.generate_preprocess("a")

    def outcome(_):
        calls = {
            "call": lambda: preprocessor({"prompts": "a", "responses": "b"}),
            "generate_preprocess": lambda: preprocessor.generate_preprocess("a"),
            "generate_postprocess": lambda: preprocessor.generate_postprocess(
                {"token_ids": [1], "padding_mask": [1]}),
            "tokenize": lambda: preprocessor.tokenizer.tokenize("a"),
            "detokenize": lambda: preprocessor.tokenizer.detokenize([5]),
            "converter": lambda: converter(b""),
            "a new tokenizer": lambda: graph_ops.Gemma4Tokenizer(DEMONSTRATION),
        }
        raised = []
        for name, call in calls.items():
            try:
                call()
            except RuntimeError as error:
                raised.append(name if "get_context('spawn')" in str(error) else str(error))
        return raised == list(calls) or raised

    with multiprocessing.get_context("fork").Pool(1) as pool:
        print(pool.map_async(outcome, [None]).get(timeout=60)[0])
"""


@pytest.mark.slow
def test_a_forked_worker_is_told_to_be_spawned_instead_of_waiting_for_ever():
    assert run(FORKED).splitlines()[-1] == "True"
