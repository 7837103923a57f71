"""`python -m benchmarks.long_texts`: what one long text costs the embedded server, each in a process of its
own: time and memory, which must grow as the text does.
"""

import http.client
import json
import os
import pathlib
import tempfile
import time
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import typer
from rich.console import Console
from rich.table import Table

from export.cli.quiet import quiet_stderr
from export.verify.samples import demonstration_file
from tools.faults.process import ServerProcess

MEGABYTES = (2.5, 5.0, 10.0, 20.0)
ENGINES = ("sentencepiece", "builtin")
COLUMNS = ("engine", "protocol", "text, MB", "ids", "s", "CPU s", "memory, MB", "CPU s/MB", "MB/MB")
SIGNATURE = "tokenize"
TIMEOUT = 600
PROSE = pathlib.Path(__file__).parents[1] / "tools" / "universal_declaration_english.txt"


class Cost(NamedTuple):
    """Of one request: seconds until its answer was read, processor time of the server, which other work on
    the machine changes less, and bytes beyond what the server held before.
    """

    seconds: float
    processor_seconds: float
    peak_bytes: int
    ids: int


def over_grpc(server: ServerProcess, text: str) -> int:
    """Asks; how many ids came."""
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "gemma4", SIGNATURE
    request.inputs["text"].CopyFrom(tf.make_tensor_proto([text]))
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{server.ports[0]}", options) as channel:
        answer = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, TIMEOUT)
    return len(answer.outputs["token_ids"].int_val)


def over_rest(server: ServerProcess, text: str) -> int:
    """Asks; how many ids came."""
    connection = http.client.HTTPConnection("127.0.0.1", server.ports[1], timeout=TIMEOUT)
    connection.request(
        "POST",
        "/v1/models/gemma4:predict",
        json.dumps({"signature_name": SIGNATURE, "instances": [text]}, ensure_ascii=False).encode(),
    )
    response = connection.getresponse()
    body = response.read()
    assert response.status == 200, body[:500]
    return len(json.loads(body)["predictions"][0]["token_ids"])


PROTOCOLS: dict[str, Callable[[ServerProcess, str], int]] = {"gRPC": over_grpc, "REST": over_rest}


def prose(size: int) -> str:
    """A text of so many bytes: ASCII, of words."""
    text = PROSE.read_bytes().decode("ascii", "ignore")
    return (text * (size // len(text) + 1))[:size]


def cost(folder: pathlib.Path, protocol: str, size: int) -> Cost:
    """What a text of so many bytes costs a server that has answered one short text."""
    server, ask = ServerProcess(folder), PROTOCOLS[protocol]
    try:
        ask(server, "hello")
        server.forget_peak()
        before, processor, started = server.memory(), server.processor_seconds(), time.perf_counter()
        ids = ask(server, prose(size))
        seconds = time.perf_counter() - started
        processor = server.processor_seconds() - processor
        return Cost(seconds, processor, server.memory("VmHWM") - before, ids)
    finally:
        server.end()


def export(engine: str, folder: pathlib.Path) -> None:
    """Writes version 1 of a model for texts alone."""
    with quiet_stderr():
        import graph_ops
        from export.saved_model.write import export_saved_model

        tokenizer = graph_ops.Gemma4Tokenizer(demonstration_file("demonstration.spm"), engine=engine)
        preprocessor = graph_ops.Gemma4CausalLMPreprocessor(
            tokenizer, image_converter=None, audio_converter=None
        )
        export_saved_model(preprocessor, folder)


def main(
    megabytes: Annotated[list[float] | None, typer.Argument(help="Sizes of the text, in MB.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Prints a line for each engine, protocol and size."""
    console = Console(highlight=False, width=None if os.isatty(1) else 110)
    rows: list[dict[str, Any]] = []
    for engine in ENGINES:
        with tempfile.TemporaryDirectory() as scratch:
            export(engine, pathlib.Path(scratch))
            for protocol in PROTOCOLS:
                for size in megabytes or MEGABYTES:
                    with console.status(f"{engine}, {protocol}, {size} MB"):
                        found = cost(pathlib.Path(scratch), protocol, round(size * 1e6))
                    rows.append({"engine": engine, "protocol": protocol, "MB": size, **found._asdict()})
    if json_:
        print(json.dumps(rows, indent=2))
        return
    table = Table(*COLUMNS, box=None)
    for row in rows:
        size, seconds, peak = row["MB"], row["processor_seconds"], row["peak_bytes"] / 1e6
        figures = (f"{row['seconds']:.1f}", f"{seconds:.1f}", f"{peak:.0f}")
        table.add_row(
            row["engine"],
            row["protocol"],
            f"{size:g}",
            f"{row['ids']:,}",
            *figures,
            f"{seconds / size:.2f}",
            f"{peak / size:.0f}",
        )
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
