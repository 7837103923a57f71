"""`python -m benchmarks.pathological`: the texts that cost the engine "builtin" most, beside SentencePiece.

A text may take 3 times SentencePiece's time, or 50 ms for 16,000 characters, whichever is more, and what a
call takes for one character. Texts of many kinds are drawn. With `--every`, each character of the vocabulary,
each pair of its best pieces and each triple of the very best are repeated too.
"""

import itertools
import os
import pathlib
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import typer
from rich.console import Console
from rich.table import Table

from export.cli.quiet import quiet_stderr
from export.verify.samples import demonstration_file

if TYPE_CHECKING:
    from graph_ops.text.vocabulary.vocabulary import Vocabulary

TIMES_SENTENCEPIECE, MS_PER_CHARACTER = 3, 50 / 16_000
SCREENED = 2_000
"""Characters of a repeated text by which the worst are chosen."""

FIXED = {
    "1,000 × <": "<" * 1000,
    "5,000 × <": "<" * 5000,
    "400 × z": "z" * 400,
    "lol × 333": "lol" * 333,
    "1 MB of spaces": " " * 2**20,
    "1 MB of z": "z" * 2**20,
}


class Cost(NamedTuple):
    """Milliseconds of a text: in LiteRT, in TensorFlow (both engines), in SentencePiece's C++."""

    name: str
    characters: int
    litert: float
    tensorflow: float
    op: float
    sentencepiece: float

    @property
    def allowed(self) -> float:
        """Milliseconds that it may take more than one character."""
        return max(TIMES_SENTENCEPIECE * self.sentencepiece, MS_PER_CHARACTER * self.characters)

    def share(self, one: "Cost") -> float:
        """Of what is allowed, the slower of LiteRT and TensorFlow; `one` is the cost of one character."""
        return max(self.litert - one.litert, self.tensorflow - one.tensorflow) / self.allowed


Encode = Callable[[str], object]


def milliseconds(encode: Encode, text: str, calls: int) -> float:
    """The fastest of some calls."""
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        encode(text)
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def encoders(vocabulary: pathlib.Path) -> tuple["Vocabulary", dict[str, Encode]]:
    """The vocabulary, and text to ids in each way."""
    import sentencepiece
    import tensorflow as tf

    from benchmarks.text import litert_tokenizer
    from graph_ops.text.engines import make_engine
    from graph_ops.text.vocabulary.vocabulary import load_vocabulary

    pieces = load_vocabulary(vocabulary)
    engines = {name: make_engine(name, pieces) for name in ("builtin", "sentencepiece")}

    def graph(name: str) -> Encode:
        function = tf.function(
            lambda texts: engines[name].encode(texts, in_bulk=True),
            input_signature=[tf.TensorSpec([None], tf.string)],
            autograph=False,
        )
        return lambda text: function(tf.constant([text]))

    processor = sentencepiece.SentencePieceProcessor(model_proto=pieces.proto)
    return pieces, {
        "litert": litert_tokenizer(engines["builtin"]),
        "tensorflow": graph("builtin"),
        "op": graph("sentencepiece"),
        "sentencepiece": processor.encode,
    }


def table(costs: list[Cost], one: Cost, title: str) -> Table:
    """Costs as rows."""
    ways = ("LiteRT, ms", "TensorFlow, ms", "tf-text op, ms", "SentencePiece, ms")
    shown = Table(title, "characters", *ways, "of allowed", box=None, pad_edge=False)
    for cost in costs:
        times = (cost.litert, cost.tensorflow, cost.op, cost.sentencepiece)
        shown.add_row(
            cost.name, f"{cost.characters:,}", *(f"{each:.2f}" for each in times), f"{cost.share(one):.0%}"
        )
    return shown


class Search:
    """Texts and what they cost, each way of `encode`."""

    def __init__(
        self, pieces: "Vocabulary", encode: dict[str, Encode], report: Callable[[str], None]
    ) -> None:
        self._pieces, self._encode, self._report = pieces, encode, report
        for _ in range(2):
            self.one = self.cost("one character", "a", 100)

    def cost(self, name: str, text: str, calls: int) -> Cost:
        """The fastest of some calls, each way."""
        times = {way: milliseconds(each, text, calls) for way, each in self._encode.items()}
        return Cost(name, len(text), **times)

    def repeated(self, pairs: int, triples: int, size: int, kept: int) -> list[tuple[str, str]]:
        """The texts that cost most of all that `units` makes, by short ones in LiteRT."""
        from benchmarks.text import units

        found = []
        for unit in units(self._pieces, pairs=pairs, triples=triples):
            text = unit * (SCREENED // len(unit))
            found.append((milliseconds(self._encode["litert"], text, 1) / len(text), unit))
            if len(found) % 1000 == 0:
                self._report(f"repeated {len(found):,} units")
        worst = sorted(found, reverse=True)[:kept]
        return [(f"{unit!r} repeated, of {len(found):,}", unit * (size // len(unit))) for _, unit in worst]

    def worst(self, texts: Iterable[tuple[str, str]], shown: int) -> tuple[list[Cost], int]:
        """The costs of the texts that take most of what they may, and how many there were."""
        searched = []
        for name, text in texts:
            searched.append((self.cost(name, text, 1), text))
            self._report(f"searched {len(searched):,} texts")
        searched.sort(key=lambda each: -each[0].share(self.one))
        again = [self.cost(found.name, text, 5) for found, text in searched[:shown]]
        return sorted(again, key=lambda each: -each.share(self.one)), len(searched)


def main(
    count: Annotated[int, typer.Option(help="Texts of each kind.", min=1)] = 20,
    size: Annotated[int, typer.Option(help="Characters of a text.", min=100)] = 16_000,
    seed: Annotated[int, typer.Option(help="Of the random texts.")] = 0,
    shown: Annotated[int, typer.Option(help="Worst texts that are measured again and shown.", min=1)] = 12,
    every: Annotated[bool, typer.Option("--every", help="Try every character, pair and triple too.")] = False,
    pairs: Annotated[int, typer.Option(help="Best pieces of which pairs are made.")] = 200,
    triples: Annotated[int, typer.Option(help="Best pieces of which triples are made.")] = 40,
) -> None:
    """Search for the text that costs most of what it may."""
    vocabulary = pathlib.Path(os.environ.get("GEMMA4_TOKENIZER") or demonstration_file("demonstration.spm"))
    console = Console(highlight=False, width=None if os.isatty(1) else 140)
    with console.status("setting up") as status, quiet_stderr():
        from benchmarks.text import families

        pieces, encode = encoders(vocabulary)
        search = Search(pieces, encode, status.update)
        fixed = [search.cost(name, text, 3) for name, text in FIXED.items()]
        texts = list(search.repeated(pairs, triples, size, 5 * shown)) if every else []
        drawn = families(pieces, size=size, seed=seed, count=count)
        worst, number = search.worst(itertools.chain(texts, drawn), shown)
    console.print(table([search.one, *fixed], search.one, "known to be hard"))
    console.print(table(worst, search.one, f"worst of {number:,}"))
    top = max([*fixed, *worst], key=lambda each: each.share(search.one))
    ratio = max(top.litert, top.tensorflow) / top.sentencepiece
    console.print(
        f"Worst: {top.name}: {max(top.litert, top.tensorflow):.1f} ms, of {top.allowed:.1f} ms allowed "
        f"{top.share(search.one):.0%}, {ratio:.1f} × SentencePiece. Vocabulary {vocabulary.name}."
    )


if __name__ == "__main__":
    typer.run(main)
