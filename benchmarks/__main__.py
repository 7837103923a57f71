"""`python -m benchmarks`: the table of speeds of docs/performance.md."""

import importlib.metadata
import json
import os
import pathlib
import platform
from typing import Annotated, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# One thread for each op, several ops at a time: what a server that answers many requests is best run with
# (--tensorflow_intra_op_parallelism=1), and on two cores faster than splitting every op. An environment that
# says otherwise wins.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import typer
from rich.console import Console
from rich.table import Table

from export.cli.quiet import quiet_stderr
from export.verify.samples import demonstration_file

PACKAGES = (
    "tensorflow",
    "tensorflow-text",
    "tokenizers",
    "sentencepiece",
    "transformers",
    "keras-hub",
    "numpy",
    "pillow",
    "kitoken",
    "fastokens",
    "splintr-rs",
)
EXTENSIONS = ("avx", "avx2", "avx512f", "avx512_vnni", "amx_int8")
"""Vector instructions that decide how fast a processor is at this, as Linux calls them."""


def machine() -> str:
    """Processor, its vector extensions, cores and versions, in one line."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = told.get("flags", "").split()
    vectors = ", ".join(name for name in EXTENSIONS if name in flags) or "unknown"
    versions = ", ".join(f"{name} {version}" for name in PACKAGES if (version := _version(name)))
    model = told.get("model name", platform.processor())
    return f"{model} with {vectors}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


COLUMNS = ("task", "ours, ms", "peer", "peer, ms", "ratio", "wanted")


def cells(result: Any) -> tuple[str, ...]:
    """One comparison as the cells of a table's row."""
    wanted = "" if result.target is None else f"≤ {result.target:g}"
    return (
        result.task,
        f"{result.ours:.2f}",
        result.peer,
        f"{result.theirs:.2f}",
        f"{result.ratio:.2f}",
        wanted,
    )


def markdown(rows: list[tuple[str, ...]], footnote: str) -> str:
    """The table of docs/performance.md."""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + f"\n\n{footnote}"


def main(
    rounds: Annotated[int, typer.Option(help="Turns of each contender, of 20 calls each.", min=2)] = 6,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    markdown_: Annotated[bool, typer.Option("--markdown", help="Print Markdown instead of a table.")] = False,
) -> None:
    """Time every step beside its peer: medians of contenders that take turns in one process."""
    vocabulary = pathlib.Path(os.environ.get("GEMMA4_TOKENIZER") or demonstration_file("demonstration.spm"))
    console = Console(highlight=False, width=None if os.isatty(1) else 140)
    results = []
    with console.status("setting up") as status:
        with quiet_stderr():
            from benchmarks.measuring import CALLS_IN_A_TURN, UNCOUNTED_CALLS
            from benchmarks.tasks import Bench

            bench = Bench(vocabulary, rounds)
        for comparison in bench.comparisons():
            results.append(comparison)
            status.update(f"measured {comparison.task}")
    counted = CALLS_IN_A_TURN - UNCOUNTED_CALLS
    threads = f"TF_NUM_INTRAOP_THREADS={os.environ['TF_NUM_INTRAOP_THREADS']}"
    medians = f"Medians over {rounds - 1} turns of {counted} counted calls."
    footnote = f"{medians} Vocabulary {vocabulary.name}. {threads}. {machine()}."
    if json_:
        print(
            json.dumps(
                {
                    "machine": machine(),
                    "results": [result._asdict() | {"ratio": result.ratio} for result in results],
                },
                indent=2,
            )
        )
    elif markdown_:
        print(markdown([cells(result) for result in results], footnote))
    else:
        table = Table(*COLUMNS, box=None, pad_edge=False)
        for result in results:
            table.add_row(*cells(result))
        console.print(table)
        console.print(footnote)


if __name__ == "__main__":
    typer.run(main)
