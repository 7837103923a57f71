"""`gemma4-graph serve` and `request`: a server of an export, and a client of any server of one."""

import logging
import os
import pathlib
import resource
import shutil
import sys
import tempfile
from typing import Annotated, Any

import typer

from export.batching_parameters import read_batching_parameters
from export.cli.options import MaxSoftTokens, Prompt, option, with_media_options
from export.cli.quiet import quiet_stderr
from export.cli.terminal import AsJson, at_work, show
from export.serving_configuration import check_model_folder

TF_SERVING = "tensorflow_model_server"
"""TF Serving's program."""


def serve(
    folder: Annotated[
        pathlib.Path,
        typer.Argument(help="Folder of the model, which holds its versions.", metavar="DIR"),
    ],
    port: Annotated[int, option("N", "Port of gRPC; 0 for a free one.")] = 8500,
    rest_port: Annotated[int, option("N", "Port of REST; 0 for a free one.")] = 8501,
    host: Annotated[
        str,
        option("ADDRESS", "Address that the embedded server listens on; TF Serving listens on all."),
    ] = "127.0.0.1",
    model_name: Annotated[str, option("NAME", "Name of the model in requests.")] = "gemma4",
    model_config: Annotated[
        pathlib.Path | None,
        option(
            "FILE",
            "models.config with the versions to serve and their labels; by default the highest version, "
            "without labels.",
        ),
    ] = None,
    embedded: Annotated[
        bool, typer.Option(help=f"Whether to use the embedded server even where {TF_SERVING} is there.")
    ] = False,
    threads: Annotated[
        int,
        option("N", "Requests of each protocol that are computed at a time (embedded)."),
    ] = 8,
    intra_op_parallelism: Annotated[
        int,
        option("N", "Threads of one op; with 1, the branches of a request run side by side."),
    ] = 1,
    max_rows: Annotated[int, option("N", "Rows in a request (embedded).")] = 128,
    max_request_bytes: Annotated[int, option("N", "Size of a request (embedded).")] = 32 << 20,
    warmup: Annotated[
        bool, typer.Option(help="Whether a version is warmed up before it serves, which takes some seconds.")
    ] = True,
    batching_parameters: Annotated[
        pathlib.Path | None,
        option(
            "FILE",
            "How rows of several requests become one batch, a file such as batching_parameters.txt; without "
            "it the embedded server runs each request by itself.",
        ),
    ] = None,
    grace_seconds: Annotated[
        float,
        option("SECONDS", "How long a shutdown waits for requests under way (embedded)."),
    ] = 10.0,
    request_log: Annotated[
        pathlib.Path | None,
        option(
            "FILE",
            "Where a line of JSON is added for each request, without what it holds; - for the "
            "standard output (embedded).",
        ),
    ] = None,
) -> None:
    """Serve a model over gRPC and REST: with TF Serving if it is installed, otherwise with an embedded server
    for development.
    """
    folder = folder.expanduser()
    check_model_folder(folder)
    binary = None if embedded else shutil.which(TF_SERVING)
    if binary:
        arguments = tf_serving_arguments(
            folder, port, rest_port, model_name, model_config, intra_op_parallelism, batching_parameters
        )
        _say(f"TF Serving: {binary}")
        _say(f"gRPC 0.0.0.0:{port}, REST http://0.0.0.0:{rest_port}/v1/models/{model_name}")
        os.execv(binary, [binary, *arguments, f"--enable_model_warmup={str(warmup).lower()}"])
    _say(
        "embedded server, for development only" + ("" if embedded else f" ({TF_SERVING} is not on the PATH)")
    )
    batching = read_batching_parameters(batching_parameters) if batching_parameters else None
    _say("loading and warming up" if warmup else "loading")
    if request_log:
        _log_requests(request_log)
    choice = read_choice(model_config, model_name)
    limits = {"rows": max_rows, "request_bytes": max_request_bytes}
    settings = {"host": host, "port": port, "rest_port": rest_port, "threads": threads, "choice": choice}
    settings |= {"name": model_name, "warm": warmup, "grace_seconds": grace_seconds}
    settings["batching"] = batching
    _serve_embedded(folder, settings, limits, intra_op_parallelism)


def _log_requests(file: pathlib.Path) -> None:
    """Lets the log of requests go to a file."""
    from export.serving.observing import LOG

    handler = logging.StreamHandler(sys.stdout) if str(file) == "-" else logging.FileHandler(file)
    handler.setFormatter(logging.Formatter("%(message)s"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


def _allow_connections() -> None:
    """Lets this process open as many files and sockets as it may: systems begin with 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _serve_embedded(
    folder: pathlib.Path, settings: dict[str, Any], limits: dict[str, int], intra_op_parallelism: int
) -> None:
    _allow_connections()
    with quiet_stderr():
        import tensorflow as tf

        from export.serving.prediction import Limits
        from export.serving.server import Server, Settings, stop_signal

        tf.config.threading.set_intra_op_parallelism_threads(intra_op_parallelism)
        server = Server(Settings(folder, limits=Limits(**limits), **settings), _say)
        server.start()
    host, name = settings["host"], settings["name"]
    _say(f"gRPC {host}:{server.port}, REST http://{host}:{server.rest_port}/v1/models/{name}")
    stopping = stop_signal()
    _say("ready")
    stopping.wait()
    _say("stopping")
    server.stop()


@with_media_options
def request(
    address: Annotated[
        str,
        typer.Argument(
            help="host:port of gRPC or of REST; http://host:port for REST alone.", metavar="ADDRESS"
        ),
    ],
    prompt: Prompt,
    media: dict[str, list[bytes]],
    max_soft_tokens: MaxSoftTokens = None,
    signature: Annotated[str, option("NAME", "Signature to run.")] = "generate_preprocess",
    model_name: Annotated[str, option("NAME", "Name of the model.")] = "gemma4",
    seed: Annotated[int, option("N", "Seed of a signature that draws.")] = 0,
    max_new_tokens: Annotated[
        int, option("N", "Most tokens of the answer; 0 for the export's limit. For a signature with limits.")
    ] = 0,
    stop: Annotated[
        list[str] | None,
        option("TEXT", "Text that ends the answer; may be given several times. For a signature with limits."),
    ] = None,
    timeout: Annotated[float, option("SECONDS", "How long to wait for an answer.")] = 30.0,
    json_: AsJson = False,
) -> None:
    """Send one request to a server of an export, and print what came back as `run` does."""
    with at_work():
        from export.cli import tables
        from export.serving.client import Client

        client = Client(address, model_name, timeout=timeout)
        limits: dict[str, Any] = {"max_new_tokens": max_new_tokens, "stop": stop or ()}
        budgets = max_soft_tokens or ()
        outputs = client.request(signature, prompt, media, seed=seed, max_soft_tokens=budgets, **limits)
        row = None
        if {"token_ids", "padding_mask"} <= outputs.keys():
            ids = outputs["token_ids"][0][outputs["padding_mask"][0]]
            row = tables.Row(ids, client.pieces(ids))
    show(tables.answer_json(outputs, row), tables.answer_parts(outputs, row), as_json=json_)


def tf_serving_arguments(
    folder: pathlib.Path,
    port: int,
    rest_port: int,
    name: str,
    model_config: pathlib.Path | None,
    intra_op_parallelism: int,
    batching_parameters: pathlib.Path | None = None,
) -> list[str]:
    """Flags of TF Serving's binary; `serving_configs/README.md` explains them."""
    from export.serving_configuration import BATCHING, MONITORING

    base_path = folder.expanduser().resolve()
    arguments = [f"--model_name={name}", f"--model_base_path={base_path}"]
    if model_config:
        arguments = [f"--model_config_file={_moved_config(model_config, name, base_path)}"]
        arguments.append("--allow_version_labels_for_unavailable_models=true")
    return [
        f"--port={port}",
        f"--rest_api_port={rest_port}",
        *arguments,
        "--enable_batching=true",
        f"--batching_parameters_file={batching_parameters or BATCHING}",
        f"--monitoring_config_file={MONITORING}",
        f"--tensorflow_intra_op_parallelism={intra_op_parallelism}",
    ]


def _moved_config(path: pathlib.Path, name: str, base_path: pathlib.Path) -> str:
    """A copy of the configuration of one model, for a model that lies elsewhere."""
    from export.serving_configuration import model_config, read_models_config

    config = model_config(path, name)
    config.base_path = str(base_path)
    moved = read_models_config(os.devnull)
    moved.model_config_list.config.append(config)
    with tempfile.NamedTemporaryFile("w", prefix="models-", suffix=".config", delete=False) as file:
        file.write(str(moved))
    return file.name


def read_choice(path: pathlib.Path | None, name: str) -> Any:
    """Which versions of a model serve, and their labels: as its configuration says, or the highest version
    and no labels.
    """
    from export.serving.store import Choice
    from export.serving_configuration import model_config

    if path is None:
        return Choice()
    config = model_config(path, name)
    policy, kind = config.model_version_policy, config.model_version_policy.WhichOneof("policy_choice")
    return Choice(
        latest=None if kind == "all" else policy.latest.num_versions or 1,
        specific=tuple(policy.specific.versions) if kind == "specific" else None,
        labels=dict(config.version_labels),
    )


def _say(line: str) -> None:
    print(line, flush=True)
