"""Tensors as TensorProto and back."""

import array
import math
from typing import Any

from gemma4_client.errors import ClientError
from gemma4_client.messages import MESSAGES
from gemma4_client.tensor import DTYPES, NAMES, STRING, Tensor


def to_proto(tensor: Tensor) -> Any:
    """The TensorProto of a tensor, its values in `tensor_content` where they are no strings."""
    proto = MESSAGES["TensorProto"](dtype=DTYPES[tensor.dtype].number)
    proto.tensor_shape.SetInParent()
    for size in tensor.shape:
        proto.tensor_shape.dim.add(size=size)
    if isinstance(tensor.data, tuple):
        proto.string_val.extend(tensor.data)
    else:
        proto.tensor_content = tensor.data
    return proto


def from_proto(name: str, proto: Any) -> Tensor:
    """The tensor of a TensorProto. Where it has fewer values than its shape, the last one is repeated.

    Raises:
        ClientError: a dtype that is not in `DTYPES`, or values that do not fill the shape.
    """
    if proto.dtype not in NAMES:
        raise ClientError(
            f"`{name}`: must have a dtype of {', '.join(DTYPES)}; got number {proto.dtype} of types.proto. "
            f"Leave it out by `outputs`."
        )
    dtype, shape = NAMES[proto.dtype], tuple(dim.size for dim in proto.tensor_shape.dim)
    count = math.prod(shape)
    if dtype == STRING:
        strings = list(proto.string_val)
        return Tensor(dtype, shape, tuple(_filled(name, strings, count)))
    size = DTYPES[dtype].size
    values = proto.tensor_content or _values(proto, dtype)
    if len(values) != count * size:
        parts = [values[start : start + size] for start in range(0, len(values), size)]
        values = b"".join(_filled(name, parts, count))
    return Tensor(dtype, shape, values)


def _values(proto: Any, dtype: str) -> bytes:
    """The bytes of the typed field."""
    _, letter, _, _, field = DTYPES[dtype]
    given = getattr(proto, field)
    if field in ("int_val", "int64_val"):
        return array.array(letter, given).tobytes()
    return given[0] if len(given) == 1 else b"".join(given)


def _filled(name: str, values: list[bytes], count: int) -> list[bytes]:
    if len(values) > count or (not values and count):
        raise ClientError(
            f"`{name}`: must have at most {count} values, and one; got {len(values)}. The server's answer is "
            f"damaged; ask again."
        )
    return values + values[-1:] * (count - len(values))
