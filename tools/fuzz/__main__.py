"""`python -m tools.fuzz`: look for inputs that crash, hang, harm their neighbours or differ silently."""

import contextlib
import io
import json
import os
import pathlib
import time
from typing import Annotated, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import hypothesis
import typer
from rich.console import Console
from rich.table import Table

from export.cli.quiet import quiet_stderr
from export.verify.samples import demonstration_file

EXAMPLES_IN_A_TURN = 40


def turn(target: Any, seed: int) -> str | None:
    """Some examples of a target; what is wrong with the smallest that shows a fault."""
    settings = hypothesis.settings(
        max_examples=EXAMPLES_IN_A_TURN,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )

    @hypothesis.seed(seed)
    @settings
    @hypothesis.given(target.inputs)
    def run(example: Any) -> None:
        target.check(example)

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            run()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        notes = "\n".join(getattr(error, "__notes__", ()))
        return f"{type(error).__name__}: {error}\n{notes}"
    return None


def main(
    minutes: Annotated[float, typer.Option(help="How long to look.", min=0.1)] = 10,
    seed: Annotated[int, typer.Option(help="Of the first turn; another looks elsewhere.")] = 0,
    only: Annotated[str, typer.Option(help="Targets with this in their name.")] = "",
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Compare random and damaged inputs with Pillow, libsndfile and SentencePiece, and LiteRT with
    TensorFlow.
    """
    vocabulary = pathlib.Path(os.environ.get("GEMMA4_TOKENIZER") or demonstration_file("demonstration.spm"))
    console = Console(highlight=False, width=None if os.isatty(1) else 140)
    counts: dict[str, int] = {}
    findings: list[dict[str, Any]] = []
    with console.status("setting up") as status, quiet_stderr():
        from tools.fuzz.targets import targets

        chosen = [target for target in targets(vocabulary) if only in target.name]
        counts = dict.fromkeys((target.name for target in chosen), 0)
        end, number = time.monotonic() + 60 * minutes, seed
        while time.monotonic() < end:
            for target in chosen:
                status.update(f"{target.name}: turn {number - seed + 1}, {len(findings)} found")
                wrong = turn(target, number)
                if wrong and not any(wrong.split("\n")[0] in finding["what"] for finding in findings):
                    findings.append({"target": target.name, "seed": number, "what": wrong})
                counts[target.name] += EXAMPLES_IN_A_TURN
            number += 1
    if json_:
        print(json.dumps({"examples": counts, "findings": findings}, indent=2))
    else:
        _print(console, counts, findings)
    raise typer.Exit(1 if findings else 0)


def _print(console: Console, counts: dict[str, int], findings: list[dict[str, Any]]) -> None:
    table = Table("target", "examples", "findings", box=None, pad_edge=False)
    for name, count in counts.items():
        found = sum(finding["target"] == name for finding in findings)
        table.add_row(name, f"{count:,}", str(found))
    console.print(table)
    for finding in findings:
        console.print(f"\n{finding['target']}, --seed {finding['seed']}:", style="bold")
        console.print(finding["what"], markup=False)


if __name__ == "__main__":
    typer.run(main)
