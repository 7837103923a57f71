"""`python -m benchmarks.serving`: what a request to the embedded server takes over the same signature in the
same process.
"""

import http.client
import json
import os
import pathlib
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

from export.cli.quiet import quiet_stderr

CALLS, UNCOUNTED = 300, 30
SIGNATURE, TEXT = "generate_preprocess_text", "What is in this picture? And what does he say?"


PATH = "/v1/models/gemma4:predict"


def answer(connection: http.client.HTTPConnection, body: bytes) -> bytes:
    """The body of an answer on a connection that stays open."""
    connection.request("POST", PATH, body)
    return connection.getresponse().read()


def median_milliseconds(call: Callable[[], object]) -> float:
    """Median duration of a call."""
    durations = []
    for _ in range(UNCOUNTED + CALLS):
        start = time.perf_counter()
        call()
        durations.append(time.perf_counter() - start)
    return 1000 * statistics.median(durations[UNCOUNTED:])


def main() -> None:
    """Prints the medians of a text request in process, over gRPC and over REST, on this machine's
    loopback.
    """
    with quiet_stderr(), tempfile.TemporaryDirectory() as folder:
        import grpc
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

        import graph_ops
        from export.saved_model.write import export_saved_model
        from export.serving.server import Server, Settings
        from export.verify.samples import demonstration_file

        tokenizer = graph_ops.Gemma4Tokenizer(
            os.environ.get("GEMMA4_TOKENIZER") or demonstration_file("demonstration.spm")
        )
        export_saved_model(graph_ops.Gemma4CausalLMPreprocessor(tokenizer), folder)
        server = Server(Settings(pathlib.Path(folder), port=0, rest_port=0))
        server.start()
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = "gemma4", SIGNATURE
        request.inputs["prompts"].CopyFrom(tf.make_tensor_proto([TEXT]))
        stub = prediction_service_pb2_grpc.PredictionServiceStub(
            grpc.insecure_channel(f"127.0.0.1:{server.port}")
        )
        url = f"http://127.0.0.1:{server.rest_port}{PATH}"
        body = json.dumps({"signature_name": SIGNATURE, "inputs": [TEXT]}).encode()
        connection = http.client.HTTPConnection("127.0.0.1", server.rest_port)
        with server.store.use("gemma4") as servable:
            function = servable.functions[SIGNATURE]
        results = {
            "in process": median_milliseconds(
                lambda: [x.numpy() for x in function(prompts=tf.constant([TEXT])).values()]
            ),
            "gRPC": median_milliseconds(lambda: stub.Predict(request)),
            "REST": median_milliseconds(lambda: urllib.request.urlopen(url, body).read()),
            "REST, kept alive": median_milliseconds(lambda: answer(connection, body)),
        }
        server.stop()
    for name, milliseconds in results.items():
        print(f"{name:<16} {milliseconds:.2f} ms, {milliseconds - results['in process']:+.2f} ms")


if __name__ == "__main__":
    main()
