"""Ids with looked-up segments against those of the plain op and of SentencePiece."""

import functools
import itertools
import random
import shutil

import numpy as np
import pytest
import tensorflow as tf
from sentencepiece.sentencepiece_model_pb2 import ModelProto

import graph_ops
from export.verify import samples
from graph_ops.text.reading import Reading
from graph_ops.text.sentencepiece import segments
from graph_ops.text.sentencepiece.keys import joined_bytes, segment_keys, text_keys
from graph_ops.text.sentencepiece.piece_table import PieceTable
from graph_ops.text.vocabulary.vocabulary import load_vocabulary
from tests.data import needs_corpus, needs_real
from tests.twins.vocabularies import CHARACTER_MAP, without_bytes

HOSTILE = 20_000
SENTENCEPIECE_MODELS = {
    Reading.TRAINED: 2,
    Reading.CONTROL: 4,
}  # copies of the vocabulary: TensorFlow stores each model twice, of which our exports keep one
# makes a batch long enough, and ASCII enough
ENGLISH = b"All human beings are born free and equal in dignity and rights. "


@pytest.fixture(scope="module", params=[Reading.TRAINED, Reading.CONTROL], ids=lambda reading: reading.value)
def reading(request):
    return request.param


@pytest.fixture(scope="module")
def encode(tokenizer, reading):
    """The plain op."""
    return tokenizer.engine.encoder(reading)


@pytest.fixture(scope="module")
def tables(tokenizer, reading):
    return tokenizer.engine.segment_tables(reading)


@pytest.fixture(scope="module")
def by_segments(tables, encode):
    """The looked-up way for every batch, whether it pays or not; it must not hold 0xFF."""
    spec = tf.TensorSpec([None], tf.string)
    return tf.function(
        lambda texts: segments._tokenize_segments(joined_bytes(texts), tables, encode),
        input_signature=[spec],
    )


@pytest.fixture(scope="module")
def fast(tables, encode):
    return tf.function(
        lambda texts: segments.tokenize(texts, tables, encode=encode),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )


def rows(found):
    ids, splits = (part.numpy() for part in found)
    return [ids[start:end].tolist() for start, end in itertools.pairwise(splits)]


def padded_rows(token_ids, lengths):
    return [ids[:length].tolist() for ids, length in zip(token_ids.numpy(), lengths.numpy(), strict=True)]


def assert_same(texts, function, encode, count=2000):
    """In batches of `count` texts; a failure shows the texts that differ."""
    for start in range(0, len(texts), count):
        batch = tf.constant(texts[start : start + count], tf.string, [len(texts[start : start + count])])
        ours, theirs = rows(function(batch)), rows(encode(batch))
        assert len(ours) == len(theirs)
        assert [text for text, a, b in zip(texts[start:], ours, theirs, strict=False) if a != b] == []


def without_end(texts):
    return [text.replace(b"\xff", b"\xfe") for text in texts]


@needs_corpus
def test_corpus(corpus, by_segments, fast, encode, reading, sentencepiece_processor):
    texts = [text.encode() for text in corpus]
    assert_same(texts, by_segments, encode, count=100)
    assert_same(texts, fast, encode, count=100)
    if reading is Reading.TRAINED:
        assert rows(by_segments(tf.constant(texts))) == sentencepiece_processor.encode(corpus)


@pytest.mark.parametrize("seed", [20, 21])
def test_hostile_texts(vocabulary, by_segments, fast, encode, seed, reading, sentencepiece_processor):
    texts = samples.hostile_texts(HOSTILE, pieces=vocabulary.pieces, seed=seed)
    assert_same(without_end(texts), by_segments, encode)
    assert_same(texts, fast, encode)
    if reading is Reading.TRAINED:
        assert rows(by_segments(tf.constant(without_end(texts)))) == [
            sentencepiece_processor.encode(text) for text in without_end(texts)
        ]


def test_each_piece_alone_and_in_a_sentence(vocabulary, by_segments, encode):
    pieces = [
        piece.replace("\u2581", space).encode() for piece in vocabulary.pieces for space in ("\u2581", " ")
    ]
    assert_same(pieces, by_segments, encode, count=100_000)
    assert_same([b"We " + piece + b" hold" for piece in pieces[1::2]], by_segments, encode, count=100_000)


def test_pairs_and_triples_of_pieces(vocabulary, by_segments, encode):
    draw = random.Random(22)
    texts = ["".join(draw.choices(vocabulary.pieces, k=2 + index % 2)) for index in range(40_000)]
    texts = [text.replace("\u2581", " ") if index % 5 else text for index, text in enumerate(texts)]
    assert_same([text.encode() for text in texts], by_segments, encode, count=10_000)


def test_words_beside_what_is_read_in_another_way(by_segments, encode):
    control = ["<bos>", "<eos>", "<pad>", "<unk>", "<|turn>", "<turn|>", "<|image|>", "<0x0A>"]
    space = [
        " ",
        "  ",
        " " * 31,
        " " * 32,
        " " * 33,
        "\n",
        "\n\n",
        "\t",
        "\u00a0",
        "\u3000",
        "\u0000",
        "\u0000\u0000",
    ]
    block = ["\u2581", "\u2581\u2581", " \u2581", "\u2581 ", "\u2581\u2581 \u2581"]
    other = ["\ufffd", " \ufffd", "\u0441 ", "e\u0301"]
    damaged = [
        b"\x80",
        b"\xc3",
        b" \xe2\x96",
        b"\xe2\x96\x81\x81",
        b"\xe2\x96 ",
        b"\xc0\xa0",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xfe",
    ]
    beside = [text.encode() for text in control + space + block + other] + damaged + [b"\x00" * 16]
    words = [
        b"",
        b"the",
        b" the",
        b"The.",
        "\u2581the".encode(),
        b"a",
        b",",
        "fran\u00e7ais".encode(),
        "\u0441".encode(),
    ]
    texts = [
        a + one + two + b
        for a, b in itertools.product(words, repeat=2)
        for one, two in itertools.product([*beside, b""], repeat=2)
    ]
    assert_same(texts, by_segments, encode, count=10_000)


def test_every_two_bytes(by_segments, encode):
    pairs = [bytes(pair) for pair in itertools.product(range(0xFF), repeat=2)]
    assert_same(pairs, by_segments, encode, count=30_000)
    assert_same([b"one " + pair + b"two" for pair in pairs], by_segments, encode, count=30_000)


def test_a_text_with_the_end_byte_in_it(fast, encode):
    texts = [ENGLISH * 20, b"\xff", b" \xff\xff a", ENGLISH + b"\xff" + ENGLISH, b"", b"\xff" * 32]
    assert_same(texts, fast, encode)
    assert_same(texts, fast, encode, count=1)


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [b""],
        [b""] * 1000,
        [b"", ENGLISH * 20, b""],
        [ENGLISH * 20],
        [b"."] * 600,
        [b"qzxj" * 300],
        [b"a" * 70_000],
    ],
)
def test_empty_known_and_unknown_batches(texts, by_segments, fast, encode):
    assert_same(texts, by_segments, encode)
    assert_same(texts, fast, encode)
    assert rows(fast(tf.constant(texts, tf.string, [len(texts)]))) == rows(
        encode(tf.constant(texts, tf.string, [len(texts)]))
    )


@pytest.mark.parametrize("length", range(1, 20))
def test_segments_around_the_length_of_a_key(by_segments, encode, length):
    texts = [
        b"x" * (length - 1) + end + after
        for end in (b"x", b"\x00", b" ")
        for after in (b"", b".", b" the", b"\x00")
    ]
    assert_same(texts, by_segments, encode)


def test_english_goes_through_the_table(tables):
    codes = joined_bytes(tf.constant([ENGLISH] * 20))
    assert bool(segments._pays(codes, tf.constant([ENGLISH] * 20)))
    starts, ends = segments._segments(codes, tables.cuts)
    keys = segment_keys(codes, starts, ends)
    known = tables.pieces.look_up(*keys)[0].numpy()
    assert known.sum() > 0.5 * len(known)
    assert ENGLISH[starts[1] : ends[1]] == b" human"


@needs_real
def test_docstring_example(real_tokenizer):
    tables = real_tokenizer.engine.segment_tables(Reading.TRAINED)
    codes = joined_bytes(tf.constant(["We hold zyx zyxes."]))
    starts, ends = segments._segments(codes, tables.cuts)
    keys = segment_keys(codes, starts, ends)
    known = (tables.pieces.look_up(*keys)[0] | (starts == starts[-1])).numpy()
    lengths = (ends - starts).numpy()
    assert "".join(str(index + 1) * length for index, length in enumerate(lengths)) in segments.__doc__
    assert (
        "".join("-+"[int(is_known)] * length for is_known, length in zip(known, lengths, strict=True))
        in segments.__doc__
    )


def test_tables_that_a_traced_function_asks_for_first_are_no_part_of_its_graph(vocabulary_file):
    tokenizer = graph_ops.Gemma4Tokenizer(vocabulary_file)
    traced = tf.function(tokenizer.tokenize_rows).get_concrete_function(tf.TensorSpec([None], tf.string))
    tables = tokenizer.engine.segment_tables(Reading.TRAINED)
    assert isinstance(tables.cuts.numpy(), np.ndarray)
    assert tables.pieces.look_up(*text_keys(tf.constant(["a"])))[0].numpy().tolist() == [True]
    assert len(traced.graph.get_operations()) < 200  # not one for each piece


def test_autograph_leaves_the_building_of_tables_alone(demonstration_tokenizer):
    """It would make graph code of loops over all pieces, which takes a minute for the real vocabulary."""
    engine, seen = demonstration_tokenizer.engine, set()

    def encode(texts):
        seen.add(tf.__internal__.autograph.control_status_ctx().status.name)
        return engine.encoder(Reading.TRAINED)(texts)

    table = PieceTable(engine.models()[0].resource_handle, vocabulary_sha256="test")
    make = functools.partial(segments.segment_tables, engine.vocabulary, table, encode)
    tf.function(lambda: make().cuts).get_concrete_function()
    assert seen == {"DISABLED"}


def test_rows_keep_the_static_batch_size(tokenizer):
    traced = tf.function(tokenizer.tokenize_rows).get_concrete_function(tf.TensorSpec([7], tf.string))
    assert traced.output_shapes.token_ids.as_list() == [7, None]
    assert traced.output_shapes.lengths.as_list() == [7]


def servable(source, reading):
    """Two functions that share the tables, as signatures do."""
    tokenizer, module = graph_ops.Gemma4Tokenizer(source), tf.Module()
    spec = [tf.TensorSpec([None], tf.string)]
    for name in ("first", "second"):
        function = tf.function(
            lambda texts: tokenizer.tokenize_rows(texts, reading=reading)._asdict(), input_signature=spec
        )
        function.get_concrete_function()
        setattr(module, name, function)
    module.models = tokenizer.models()
    return module


def test_saved_model_without_its_sources(tmp_path, vocabulary_file, vocabulary, encode, reading):
    source, folder = tmp_path / "copy.spm", tmp_path / "model"
    shutil.copy(vocabulary_file, source)
    module = servable(source, reading)
    tf.saved_model.save(module, str(folder), signatures={"first": module.first, "second": module.second})
    del module
    source.unlink()
    loaded = tf.saved_model.load(str(folder.rename(tmp_path / "moved")))
    texts = tf.constant(
        [ENGLISH * 3, b"", *samples.hostile_texts(500, pieces=vocabulary.pieces, seed=23, invalid_utf8=False)]
    )
    expected = rows(encode(texts))
    for signature in ("first", "second"):
        assert padded_rows(**loaded.signatures[signature](texts)) == expected
    size = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert size < 1_000_000 + SENTENCEPIECE_MODELS[reading] * len(vocabulary.proto)


@pytest.mark.parametrize(
    "change",
    [
        lambda model: setattr(model.normalizer_spec, "add_dummy_prefix", True),
        lambda model: model.normalizer_spec.ClearField("add_dummy_prefix"),
        lambda model: setattr(model.normalizer_spec, "remove_extra_whitespaces", True),
        lambda model: setattr(model.normalizer_spec, "escape_whitespaces", False),
        lambda model: setattr(model.normalizer_spec, "precompiled_charsmap", CHARACTER_MAP),
        lambda model: setattr(model.trainer_spec, "treat_whitespace_as_suffix", True),
        lambda model: setattr(model.trainer_spec, "model_type", 1),
        without_bytes,
        lambda model: setattr(model.pieces[-1], "type", 5),
        lambda model: setattr(model.pieces[-1], "piece", "a b"),
    ],
)
def test_vocabularies_whose_cuts_are_not_proven_get_no_tables(demonstration_tokenizer, change):
    model = ModelProto.FromString(demonstration_tokenizer.proto)
    engine = demonstration_tokenizer.engine
    table = PieceTable(engine.models()[0].resource_handle, vocabulary_sha256="test")
    of_model = table, engine.encoder(Reading.TRAINED)
    assert segments.segment_tables(load_vocabulary(model.SerializeToString()), *of_model) is not None
    change(model)
    assert segments.segment_tables(load_vocabulary(model.SerializeToString()), *of_model) is None


def test_a_tokenizer_without_tables_uses_the_plain_op(demonstration_tokenizer):
    model = ModelProto.FromString(demonstration_tokenizer.proto)
    model.normalizer_spec.add_dummy_prefix = True
    tokenizer = graph_ops.Gemma4Tokenizer(model.SerializeToString())
    texts = tf.constant([ENGLISH * 20, "", "a"])
    expected = rows(tokenizer.engine.encoder(Reading.TRAINED)(texts))
    assert padded_rows(*tokenizer.tokenize_rows(texts)) == expected
