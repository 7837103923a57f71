"""TFRecord files of `tf.train.Example`: texts and files as `bytes_list`; paths in `image_paths`, ….

TensorFlow reads them, which checks each record's checksum.
"""

from collections.abc import Iterator
from typing import Any

from export.bulk.dead_letters import DeadLetter, RowFault
from export.bulk.files import folder_of, local_copy
from export.bulk.samples import FIELDS
from export.bulk.sources.record import Fields, FileIndex, Format, Limits, Mark, Record, broken_file

_LISTS = {name for field, names in FIELDS.items() if field not in ("prompts", "responses") for name in names}


def scan(path: str, limits: Limits) -> FileIndex:
    """Counts records; of a file that is damaged, those before."""
    del limits
    rows, letters = 0, list[DeadLetter]()
    try:
        for _ in _records(path, 0):
            rows += 1
    except Exception as error:
        if type(error).__name__ != "DataLossError":
            raise
        letters.append(broken_file(path, ValueError("it is damaged"), f" to its end, from row {rows} on"))
    return FileIndex(path, rows, letters=tuple(letters))


def read(path: str, mark: Mark, stop: int, limits: Limits) -> Iterator[Record]:
    """The examples; those before the mark are passed over."""
    if mark.row >= stop:
        return
    for number, data in enumerate(_records(path, mark.row), mark.row):
        yield Record(number, _fields(data, limits))
        if number + 1 >= stop:
            return


def _records(path: str, skip: int) -> Iterator[bytes]:
    import tensorflow as tf

    compression = "GZIP" if path.endswith(".gz") else ""
    with local_copy(path) as name:
        yield from tf.data.TFRecordDataset(name, compression).skip(skip).as_numpy_iterator()


def _fields(data: bytes, limits: Limits) -> Fields | RowFault:
    import tensorflow as tf

    if len(data) > limits.row_bytes:
        return RowFault(
            "too_large", f"`max_row_bytes`: must be at most {limits.row_bytes:,}; got {len(data):,}."
        )
    try:
        example = tf.train.Example.FromString(data)
    except Exception:  # protobuf's DecodeError, of whichever of its implementations
        return RowFault("record", "`input`: a record must be a tf.train.Example. Write it again.")
    return {name: _value(name, feature) for name, feature in example.features.feature.items()}


def _value(name: str, feature: Any) -> Any:
    kind = feature.WhichOneof("kind")
    values = list(getattr(feature, kind).value) if kind else []
    return values if name in _LISTS else values[0] if len(values) == 1 else values or None


SUFFIXES = (".tfrecord", ".tfrecords")
TF_EXAMPLES = Format("tfrecord", (*SUFFIXES, *(f"{suffix}.gz" for suffix in SUFFIXES)), scan, read, folder_of)
