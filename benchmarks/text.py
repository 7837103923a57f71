"""The engine "builtin" in LiteRT, and texts that are hard to merge."""

import itertools
import random
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from export.litert.write import convert
from graph_ops.text.bpe.engine import BuiltinEngine
from graph_ops.text.vocabulary.sentencepiece_model import SPACE, PieceType
from graph_ops.text.vocabulary.vocabulary import Vocabulary

FREQUENT = 20_000
"""Pieces with the best ranks, of which units of repetition are made."""


def litert_tokenizer(engine: BuiltinEngine) -> Callable[[str], np.ndarray]:
    """Text to ids in LiteRT, one thread, builtin ops alone."""

    def function(codes: tf.Tensor, length: tf.Tensor) -> dict[str, tf.Tensor]:
        tokens = engine.tokenize_bytes(codes, length)
        return {"token_ids": tokens.ids, "count": tokens.count}

    specs = [tf.TensorSpec([None], tf.uint8, name="codes"), tf.TensorSpec([], tf.int32, name="length")]
    traced = tf.function(function, input_signature=specs, autograph=False).get_concrete_function()
    runner = Interpreter(model_content=convert({"tokenize": traced}), num_threads=1).get_signature_runner()

    def encode(text: str) -> np.ndarray:
        data = text.encode()
        found = runner(codes=np.frombuffer(data, np.uint8), length=np.int32(len(data)))
        return found["token_ids"][: int(found["count"])]

    return encode


def de_bruijn(letters: int, length: int) -> Iterator[int]:
    """A sequence of the numbers below `letters` that holds each string of `length` of them once, read as a
    ring: the Lyndon words of lengths that divide `length`, in order (Fredricksen and Maiorana).
    """
    word = [-1]
    while word:
        word[-1] += 1
        if length % len(word) == 0:
            yield from word
        word = [word[place % len(word)] for place in range(length)]
        while word and word[-1] == letters - 1:
            word.pop()


def units(vocabulary: Vocabulary, *, pairs: int, triples: int) -> Iterator[str]:
    """Every single character of a vocabulary, every pair of its `pairs` best pieces, every triple of its
    `triples` best: what a hard text may repeat.
    """
    normal = _normal(vocabulary)
    yield from (piece for piece in normal if len(piece) == 1)
    frequent = [piece for piece in normal if len(piece) > 1]
    for size, count in ((2, pairs), (3, triples)):
        yield from map("".join, itertools.product(frequent[:count], repeat=size))


def _normal(vocabulary: Vocabulary) -> list[str]:
    """Pieces that merging makes, best first, as they stand in a text."""
    return [
        piece.replace(SPACE, " ")
        for piece, kind in zip(vocabulary.pieces, vocabulary.types, strict=True)
        if kind == PieceType.NORMAL
    ]


def families(vocabulary: Vocabulary, *, size: int, seed: int, count: int = 20) -> Iterator[tuple[str, str]]:
    """Hard texts of `size` characters with names, `count` of each kind, the kinds in turn."""
    draw = random.Random(seed)
    normal = _normal(vocabulary)
    letters = [piece for piece in normal if len(piece) == 1]
    frequent = [piece for piece in normal if len(piece) > 1][:FREQUENT]
    words = [piece for piece in frequent if piece.isalpha() and piece.isascii()]
    marks = [letter for letter in letters if letter.isascii() and not letter.isalnum() and letter != " "]

    def repeated(unit: str) -> str:
        return (unit * (size // len(unit) + 1))[:size]

    def runs(alphabet: list[str], longest: int) -> str:
        text = ""
        while len(text) < size:
            text += draw.choice(alphabet) * draw.randrange(1, longest)
        return text[:size]

    def mixed(alphabet: list[str]) -> str:
        return "".join(draw.choices(alphabet, k=size))[:size]

    def every_order(alphabet: list[str]) -> str:
        """The beginning of a de Bruijn sequence, in which no 12 pieces stand side by side twice."""
        return "".join(alphabet[place] for place in itertools.islice(de_bruijn(len(alphabet), 12), size))[
            :size
        ]

    def some(alphabet: list[str], most: int) -> list[str]:
        return draw.choices(alphabet, k=draw.randrange(2, most))

    kinds = {
        "a character": lambda: repeated(draw.choice(letters)),
        "an ASCII character": lambda: repeated(chr(draw.randrange(32, 127))),
        "a pair of pieces": lambda: repeated("".join(draw.choices(frequent, k=2))),
        "a triple of pieces": lambda: repeated("".join(draw.choices(frequent, k=3))),
        "a few characters of a piece": lambda: repeated(draw.choice(words)[: draw.randrange(2, 6)]),
        "random letters of a piece": lambda: mixed(list(draw.choice(words))),
        "random ASCII letters": lambda: mixed(some([chr(code) for code in range(97, 123)], 8)),
        "random marks": lambda: mixed(some(marks, 6)),
        "runs of marks": lambda: runs(some(marks, 6), 30),
        "runs of letters": lambda: runs(some([chr(code) for code in range(97, 123)], 4), 30),
        "words without spaces": lambda: mixed(words),
        "words and runs": lambda: "".join(
            draw.choice(words) + draw.choice(marks) * draw.randrange(30) for _ in range(size // 4)
        )[:size],
        "de Bruijn of letters": lambda: every_order(some([chr(code) for code in range(97, 123)], 6)),
        "de Bruijn of pieces": lambda: every_order(some(frequent, 6)),
        "pieces without spaces": lambda: mixed(some(frequent, 50)).replace(" ", "")[:size],
    }
    for index in range(count):
        for name, make in kinds.items():
            yield f"{name}, {index}", make()
