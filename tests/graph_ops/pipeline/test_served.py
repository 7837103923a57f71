"""Strings and media to rows and back, in batches."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.config import AudioConfig, ImageConfig, RowConfig
from graph_ops.faults import Fault, Finding
from graph_ops.features import BY_NAME, feature_names
from graph_ops.pipeline.served import decode, decode_ids, encode, encode_tokens, id_finding, kept_ids
from graph_ops.settings import make_settings
from graph_ops.text.tokens import TokenRows
from tests.twins.vocabularies import REPEATABLE

ROW = RowConfig(sequence_length=20, num_vision_tokens_per_image=3)


@pytest.fixture(scope="module")
def text(demonstration_tokenizer):
    return make_settings(demonstration_tokenizer, RowConfig(sequence_length=8), {})


@pytest.fixture(scope="module")
def media(demonstration_tokenizer):
    configs = {"image": ImageConfig(max_soft_tokens=2), "audio": AudioConfig(max_audio_length=1)}
    return make_settings(demonstration_tokenizer, ROW, configs)


def run(settings, *, training=False, served=True, length=None, **inputs):
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    length = length or settings.row.sequence_length
    return encode(tensors, settings, sequence_length=length, training=training, served=served)


@pytest.mark.parametrize("training", [False, True])
def test_rows_are_the_ids_of_the_tokenizer_between_start_and_end(text, training):
    prompts, responses = ["hello", ""], ["a", "b"]
    inputs = {"prompts": prompts} | ({"responses": responses} if training else {})
    features, finding = run(text, training=training, **inputs)
    assert features.keys() == set(feature_names("text", *(["labels"] if training else [])))
    for row in range(2):
        ids = [2, *text.tokenizer(prompts[row]).numpy()]
        answer = [*text.tokenizer(responses[row]).numpy(), 1] if training else []
        assert features["token_ids"][row].numpy().tolist()[: len(ids) + len(answer)] == ids + answer
        assert int(tf.math.count_nonzero(features["padding_mask"][row])) == len(ids) + len(answer)
        if training:
            weighed = features["y"][row].numpy()[features["sample_weight"][row].numpy()]
            assert weighed.tolist() == answer
    assert features["position_ids"].numpy().tolist() == [list(range(8))] * 2
    assert finding.fault.numpy().tolist() == [0, 0]


def test_served_rows_have_every_tensor_with_its_static_dims(media):
    specs = {
        "prompts": tf.TensorSpec([None], tf.string),
        "audio": tf.TensorSpec([None, None, None], tf.float32),
        "audio_lengths": tf.TensorSpec([None, None], tf.int32),
    }
    step = tf.function(
        lambda inputs: encode(inputs, media, sequence_length=20, training=False, served=True),
        input_signature=[specs],
        autograph=False,
    )
    features, _ = step.get_concrete_function().structured_outputs
    assert features.keys() == set(feature_names("text", "audio"))
    for name, tensor in features.items():
        sizes = {**media.dim_sizes, "B": None}
        dims = [sizes[dim] if isinstance(dim, str) else dim for dim in BY_NAME[name].dims]
        assert tensor.shape.as_list()[1:] == dims[1:], name


def test_a_row_with_more_items_than_slots_is_padding_with_a_fault(media):
    clips, lengths = np.zeros([2, 2, 1_600], np.float32), [[1_600, 1_600], [1_600, 0]]
    prompts = ["<|audio|><|audio|>", "<|audio|>"]
    features, finding = run(media, prompts=prompts, audio=clips, audio_lengths=lengths)
    assert finding.fault.numpy().tolist() == [Fault.AUDIO_LIMIT, Fault.NONE]
    assert finding.detail.numpy().tolist() == [[2, 1], [0, 0]]
    assert features["audio_mel"].shape[:2] == (2, 1)
    assert [int(tf.reduce_sum(mask)) for mask in features["audio_mel_mask"]] == [0, 10]
    assert not features["padding_mask"].numpy()[0].any()
    assert features["audio_mask"].numpy()[1].sum() == 3


def test_only_rows_that_are_not_served_keep_their_slots_and_are_trimmed(media):
    clip = {"audio": np.zeros([1, 1, 1_600], np.float32), "audio_lengths": [[1_600]]}
    for served, (frames, indices) in {True: (100, 25), False: (12, 3)}.items():
        features, _ = run(media, prompts=["<|audio|>"], responses=["a"], served=served, training=True, **clip)
        assert features["audio_mel"].shape == (1, 1, frames, 128)
        assert features["audio_indices"].shape == (1, indices)
        assert features["audio_mask"].numpy().sum() == 3


def test_what_was_found_before_tokens_stays_the_rows_fault(text):
    before = Finding(tf.constant([0, int(Fault.TEXT_LENGTH)]), tf.constant([[0, 0], [9, 5]]))
    rows = TokenRows(tf.constant([[300], [301]]), tf.constant([1, 1]))
    settings: dict[str, Any] = {"sequence_length": 3, "training": False, "served": True}
    features, finding = encode_tokens(rows, None, {}, text, also=before, **settings)
    assert features["token_ids"].numpy().tolist() == [[2, 300, 0], [0, 0, 0]]
    assert finding.fault.numpy().tolist() == [0, Fault.TEXT_LENGTH]


IDS = st.lists(st.lists(st.integers(-2, 4_099) | st.just(2**31 - 1), min_size=4, max_size=4), max_size=3)


@REPEATABLE
@given(IDS, st.integers(0, 15))
def test_the_first_kept_id_outside_the_vocabulary_is_reported(demonstration_tokenizer, rows, mask):
    ids = tf.reshape(tf.constant(rows, tf.int32), [len(rows), 4])
    keep = np.array([bool(mask >> place & 1) for place in range(4)])
    wrong = [[each for each in np.array(row)[keep].tolist() if not 0 <= each < 4_096] for row in rows]
    found = id_finding(ids, tf.constant(np.tile(keep, [len(rows), 1])), demonstration_tokenizer)
    expected = [Fault.TOKEN_ID_OUT_OF_RANGE if row else Fault.NONE for row in wrong]
    assert found.fault.numpy().tolist() == expected
    assert found.detail.numpy().tolist() == [[row[0], 4_096] if row else [0, 0] for row in wrong]


def test_generated_texts_are_without_special_tokens_and_padding(media, text):
    rows = media.tokenizer.tokenize_rows(tf.constant(["a <|image><|image|><image|>b<|audio>c", "caf\u00e9"]))
    padding_mask = tf.sequence_mask(rows.lengths, rows.token_ids.shape[1])
    texts, finding = decode(rows.token_ids, padding_mask, media)
    assert [each.decode() for each in texts.numpy()] == ["a <|image>bc", "caf\u00e9"]
    assert finding.fault.numpy().tolist() == [0, 0]
    audio = text.tokenizer.vocabulary.find("<|audio|>")
    ids = tf.constant([[audio, 300, 2]])
    for settings, kept in ((media, [False, True, False]), (text, [True, True, False])):
        assert kept_ids(ids, tf.constant([[True] * 3]), settings).numpy().tolist() == [kept]


def test_a_faulty_rows_text_is_empty(demonstration_tokenizer):
    ids, keep = tf.constant([[300, 4_096], [300, 301]]), tf.ones([2, 2], tf.bool)
    texts, finding = decode_ids(ids, keep, demonstration_tokenizer)
    assert texts.numpy().tolist() == [b"", demonstration_tokenizer.detokenize([300, 301]).numpy()]
    assert finding.fault.numpy().tolist() == [Fault.TOKEN_ID_OUT_OF_RANGE, 0]
