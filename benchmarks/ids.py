"""Text to ids, beside every tokenizer of `peers`."""

import pathlib
import random
import sys
from collections.abc import Iterator

import tensorflow as tf

import graph_ops
from benchmarks import texts
from benchmarks.measuring import CALLS_IN_A_TURN, Comparison, Work, compared
from benchmarks.peers import Encode, peers
from benchmarks.text import litert_tokenizer
from graph_ops.text.engines import ENGINES

WANTED = {"tokenizers": 2.0}
"""Largest ratio to a peer, for texts that name none of their own."""


def comparisons(vocabulary: pathlib.Path, rounds: int) -> Iterator[Comparison]:
    """Batches in each engine, single texts of many kinds, and LiteRT."""
    calls, english = rounds * CALLS_IN_A_TURN, texts.english()
    sample = [text for batch in texts.prompt_batches(english, 2) for text in batch]
    others, left_out = peers(vocabulary, sample)
    if left_out:
        print(f"left out: {', '.join(left_out)}", file=sys.stderr)
    layers = {name: graph_ops.Gemma4Tokenizer(vocabulary, engine=name) for name in ENGINES}
    for name, text, wanted in (
        ("English", english, {"tokenizers": 0.5, "sentencepiece": 1.0}),
        ("266 languages", texts.world(), {"tokenizers": 1.0, "sentencepiece": 1.5}),
    ):
        if text:
            batches = texts.prompt_batches(text, calls)
            size = f"{texts.NUM_PROMPTS} × {texts.PROMPT_CHARACTERS} characters"
            for engine, layer in layers.items():
                task = f"ids, {engine}, {size}, {name}"
                yield from compared(task, _contenders(_traced(layer), others, batches), rounds, wanted)
    ours = _traced(layers["builtin"])
    for name, given in texts.kinds(16_000, calls).items():
        task, batches = f"ids, builtin, 16,000 characters, {name}", [[text] for text in given]
        yield from compared(task, _contenders(ours, others, batches), rounds, WANTED)
    short = [[text] for text in texts.cut_out(english, 20, calls, random.Random(4))]
    yield from compared("ids, builtin, 20 characters", _contenders(ours, others, short), rounds, WANTED)
    yield from _in_litert(layers["builtin"], others["sentencepiece"], rounds)


def _in_litert(layer: graph_ops.Gemma4Tokenizer, peer: Encode, rounds: int) -> Iterator[Comparison]:
    """Bytes to ids in LiteRT, one thread: short, long, and random letters, which make long segments."""
    calls, draw, encode = rounds * CALLS_IN_A_TURN, random.Random(2), litert_tokenizer(layer.engine)
    given = {
        f"{size:,} characters, English": texts.cut_out(texts.english(), size, calls, draw)
        for size in (200, 2000, 16_000)
    }
    given["4,096 characters, base64"] = [text[:4096] for text in texts.kinds(4096, calls)["base64"]]
    for name, each in given.items():
        contenders = _contenders(
            lambda batch: [encode(text) for text in batch], {"sentencepiece": peer}, [[text] for text in each]
        )
        wanted = {"sentencepiece": 1.5} if name.startswith("2,000") else {}
        yield from compared(f"ids in LiteRT, {name}", contenders, rounds, wanted)


def _traced(layer: graph_ops.Gemma4Tokenizer) -> Encode:
    function = tf.function(
        layer.tokenize_rows, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
    ).get_concrete_function()
    return lambda given: function(tf.constant(given))


def _contenders(ours: Encode, others: dict[str, Encode], batches: list[list[str]]) -> dict[str, Work]:
    def work(encode: Encode) -> Work:
        return lambda turn: encode(batches[turn])

    return {"ours": work(ours), **{name: work(encode) for name, encode in others.items()}}
