"""Files of rows: TFRecord, ArrayRecord, Parquet."""

import contextlib
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from export.bulk.schema import Stored, Tensor

Write = Callable[[str, Mapping[str, Stored]], None]
"""Writes a row: its key, and its tensors by name."""
KEY = "key"
"""Field of a row's name."""
_GROUP_ROWS = 64
"""Of Parquet: rows that are in memory."""


class Sink(NamedTuple):
    """One format of output.

    Attributes:
        suffix: of its files.
        opened: (path of a local file, tensors) -> a context in which rows are written.
        package: that must be installed, or "".
    """

    suffix: str
    opened: Callable[[str, Sequence[Tensor]], contextlib.AbstractContextManager[Write]]
    package: str = ""


def check_sink(name: str) -> None:
    """Checks that a format can be written here.

    Raises:
        ValueError: there is no such format.
        ImportError: its package is not installed.
    """
    if name not in SINKS:
        raise ValueError(f"`format`: must be one of {', '.join(SINKS)}; got {name!r}.")
    if package := SINKS[name].package:
        try:
            importlib.import_module(package)
        except ImportError:
            raise ImportError(
                f"`format`: {name} is written by the package {package}. Run: pip install {package}."
            ) from None


def as_example(key: str, row: Mapping[str, Stored], tensors: Sequence[Tensor]) -> bytes:
    """A row as the same bytes each time: a `tf.train.Example` with a list of numbers, or bytes and the
    lengths of its items, for each tensor.
    """
    import tensorflow as tf

    example = tf.train.Example()
    features = example.features.feature
    features[KEY].bytes_list.value.append(key.encode())
    for tensor in tensors:
        if (stored := row.get(tensor.name)) is None:
            continue
        if tensor.is_list:
            features[tensor.name].int64_list.value.extend(stored.values.astype("int64").tolist())
        else:
            features[tensor.name].bytes_list.value.append(stored.values.tobytes())
            features[tensor.length_name].int64_list.value.extend(stored.lengths.tolist())
    return example.SerializeToString(deterministic=True)


@contextlib.contextmanager
def _tf_records(path: str, tensors: Sequence[Tensor]) -> Iterator[Write]:
    import tensorflow as tf

    with tf.io.TFRecordWriter(path) as writer:
        yield lambda key, row: writer.write(as_example(key, row, tensors))


@contextlib.contextmanager
def _array_records(path: str, tensors: Sequence[Tensor]) -> Iterator[Write]:
    module = importlib.import_module("array_record.python.array_record_module")
    writer = module.ArrayRecordWriter(path, "group_size:1")
    try:
        yield lambda key, row: writer.write(as_example(key, row, tensors))
    finally:
        writer.close()


@contextlib.contextmanager
def _parquet(path: str, tensors: Sequence[Tensor]) -> Iterator[Write]:
    arrow = importlib.import_module("pyarrow")
    parquet = importlib.import_module("pyarrow.parquet")
    fields = [(KEY, arrow.string())]
    for tensor in tensors:
        if tensor.is_list:
            fields.append((tensor.name, arrow.list_(arrow.from_numpy_dtype(tensor.stored))))
        else:
            fields += [(tensor.name, arrow.large_binary()), (tensor.length_name, arrow.list_(arrow.int64()))]
    schema, waiting = arrow.schema(fields), list[dict[str, Any]]()

    def write(key: str, row: Mapping[str, Stored]) -> None:
        waiting.append({KEY: key, **_columns(row, tensors)})
        if len(waiting) == _GROUP_ROWS:
            flush()

    def flush() -> None:
        if waiting:
            writer.write_table(arrow.Table.from_pylist(waiting, schema))
            waiting.clear()

    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        yield write
        flush()


def _columns(row: Mapping[str, Stored], tensors: Sequence[Tensor]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for tensor in tensors:
        if (stored := row.get(tensor.name)) is None:
            columns |= {tensor.name: [] if tensor.is_list else b""}
            columns |= {} if tensor.is_list else {tensor.length_name: []}
        elif tensor.is_list:
            columns[tensor.name] = stored.values
        else:
            columns |= {tensor.name: stored.values.tobytes(), tensor.length_name: stored.lengths}
    return columns


SINKS = {
    "tfrecord": Sink(".tfrecord", _tf_records),
    "array_record": Sink(".array_record", _array_records, "array_record"),
    "parquet": Sink(".parquet", _parquet, "pyarrow"),
}
"""By the name on the command line."""
