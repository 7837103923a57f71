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

from export.serving.configuration import allowed_batch_sizes
from graph_ops.config import AUDIO_TOKENS, IMAGE_TOKENS

if TYPE_CHECKING:
    from export.signature import Signature

WARMUP = pathlib.PurePath("assets.extra", "tf_serving_warmup_requests")
"""Where TF Serving looks for them."""

_SIDE, _SAMPLES, _IDS = 16, 160, 8
"""Pixels of an image's side, samples of a clip, ids in a row: as small as media can be, since the file
travels with the model.
"""


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
    """A value for each input of the signature, with one small medium of each kind that it takes in every
    row.
    """
    placeholders = {"images": IMAGE_TOKENS.placeholder, "audio": AUDIO_TOKENS.placeholder}
    prompt = " ".join(["Hello", *(placeholders[key] for key in signature.inputs if key in placeholders)])
    arrays = "image_sizes" in signature.inputs or "audio_lengths" in signature.inputs
    media = _arrays() if arrays else _files()
    row = {
        "prompts": prompt,
        "responses": "there",
        "text": prompt,
        "token_ids": np.arange(_IDS),
        "padding_mask": np.ones(_IDS, bool),
        "lengths": _IDS,
        **media,
    }
    return {key: np.stack([row[key]] * rows) for key in signature.inputs}


def _arrays() -> dict[str, Any]:
    """One image and one clip, as `generate_preprocess_arrays` takes them in a row."""
    return {
        "images": np.full((1, _SIDE, _SIDE, 3), 128, np.uint8),
        "image_sizes": np.full((1, 2), _SIDE),
        "audio": np.zeros((1, _SAMPLES), np.float32),
        "audio_lengths": np.full(1, _SAMPLES),
    }


def _files() -> dict[str, Any]:
    """The same as files, as the other signatures take them in a row."""
    arrays = _arrays()
    png = tf.io.encode_png(arrays["images"][0]).numpy()
    wav = tf.audio.encode_wav(arrays["audio"].T, 16_000).numpy()
    return {"images": np.array([png], object), "audio": np.array([wav], object)}
