"""`python -m benchmarks.pathological`: the texts that cost the engine "builtin" most, beside SentencePiece.

A text may take 3 times SentencePiece's time, or 50 ms for 16,000 characters, whichever is more.
"""

import os
import pathlib
import time
from collections.abc import Callable
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
        """Milliseconds that it may take."""
        return max(TIMES_SENTENCEPIECE * self.sentencepiece, MS_PER_CHARACTER * self.characters)

    @property
    def share(self) -> float:
        """Of what is allowed, the slower of LiteRT and TensorFlow."""
        return max(self.litert, self.tensorflow) / self.allowed


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


def table(costs: list[Cost], title: str) -> Table:
    """Costs as rows."""
    shown = Table(
        title,
        "characters",
        "LiteRT, ms",
        "TensorFlow, ms",
        "tf-text op, ms",
        "SentencePiece, ms",
        "of allowed",
        box=None,
        pad_edge=False,
    )
    for cost in costs:
        times = (cost.litert, cost.tensorflow, cost.op, cost.sentencepiece)
        shown.add_row(
            cost.name, f"{cost.characters:,}", *(f"{each:.2f}" for each in times), f"{cost.share:.0%}"
        )
    return shown


def main(
    count: Annotated[int, typer.Option(help="Texts of each kind.", min=1)] = 20,
    size: Annotated[int, typer.Option(help="Characters of a text.", min=100)] = 16_000,
    seed: Annotated[int, typer.Option(help="Of the random texts.")] = 0,
    shown: Annotated[int, typer.Option(help="Worst texts that are measured again and shown.", min=1)] = 12,
) -> None:
    """Search for the text that costs most of what it may."""
    vocabulary = pathlib.Path(os.environ.get("GEMMA4_TOKENIZER") or demonstration_file("demonstration.spm"))
    console = Console(highlight=False, width=None if os.isatty(1) else 140)
    with console.status("setting up") as status, quiet_stderr():
        from benchmarks.text import families

        pieces, encode = encoders(vocabulary)

        def cost(name: str, text: str, calls: int) -> Cost:
            times = {way: milliseconds(each, text, calls) for way, each in encode.items()}
            return Cost(name, len(text), **times)

        for way in encode.values():
            way("warm up")
        fixed = [cost(name, text, 3) for name, text in FIXED.items()]
        searched = []
        for name, text in families(pieces, size=size, seed=seed, count=count):
            searched.append((cost(name, text, 1), text))
            status.update(f"searched {len(searched)} texts")
        searched.sort(key=lambda each: -each[0].share)
        worst = [cost(found.name, text, 5) for found, text in searched[:shown]]
    worst.sort(key=lambda each: -each.share)
    console.print(table(fixed, "known to be hard"))
    console.print(table(worst, f"worst of {len(searched)}"))
    top = max([*fixed, *worst], key=lambda each: each.share)
    ratio = max(top.litert, top.tensorflow) / top.sentencepiece
    console.print(
        f"Worst: {top.name}: {max(top.litert, top.tensorflow):.1f} ms of {top.allowed:.1f} ms allowed "
        f"({top.share:.0%}), {ratio:.1f} × SentencePiece. Vocabulary {vocabulary.name}."
    )


if __name__ == "__main__":
    typer.run(main)
