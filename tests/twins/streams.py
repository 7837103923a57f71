"""Ids as models emit them, hostile ones included, and all the ways to part them."""

import itertools

CHARACTERS = ["é", "🦊", "漢", "\u0800", "\ud7ff", "\ue000", "\U0010ffff", "\u0301", "a", " ", "\ufffd"]
EDGES = [0, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF]
EDGES += [0xE0, 0xE1, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF]
"""Bytes at which table 3-7 of the Unicode standard changes."""


def hostile_ids(rng, vocabulary, most=9):
    """Bytes of characters, bytes at random, control pieces and any other ids."""
    first = vocabulary.find("<0x00>")
    ids = []
    for _ in range(rng.randrange(most)):
        kind = rng.random()
        if kind < 0.4:
            ids += [first + byte for byte in rng.choice(CHARACTERS).encode()]
        elif kind < 0.7:
            ids.append(first + rng.choice(EDGES))
        else:
            ids.append(rng.randrange(4) if kind < 0.8 else rng.randrange(len(vocabulary)))
    return ids


def parted(rng, ids, parts):
    """The ids in so many parts, some of them empty."""
    cuts = [0, *sorted(rng.randrange(len(ids) + 1) for _ in range(parts - 1)), len(ids)]
    return [ids[start:end] for start, end in itertools.pairwise(cuts)]


def decoded_so_far(ids, vocabulary):
    """The text that is certain whatever follows, and how many ids wait: the slow twin of `streamed_ids`."""
    waiting, seen = 0, []
    for piece in reversed([vocabulary.pieces[index] for index in ids[-3:]]):
        if not (len(piece) == 6 and piece.startswith("<0x")):
            break
        seen.insert(0, int(piece[3:5], 16))
        if can_become_a_character(bytes(seen)):
            waiting = len(seen)
    return waiting


def can_become_a_character(start):
    """Whether bytes are the beginning, and not the whole, of a character."""
    return any(
        is_character(start + bytes(tail))
        for count in range(1, 5 - len(start))
        for tail in itertools.product((0x80, 0x90, 0x9F, 0xA0, 0xBF), repeat=count)
    )


def is_character(content):
    """Whether bytes are one character in UTF-8."""
    try:
        return len(content.decode()) == 1
    except UnicodeDecodeError:
        return False
