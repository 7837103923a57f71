"""Warmup requests: the first call of each signature at each batch size, made by the server before it takes
traffic.

TF Serving (and the embedded server) replays `assets.extra/tf_serving_warmup_requests`, a TFRecord file of
PredictionLogs, when it loads a version, so that lazy initialization and graph optimization do not fall on the
first client.
"""

import os
import pathlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from export.media import MEDIA_IN_EXPORTS
from export.serving_configuration import allowed_batch_sizes
from graph_ops.family import GEMMA4
from graph_ops.media.arrays import unknown_options
from graph_ops.media.table import MEDIA

if TYPE_CHECKING:
    from export.signature import Signature

WARMUP = pathlib.PurePath("assets.extra", "tf_serving_warmup_requests")
"""Where TF Serving looks for them."""

_IDS = 8
"""In a row."""


def write_warmup_requests(table: "dict[str, Signature]", folder: str | os.PathLike[str]) -> None:
    """Writes a request for each signature of the table and each allowed batch size into a version folder."""
    from tensorflow_serving.apis import prediction_log_pb2

    path = pathlib.Path(folder, WARMUP)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(os.fspath(path)) as writer:
        for name, signature in sorted(table.items()):
            for rows in allowed_batch_sizes():
                log = prediction_log_pb2.PredictionLog()
                log.predict_log.request.model_spec.signature_name = name
                for key, value in _inputs(signature, rows).items():
                    log.predict_log.request.inputs[key].CopyFrom(
                        tf.make_tensor_proto(value, signature.inputs[key].dtype)
                    )
                writer.write(log.SerializeToString())


def read_warmup_requests(folder: str | os.PathLike[str]) -> Iterator[Any]:
    """The PredictRequests of a version folder; none if it has no such file."""
    from tensorflow_serving.apis import prediction_log_pb2

    path = pathlib.Path(folder, WARMUP)
    if path.exists():
        for record in tf.data.TFRecordDataset(os.fspath(path)).as_numpy_iterator():
            yield prediction_log_pb2.PredictionLog.FromString(record).predict_log.request


def _inputs(signature: "Signature", rows: int) -> dict[str, Any]:
    """A value for each input of the signature, with one small item of each medium that it takes in every
    row; what says how to go on, such as `pending`, is 0.
    """
    taken = [medium for medium in MEDIA if signature.inputs.keys() & {medium.argument, medium.sizes}]
    placeholders = (GEMMA4.tokens_of(medium.name).placeholder for medium in taken)
    prompt = " ".join(["Hello", *placeholders])
    row: dict[str, Any] = {
        "prompts": prompt,
        "responses": "there",
        "text": prompt,
        "texts": prompt,
        "tasks": "",
        "token_ids": np.arange(_IDS),
        "padding_mask": np.ones(_IDS, bool),
        "lengths": _IDS,
    }
    if "roles" in signature.inputs:
        row |= _dialogue([medium.name for medium in taken])
    for medium in taken:
        exported = MEDIA_IN_EXPORTS[medium.name]
        item = exported.small_item
        if medium.sizes in signature.inputs:
            size = item.shape[: medium.varying]
            row[medium.argument] = item[np.newaxis]
            row[medium.sizes] = np.array([size if medium.varying > 1 else size[0]])
        else:
            files = np.array([exported.write_file(item)], object)
            row[medium.argument] = files[:, np.newaxis] if medium.frames else files
        options = unknown_options(medium, rows=1, slots=1)
        row |= {name: values[0] for name, values in options.items()}
    for key, given in signature.inputs.items():
        if key not in row:
            row[key] = np.zeros([size or 1 for size in given.shape[1:]], given.dtype.as_numpy_dtype)
    return {key: np.stack([row[key]] * rows) for key in signature.inputs}


def _dialogue(media: list[str]) -> dict[str, Any]:
    """A message with an item of each of the media, for one row."""
    return {
        "roles": ["user"],
        "parts": [["Hello", *[""] * len(media)]],
        "part_types": [["text", *media]],
        "names": [""],
        "thoughts": [""],
        "calls": [[""]],
        "responses": [[""]],
        "tools": [""],
        "add_generation_prompt": True,
        "enable_thinking": True,
        "preserve_thinking": True,
    }
