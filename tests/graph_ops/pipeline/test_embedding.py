"""Rows to embed, and vectors cut: each step by itself, on a vocabulary of letters."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from graph_ops import Gemma4Tokenizer
from graph_ops.config import AudioConfig, ImageConfig, RowConfig
from graph_ops.family import EMBEDDING_GEMMA2
from graph_ops.faults import Fault
from graph_ops.pipeline.embedding import cut_vectors, default_texts, encode_embedding, text_messages
from graph_ops.settings import make_settings
from graph_ops.text.reading import Reading
from tests.export.tiny import SPECIAL
from tests.twins.vocabularies import REPEATABLE, small_vocabulary

EMBEDDING = EMBEDDING_GEMMA2.embedding
FAMILY = dataclasses.replace(
    EMBEDDING_GEMMA2, embedding=dataclasses.replace(EMBEDDING, tasks=(("short", "ba"), ("long", "abab")))
)
ROW = RowConfig(
    max_images_per_prompt=1, max_audio_clips_per_prompt=1, parity="transformers", sequence_length=8
)


@pytest.fixture(scope="module")
def tokenizer():
    return Gemma4Tokenizer(small_vocabulary("ab▁", (*SPECIAL, "<|video|>")), engine="builtin")


@pytest.fixture(scope="module")
def encoded(tokenizer):
    """Rows as pieces, and their faults."""

    def encode(texts, *, media=(), served=False, **inputs):
        configs = {"image": ImageConfig(max_soft_tokens=70), "audio": AudioConfig(max_audio_length=1)}
        chosen = {name: configs[name] for name in media}
        settings = make_settings(tokenizer, ROW, chosen, family=FAMILY)
        given = {"texts": tf.constant(texts), **{name: tf.constant(each) for name, each in inputs.items()}}
        features, finding = encode_embedding(
            given, settings, reading=Reading.CONTROL, sequence_length=8, served=served
        )
        pieces = [
            [tokenizer.id_to_token(index) for index in row[mask]]
            for row, mask in zip(features["token_ids"].numpy(), features["padding_mask"].numpy(), strict=True)
        ]
        return pieces, finding.fault.numpy().tolist(), features

    return encode


def test_a_row_is_its_text_between_start_and_end_which_stay_where_it_is_cut(encoded):
    pieces, faults, _ = encoded(["ab", "", "abababab"])
    assert pieces == [
        ["<bos>", "a", "b", "<eos>"],
        ["<bos>", "<eos>"],
        ["<bos>", *"ababab", "<eos>"],
    ]
    assert faults == [0] * 3


def test_a_task_is_written_before_its_text_and_another_is_a_fault(encoded):
    pieces, faults, _ = encoded(["a", "b", "a", "a"], tasks=["short", "", "long", "Short"])
    assert pieces[:3] == [["<bos>", *"baa", "<eos>"], ["<bos>", "b", "<eos>"], ["<bos>", *"ababa", "<eos>"]]
    assert (pieces[3], faults) == ([], [0, 0, 0, Fault.EMBEDDING_TASK])


def test_a_placeholder_that_nothing_is_read_for_is_a_fault(encoded):
    _, faults, _ = encoded(["a<|image|>", "<|audio|>", "<|video|>", "ab"])
    assert faults == [Fault.MEDIUM_NOT_READ] * 3 + [0]
    _, faults, _ = encoded(["a<|image|>", "<|audio|>"], media=("image",))
    assert faults == [Fault.IMAGE_COUNT, Fault.MEDIUM_NOT_READ]


def test_a_clip_takes_what_it_has_and_stands_in_the_middle(encoded):
    sizes = {"audio": np.zeros([2, 1, 600], np.float32), "audio_lengths": [[600], [330]]}
    pieces, faults, features = encoded(["<|audio|>a", "a<|audio|>"], media=("audio",), **sizes)
    block = ["<|audio>", "<|audio|>", "<audio|>"]
    assert pieces == [["<bos>", *block, "a", "<eos>"], ["<bos>", "a", *block, "<eos>"]]
    assert faults == [0, 0]
    assert features["audio_indices"].numpy().tolist() == [[2], [3]]
    assert features["audio_mel"].shape == (2, 1, 3, 128)
    assert features["audio_mel_mask"].numpy()[:, 0].tolist() == [[1, 1, 1], [1, 1, 0]]


def test_a_served_row_is_as_wide_as_an_item_may_be(encoded):
    sizes = {"audio": np.zeros([1, 1, 600], np.float32), "audio_lengths": [[600]]}
    _, faults, features = encoded(["<|audio|>"], media=("audio",), served=True, **sizes)
    assert faults == [0]
    assert features["audio_indices"].shape == (1, 25)
    assert features["audio_mel"].shape == (1, 1, 100, 128)


def test_a_medium_is_never_cut(encoded):
    sizes = {"audio": np.zeros([1, 1, 600], np.float32), "audio_lengths": [[600]]}
    _, faults, features = encoded(["abab<|audio|>"], media=("audio",), **sizes)
    assert faults == [Fault.MEDIA_DO_NOT_FIT]
    assert not features["padding_mask"].numpy().any()


def test_an_empty_text_stands_for_its_media(tokenizer):
    configs = {"image": ImageConfig(), "audio": AudioConfig()}
    settings = make_settings(tokenizer, ROW, configs, family=FAMILY)
    present = {"image": [True, True, False, False, True], "audio": [True, False, True, False, True]}
    found = default_texts(
        tf.constant([""] * 4 + ["a"]), {k: tf.constant(v) for k, v in present.items()}, settings
    )
    assert found.numpy().tolist() == [b"<|image|> <|audio|>", b"<|image|>", b"<|audio|>", b"", b"a"]


@REPEATABLE
@given(st.lists(st.sampled_from([0, 128, 256, 512, 768]), min_size=1, max_size=4), st.integers(0, 99))
def test_vectors_are_cut_and_of_length_one(sizes, seed):
    vectors = np.random.default_rng(seed).normal(size=(len(sizes), 768)).astype(np.float32)
    cut, finding = cut_vectors(tf.constant(vectors), tf.constant(sizes), embedding=EMBEDDING)
    assert finding.is_clean.numpy().all()
    for row, (found, size) in enumerate(zip(cut.numpy(), sizes, strict=True)):
        kept = vectors[row, : size or 768]
        np.testing.assert_allclose(found[: size or 768], kept / np.linalg.norm(kept), atol=1e-6)
        assert not found[size or 768 :].any()


def test_other_sizes_are_faults_and_a_vector_of_zeros_stays_one():
    vectors, sizes = tf.zeros([6, 300]), tf.constant([-1, 1, 299, 301, 512, 256])
    cut, finding = cut_vectors(vectors, sizes, embedding=EMBEDDING)
    assert finding.fault.numpy().tolist() == [Fault.EMBEDDING_SIZE] * 5 + [0]
    assert finding.detail.numpy()[:5].tolist() == [[size, 300] for size in sizes.numpy()[:5]]
    assert not cut.numpy().any()
    assert b"`truncate_dim`: must be 0 or 300" in text_messages(finding).numpy()[0]
