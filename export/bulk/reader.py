"""Files of rows -> the tensors of the class."""

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from export.bulk.files import folder_of, joined, listed, local_copy, read_text
from export.bulk.schema import COUNT, Schema, Stored, Tensor, restore
from export.bulk.sinks import KEY, SINKS
from export.outputs import Arrays


def read_schema(output: str) -> Schema:
    """The schema of a job's rows.

    Args:
        output: what the job had as `--output`, such as out/rows.

    Raises:
        FileNotFoundError: there is none.
    """
    text = read_text(f"{output}.schema.json")
    if text is None:
        raise FileNotFoundError(
            f"`output`: must be what a job had as --output; there is no {output}.schema.json. Pass out/rows, "
            "for example."
        )
    return Schema.from_json(text)


def row_files(output: str) -> list[str]:
    """The files of a job's rows, in order.

    Raises:
        FileNotFoundError: shards are missing.
    """
    suffix = re.escape(SINKS[read_schema(output).format].suffix)
    folder, name = folder_of(output), re.escape(output.rpartition("/")[2])
    found = [
        (each, match)
        for each in listed(folder or ".")
        if (match := re.fullmatch(rf"{name}-(\d{{5,}})-of-(\d{{5,}}){suffix}", each))
    ]
    of = {int(match[2]) for _, match in found}
    if len(of) != 1 or len(found) != max(of):
        of_them = max(of, default="some")
        raise FileNotFoundError(
            f"`output`: all shards must be there; {output} has {len(found)} of {of_them}. Run the job again: "
            "it finishes what is missing."
        )
    return [joined(folder, each) for each, _ in found]


def open_rows(output: str, *, shuffle_files: int | None = None) -> tf.data.Dataset:
    """The rows of a job, in order, each a mapping of the class' tensors by name and `key`, string [].

    Args:
        output: what the job had as `--output`.
        shuffle_files: a seed for another order of files, or None.

    Returns:
        A dataset of rows without batch axis, shapes static: `token_ids` int32 [S], ….

    Raises:
        FileNotFoundError: no such job, or it is not finished.
    """
    schema, files = read_schema(output), row_files(output)
    if shuffle_files is not None:
        np.random.default_rng(shuffle_files).shuffle(files)
    if schema.format == "tfrecord":
        parse = functools.partial(parse_row, schema=schema)
        return tf.data.TFRecordDataset(files).map(parse, num_parallel_calls=tf.data.AUTOTUNE)
    signature = {each.name: tf.TensorSpec(each.shape, each.dtype) for each in schema.tensors}
    signature[KEY] = tf.TensorSpec([], tf.string)
    rows = functools.partial(_rows, files, schema)
    return tf.data.Dataset.from_generator(rows, output_signature=signature)


def as_training(row: Mapping[str, Any]) -> tuple[dict[str, Any], Any, Any]:
    """(x, y, sample_weight) of a row or of a batch with labels, as `Model.fit` takes them."""
    labels = ("y", "sample_weight", KEY)
    return {name: value for name, value in row.items() if name not in labels}, row["y"], row["sample_weight"]


def parse_row(serialized: tf.Tensor, *, schema: Schema) -> dict[str, tf.Tensor]:
    """A record of a TFRecord or ArrayRecord file, string [], as tensors by name, in the graph."""
    features: dict[str, Any] = {KEY: tf.io.FixedLenFeature([], tf.string)}
    for tensor in schema.tensors:
        if tensor.is_list:
            features[tensor.name] = tf.io.FixedLenSequenceFeature([], tf.int64, allow_missing=True)
        else:
            features[tensor.name] = tf.io.FixedLenFeature([], tf.string, "")
            features[tensor.length_name] = tf.io.FixedLenSequenceFeature([], tf.int64, allow_missing=True)
    parsed = tf.io.parse_single_example(serialized, features)
    return {each.name: _parsed(parsed, each) for each in schema.tensors} | {KEY: parsed[KEY]}


def _parsed(parsed: Mapping[str, tf.Tensor], tensor: Tensor) -> tf.Tensor:
    given = parsed[tensor.name]
    if tensor.is_list:
        length = tf.size(given)
        values = tf.cast(given, tensor.dtype)
        rest = tf.constant(tensor.pad())[length:]
        return tf.ensure_shape(tf.concat([values, rest], axis=0), tensor.shape)
    lengths = parsed[tensor.length_name]
    inner = tensor.shape[2:] if len(tensor.shape) > 1 else ()
    kind = tf.dtypes.as_dtype(tensor.stored)
    if kind == tf.bool:
        values = tf.cast(tf.io.decode_raw(given, tf.uint8), tf.bool)
    else:
        values = tf.io.decode_raw(given, kind)
    values = _scaled(tf.reshape(values, [-1, *inner]), tensor)
    lengths = tf.pad(lengths, [[0, (tensor.shape[0] if len(tensor.shape) > 1 else 1) - tf.size(lengths)]])
    assert tensor.padding != COUNT
    padding = tf.constant(tensor.padding, values.dtype)
    ragged = tf.RaggedTensor.from_row_lengths(values, lengths)
    shape = tensor.shape if len(tensor.shape) > 1 else (1, *tensor.shape)
    return tf.reshape(ragged.to_tensor(padding, shape=shape), tensor.shape)


def _scaled(values: tf.Tensor, tensor: Tensor) -> tf.Tensor:
    """Stored values as the row has them, by the arithmetic of `outputs.scaled`."""
    if not tensor.scale:
        return values
    width = tensor.shape[-1]
    scale, offset = (
        np.resize(np.asarray(one, np.float64), width if len(one) > 1 else 1)
        for one in (tensor.scale, tensor.offset)
    )
    if len(tensor.scale) == len(tensor.offset) == 1:  # 256 results, looked up
        levels = (np.arange(256) * scale).astype(np.float32) + offset.astype(np.float32)
        return tf.gather(tf.constant(levels), tf.cast(values, tf.int32))
    return tf.cast(tf.cast(values, tf.float64) * scale, tf.float32) + tf.constant(offset, tf.float32)


def decode_row(serialized: bytes, schema: Schema) -> Arrays:
    """A record of a TFRecord or ArrayRecord file as arrays by name, without a graph: for Grain and others."""
    features = tf.train.Example.FromString(serialized).features.feature
    row: Arrays = {KEY: np.array(features[KEY].bytes_list.value[0])}
    for tensor in schema.tensors:
        feature = features[tensor.name]
        if tensor.is_list:
            values = np.array(feature.int64_list.value, tensor.stored)
            stored = Stored(values, np.array([len(values)]))
        else:
            data = feature.bytes_list.value[0] if feature.bytes_list.value else b""
            stored = _stored(data, features[tensor.length_name].int64_list.value, tensor)
        row[tensor.name] = restore(stored, tensor)
    return row


def _stored(data: bytes, lengths: Any, tensor: Tensor) -> Stored:
    inner = tensor.shape[2:] if len(tensor.shape) > 1 else ()
    return Stored(np.frombuffer(data, tensor.stored).reshape(-1, *inner), np.array(lengths, np.int64))


def _rows(files: list[str], schema: Schema) -> Iterator[Arrays]:
    for file in files:
        with local_copy(file) as path:
            yield from _READERS[schema.format](path, schema)


def _array_record_rows(path: str, schema: Schema) -> Iterator[Arrays]:
    from array_record.python import array_record_module

    reader = array_record_module.ArrayRecordReader(path)
    for number in range(reader.num_records()):
        yield decode_row(reader.read([number])[0], schema)


def _parquet_rows(path: str, schema: Schema) -> Iterator[Arrays]:
    from pyarrow import parquet

    for batch in parquet.ParquetFile(path).iter_batches(batch_size=16):
        for fields in batch.to_pylist():
            row: Arrays = {KEY: np.array(fields[KEY].encode())}
            for tensor in schema.tensors:
                given = fields[tensor.name]
                if tensor.is_list:
                    stored = Stored(np.array(given, tensor.stored), np.array([len(given)]))
                else:
                    stored = _stored(given, fields[tensor.length_name], tensor)
                row[tensor.name] = restore(stored, tensor)
            yield row


_READERS: dict[str, Callable[[str, Schema], Iterator[Arrays]]] = {
    "array_record": _array_record_rows,
    "parquet": _parquet_rows,
}
"""Of formats that `tf.data` does not read."""
