"""Damaged vocabulary files: a SentencePiece model and a tokenizer.json, each changed one to three times."""

import copy
import json
import struct
from typing import Any

from google.protobuf.message import DecodeError
from sentencepiece.sentencepiece_model_pb2 import ModelProto

SURROGATE = "\ud800"
NAMES: tuple[str, ...] = (
    "",
    "a",
    "ab",
    "<0v41>",
    "<0x41>",
    "<0x0a>",
    "<unk>",
    "<bos>",
    "x\0y",
    "two words",
    "\u2581\u2581",
    "é",
)
NAMES += ("x" * 7_999, "x" * 8_000, "ab" * 300, "<appended unknown>", "\U0010ffff", "\ufffd")
NOT_UTF8 = (b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"a\xc3")
NUMBERS = (0.0, -0.0, -1.0, -3.0, 1e30, -1e38, float("nan"), float("inf"), float("-inf"))
INTEGERS = (-(2**31), -1, 0, 1, 2, 3, 4, 5, 6, 7, 260, 2**31 - 1)
ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    1.0,
    2**70,
    1e400,
    float("nan"),
    "",
    "a",
    "a b",
    SURROGATE,
    "ab",
    "<0v41>",
)
ODD += (
    "\u2581\u2581",
    [],
    [[]],
    ["a"],
    ["a", "b"],
    ["a", None],
    [["a"], ["b"]],
    ["a", SURROGATE],
    ["a", "b", "b"],
    {},
    {"a": 1},
)


def changed_bytes(content, draw):
    """Bytes flipped, cut off, cut out, put in, repeated or zeroed."""
    content, place = bytearray(content), draw.randrange(max(len(content), 1))
    length = draw.choice((1, 2, 3, 8, 60))
    kind = draw.choice(("flip", "bit", "cut", "out", "in", "repeat", "zero", "end"))
    if kind in ("flip", "bit") and not content:
        kind = "in"
    if kind == "flip":
        content[place] = draw.randrange(256)
    elif kind == "bit":
        content[place] ^= 1 << draw.randrange(8)
    elif kind == "cut":
        del content[place:]
    elif kind == "out":
        del content[place : place + length]
    elif kind == "in":
        content[place:place] = draw.randbytes(length)
    elif kind == "repeat":
        content[place:place] = content[place : place + length]
    elif kind == "zero":
        content[place : place + length] = bytes(len(content[place : place + length]))
    else:
        content += draw.randbytes(length)
    return bytes(content)


def changed_model(content, draw):
    """One field, one piece or one piece's place is another; or a field is there again, with any wire type."""
    model = ModelProto.FromString(content)
    if not model.pieces:
        return content + _field(draw)
    place, other = draw.randrange(len(model.pieces)), draw.randrange(len(model.pieces))
    kind = draw.choice(("piece", "name", "number", "place", "setting", "wire"))
    if kind == "piece":
        model.pieces[place].piece = draw.choice((*NAMES, model.pieces[other].piece))
    elif kind == "name":
        return _renamed(model, place, draw.choice(NOT_UTF8))
    elif kind == "number":
        return _with_field(model, place, draw)
    elif kind == "place":
        _move(model, place, other, draw)
    elif kind == "setting":
        _set(model, draw)
    else:
        return content + _field(draw)
    return model.SerializeToString()


def changed_json(content, draw):
    """One value of the tree is another, missing, or there again."""
    tree = copy.deepcopy(content)
    parent, key = draw.choice(_places(tree, draw))
    kind = draw.choice(("odd", "odd", "gone", "again", "swap", "values"))
    if kind == "odd":
        parent[key] = copy.deepcopy(draw.choice(ODD))
    elif kind == "gone":
        del parent[key]
    elif kind == "values" and isinstance(parent, dict):
        other = draw.choice(list(parent))
        parent[key], parent[other] = parent[other], parent[key]
    elif isinstance(parent, list):
        other = draw.randrange(len(parent))
        if kind == "again":
            parent.insert(other, copy.deepcopy(parent[key]))
        else:
            parent[key], parent[other] = parent[other], parent[key]
    else:
        other = draw.choice([*parent, *NAMES, SURROGATE])
        parent[other] = parent.pop(key) if kind == "swap" else copy.deepcopy(parent[key])
    return tree


def model_mutations(content, count, draw):
    """`count` damaged models of one."""
    for _ in range(count):
        mutated = content
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            try:
                mutated = draw.choice((changed_bytes, changed_model))(mutated, draw)
            except DecodeError:  # an earlier change left no model
                mutated = changed_bytes(mutated, draw)
        yield mutated


def json_mutations(tree, count, draw):
    """`count` damaged tokenizer.json of one."""
    for _ in range(count):
        mutated = tree
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            mutated = changed_json(mutated, draw)
        text = json.dumps(mutated, ensure_ascii=draw.random() < 0.5).encode("utf-8", "surrogatepass")
        yield text if draw.random() < 0.75 else changed_bytes(text, draw)


def _renamed(model, place, name):
    """With a piece that is no text, which protobuf's own class does not take."""
    model.pieces[place].piece = "?" * len(name)
    return model.SerializeToString().replace(b"?" * len(name), name, 1)


def _with_field(model, place, draw):
    """With another score, or with another number for a type."""
    entry = model.pieces[place]
    if draw.random() < 0.5:
        entry.score = draw.choice((*NUMBERS, model.pieces[draw.randrange(len(model.pieces))].score))
        return model.SerializeToString()
    number = draw.choice(INTEGERS)
    field = b"\x18" + _varint(number)
    pieces = [each.SerializeToString() for each in model.pieces]
    pieces[place] += field
    del model.pieces[:]
    return b"".join(b"\n" + _varint(len(piece)) + piece for piece in pieces) + model.SerializeToString()


def _move(model, place, other, draw):
    kind = draw.choice(("swap", "again", "gone"))
    if kind == "swap":
        first, second = (model.pieces[index].SerializeToString() for index in (place, other))
        model.pieces[place].ParseFromString(second)
        model.pieces[other].ParseFromString(first)
    elif kind == "again":
        model.pieces.insert(place, model.pieces[other])
    else:
        del model.pieces[place]
    if draw.random() < 0.7:
        model.trainer_spec.vocab_size = len(model.pieces)


def _set(model, draw):
    trainer, spec = model.trainer_spec, draw.choice((model.normalizer_spec, model.denormalizer_spec))
    kind = draw.choice(("type", "size", "bytes", "suffix", "unknown", "map", "flags", "none"))
    if kind == "type":
        trainer.model_type = draw.choice((1, 2, 3, 4))
    elif kind == "size":
        trainer.vocab_size = draw.choice(INTEGERS)
    elif kind in ("bytes", "suffix"):
        field = {"bytes": "byte_fallback", "suffix": "treat_whitespace_as_suffix"}[kind]
        setattr(trainer, field, not getattr(trainer, field))
    elif kind == "unknown":
        trainer.unk_surface = draw.choice(NAMES)
    elif kind == "map":
        trie = draw.choice((b"", bytes(1024), bytes(1023), bytes(2048)))
        spec.precompiled_charsmap = struct.pack("<I", draw.choice((0, 1, 1024, 2**32 - 1))) + trie + b"\0"
    elif kind == "flags":
        field = draw.choice(("add_dummy_prefix", "remove_extra_whitespaces", "escape_whitespaces"))
        setattr(spec, field, not getattr(spec, field))
    else:
        model.ClearField(draw.choice(("trainer_spec", "normalizer_spec", "pieces")))


def _field(draw):
    """A field of any number and wire type."""
    number, wire = draw.choice((1, 2, 3, 4, 5, 16, 200)), draw.randrange(8)
    body = {
        0: _varint(draw.choice(INTEGERS)),
        1: draw.randbytes(8),
        2: _varint(draw.choice((0, 3, 2**31 - 1, 2**40))) + draw.randbytes(3),
        5: draw.randbytes(4),
    }.get(wire, draw.randbytes(2))
    return _varint(number << 3 | wire) + body


def _varint(number):
    number &= 2**64 - 1
    encoded = b""
    while number > 0x7F:
        encoded, number = encoded + bytes([number & 0x7F | 0x80]), number >> 7
    return encoded + bytes([number])


def _places(tree, draw):
    """(container, key) of values: all on one way down from the root, so that no long list hides the rest."""
    places, node = [], tree
    while isinstance(node, dict | list) and node:
        often = [key for key in ("model", "added_tokens", "vocab", "merges") if key in node] * 4
        key = draw.choice([*node, *often]) if isinstance(node, dict) else draw.randrange(len(node))
        places.append((node, key))
        node = node[key]
    return places or [({"": tree}, "")]
