"""Ids and texts against SentencePiece and Hugging Face's tokenizers."""

import random

import numpy as np
import pytest
import tensorflow as tf

import graph_ops
from export.verify import samples
from graph_ops.text.reading import Reading
from graph_ops.text.vocabulary.vocabulary import PieceType
from tests.data import needs_corpus, needs_real

HOSTILE = 20_000


def ids_of(tokenizer, texts, **how):
    rows = tokenizer.tokenize_rows(tf.constant(texts), **how)
    return [
        ids[:length].tolist()
        for ids, length in zip(rows.token_ids.numpy(), rows.lengths.numpy(), strict=True)
    ]


@pytest.fixture(scope="module")
def hostile(vocabulary):
    fixed = [text.encode() for text in samples.FIXED_TEXTS]
    return fixed + samples.hostile_texts(HOSTILE, pieces=vocabulary.pieces)


@needs_real
def test_published_answer_of_the_real_vocabulary(real_tokenizer):
    assert real_tokenizer("This is a test.").numpy().tolist() == [2094, 563, 496, 1594, 236761]


def test_ids_equal_sentencepiece_on_hostile_texts(tokenizer, sentencepiece_processor, hostile):
    ours = ids_of(tokenizer, hostile)
    theirs = [sentencepiece_processor.encode(text) for text in hostile]
    assert [text for text, a, b in zip(hostile, ours, theirs, strict=True) if a != b] == []


@needs_corpus
def test_ids_equal_sentencepiece_on_the_corpus(tokenizer, sentencepiece_processor, corpus):
    assert ids_of(tokenizer, corpus) == sentencepiece_processor.encode(corpus)


@needs_real
@needs_corpus
def test_ids_equal_tokenizers_on_the_corpus(real_tokenizer, huggingface_tokenizer, corpus):
    theirs = [encoded.ids for encoded in huggingface_tokenizer.encode_batch(corpus, add_special_tokens=False)]
    assert ids_of(real_tokenizer, corpus) == theirs


@needs_real
def test_ids_equal_tokenizers_on_hostile_texts_with_control_tokens_in_text(
    real_tokenizer, huggingface_tokenizer
):
    """The one quirk that is left is a literal ▁, which `tokenizers` reads as a space only outside added
    tokens' neighbourhood.
    """
    hostile = samples.hostile_texts(
        HOSTILE, pieces=real_tokenizer.vocabulary.pieces, seed=1, invalid_utf8=False
    )
    texts = [text.decode() for text in hostile if "\u2581" not in text.decode()]
    theirs = [encoded.ids for encoded in huggingface_tokenizer.encode_batch(texts, add_special_tokens=False)]
    ours = ids_of(real_tokenizer, texts, reading=Reading.CONTROL)
    assert [text for text, a, b in zip(texts, ours, theirs, strict=True) if a != b] == []


@needs_real
def test_without_control_tokens_in_text_tokenizers_differs_only_where_a_control_piece_is_spelled(
    real_tokenizer, huggingface_tokenizer
):
    hostile = samples.hostile_texts(
        HOSTILE, pieces=real_tokenizer.vocabulary.pieces, seed=2, invalid_utf8=False
    )
    texts = [text.decode() for text in hostile if "\u2581" not in text.decode()]
    theirs = [encoded.ids for encoded in huggingface_tokenizer.encode_batch(texts, add_special_tokens=False)]
    different = [
        text for text, a, b in zip(texts, ids_of(real_tokenizer, texts), theirs, strict=True) if a != b
    ]
    assert all(any(name in text for name in ("<bos>", "<eos>", "<pad>", "<unk>")) for text in different)
    assert different, "the sample must hold some"


def test_control_tokens_in_text_are_ids_only_when_asked_for(tokenizer):
    text = "a<bos>b<eos><pad><unk>"
    plain, read = ids_of(tokenizer, [text])[0], ids_of(tokenizer, [text], reading=Reading.CONTROL)[0]
    assert not {0, 1, 2, 3} & set(plain)
    assert [token for token in read if token < 4] == [2, 1, 0, 3]


def test_every_id_detokenizes_as_in_sentencepiece(tokenizer, sentencepiece_processor):
    ids = tf.range(tokenizer.vocabulary_size())[:, tf.newaxis]
    ours = tokenizer.detokenize(ids).numpy()
    theirs = [
        sentencepiece_processor.decode([index]).encode() for index in range(tokenizer.vocabulary_size())
    ]
    assert [index for index, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b] == []


def test_random_id_sequences_detokenize_as_in_sentencepiece(tokenizer, sentencepiece_processor):
    draw = random.Random(3)
    byte_ids = [index for index, kind in enumerate(tokenizer.vocabulary.types) if kind is PieceType.BYTE]
    rows = [
        [
            draw.choice(byte_ids)
            if draw.random() < bytes_share
            else draw.randrange(tokenizer.vocabulary_size())
            for _ in range(draw.randrange(1, 24))
        ]
        for bytes_share in (0.0, 0.5, 0.95)
        for _ in range(2000)
    ]
    ours = tokenizer.detokenize(tf.ragged.constant(rows, dtype=tf.int32)).numpy()
    assert list(ours) == [sentencepiece_processor.decode(row).encode() for row in rows]


def test_valid_texts_survive_a_round_trip(tokenizer, vocabulary):
    texts = samples.hostile_texts(5000, pieces=vocabulary.pieces, seed=4, invalid_utf8=False)
    texts = [
        text for text in texts if "\u2581".encode() not in text
    ]  # SentencePiece cannot tell a literal ▁ from a space
    assert list(tokenizer.detokenize(tokenizer(texts)).numpy()) == texts


def test_scalar_batch_and_ragged_forms_agree(tokenizer):
    one, many = tokenizer("hello there"), tokenizer(["hello there", ""])
    assert one.shape.rank == 1
    assert one.dtype == tf.int32
    assert isinstance(many, tf.RaggedTensor)
    assert many[0].numpy().tolist() == one.numpy().tolist()
    assert tokenizer.detokenize(one).numpy() == b"hello there"
    assert tokenizer.detokenize([one.numpy().tolist(), []]).numpy().tolist() == [b"hello there", b""]


def test_tokenizing_works_in_tf_data(tokenizer):
    rows = list(tf.data.Dataset.from_tensor_slices(["hello", "there"]).map(tokenizer))
    assert [row.numpy().tolist() for row in rows] == [
        tokenizer("hello").numpy().tolist(),
        tokenizer("there").numpy().tolist(),
    ]


def test_config_round_trip_keeps_the_vocabulary(tokenizer):
    again = graph_ops.Gemma4Tokenizer.from_config(tokenizer.get_config())
    assert again.get_config() == tokenizer.get_config()
    assert again.proto == tokenizer.proto


def test_pieces_and_ids_look_each_other_up(tokenizer, sentencepiece_processor):
    for index in (0, 5, 300, tokenizer.vocabulary_size() - 1):
        assert tokenizer.id_to_token(index) == sentencepiece_processor.id_to_piece(index)
        assert tokenizer.token_to_id(tokenizer.id_to_token(index)) == index
    assert tokenizer.token_to_id("no such piece at all") == 3
    with pytest.raises(ValueError, match=r"`id`: must be in \[0, "):
        tokenizer.id_to_token(tokenizer.vocabulary_size())


@pytest.mark.parametrize("bad", [-1, 262_144, 2**31 - 1])
def test_an_id_out_of_range_is_refused(tokenizer, bad):
    with pytest.raises(tf.errors.InvalidArgumentError, match="`token_ids`: an id must be in"):
        tokenizer.detokenize(np.array([5, bad]))


def test_seeding_tensorflow_leaves_the_tokenizer_alone(vocabulary, tmp_path):
    text = tf.constant(["This is a test."])
    tokenizer = graph_ops.Gemma4Tokenizer(vocabulary)
    traced = tf.function(tokenizer.tokenize)
    expected = traced(text)[0].numpy().tolist()
    module = tf.Module()
    module.models, module.tokenize = (
        tokenizer.models(),
        tf.function(lambda text: tokenizer.tokenize(text).to_tensor()),
    )
    tf.saved_model.save(
        module, str(tmp_path), module.tokenize.get_concrete_function(tf.TensorSpec([None], tf.string))
    )
    loaded = tf.saved_model.load(str(tmp_path))
    tf.random.set_seed(7)
    assert tokenizer.tokenize(text)[0].numpy().tolist() == expected
    assert traced(text)[0].numpy().tolist() == expected
    assert loaded.tokenize(text)[0].numpy().tolist() == expected


def test_all_graphs_share_one_traced_function_a_reading(tokenizer):
    def called(reading):
        graph = tf.function(lambda texts: tokenizer.tokenize_rows(texts, reading=reading), autograph=False)
        operations = graph.get_concrete_function(tf.TensorSpec([2], tf.string)).graph.get_operations()
        return {op.get_attr("f").name for op in operations if "PartitionedCall" in op.type}

    first, second, other = (called(reading) for reading in (Reading.TRAINED, Reading.TRAINED, Reading.PLAIN))
    assert first == second
    assert len(first) == 1
    assert first != other
