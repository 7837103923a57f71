"""One row in bytes, as devices take it, beside the served batch."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import graph_ops
from graph_ops.config import AudioConfig, ImageConfig, RowConfig
from graph_ops.faults import Fault
from graph_ops.media.audio import AUDIO
from graph_ops.media.slots import from_arrays
from graph_ops.pipeline import served
from graph_ops.pipeline.litert import (
    Text,
    counted_slots,
    detokenize,
    engine_of,
    generate_postprocess,
    generate_preprocess,
    tokenize,
)
from graph_ops.settings import make_settings
from graph_ops.target import LITERT
from tests.data import DEMONSTRATION
from tests.twins.vocabularies import REPEATABLE

CONFIG = AudioConfig(max_audio_length=1)
FEWER = settings(REPEATABLE, max_examples=10)  # each runs some 2,000 ops


@pytest.fixture(scope="module")
def preset():
    tokenizer = graph_ops.Gemma4Tokenizer(DEMONSTRATION, engine="builtin")
    row = RowConfig(sequence_length=16, num_vision_tokens_per_image=2)
    return make_settings(tokenizer, row, {"image": ImageConfig(), "audio": CONFIG})


def text_of(content, *, length=None, garbage=0):
    """A text in a buffer that is 5 bytes longer."""
    codes = np.frombuffer(content + bytes([garbage] * 5), np.uint8)
    return Text(tf.constant(codes), tf.constant([len(content) if length is None else length]))


def string(text):
    return bytes(text.codes.numpy()[: int(text.length[0])])


def test_only_an_engine_of_builtin_ops_is_accepted(preset, demonstration_tokenizer):
    assert engine_of(preset) is preset.tokenizer.engine
    with pytest.raises(ValueError, match="`tokenizer`: a bundle for devices needs the engine 'builtin'"):
        engine_of(preset._replace(tokenizer=demonstration_tokenizer))


@FEWER
@given(st.binary(max_size=20) | st.text(max_size=20).map(str.encode), st.integers(0, 255))
def test_ids_are_the_tokenizers_whatever_lies_past_the_length(preset, demonstration_tokenizer, text, garbage):
    rows, finding = tokenize(text_of(text, garbage=garbage), preset)
    expected = demonstration_tokenizer.tokenize_rows(tf.constant([text]))
    count = int(rows.lengths[0])
    assert rows.token_ids[0, :count].numpy().tolist() == expected.token_ids[0].numpy().tolist()
    assert count == expected.lengths[0]
    assert not rows.token_ids[0, count:].numpy().any()
    assert finding.fault.numpy().tolist() == [0]


@pytest.mark.parametrize("length", [-1, 9, 2**31 - 1])
def test_a_length_outside_the_buffer_is_a_fault_and_no_text(preset, length):
    rows, finding = tokenize(text_of(b"abc", length=length), preset)
    assert (rows.lengths.numpy().tolist(), finding.fault.numpy().tolist()) == ([0], [Fault.TEXT_LENGTH])
    assert finding.detail.numpy().tolist() == [[length, 8]]
    text, finding = detokenize(tf.constant([[300] * 8]), tf.constant([length]), preset)
    assert (string(text), finding.fault.numpy().tolist()) == (b"", [Fault.TEXT_LENGTH])


@FEWER
@given(st.text("abc \u00e9\U0001f98a", max_size=12))
def test_a_text_comes_back_from_its_ids(preset, text):
    rows, _ = tokenize(text_of(text.encode()), preset)
    for capacity in (None, 64):
        again, finding = detokenize(*rows, preset, capacity=capacity)
        assert string(again) == text.encode()
        assert finding.fault.numpy().tolist() == [0]
        assert again.codes.dtype == tf.uint8
        assert capacity is None or again.codes.shape == (capacity,)


def test_an_id_outside_the_vocabulary_is_a_fault_unless_it_is_not_read(preset):
    ids = tf.constant([[300, 4_096, 301]])
    text, finding = detokenize(ids, tf.constant([3]), preset)
    assert (string(text), finding.fault.numpy().tolist()) == (b"", [Fault.TOKEN_ID_OUT_OF_RANGE])
    assert finding.detail.numpy().tolist() == [[4_096, 4_096]]
    for mask, faulty in (([[1, 1, 1]], True), ([[1, 0, 1]], False)):
        text, finding = generate_postprocess(ids, tf.constant(mask), preset)
        assert bool(finding.fault[0]) == faulty
        assert string(text) == (b"" if faulty else preset.tokenizer.detokenize([300, 301]).numpy())


def test_a_row_is_that_of_the_served_batch_and_reads_back_as_its_prompt(preset):
    clip = np.random.default_rng(0).uniform(-1, 1, (1, 1, 1_600)).astype(np.float32)
    how: dict[str, Any] = {"medium": AUDIO, "config": CONFIG, "parity": "keras_hub"}
    batch = from_arrays(tf.constant(clip), tf.constant([[1_600]]), target=LITERT, **how)
    features, finding = generate_preprocess(text_of(b"a <|audio|>b"), {"audio": batch}, preset)
    inputs = {"prompts": ["a <|audio|>b"], "audio": clip, "audio_lengths": [[1_600]]}
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    expected, _ = served.encode(tensors, preset, sequence_length=16, training=False, served=True)
    assert finding.fault.numpy().tolist() == [0]
    assert features.keys() == expected.keys()
    np.testing.assert_allclose(features.pop("audio_mel"), expected["audio_mel"], rtol=0, atol=5e-5)
    for name, feature in features.items():
        np.testing.assert_array_equal(feature, expected[name], err_msg=name)
    text, _ = generate_postprocess(features["token_ids"], tf.cast(features["padding_mask"], tf.int32), preset)
    assert string(text) == b"a b"


@pytest.mark.parametrize(("counts", "faulty"), [([[0, 3]], None), ([[1, 4]], 4), ([[-1, 9]], -1)])
def test_counts_outside_what_a_medium_takes_are_faults(counts, faulty):
    slots = counted_slots(tf.constant(counts), most=3)
    within = [count if 0 <= count <= 3 else 0 for count in counts[0]]
    assert slots.num_soft_tokens.numpy().tolist() == [within]
    assert slots.present.numpy().tolist() == [[count > 0 for count in within]]
    expected = [0, 0, 0] if faulty is None else [int(Fault.SOFT_TOKENS), faulty, 3]
    assert [int(slots.finding.fault[0]), *slots.finding.detail[0].numpy().tolist()] == expected
