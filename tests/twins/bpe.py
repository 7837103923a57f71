"""Slow, readable SentencePiece: text to ids, one merge at a time, and ids to text."""

import itertools

from graph_ops.text.vocabulary.vocabulary import PieceType

SPACE = "\u2581"


def characters(text):
    """The characters of bytes, U+FFFD for each byte that belongs to none."""
    found = []
    while text:
        for length in (1, 2, 3, 4):
            try:
                found.append(text[:length].decode("utf-8"))
                break
            except UnicodeDecodeError:
                pass
        else:
            length = 1
            found.append("\ufffd")
        text = text[length:]
    return found


def all_words(alphabet, size):
    """All strings of a length over an alphabet."""
    return ["".join(letters) for letters in itertools.product(alphabet, repeat=size)]


class Encoder:
    """Bytes to ids with a vocabulary."""

    def __init__(self, vocabulary):
        kinds = (PieceType.NORMAL, PieceType.USER_DEFINED)
        self.mergeable, self.frozen = (
            {piece: index for index, piece in enumerate(vocabulary.pieces) if vocabulary.types[index] == kind}
            for kind in kinds
        )
        self.vocabulary = vocabulary

    def __call__(self, text):
        left = "".join(characters(text)).replace(" ", SPACE)
        symbols = []  # (string, whether it may merge)
        while left:
            longest = max(
                (left[:length] for length in range(1, 40) if left[:length] in self.frozen),
                key=len,
                default=None,
            )
            symbols.append((longest, False) if longest else (left[0], True))
            left = left[len(symbols[-1][0]) :]
        while True:
            pairs = [
                (self.mergeable[a + b], place)
                for place, ((a, a_merges), (b, b_merges)) in enumerate(itertools.pairwise(symbols))
                if a_merges and b_merges and a + b in self.mergeable
            ]
            if not pairs:
                break
            _, place = min(pairs)
            symbols[place : place + 2] = [(symbols[place][0] + symbols[place + 1][0], True)]
        ids = []
        for string, merges in symbols:
            index = self.mergeable.get(string) if merges else self.frozen[string]
            ids += (
                [index]
                if index is not None
                else [self.vocabulary.find(f"<0x{byte:02X}>") for byte in string.encode()]
            )
        return ids


def decode(ids, vocabulary):
    """Bytes of ids."""
    text, run = "", b""

    def flushed():
        return "".join(characters(run))

    for index in ids:
        piece, kind = vocabulary.pieces[index], vocabulary.types[index]
        if kind == PieceType.BYTE:
            run += bytes([int(piece[3:5], 16)])
            continue
        text, run = text + flushed(), b""
        if kind == PieceType.UNKNOWN:
            text += " \u2047 "
        elif kind != PieceType.CONTROL:
            text += piece.replace(SPACE, " ")
    return (text + flushed()).encode()
