"""Hugging Face's tokenizer.json as a vocabulary: the same ids and texts as `tokenizers`, or a refusal."""

import copy
import functools
import gc
import itertools
import json
import pathlib
import random

import pytest
import sentencepiece
import tokenizers

import graph_ops
from export.verify import samples
from graph_ops.text.reading import Reading
from graph_ops.text.vocabulary.sentencepiece_model import BYTE_PIECES, PieceType, parse_model
from graph_ops.text.vocabulary.tokenizer_json import model_from_tokenizer_json
from graph_ops.text.vocabulary.vocabulary import load_vocabulary
from tests.data import DEMONSTRATION, REAL, needs_corpus, needs_real
from tests.graph_ops.layers.test_tokenizer import ids_of

SPACE = "\u2581"
CONTROL = ("<pad>", "<eos>", "<bos>", "<unk>")
SPLIT = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
SENTENCES = (
    "the theory of the other weather gathers nothing rather than bother the father",
    "banana bandana cabana ananas abababab aaaaaaa bbbb aabb",
    "die Größe der Straße, naïve Ångström; ни один человек не знает — 日本語の日本",
    "0123 3210 1010 0101 1 11 111 1111 11111",
)


def tokenizer_json(pieces, merges, added=(), **model):
    """A tokenizer.json of Gemma's kind: control tokens, bytes, `pieces`; `added` are added tokens as
    `{"content": ...}` and flags.
    """
    vocab = {piece: index for index, piece in enumerate([*CONTROL, *BYTE_PIECES, *pieces])}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    entries = [{**flags, "content": name, "special": True} for name in CONTROL] + [
        {**flags, **entry} for entry in added
    ]
    new = (name for name in (entry["content"] for entry in entries) if name not in vocab)
    ids = {**vocab, **{name: len(vocab) + place for place, name in enumerate(new)}}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": ids[entry["content"]], **entry} for entry in entries],
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
        "pre_tokenizer": SPLIT,
        "post_processor": None,
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
            ],
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": "<unk>",
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": True,
            "ignore_merges": False,
            "vocab": vocab,
            "merges": [list(pair) for pair in merges],
            **model,
        },
    }


def small(**changes):
    """One with the pieces a, b, ▁, ab, abb and an added token, and with changes such as
    `model__dropout=0.1`.
    """
    tokenizer = tokenizer_json(
        ["a", "b", SPACE, "ab", "abb"], [("a", "b"), ("ab", "b")], [{"content": "<|x|>"}]
    )
    for path, value in changes.items():
        *parents, name = path.split("__")
        functools.reduce(lambda place, parent: place[parent], parents, tokenizer)[name] = value
    return tokenizer


def serialized(tokenizer):
    return json.dumps(tokenizer).encode()


def both(tokenizer):
    """SentencePiece with our model, and `tokenizers`."""
    text = serialized(tokenizer)
    ours = sentencepiece.SentencePieceProcessor(model_proto=load_vocabulary(text).proto)
    return ours, tokenizers.Tokenizer.from_str(text.decode())


def differences(tokenizer, texts):
    ours, theirs = both(tokenizer)
    encoded = [encoded.ids for encoded in theirs.encode_batch(texts, add_special_tokens=False)]
    return [text for text, a, b in zip(texts, ours.encode(texts), encoded, strict=True) if a != b]


def trained(vocabulary_size):
    """As `tokenizers` trains it: one merge a piece, with words apart."""
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=vocabulary_size, show_progress=False)
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.normalizer = tokenizers.normalizers.Replace(" ", SPACE)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Split(SPACE, "merged_with_next")
    tokenizer.train_from_iterator(SENTENCES * 3, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return tokenizer_json(
        sorted(model["vocab"], key=model["vocab"].get), model["merges"], [{"content": "<|x|>"}]
    )


def demonstration_json(seed):
    """The shipped vocabulary as Hugging Face would write it: every division of a piece a merge, runs of
    spaces first.
    """
    model, draw = parse_model(DEMONSTRATION.read_bytes()), random.Random(seed)
    types = load_vocabulary(DEMONSTRATION).types
    entries = [
        (entry.piece.decode(), kind, entry.score) for entry, kind in zip(model.pieces, types, strict=True)
    ]
    ids = {piece: index for index, (piece, _, _) in enumerate(entries)}
    runs = [SPACE * length for length in range(16, 1, -1)]
    learned = sorted(
        (entry for entry in entries if entry[1] == PieceType.NORMAL and len(entry[0]) > 1),
        key=lambda entry: -entry[2],
    )
    merges = [(run[1:], SPACE) for run in runs]
    for piece, _, _ in learned:
        divisions = [
            (piece[:end], piece[end:])
            for end in range(1, len(piece))
            if piece[:end] in ids and piece[end:] in ids
        ]
        merges += draw.sample(divisions, len(divisions))
    added = [{"content": piece} for piece, kind, _ in entries if kind == PieceType.USER_DEFINED]
    tokenizer = tokenizer_json([], merges, added)
    tokenizer["model"]["vocab"] = ids
    for entry in tokenizer["added_tokens"]:
        entry["id"] = ids[entry["content"]]
    return tokenizer


def hostile(pieces, count, seed=0):
    """Texts without a literal ▁ and without control tokens, which SentencePiece and `tokenizers` read
    differently.
    """
    texts = [
        text.decode() for text in samples.hostile_texts(count, pieces=pieces, seed=seed, invalid_utf8=False)
    ]
    return [text for text in texts if SPACE not in text and not any(name in text for name in CONTROL)]


@pytest.fixture(scope="module")
def real_from_json(huggingface_tokenizer):
    """From what `tokenizers` writes back: all settings, pieces, merges and added tokens."""
    return graph_ops.Gemma4Tokenizer(huggingface_tokenizer.to_str().encode())


@needs_real
def test_the_real_file_gives_the_pieces_types_and_scores_of_the_real_model(real_from_json):
    found, model = (
        parse_model(proto).pieces for proto in (real_from_json.proto, pathlib.Path(REAL).read_bytes())
    )
    assert [(entry.piece, entry.type) for entry in found] == [(entry.piece, entry.type) for entry in model]
    different = [
        entry.piece.decode() for entry, other in zip(found, model, strict=True) if entry.score != other.score
    ]
    assert {len(piece) for piece in different} == {1}, (
        "no merge makes a single character: its score has no meaning"
    )


@needs_real
@needs_corpus
def test_the_real_file_gives_the_ids_of_tokenizers_and_of_the_real_model_on_the_corpus(
    real_from_json, real_tokenizer, huggingface_tokenizer, corpus
):
    ours = ids_of(real_from_json, corpus)
    assert ours == [
        encoded.ids for encoded in huggingface_tokenizer.encode_batch(corpus, add_special_tokens=False)
    ]
    assert ours == ids_of(real_tokenizer, corpus)


@needs_real
@pytest.mark.parametrize("reading", Reading)
def test_the_real_file_gives_the_ids_of_the_real_model_on_hostile_texts(
    real_from_json, real_tokenizer, reading
):
    texts = samples.hostile_texts(10_000, pieces=real_tokenizer.vocabulary.pieces, seed=5)
    ours, theirs = (ids_of(each, texts, reading=reading) for each in (real_from_json, real_tokenizer))
    assert [text for text, a, b in zip(texts, ours, theirs, strict=True) if a != b] == []


@needs_real
def test_the_real_file_gives_the_ids_and_texts_of_tokenizers_on_hostile_texts(
    real_from_json, huggingface_tokenizer
):
    texts = hostile(real_from_json.get_vocabulary(), 10_000, seed=6)
    theirs = [encoded.ids for encoded in huggingface_tokenizer.encode_batch(texts, add_special_tokens=False)]
    assert ids_of(real_from_json, texts) == theirs
    decoded = huggingface_tokenizer.decode_batch(theirs, skip_special_tokens=False)
    assert (
        [text.decode() for text in real_from_json.detokenize(real_from_json(texts)).numpy()]
        == decoded
        == texts
    )


@pytest.mark.parametrize("vocabulary_size", [60, 100, 200])
def test_a_tokenizer_trained_by_tokenizers_gives_the_same_ids_and_texts(vocabulary_size):
    tokenizer, draw = trained(vocabulary_size), random.Random(vocabulary_size)
    letters = [letter for letter in "".join(SENTENCES) if letter.isascii()]
    texts = ["".join(draw.choices(letters, k=draw.randrange(40))) for _ in range(2000)] + hostile(
        list(tokenizer["model"]["vocab"]), 2000
    )
    assert differences(tokenizer, texts) == []
    ours, theirs = both(tokenizer)
    assert (
        [ours.decode(ours.encode(text)) for text in texts]
        == theirs.decode_batch(ours.encode(texts), skip_special_tokens=False)
        == texts
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_the_shipped_vocabulary_survives_a_round_trip_through_tokenizer_json(seed):
    tokenizer, model = demonstration_json(seed), load_vocabulary(DEMONSTRATION)
    vocabulary = load_vocabulary(serialized(tokenizer))
    assert (vocabulary.pieces, vocabulary.types) == (model.pieces, model.types)
    assert (vocabulary.is_bpe, vocabulary.has_byte_fallback, vocabulary.keeps_text) == (True, True, True)
    texts = hostile(model.pieces, 5000, seed=seed)
    assert differences(tokenizer, texts) == []
    ours, theirs = (
        sentencepiece.SentencePieceProcessor(model_proto=each.proto) for each in (vocabulary, model)
    )
    assert ours.encode(texts) == theirs.encode(texts)


def random_merges(draw):
    """Pieces of a and b, and merges in no order that training would give."""
    pieces, merges = ["a", "b"], []
    while len(merges) < 9:
        pair = tuple(draw.choices(pieces, k=2))
        if pair not in merges and len("".join(pair)) < 8:
            merges.append(pair)
            pieces += ["".join(pair)] * ("".join(pair) not in pieces)
    return pieces, merges if draw.random() < 0.3 else draw.sample(merges, len(merges))


def equal_or_refused(tokenizer, texts):
    """Whether it is taken; if so, all ids are equal."""
    try:
        load_vocabulary(serialized(tokenizer))
    except ValueError:
        return False
    assert differences(tokenizer, texts) == []
    return True


def test_merges_in_any_order_give_the_ids_of_tokenizers_or_are_refused():
    texts = [
        "".join(letters) for length in range(1, 11) for letters in itertools.product("ab", repeat=length)
    ]
    taken = [
        equal_or_refused(tokenizer_json(*random_merges(random.Random(seed))), texts) for seed in range(120)
    ]
    assert 20 < sum(taken) < 120


def test_added_tokens_of_both_kinds_give_the_ids_of_tokenizers_or_are_refused():
    texts = [
        "".join(letters) for length in range(1, 7) for letters in itertools.product("ab ", repeat=length)
    ]

    def case(seed):
        draw = random.Random(seed)
        names = {
            "".join(draw.choices("ab" + SPACE * (seed % 2), k=draw.randrange(1, 5)))
            for _ in range(draw.randrange(2, 4))
        }
        added = [
            {"content": name, "normalized": draw.random() < 0.5, "special": draw.random() < 0.5}
            for name in sorted(names)
        ]
        return tokenizer_json(["a", "b", SPACE, "ab"], [("a", "b")], added)

    taken = [equal_or_refused(case(seed), texts) for seed in range(150)]
    assert 40 < sum(taken) < 150


def test_added_runs_of_spaces_give_the_ids_of_tokenizers_or_are_refused():
    texts = [
        "".join(letters) for length in range(1, 10) for letters in itertools.product("a ", repeat=length)
    ]

    def case(seed):
        draw = random.Random(seed)
        runs = [SPACE * length for length in range(2, 5)]
        merges = [(run[:end], run[end:]) for run in reversed(runs) for end in range(1, len(run))]
        merges += [(SPACE, "a"), (SPACE + "a", "a")]
        for _ in range(draw.randrange(3)):
            a, b = draw.randrange(len(merges)), draw.randrange(len(merges))
            merges[a], merges[b] = merges[b], merges[a]
        return tokenizer_json(
            ["a", SPACE, *runs, SPACE + "a", SPACE + "aa"], merges, [{"content": run} for run in runs]
        )

    taken = [equal_or_refused(case(seed), texts) for seed in range(60)]
    assert 10 < sum(taken) < 60


def test_merges_may_be_spelled_as_strings():
    strings = small(model__merges=["a b", "ab b"])
    assert load_vocabulary(serialized(strings)) == load_vocabulary(serialized(small()))


@pytest.mark.parametrize(
    "changes",
    [
        {"truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0}},
        {"post_processor": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}},
        {"pre_tokenizer": None},
        {"pre_tokenizer": {**SPLIT, "behavior": "Isolated"}},
        {"model__dropout": 0.0},
        {"model__fuse_unk": False},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_settings_that_do_not_change_ids_are_taken(changes):
    assert load_vocabulary(serialized(small(**changes))) == load_vocabulary(serialized(small()))


def test_a_path_and_bytes_give_the_same_tokenizer(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(b" \n" + serialized(small()))
    tokenizer = graph_ops.Gemma4Tokenizer(path)
    assert tokenizer.get_vocabulary() == graph_ops.Gemma4Tokenizer(serialized(small())).get_vocabulary()
    assert [tokenizer.id_to_token(index) for index in tokenizer("abb<|x|>b a").numpy()] == [
        "abb",
        "<|x|>",
        "b",
        SPACE,
        "a",
    ]
    assert graph_ops.Gemma4Tokenizer.from_config(tokenizer.get_config()).proto == tokenizer.proto


VOCAB = small()["model"]["vocab"]
WITHOUT_7F = {piece: index for piece, index in VOCAB.items() if piece != "<0x7F>"}
ADDED = small()["added_tokens"]
LOWERCASE = {"type": "Sequence", "normalizers": [{"type": "Lowercase"}]}
METASPACE = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always", "split": True}


def added(content="<|y|>", index=None, **flags):
    return [
        *ADDED,
        {**ADDED[-1], "id": len(VOCAB) + 1 if index is None else index, "content": content, **flags},
    ]


REFUSED = [
    ({"model__type": "Unigram"}, r'`model\.type` must be "BPE"; got "Unigram"'),
    ({"model__type": "WordPiece"}, r'`model\.type` must be "BPE"; got "WordPiece"'),
    ({"model__byte_fallback": False}, r"`model\.byte_fallback` must be true; got false"),
    ({"model__unk_token": None}, r'`model\.unk_token` must be "<unk>"; got null'),
    ({"model__dropout": 0.1}, r"`model\.dropout` must be null or 0\.0; got 0\.1"),
    ({"model__ignore_merges": True}, r"`model\.ignore_merges` must be false or null; got true"),
    (
        {"model__continuing_subword_prefix": "##"},
        r'`model\.continuing_subword_prefix` must be null or ""; got "##"',
    ),
    ({"model__end_of_word_suffix": "</w>"}, r'`model\.end_of_word_suffix` must be null or ""; got "</w>"'),
    ({"normalizer": None}, r'`normalizer` must be \{"type": "Replace".*\}; got null'),
    ({"normalizer": {"type": "NFKC"}}, r'`normalizer` must be .*; got \{"type": "NFKC"\}'),
    ({"normalizer": {"type": "Prepend", "prepend": SPACE}}, r"`normalizer` must be .*Prepend"),
    ({"normalizer": LOWERCASE}, r"`normalizer` must be .*Lowercase"),
    (
        {"pre_tokenizer": {"type": "ByteLevel"}},
        r'`pre_tokenizer` must be null or .*; got \{"type": "ByteLevel"\}',
    ),
    ({"pre_tokenizer": METASPACE}, r"`pre_tokenizer` must be .*; got .*Metaspace"),
    ({"pre_tokenizer": {**SPLIT, "pattern": {"Regex": " |a"}}}, r"`pre_tokenizer` must be .*Regex"),
    ({"pre_tokenizer": {**SPLIT, "invert": True}}, r'`pre_tokenizer` must be .*"invert": true'),
    ({"decoder": None}, r"`decoder` must be .*; got null"),
    ({"decoder": {"type": "Metaspace"}}, r"`decoder` must be .*Metaspace"),
    ({"model__vocab": WITHOUT_7F}, r'ids of `model\.vocab` must be .*; got \["<0x80>", 132\] out of line'),
    (
        {"model__vocab": {**VOCAB, "c": 5}},
        r"ids of `model\.vocab` must be 0, 1, 2, … without a hole or a repetition; got \[",
    ),
    (
        {"model__vocab": {**WITHOUT_7F, "c": VOCAB["<0x7F>"]}},
        r'all 256 bytes and no empty piece; missing: \["<0x7F>"\]',
    ),
    ({"model__vocab": {**VOCAB, "": len(VOCAB)}}, r"no empty piece"),
    (
        {"model__vocab": {"a": "0"}},
        r'`model\.vocab` must be an object of pieces and their ids; got \{"a": "0"\}',
    ),
    (
        {"model__vocab": {**VOCAB, "\ud800": len(VOCAB)}, "added_tokens": ADDED[:4]},
        r'no half of a surrogate pair; got "\\ud800"',
    ),
    (
        {"model__vocab": {**VOCAB, "ac": len(VOCAB)}, "added_tokens": ADDED[:4]},
        r"each character of a piece must be a piece too; got 'ac'",
    ),
    ({"model__merges": None}, r"`model\.merges` must be a list; got null"),
    (
        {"model__merges": ["a b", "a b b"]},
        r'a merge of `model\.merges` must be of two pieces; got \["a", "b", "b"\]',
    ),
    (
        {"model__merges": ["a b", "ab b", "a b"]},
        r'`model\.merges` must list each pair once; got \["a", "b"\] twice',
    ),
    (
        {"model__merges": ["a b", "b a"]},
        r"parts and the result of each merge must be pieces.*; got \('b', 'a'\)",
    ),
    (
        {"model__merges": ["a b", "ab c"]},
        r"parts and the result of each merge must be pieces.*; got \('ab', 'c'\)",
    ),
    (
        {"model__merges": ["a b"]},
        r"two pieces that merging leaves of a third one's text must be a merge; got \('ab', 'b'\)",
    ),
    ({"added_tokens": {"a": 1}}, r"`added_tokens` must be a list of objects with a `content`"),
    ({"added_tokens": [*ADDED, ADDED[-1]]}, r"`content` of `added_tokens` must be distinct and not empty"),
    ({"added_tokens": added("a", 7)}, r'id of the added token "a" must be 260; got 7'),
    ({"added_tokens": added(index=9999)}, r'id of the added token "<\|y\|>" must be 266; got 9999'),
    (
        {"added_tokens": added(lstrip=True)},
        r'`lstrip` of an added token must be false; got true for "<\|y\|>"',
    ),
    ({"added_tokens": added(rstrip=True)}, r"`rstrip` of an added token must be false"),
    ({"added_tokens": added(single_word=True)}, r"`single_word` of an added token must be false"),
    ({"added_tokens": added("a b")}, r'an added token must hold no space and be no byte; got "a b"'),
    ({"added_tokens": added("<0x41>", VOCAB["<0x41>"])}, r"an added token must hold no space and be no byte"),
    (
        {"added_tokens": added("y<|x|>", normalized=True)},
        r'`normalized` true must not overlap .*; got "y<\|x\|>" with it true',
    ),
    ({"added_tokens": added("y<|", normalized=True)}, r"`normalized` true must not overlap"),
    (
        {"added_tokens": added(SPACE, VOCAB[SPACE])},
        r"added tokens with ▁ in them and `normalized` false must be all the runs of 2, 3, … ▁; got '▁'",
    ),
    ({"added_tokens": added("a" + SPACE)}, r"must be all the runs of 2, 3, … ▁; got 'a▁'"),
    (
        {"added_tokens": added(SPACE * 2)},
        r"merges must make the longest run of ▁ that is an added token first.*; got .\(▁, ▁\) at rank None",
    ),
    ({"added_tokens": ADDED[1:]}, r"<pad> must be one of `added_tokens`; got it in `model\.vocab` only"),
    (
        {"added_tokens": [{**entry, "special": False} for entry in ADDED]},
        r"`special` of the added token <pad> must be true; got false",
    ),
]


@pytest.mark.parametrize(("changes", "reason"), REFUSED, ids=[reason[:60] for _, reason in REFUSED])
def test_what_sentencepiece_cannot_reproduce_is_refused(changes, reason):
    with pytest.raises(
        ValueError,
        match=rf"^`tokenizer`: a tokenizer\.json must be whole .* the given bytes .*{reason}.* Pass the ",
    ):
        load_vocabulary(serialized(small(**copy.deepcopy(changes))))


def test_an_added_token_that_could_begin_in_a_run_of_spaces_is_refused():
    entries = [{"content": SPACE * 2}, {"content": SPACE + "a", "normalized": True}]
    tokenizer = tokenizer_json(["a", SPACE, SPACE * 2], [(SPACE, SPACE)], entries)
    with pytest.raises(
        ValueError,
        match=r'`normalized` true must not overlap one with `normalized` false; got "▁a" with it true',
    ):
        load_vocabulary(serialized(tokenizer))


def test_a_run_of_spaces_inside_another_piece_is_refused():
    pieces = ["a", SPACE, SPACE * 2, SPACE * 2 + "a"]
    tokenizer = tokenizer_json(pieces, [(SPACE, SPACE), (SPACE * 2, "a")], [{"content": SPACE * 2}])
    with pytest.raises(
        ValueError, match=r"no merge may use an added run of ▁ as part of another piece; got \('▁▁', 'a'\)"
    ):
        load_vocabulary(serialized(tokenizer))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "Expecting property name"),
        (b"{}", r"it must have a `model`, as a tokenizer has; got \[\]"),
        (
            b'{"architectures": ["Gemma4"], "model_type": "gemma4"}',
            r'it must have a `model`.*; got \["architectures", "model_type"\]',
        ),
        (b'{"model": "BPE"}', r"it must have a `model`"),
        (b'{"a":' * 100_000, "maximum recursion depth"),
        (b'{"a": "\xff"}', "it must be UTF-8; got byte 0xff at 7"),
        (serialized(small())[:3000], "Unterminated string|Expecting"),
    ],
    ids=["brace", "empty object", "config.json", "model is a string", "deep", "no UTF-8", "cut"],
)
def test_damaged_and_foreign_json_is_refused(tmp_path, content, reason):
    path = tmp_path / "some.json"
    path.write_bytes(content)
    with pytest.raises(
        ValueError,
        match=rf"`tokenizer`: a tokenizer\.json must be whole .*some\.json \([\d,]+ bytes\) does not: "
        rf".*({reason})",
    ):
        load_vocabulary(path)


def test_a_sentencepiece_model_that_begins_like_json_is_read_as_one():
    model = parse_model(DEMONSTRATION.read_bytes())
    model.pieces[0].piece = b"p" * (
        ord("{") - len(model.pieces[0].SerializeToString()) + len(model.pieces[0].piece)
    )
    proto = model.SerializeToString()
    assert proto.startswith(b"\n{")
    assert load_vocabulary(proto).proto == proto


@pytest.mark.parametrize("text", [b"{", b"[" * 100_000, b"\xff", b"[]", b'{"model": 3}'], ids=range(5))
def test_a_refusal_says_what_file_it_is_about(text):
    with pytest.raises(
        ValueError, match=rf"what a SentencePiece model can; here \({len(text):,} bytes\) does not: "
    ):
        model_from_tokenizer_json(text, "here")
    assert gc.isenabled()
