"""The engine `builtin` in LiteRT, with its builtin ops alone."""

import random

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.interpreter import Interpreter

import graph_ops
from export.verify import samples
from tests.data import needs_corpus

pytestmark = pytest.mark.slow

BUCKET = 256
TEXT_CAPACITY = 2048
BUNDLE_LIMIT = 16e6  # bytes, with the real vocabulary


def count(vocabulary):
    """How many random texts and rows: all of them with the real vocabulary, which `make test-slow` takes."""
    return 10_000 if len(vocabulary) > 100_000 else 2_000


def tokenize(engine, size):
    def function(codes, length):
        tokens = engine.tokenize_bytes(codes, length)
        return {"token_ids": tokens.ids + 0, "count": tokens.count + 0}

    specs = [tf.TensorSpec([size], tf.uint8, name="codes"), tf.TensorSpec([], tf.int32, name="length")]
    return tf.function(function, input_signature=specs, autograph=False)


def detokenize(engine, size, capacity):
    def function(token_ids, count):
        texts = engine.detokenize_bytes(token_ids, tf.range(tf.size(token_ids)) < count, capacity=capacity)
        return {"codes": texts.codes + 0, "length": texts.ends[-1] + 0}

    specs = [tf.TensorSpec([size], tf.int32, name="token_ids"), tf.TensorSpec([], tf.int32, name="count")]
    return tf.function(function, input_signature=specs, autograph=False)


@pytest.fixture(scope="module")
def bundle(vocabulary_file, tmp_path_factory):
    """A bundle with dynamic and with fixed lengths."""
    engine = graph_ops.Gemma4Tokenizer(vocabulary_file, engine="builtin").engine
    module = tf.Module()
    module.functions = {
        "tokenize": tokenize(engine, None),
        "detokenize": detokenize(engine, None, None),
        "tokenize_bucket": tokenize(engine, BUCKET),
        "detokenize_bucket": detokenize(engine, BUCKET, TEXT_CAPACITY),
    }
    folder = str(tmp_path_factory.mktemp("builtin") / "saved")
    tf.saved_model.save(module, folder, signatures=module.functions)
    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter.convert()


@pytest.fixture(scope="module")
def runners(bundle):
    interpreter = Interpreter(model_content=bundle, num_threads=1)
    return {name: interpreter.get_signature_runner(name) for name in interpreter.get_signature_list()}


@pytest.fixture(scope="module")
def encode(runners):
    def encode(text, garbage=b""):
        codes = np.frombuffer(text + garbage or b"x", np.uint8)
        result = runners["tokenize"](codes=codes, length=np.int32(len(text)))
        return result["token_ids"][: int(result["count"])].tolist()

    return encode


@pytest.fixture(scope="module")
def decode(runners):
    def decode(ids):
        result = runners["detokenize"](token_ids=np.array([*ids, 2], np.int32), count=np.int32(len(ids)))
        return result["codes"].astype(np.uint8).tobytes()

    return decode


@needs_corpus
def test_the_corpus_there_and_back(corpus, encode, decode, sentencepiece_processor):
    for text in corpus:
        ids = encode(text.encode())
        assert ids == sentencepiece_processor.encode(text)
        assert decode(ids) == text.encode()


def test_ids_equal_sentencepiece_on_hostile_texts_before_garbage(vocabulary, encode, sentencepiece_processor):
    texts = [text.encode() for text in samples.FIXED_TEXTS] + samples.hostile_texts(
        count(vocabulary), pieces=vocabulary.pieces, seed=41
    )
    draw = random.Random(44)
    texts += [draw.randbytes(draw.randrange(60)) for _ in range(2000)]
    garbage = (b"", b"\x80\x80", b"zz", b" ", "é".encode())
    ours = [encode(text, garbage[index % len(garbage)]) for index, text in enumerate(texts)]
    theirs = [sentencepiece_processor.encode(text) for text in texts]
    assert [text for text, a, b in zip(texts, ours, theirs, strict=True) if a != b] == []


def test_random_ids_detokenize_as_in_sentencepiece(vocabulary, decode, sentencepiece_processor):
    draw = random.Random(42)
    rows = [
        [draw.randrange(draw.choice([600, len(vocabulary)])) for _ in range(draw.randrange(20))]
        for _ in range(count(vocabulary))
    ]
    assert [row for row in rows if decode(row) != sentencepiece_processor.decode(row).encode()] == []


def test_fixed_lengths_give_the_same_with_padding(runners, encode, decode, vocabulary):
    texts = [
        text for text in samples.hostile_texts(200, pieces=vocabulary.pieces, seed=43) if len(text) <= BUCKET
    ]
    for text in texts:
        codes = np.full(BUCKET, 0xC3, np.uint8)
        codes[: len(text)] = np.frombuffer(text, np.uint8)
        tokens = runners["tokenize_bucket"](codes=codes, length=np.int32(len(text)))
        found, ids = int(tokens["count"]), encode(text)
        assert tokens["token_ids"][:found].tolist() == ids
        assert not tokens["token_ids"][found:].any()
        if found <= BUCKET:
            texts = runners["detokenize_bucket"](
                token_ids=np.resize(tokens["token_ids"], BUCKET), count=np.int32(found)
            )
            assert texts["codes"].shape == (TEXT_CAPACITY,)
            assert texts["codes"][: int(texts["length"])].astype(np.uint8).tobytes() == decode(ids)


def test_a_text_beyond_the_capacity_is_cut(runners, vocabulary):
    longest = max(range(len(vocabulary)), key=lambda index: len(vocabulary.pieces[index].encode()))
    result = runners["detokenize_bucket"](
        token_ids=np.full(BUCKET, longest, np.int32), count=np.int32(BUCKET)
    )
    whole = vocabulary.pieces[longest].replace("\u2581", " ").encode() * BUCKET
    assert int(result["length"]) == len(whole) > TEXT_CAPACITY
    assert result["codes"].astype(np.uint8).tobytes() == whole[:TEXT_CAPACITY]


def test_the_compiled_model_runs_fixed_lengths(bundle, encode, tmp_path):
    (tmp_path / "bundle.tflite").write_bytes(bundle)
    model = CompiledModel.from_file(str(tmp_path / "bundle.tflite"))
    index = list(model.get_signature_list()).index("tokenize_bucket")
    names = model.get_signature_by_index(index)
    inputs, outputs = model.create_input_buffers(index), model.create_output_buffers(index)
    text = "This is a test, caf\u00e9 <bos>\n\n  x".encode()
    given = {
        "codes": np.frombuffer(text.ljust(BUCKET, b"?"), np.uint8),
        "length": np.array([len(text)], np.int32),
    }
    for name, buffer in zip(names["inputs"], inputs, strict=True):
        buffer.write(given[name])
    model.run_by_index(index, inputs, outputs)
    buffers = dict(zip(names["outputs"], outputs, strict=True))
    found = int(buffers["count"].read(1, np.int32)[0])
    assert buffers["token_ids"].read(BUCKET, np.int32)[:found].tolist() == encode(text)


def test_four_signatures_share_one_copy_of_the_tables(bundle):
    assert len(bundle) < BUNDLE_LIMIT


@pytest.mark.parametrize(
    "text",
    ["a" * 4096, "0123456789abcdef" * 256, "the cat " * 500, "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35" * 200],
)
def test_long_texts(text, encode, sentencepiece_processor):
    assert encode(text.encode()) == sentencepiece_processor.encode(text)
