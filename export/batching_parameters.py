"""How requests of several clients become one batch: TF Serving's `BatchingParameters`, in text form.

Source of names, numbers and defaults: `session_bundle_config.proto` of TF Serving and
`shared_batch_scheduler.h` of TensorFlow.
"""

import os
import pathlib
from dataclasses import dataclass
from typing import Any

_INTEGERS = ("max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads")
"""Optional numbers, in the order of their fields from 1 on."""


def _processors() -> int:
    return os.cpu_count() or 1


@dataclass(frozen=True)
class BatchingParameters:
    """One file's numbers, or TF Serving's defaults.

    Attributes:
        max_batch_size: rows in a batch, and the most that one request may have.
        batch_timeout_micros: how long a batch that is not full waits for company, in microseconds.
        max_enqueued_batches: batches of a signature that may wait, the open one among them.
        num_batch_threads: batches that are computed at a time; by default one a processor.
        allowed_batch_sizes: sizes that a batch is filled up to, rising; empty for any.
        pad_variable_length_inputs: whether rows of different widths are padded to meet in a batch.

    Raises:
        ValueError: a number is out of its range, or the sizes do not end with the largest batch.
    """

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = _processors()
    allowed_batch_sizes: tuple[int, ...] = ()
    pad_variable_length_inputs: bool = False

    def __post_init__(self) -> None:
        for name in _INTEGERS:
            least = 0 if name == "batch_timeout_micros" else 1
            if getattr(self, name) < least:
                raise ValueError(
                    f"`{name}`: must be at least {least}; got {getattr(self, name)}. Correct it, or leave it "
                    f"out for TF Serving's default."
                )
        sizes = self.allowed_batch_sizes
        if sizes and (list(sizes) != sorted({*sizes, self.max_batch_size}) or sizes[0] < 1):
            raise ValueError(
                f"`allowed_batch_sizes`: must rise from at least 1 to `max_batch_size`, "
                f"{self.max_batch_size}; got {list(sizes)}. Let the last one be that number."
            )

    def filled_size(self, rows: int) -> int:
        """The allowed size that a batch of so many rows is filled up to."""
        return next((size for size in self.allowed_batch_sizes if size >= rows), rows)


def read_batching_parameters(path: str | os.PathLike[str]) -> BatchingParameters:
    """A `--batching_parameters_file`.

    Raises:
        ValueError: it is none, or its numbers do not agree.
    """
    from google.protobuf import text_format

    try:
        message = text_format.Parse(pathlib.Path(path).read_text(encoding="utf-8"), _message())
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise ValueError(
            f"`batching_parameters`: must be BatchingParameters in text form; {path}, {error}. See "
            f"serving_configs/batching_parameters.txt."
        ) from None
    numbers = {name: getattr(message, name).value for name in _INTEGERS if message.HasField(name)}
    try:
        return BatchingParameters(
            **numbers,
            allowed_batch_sizes=tuple(message.allowed_batch_sizes),
            pad_variable_length_inputs=message.pad_variable_length_inputs,
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _message() -> Any:
    """An empty BatchingParameters; TF Serving's Python package leaves its schema out."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="gemma4_graph/batching_parameters.proto", package="batching", syntax="proto3"
    )
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    message = file.message_type.add(name="BatchingParameters")
    wrapped = [(name, ".google.protobuf.Int64Value") for name in _INTEGERS]
    for number, (name, type_name) in enumerate(
        [*wrapped, ("thread_pool_name", ".google.protobuf.StringValue")], 1
    ):
        message.field.add(name=name, number=number, label=field.LABEL_OPTIONAL, type_name=type_name)
    message.field.add(name="allowed_batch_sizes", number=6, label=field.LABEL_REPEATED, type=field.TYPE_INT64)
    message.field.add(
        name="pad_variable_length_inputs", number=7, label=field.LABEL_OPTIONAL, type=field.TYPE_BOOL
    )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("batching.BatchingParameters"))()
