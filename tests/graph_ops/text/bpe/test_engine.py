"""The engine `builtin` against SentencePiece, in TensorFlow."""

import random
import subprocess
import sys

import numpy as np
import pytest
import sentencepiece
import tensorflow as tf
from sentencepiece.sentencepiece_model_pb2 import ModelProto

import graph_ops
from export.verify import samples
from graph_ops.text.bpe.engine import BuiltinEngine
from graph_ops.text.reading import Reading
from graph_ops.text.vocabulary.vocabulary import PieceType
from tests.data import DEMONSTRATION, needs_corpus
from tests.twins import bpe
from tests.twins.vocabularies import small_vocabulary

HOSTILE = 20_000


@pytest.fixture(scope="module")
def builtin(vocabulary_file):
    return graph_ops.Gemma4Tokenizer(vocabulary_file, engine="builtin")


@pytest.fixture(scope="module")
def encode(builtin):
    """Texts to lists of ids, in batches, through one graph."""
    graph = tf.function(
        builtin.engine.encode, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
    )

    def encode(texts, count=5000):
        rows = []
        for start in range(0, len(texts), count):
            ids, splits = graph(tf.constant(texts[start : start + count]))
            rows += [row.tolist() for row in np.split(ids.numpy(), splits.numpy()[1:-1])]
        return rows

    return encode


def assert_same(texts, ours, theirs):
    assert [text for text, a, b in zip(texts, ours, theirs, strict=True) if a != b] == []


@needs_corpus
def test_ids_equal_sentencepiece_on_the_corpus(corpus, encode, sentencepiece_processor):
    assert_same(corpus, encode(corpus, count=100), sentencepiece_processor.encode(corpus))


def test_ids_equal_sentencepiece_on_hostile_texts(vocabulary, encode, sentencepiece_processor):
    texts = [text.encode() for text in samples.FIXED_TEXTS]
    texts += samples.hostile_texts(HOSTILE, pieces=vocabulary.pieces, seed=31)
    assert_same(texts, encode(texts), [sentencepiece_processor.encode(text) for text in texts])


def test_ids_equal_sentencepiece_on_random_bytes(encode, sentencepiece_processor):
    draw = random.Random(32)
    leads = [
        0x20,
        0x41,
        0x80,
        0xA0,
        0xBF,
        0xC0,
        0xC1,
        0xC2,
        0xE0,
        0xED,
        0xEF,
        0xF0,
        0xF4,
        0xF5,
        0xF8,
        0xFF,
        0x96,
        0x81,
        0xE2,
    ]
    texts = [
        bytes(draw.choice([draw.randrange(256), draw.choice(leads)]) for _ in range(draw.randrange(40)))
        for _ in range(4000)
    ]
    assert_same(texts, encode(texts), [sentencepiece_processor.encode(text) for text in texts])


def test_ids_equal_sentencepiece_on_code_points(encode, sentencepiece_processor):
    """Each of the first 73,728 and some of each later page alone; a seventh of them twice, and among letters
    too.
    """
    points = [*range(0xD800), *range(0xE000, 0x12000), *range(0x12000, 0x110000, 251), 0x10FFFF]
    texts = [chr(point) for point in points]
    texts += [form.format(chr(point)) for point in points[::7] for form in ("{0}{0}", "a{0} b")]
    assert_same(texts, encode(texts, count=30_000), sentencepiece_processor.encode(texts))


def test_ids_equal_sentencepiece_on_each_piece_alone_and_in_a_sentence(
    vocabulary, encode, sentencepiece_processor
):
    pieces = [piece.replace("\u2581", " ") for piece in vocabulary.pieces]
    texts = [*pieces, *(f"We {piece} hold" for piece in pieces[:: max(1, len(pieces) // 20_000)])]
    assert_same(texts, encode(texts, count=100_000), sentencepiece_processor.encode(texts))


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "ab",
        "abc",
        "aab",
        " ",
        "  x",
        "\n",
        "\u2581",
        "=-",
        "é",
        "한",
        "\ufffd",
        "0",
        "<bos>",
        "ha",
        "the ",
    ],
)
def test_ids_equal_sentencepiece_on_repetition(unit, encode, sentencepiece_processor):
    texts = [unit * count for count in (*range(1, 24), 100, 333)]
    assert_same(texts, encode(texts), sentencepiece_processor.encode(texts))


def test_texts_side_by_side_do_not_touch(encode, sentencepiece_processor):
    texts = [
        b"",
        b"\xe2",
        b"\x96\x81",
        b"",
        b" ",
        b" ",
        b"a",
        b"b",
        b"\xf0\x9f",
        b"\x98\x80",
        b"<",
        b"bos>",
        b"",
        b"",
    ]
    together = encode(texts)
    assert (
        together
        == [encode([text])[0] for text in texts]
        == [sentencepiece_processor.encode(text) for text in texts]
    )


def test_ids_equal_the_slow_twin(vocabulary, encode):
    texts = samples.hostile_texts(300, pieces=vocabulary.pieces, seed=33)
    assert_same(texts, encode(texts), list(map(bpe.Encoder(vocabulary), texts)))


def test_both_engines_agree_with_control_tokens_in_text(builtin, tokenizer, vocabulary):
    texts = tf.constant(
        [
            "a<bos>b<eos><pad><unk>",
            "<bos",
            "",
            *samples.hostile_texts(3000, pieces=vocabulary.pieces, seed=34),
        ]
    )
    for how in ({}, {"reading": Reading.CONTROL}):
        ours, theirs = builtin.tokenize_rows(texts, **how), tokenizer.tokenize_rows(texts, **how)
        assert np.array_equal(ours.lengths, theirs.lengths)
        assert np.array_equal(ours.token_ids, theirs.token_ids)


def test_both_engines_take_the_same_shapes(builtin, tokenizer):
    for texts in ("hello there", ["hello", ""], [], [["a b", ""], ["c", "dd dd"]]):
        texts = tf.constant(texts, tf.string)
        ours, theirs = builtin.tokenize(texts), tokenizer.tokenize(texts)
        assert type(ours) is type(theirs)
        assert ours.shape.as_list() == theirs.shape.as_list()
        assert (
            ours.numpy().tolist() == theirs.numpy().tolist()
            if texts.shape.rank == 0
            else ours.to_list() == theirs.to_list()
        )
        if texts.shape != [0]:
            texts_again = [
                engine.detokenize(ids).numpy() for engine, ids in ((builtin, ours), (tokenizer, theirs))
            ]
            assert str(texts_again[0]) == str(texts_again[1])


def test_the_config_names_the_engine(builtin, tokenizer):
    assert tokenizer.get_config()["engine"] == "sentencepiece"
    again = graph_ops.Gemma4Tokenizer.from_config(builtin.get_config())
    assert again.get_config() == builtin.get_config()
    assert again("hello").numpy().tolist() == tokenizer("hello").numpy().tolist()


def test_a_foreign_engine_is_refused():
    with pytest.raises(
        ValueError, match=r"`engine`: must be one of \('sentencepiece', 'builtin'\); got 'rust'"
    ):
        graph_ops.Gemma4Tokenizer(DEMONSTRATION, engine="rust")


BLOCKED = """
import sys
import tensorflow as tf

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "tensorflow_text":
            raise ModuleNotFoundError("tensorflow_text is blocked")

sys.meta_path.insert(0, Blocked())
folder, vocabulary = sys.argv[1:]
if vocabulary:
    import graph_ops
    tokenizer = graph_ops.Gemma4Tokenizer(vocabulary, engine="builtin")
    module = tf.Module()
    strings = [tf.TensorSpec([None], tf.string)]
    module.rows = tf.function(lambda text: tokenizer.tokenize_rows(text), input_signature=strings)
    module.text = tf.function(
        lambda ids, lengths: {
            "text": tokenizer.detokenize_rows(ids, tf.sequence_mask(lengths, tf.shape(ids)[1]))
        },
        input_signature=[tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)],
    )
    tf.saved_model.save(module, folder)
else:
    loaded = tf.saved_model.load(folder)
    rows = loaded.rows(tf.constant(["hello there", "caf\\u00e9 <bos>", ""]))
    print(rows[0].numpy().tolist(), loaded.text(*rows)["text"].numpy().tolist())
    assert not any(name.startswith("graph_ops") for name in sys.modules)
assert "tensorflow_text" not in sys.modules
"""


@pytest.mark.slow
def test_neither_use_nor_a_saved_model_needs_tensorflow_text(tmp_path, demonstration_tokenizer):
    texts = ["hello there", "caf\u00e9 <bos>", ""]
    for vocabulary in (str(DEMONSTRATION), ""):
        command = [sys.executable, "-c", BLOCKED, str(tmp_path / "saved"), vocabulary]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
    rows = demonstration_tokenizer.tokenize_rows(tf.constant(texts))
    assert ran.stdout.strip() == f"{rows.token_ids.numpy().tolist()} {[text.encode() for text in texts]}"


def test_a_user_defined_piece_that_overlaps_others_and_an_own_unknown_text():
    """Longest first, leftmost first; and `<unk>` is written as the model says."""

    def change(model):
        for text in ("xyx", "yxyy", "xy", "\u2581xy", "\u2581\u2581xyx", "☃"):
            model.pieces.add(piece=text, type=PieceType.USER_DEFINED)
        model.trainer_spec.vocab_size = len(model.pieces)
        model.trainer_spec.unk_surface = "?!"

    model = ModelProto.FromString(DEMONSTRATION.read_bytes())
    change(model)
    proto = model.SerializeToString()
    ours, theirs = (
        graph_ops.Gemma4Tokenizer(proto, engine="builtin"),
        sentencepiece.SentencePieceProcessor(model_proto=proto),
    )
    draw = random.Random(36)
    texts = [
        "".join(draw.choice(["x", "y", " ", "\u2581", "☃", "z", "\n"]) for _ in range(draw.randrange(30)))
        for _ in range(3000)
    ]
    assert_same(texts, ours(texts).to_list(), theirs.encode(texts))
    assert (
        ours.detokenize([3, 300]).numpy().decode() == theirs.decode([3, 300]) == "?!" + theirs.decode([300])
    )


def test_a_vocabulary_that_cannot_be_reproduced_is_refused_when_the_engine_is_made():
    with pytest.raises(
        ValueError, match=r"this one has a piece with a character that is no piece itself \('b'\)"
    ):
        BuiltinEngine(small_vocabulary(("ab", "a")))


def test_a_text_of_bytes_has_the_ids_of_its_string(builtin, vocabulary):
    ids_of_a_byte = 3 if None in (vocabulary.find("\u2581"), vocabulary.find("\ufffd")) else 1
    engine, text = builtin.engine, "caf\u00e9 <|turn>".encode()
    codes = tf.constant([*text, *b"garbage"], tf.uint8)
    for reading in (Reading.TRAINED, Reading.PLAIN):
        tokens = engine.tokenize_bytes(codes, tf.constant(len(text)), reading=reading)
        expected = engine.encode(tf.constant([text]), reading=reading).values.numpy().tolist()
        assert tokens.ids[: tokens.count].numpy().tolist() == expected
        assert len(tokens.ids) == ids_of_a_byte * (len(codes) + 1)
    assert engine.models() == []


@pytest.mark.parametrize("size", [1, 7, 64])
def test_the_most_ids_are_the_capacity_that_a_device_is_given(size, vocabulary):
    engine = BuiltinEngine(vocabulary)
    codes = tf.zeros([size], tf.uint8)
    assert engine.tokenize_bytes(codes, tf.constant(size)).ids.shape[0] == engine.most_ids(size)
