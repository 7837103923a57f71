"""Spans of tokens, found by walking through the text: the slow twin of `graph_ops.text.offsets`."""

from graph_ops.text.vocabulary.sentencepiece_model import SPACE, PieceType


def characters_of(text):
    """The characters of bytes as pieces hold them, with their first byte and the one after their last."""
    found, at = [], 0
    while at < len(text):
        size = next((size for size in (1, 2, 3, 4) if _is_character(text[at : at + size])), 0)
        character = text[at : at + size].decode() if size else "\ufffd"
        size = size or 1
        found.append((SPACE if character == " " else character, at, at + size))
        at += size
    return found


def spans_of(text, ids, vocabulary):
    """Byte spans and character spans of the ids of a text; fails where an id is not what stands there."""
    characters, at, byte_spans, character_spans, rest = characters_of(text), 0, [], [], b""
    for index in ids:
        piece = vocabulary.pieces[index]
        if vocabulary.types[index] is not PieceType.BYTE:
            stands = characters[at : at + len(piece)]
            assert not rest
            assert "".join(character for character, _, _ in stands) == piece
            byte_spans.append([stands[0][1], stands[-1][2]])
            character_spans.append([at, at + len(piece)])
            at += len(piece)
            continue
        character, start, end = characters[at]
        rest += bytes([int(piece[3:5], 16)])
        assert character.encode().startswith(rest)
        is_own = len(character.encode()) == end - start
        byte_spans.append([start + len(rest) - 1, start + len(rest)] if is_own else [start, end])
        character_spans.append([at, at + 1])
        if rest == character.encode():
            at, rest = at + 1, b""
    assert at == len(characters)
    return byte_spans, character_spans


def _is_character(content):
    try:
        return len(content.decode()) == 1
    except UnicodeDecodeError:
        return False
