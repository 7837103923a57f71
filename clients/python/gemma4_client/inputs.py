"""Values of Python as the tensors that a signature takes."""

import array
from collections.abc import Mapping, Sequence
from typing import Any

from gemma4_client.errors import InputError
from gemma4_client.signatures import Signature, Spec
from gemma4_client.tensor import DTYPES, STRING, Tensor

_KINDS = {"bool": (bool,), "float32": (int, float), "float64": (int, float)}
"""Types of values, by dtype; of others, int."""


def to_tensors(name: str, signature: Signature, inputs: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors of a request.

    Args:
        name: of the signature.
        signature: what it takes.
        inputs: a Tensor, nested lists, or what has a buffer (NumPy's arrays, `array.array`), by name.

    Raises:
        InputError: an input is missing, unknown, or has another dtype or shape; or rows differ in number.
    """
    if inputs.keys() != signature.inputs.keys():
        wanted, given = ", ".join(signature.inputs), ", ".join(sorted(inputs))
        raise InputError(f"`inputs`: {name} takes {wanted}; got {given or 'none'}. Pass those, each once.")
    tensors = {key: to_tensor(key, value, signature.inputs[key]) for key, value in inputs.items()}
    rows = {key: tensor.shape[0] for key, tensor in tensors.items() if tensor.shape}
    if len(set(rows.values())) > 1:
        raise InputError(f"`inputs`: must have the same number of rows; got {rows}. Pass each once a row.")
    return tensors


def to_tensor(name: str, value: Any, spec: Spec) -> Tensor:
    """One input as the tensor that the spec describes.

    Raises:
        InputError: the value has another dtype or shape, or is ragged.
    """
    tensor = value if isinstance(value, Tensor) else _from_buffer(name, value, spec)
    if tensor is None:
        nested = value.tolist() if hasattr(value, "tolist") else value
        shape = _shape(nested)
        data = _packed(name, _flat(name, nested, shape), spec)
        tensor = Tensor(spec.dtype, shape + _unseen(shape, spec), data)
    if tensor.dtype != spec.dtype or not _fits(tensor.shape, spec):
        got = Spec(tensor.dtype, tensor.shape)
        raise InputError(f"`{name}`: must be {spec}; got {got}. Convert it to that dtype and shape.")
    return tensor


def padded(name: str, rows: Sequence[Any], empty: Any, *, least: int = 0) -> list[list[Any]]:
    """Rows of different lengths as rows of one, at least `least`: what is missing is `empty`.

    Raises:
        InputError: a row is no list.
    """
    for index, row in enumerate(check_rows(name, rows)):
        if isinstance(row, str | bytes) or not hasattr(row, "__len__"):
            raise InputError(
                f"`{name}`: must be a list of lists, one a row; got {type(row).__name__} as row {index}. "
                f"Pass [[…], …], with [] for a row without."
            )
    width = max([least, *(len(row) for row in rows)])
    return [[*row, *[empty] * (width - len(row))] for row in rows]


def check_rows(name: str, rows: Any) -> Any:
    """The rows themselves.

    Raises:
        InputError: they are a single text or file, which would be read as a list of its characters, or no
            list.
    """
    if isinstance(rows, str | bytes | bytearray) or not hasattr(rows, "__len__"):
        raise InputError(f"`{name}`: must be a list, one a row; got {type(rows).__name__}. Pass [value].")
    return rows


def _from_buffer(name: str, value: Any, spec: Spec) -> Tensor | None:
    """The tensor of what has a buffer of numbers or bools; None for anything else."""
    if spec.dtype == STRING or isinstance(value, bytes | bytearray):
        return None
    try:
        view = memoryview(value)
    except TypeError:
        return None
    order, letter = view.format[:-1], view.format[-1:]
    found = _dtype(letter, view.itemsize)
    if found is None or order not in ("", "<", "=", "@"):
        raise InputError(
            f"`{name}`: must be {spec}; got a buffer of the format {view.format}. Convert it to {spec.dtype}."
        )
    return Tensor(found, tuple(view.shape or ()), view.tobytes())


def _dtype(letter: str, size: int) -> str | None:
    """The dtype of a letter of the module `struct`, of which C's `int` and `long` may have the same size."""
    kind = "i" if letter in "bhilq" else "u" if letter in "BHILQ" else "f" if letter in "fd" else "b"
    known = letter in "bhilqBHILQfd?"
    return next(
        (key for key, each in DTYPES.items() if known and (each.kind, each.size) == (kind, size)), None
    )


def _shape(value: Any) -> tuple[int, ...]:
    """Of nested lists, by their first elements."""
    shape = []
    while isinstance(value, list | tuple):
        shape.append(len(value))
        value = value[0] if value else None
    return tuple(shape)


def _unseen(shape: tuple[int, ...], spec: Spec) -> tuple[int, ...]:
    """Dims of a list without elements, which does not show how deep it is."""
    if shape[-1:] != (0,) or spec.shape is None:
        return ()
    return tuple(size or 0 for size in spec.shape[len(shape) :])


def _flat(name: str, value: Any, shape: tuple[int, ...]) -> list[Any]:
    items = [value]
    for size in shape:
        for item in items:
            if not isinstance(item, list | tuple) or len(item) != size:
                raise InputError(
                    f"`{name}`: must have lists of one length at each level; got one of {size} beside "
                    f"{len(item) if isinstance(item, list | tuple) else type(item).__name__}. Fill them up."
                )
        items = [each for item in items for each in item]
    return items


def _packed(name: str, flat: list[Any], spec: Spec) -> bytes | tuple[bytes, ...]:
    if spec.dtype == STRING:
        return tuple(_string(name, item, spec) for item in flat)
    kinds = _KINDS.get(spec.dtype, (int,))
    wrong = next((item for item in flat if type(item) not in kinds), None)
    if wrong is not None:
        raise InputError(f"`{name}`: must be {spec}; got {wrong!r:.80}. Pass {kinds[-1].__name__} values.")
    if spec.dtype == "bool":
        return bytes(flat)
    try:
        return array.array(DTYPES[spec.dtype].format, flat).tobytes()
    except OverflowError:
        raise InputError(
            f"`{name}`: must be {spec}; got values from {min(flat)} to {max(flat)}. Pass ones in its range."
        ) from None


def _string(name: str, item: Any, spec: Spec) -> bytes:
    if isinstance(item, str):
        try:
            return item.encode()
        except UnicodeEncodeError:
            raise InputError(
                f"`{name}`: must be UTF-8; got {item!r:.80}. Leave out lone surrogates."
            ) from None
    if isinstance(item, bytes | bytearray | memoryview):
        return bytes(item)
    raise InputError(f"`{name}`: must be {spec}; got {item!r:.80}. Pass texts, or files as bytes.")


def _fits(shape: tuple[int, ...], spec: Spec) -> bool:
    if spec.shape is None:
        return True
    pairs = zip(shape, spec.shape, strict=False)
    return len(shape) == len(spec.shape) and all(wanted in (None, size) for size, wanted in pairs)
