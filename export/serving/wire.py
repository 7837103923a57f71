"""A protocol buffer before it is parsed: how many fields it has, wherever inside, since each takes far more
memory as an object than on the wire.
"""

from typing import Any

from export.serving.refusals import invalid

MAX_FIELDS = 1_000_000
"""Fields of a message, those of messages inside it counted too; as many as lists and objects in JSON. Packed
numbers are one field. Parsed, an empty string or message takes up to 100 bytes in place of 2.
"""
_VARINT, _FIXED64, _LENGTH, _START, _END, _FIXED32 = range(6)


def check_fields(descriptor: Any, raw: bytes, *, most: int = MAX_FIELDS) -> None:
    """Refuses a message of too many fields. What is no message is left to the parser.

    Args:
        descriptor: of the message's class.
        raw: the message.
        most: fields that it may have.

    Raises:
        Refusal: it has more.
    """
    left, stack = most, [(descriptor, 0, len(raw))]
    while stack:
        message, place, end = stack.pop()
        while place < end:
            left -= 1
            if left < 0:
                raise invalid(
                    f"message: must have at most {most:,} fields, those of messages inside it counted too. "
                    "Send less at once, or numbers as `tensor_content` or raw contents."
                )
            tag, place = _varint(raw, place)
            kind = tag & 7
            if kind == _LENGTH:
                size, place = _varint(raw, place)
                inner = message.fields_by_number.get(tag >> 3) if message else None
                if inner is not None and inner.message_type is not None:
                    stack.append((inner.message_type, place, min(place + size, end)))
                place += size
            elif kind == _VARINT:
                _, place = _varint(raw, place)
            else:
                place += {_FIXED64: 8, _FIXED32: 4, _START: 0, _END: 0}.get(kind, end)


def _varint(raw: bytes, place: int) -> tuple[int, int]:
    """A number and the place behind it; bytes that are missing count as 0."""
    value = shift = 0
    while place < len(raw):
        byte = raw[place]
        value |= (byte & 0x7F) << shift
        place += 1
        shift += 7
        if byte < 0x80 or shift > 63:
            break
    return value, place
