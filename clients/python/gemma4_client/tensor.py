"""Arrays without NumPy: a dtype, a shape, and the bytes of the values."""

import dataclasses
import math
import sys
from typing import Any, NamedTuple

from gemma4_client.errors import InputError


class DType(NamedTuple):
    """A dtype: its number in TensorFlow's types.proto, its letter in the module `struct`, its bytes a value,
    its letter in NumPy's array interface, and the field of a TensorProto that holds its values.
    """

    number: int
    format: str
    size: int
    kind: str
    field: str


STRING = "string"
DTYPES = {
    "float32": DType(1, "f", 4, "f", "float_val"),
    "float64": DType(2, "d", 8, "f", "double_val"),
    "int32": DType(3, "i", 4, "i", "int_val"),
    "uint8": DType(4, "B", 1, "u", "int_val"),
    "int16": DType(5, "h", 2, "i", "int_val"),
    "int8": DType(6, "b", 1, "i", "int_val"),
    STRING: DType(7, "", 0, "", "string_val"),
    "int64": DType(9, "q", 8, "i", "int64_val"),
    "bool": DType(10, "?", 1, "b", "bool_val"),
    "uint16": DType(17, "H", 2, "u", "int_val"),
}
"""Name -> dtype, of those that signatures have."""
NAMES = {dtype.number: name for name, dtype in DTYPES.items()}
"""Number in types.proto -> name."""


@dataclasses.dataclass(frozen=True)
class Tensor:
    """An array as it travels.

    NumPy takes it without a copy: `numpy.asarray(tensor)`, read-only; strings as
    `numpy.array(tensor.tolist(), object)`.

    Attributes:
        dtype: one of `DTYPES`.
        shape: its dims.
        data: of numbers and bools, their bytes in row-major order, little endian; of strings, each one.

    Raises:
        InputError: an unknown dtype, or data that do not fill the shape.
    """

    dtype: str
    shape: tuple[int, ...]
    data: bytes | tuple[bytes, ...]

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise InputError(f"`dtype`: must be one of {', '.join(DTYPES)}; got {self.dtype}. Pass one.")
        wanted = math.prod(self.shape) * (DTYPES[self.dtype].size or 1)
        if len(self.data) != wanted:
            raise InputError(
                f"`data`: must have {wanted} {'strings' if self.dtype == STRING else 'bytes'} for "
                f"{self.dtype} {list(self.shape)}; got {len(self.data)}. Pass as many as the shape says."
            )

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """NumPy's array interface, version 3."""
        if self.dtype == STRING:
            raise AttributeError("strings have none")
        _, _, size, kind, _ = DTYPES[self.dtype]
        order = "<" if size > 1 else "|"
        return {"shape": self.shape, "typestr": f"{order}{kind}{size}", "data": self.data, "version": 3}

    def view(self) -> "memoryview[Any]":
        """The values of numbers or bools as a memoryview with their format, flat; without a copy.

        Raises:
            InputError: the tensor holds strings.
        """
        if isinstance(self.data, tuple):
            raise InputError("`view`: must be of numbers or bools; got strings. Take `tolist()`.")
        if sys.byteorder != "little" and DTYPES[self.dtype].size > 1:
            raise InputError("`view`: must run on a little-endian machine. Swap the bytes of `data`.")
        flat: Any = memoryview(self.data)
        values: memoryview[Any] = flat.cast(DTYPES[self.dtype].format)
        return values

    def tolist(self) -> Any:
        """Nested lists of ints, floats, bools or bytes; a value alone where there are no dims."""
        flat = list(self.data) if isinstance(self.data, tuple) else self.view().tolist()
        return _nested(flat, self.shape)

    def texts(self) -> Any:
        """Nested lists of strings, their UTF-8 read; what is no UTF-8 becomes U+FFFD.

        Raises:
            InputError: the tensor holds numbers or bools.
        """
        if not isinstance(self.data, tuple):
            raise InputError(f"`texts`: must be of strings; got {self.dtype}. Take `tolist()`.")
        return _nested([text.decode("utf-8", "replace") for text in self.data], self.shape)


def _nested(flat: list[Any], shape: tuple[int, ...]) -> Any:
    """A flat list as nested ones of the shape."""
    if not shape:
        return flat[0]
    if len(shape) == 1:
        return flat
    inner = math.prod(shape[1:])
    return [_nested(flat[row * inner : (row + 1) * inner], shape[1:]) for row in range(shape[0])]
