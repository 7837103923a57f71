"""Rows of text of Gemma 3, 3n, FunctionGemma and EmbeddingGemma against keras-hub's classes, tensor for
tensor, and ids against SentencePiece.

The vocabularies are made of Gemma 4's (see `tests.twins.gemma3`), and one is trained here.
"""

import keras_hub
import numpy as np
import pytest
import sentencepiece
import tensorflow as tf

import graph_ops
from export.verify import samples
from graph_ops.families import FUNCTION_GEMMA, GEMMA3, GEMMA3N
from tests.data import DEMONSTRATION as DEMO
from tests.data import needs_real
from tests.parity.comparing import differences, labelled
from tests.twins.gemma3 import trained_vocabulary, vocabulary_of

CLASSES = {
    GEMMA3: (graph_ops.Gemma3CausalLMPreprocessor, "Gemma3"),
    FUNCTION_GEMMA: (graph_ops.FunctionGemmaCausalLMPreprocessor, "Gemma3"),
    GEMMA3N: (graph_ops.Gemma3nCausalLMPreprocessor, "Gemma3n"),
}
FAMILIES = pytest.mark.parametrize("family", CLASSES, ids=lambda family: family.name)
DEMONSTRATION = pytest.mark.parametrize("vocabulary_file", ["demonstration"], indirect=True)


@pytest.fixture(scope="module")
def pair(vocabulary):
    """KerasHub's class and ours of a family, and the vocabulary of both."""
    made = {}

    def make(family, **settings):
        if family not in made:
            made[family] = vocabulary_of(family, vocabulary)
        ours, prefix = CLASSES[family]
        tokenizer = getattr(keras_hub.models, f"{prefix}Tokenizer")(made[family].proto)
        theirs = getattr(keras_hub.models, f"{prefix}CausalLMPreprocessor")(tokenizer, **settings)
        return theirs, ours(made[family], **settings), made[family]

    return make


def texts_for(vocabulary, seed=0, count=300):
    """Random texts and fixed ones, with the special tokens among them."""
    found = samples.hostile_texts(count, pieces=vocabulary.pieces, seed=seed, invalid_utf8=False)
    specials = [piece for piece in vocabulary.pieces if piece.startswith("<start_") or "turn" in piece]
    return [*samples.FIXED_TEXTS, "a".join(specials), *map(bytes.decode, found)]


@DEMONSTRATION
@FAMILIES
@pytest.mark.parametrize("length", [7, 64])
def test_rows_to_generate_from_equal_keras_hub(pair, family, length):
    theirs, ours, vocabulary = pair(family, sequence_length=length)
    texts = texts_for(vocabulary)
    assert differences(theirs.generate_preprocess(texts), ours.generate_preprocess(texts)) == {}
    both = {"prompts": texts, "responses": texts[::-1]}
    assert differences(theirs.generate_preprocess(both), ours.generate_preprocess(both)) == {}
    assert differences(theirs.generate_preprocess("Hello"), ours.generate_preprocess("Hello")) == {}


@FAMILIES
def test_training_rows_equal_keras_hub(pair, family, vocabulary_file):
    theirs, ours, vocabulary = pair(family, sequence_length=40)
    texts = texts_for(vocabulary, seed=1, count=2_000 if vocabulary_file != DEMO else 300)
    both = {"prompts": texts, "responses": texts[::-1]}
    assert differences(labelled(theirs(both)), labelled(ours(both))) == {}
    one = {"prompts": "Why?", "responses": "Because."}
    assert differences(labelled(theirs(one)), labelled(ours(one))) == {}


@DEMONSTRATION
@pytest.mark.parametrize(("start", "end"), [(False, True), (True, False), (False, False)])
def test_rows_without_a_start_or_an_end_equal_keras_hub(pair, start, end):
    theirs, ours, vocabulary = pair(GEMMA3, sequence_length=40, add_start_token=start, add_end_token=end)
    texts = texts_for(vocabulary, seed=6)
    both = {"prompts": texts, "responses": texts[::-1]}
    assert differences(labelled(theirs(both)), labelled(ours(both))) == {}
    assert differences(theirs.generate_preprocess(texts), ours.generate_preprocess(texts)) == {}


@DEMONSTRATION
@FAMILIES
def test_texts_of_rows_equal_keras_hub(pair, family):
    theirs, ours, vocabulary = pair(family)
    special = [index for index, piece in enumerate(vocabulary.pieces[:400]) if piece[0] in "<["]
    draw = np.random.default_rng(3)
    token_ids = draw.integers(0, len(vocabulary), (600, 20)).astype(np.int32)
    token_ids[::2] = draw.choice(special, token_ids[::2].shape)
    rows = {"token_ids": token_ids, "padding_mask": draw.integers(0, 4, token_ids.shape) > 0}
    assert theirs.generate_postprocess(rows) == ours.generate_postprocess(rows)


@FAMILIES
def test_ids_equal_sentencepiece(pair, family):
    _, ours, vocabulary = pair(family)
    texts = samples.hostile_texts(2_000, pieces=vocabulary.pieces, seed=2)
    processor = sentencepiece.SentencePieceProcessor(model_proto=vocabulary.proto)
    found = ours.tokenizer(tf.constant(texts))
    assert [row.tolist() for row in found.numpy()] == processor.encode(texts)
    assert [text.decode() for text in ours.tokenizer.detokenize(found).numpy()] == processor.decode(
        processor.encode(texts)
    )


def test_rows_with_a_vocabulary_that_was_trained_with_gemma_3s_tokens_equal_keras_hub():
    vocabulary = trained_vocabulary()
    theirs = keras_hub.models.Gemma3CausalLMPreprocessor(
        keras_hub.models.Gemma3Tokenizer(vocabulary.proto), sequence_length=50
    )
    ours = graph_ops.Gemma3CausalLMPreprocessor(vocabulary, sequence_length=50)
    texts = texts_for(vocabulary, seed=4)
    both = {"prompts": texts, "responses": texts[::-1]}
    assert differences(labelled(theirs(both)), labelled(ours(both))) == {}


@pytest.mark.parametrize(
    ("vocabulary_file", "length"),
    [("demonstration", 256), ("demonstration", 5), pytest.param("real", 256, marks=needs_real)],
    indirect=["vocabulary_file"],
)
def test_rows_to_embed_equal_keras_hub(vocabulary, length):
    made = vocabulary_of(GEMMA3, vocabulary)
    theirs = keras_hub.models.Gemma3TextEmbedderPreprocessor(
        keras_hub.models.Gemma3Tokenizer(made.proto), sequence_length=length
    )
    ours = graph_ops.Gemma3TextEmbedderPreprocessor(made, sequence_length=length)
    texts = texts_for(made, seed=5)
    assert differences(theirs(texts), ours(texts)) == {}
    assert differences(theirs("Hello"), ours("Hello")) == {}
    prompts = [ours.tasks["Summarization"] + text for text in texts]
    assert differences(theirs(prompts), ours(texts, task="Summarization")) == {}
