"""One graph for each kind of input, whatever the sizes."""

import pickle

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.config import ImageConfig, RowConfig
from graph_ops.faults import Fault
from graph_ops.layers.traces import MOST_TRACES, Traces, rows, specs_of
from graph_ops.settings import make_settings
from tests.comparing import assert_same
from tests.twins.vocabularies import REPEATABLE


def test_the_kept_graphs_are_bounded(make_preprocessor):
    preprocessor = make_preprocessor(images=False, audio=False)
    assert preprocessor._traces.graphs.cache_info().maxsize == MOST_TRACES
    for length in (5, 6, 5):
        preprocessor.generate_preprocess("a", sequence_length=length)
    assert preprocessor._traces.graphs.cache_info()[:2] == (1, 2)


KINDS = {
    "prompts": ("B", tf.string),
    "responses": ("B", tf.string),
    "images": ("BKHW3", tf.uint8),
    "image_sizes": ("BK2", tf.int32),
    "audio": ("BKT", tf.float32),
    "audio_lengths": ("BK", tf.int32),
    "pixel_values": ("BK78", tf.float32),
    "pixel_position_ids": ("BK72", tf.int32),
    "audio_mel": ("BKF8", tf.float32),
    "audio_mel_mask": ("BKF", tf.int32),
}
"""Dims of each input: letters vary, digits are the medium's own."""


def shaped(sizes):
    def size(dim):
        return int(dim) if dim.isdigit() else sizes[dim]

    return {name: tf.zeros([*map(size, dims)], dtype) for name, (dims, dtype) in KINDS.items()}


@REPEATABLE
@given(st.fixed_dictionaries({letter: st.integers(0, 3) for letter in "BKHWTF"}))
def test_only_the_kind_of_an_input_is_told_apart(sizes):
    specs = specs_of(shaped(sizes))
    assert hash(specs) == hash(specs_of(shaped(dict.fromkeys("BKHWTF", 2))))
    assert [name for name, _ in specs] == sorted(KINDS)
    for name, spec in specs:
        dims, dtype = KINDS[name]
        assert spec.dtype == dtype
        assert spec.shape.as_list() == [int(dim) if dim.isdigit() else None for dim in dims]


def test_files_and_arrays_are_different_kinds():
    files, arrays = ({"images": tf.zeros([1, 1], dtype)} for dtype in (tf.string, tf.uint8))
    assert specs_of(files) != specs_of(arrays)
    assert specs_of({}) == ()


@pytest.fixture(scope="module")
def settings(demonstration_tokenizer):
    row = RowConfig(sequence_length=12, num_vision_tokens_per_image=2)
    return make_settings(demonstration_tokenizer, row, {"image": ImageConfig(max_soft_tokens=2)})


def test_a_graph_gives_what_the_steps_give_for_any_size(settings):
    inputs = {"prompts": tf.constant(["a", "b"]), "responses": tf.constant(["c", ""])}
    choices, traces = {"settings": settings, "sequence_length": 12, "training": True}, Traces()
    for size in (2, 1, 0):
        some = {name: tensor[:size] for name, tensor in inputs.items()}
        assert_same(traces.run(rows, some, at_once=True, **choices)[0], rows(some, **choices)[0])
    graph = traces.graphs(rows, specs_of(inputs), **choices)
    assert graph.traced.experimental_get_tracing_count() == 1


def test_a_step_is_traced_when_a_kind_of_input_comes_often():
    ran = []

    def step(inputs, *, more):
        ran.append(tf.executing_eagerly())
        return inputs["prompts"] + more

    traces = Traces()
    found = [
        traces.run(step, {"prompts": tf.constant([str(number)])}, more=more).numpy().tolist()
        for more in "ab"
        for number in range(5)
    ]
    assert found == [[f"{number}{more}".encode()] for more in "ab" for number in range(5)]
    assert ran == [True, True, True, False] * 2
    traced = tf.function(lambda prompts: traces.run(step, {"prompts": prompts}, more="c"))
    assert traced(tf.constant(["x"])).numpy().tolist() == [b"xc"]
    assert traces.graphs.cache_info().currsize == 2
    copy = pickle.loads(pickle.dumps(traces))
    assert copy.graphs.cache_info().maxsize == MOST_TRACES


def test_rows_have_tensors_of_absent_media_and_what_is_wrong_with_them(settings):
    inputs = {"prompts": tf.constant(["a", "<|image|>"])}
    features, finding = rows(inputs, settings, sequence_length=9, training=False)
    assert features["pixel_values"].shape == (2, 0, 0, 768)
    assert features["audio_mel"].shape == (2, 0, 1, 128)
    assert features["token_ids"].shape == (2, 9)
    assert finding.fault.numpy().tolist() == [Fault.NONE, Fault.IMAGE_COUNT]
