"""Each step in each place that it runs: eagerly, traced with unknown dims, reloaded, in LiteRT, and with
garbage in the padding.

    STEPS      what is run, with small inputs and what may be garbage in them
    PLACES     how it is run
    matrix()   which step runs on which target, for the documentation
"""

import dataclasses
import functools
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from export.verify import samples
from graph_ops import Gemma4Tokenizer
from graph_ops.audio import encode as audio
from graph_ops.audio.mel import log_mel_spectrogram
from graph_ops.audio.resample import resample
from graph_ops.audio.wav import decode_wavs
from graph_ops.config import AudioConfig, ImageConfig
from graph_ops.family import GEMMA4_UNIFIED
from graph_ops.image.encode import encode_image_arrays, encode_images
from graph_ops.image.resize import resize_bicubic
from graph_ops.image.target_size import target_size
from graph_ops.rows import packing, placeholders
from graph_ops.target import LITERT, TENSORFLOW, Target
from graph_ops.text.bpe import utf8
from tests.data import DEMONSTRATION

IMAGE, AUDIO = ImageConfig(max_soft_tokens=4), AudioConfig(max_audio_length=1)
RAW = dataclasses.replace(GEMMA4_UNIFIED.audio or AUDIO, max_audio_length=1)
LITERT_MEL_TOLERANCE = 5e-5
"""Of a natural logarithm: float32 matrix products in place of a float64 FFT; see `audio.magnitude`."""
TENSORFLOW_MEL_TOLERANCE = 2e-6
"""The same FFT over rows in another number: the order of additions in the mel product depends on it."""


class Step(NamedTuple):
    """A step and what to run it on.

    Attributes:
        name: module and function.
        function: for a target, from tensors to a nest of tensors.
        inputs: arrays, padding included.
        garbage: the same with other values where nothing may be read.
        shapes: of the inputs in a trace; None where a dim varies.
        litert: shapes of the inputs in LiteRT, or why it does not run there.
        tolerance: by target, of the float outputs.
    """

    name: str
    function: Callable[[Target], Callable[..., Any]]
    inputs: Sequence[np.ndarray]
    garbage: Sequence[np.ndarray]
    shapes: Sequence[Sequence[int | None]]
    litert: Sequence[Sequence[int | None]] | str
    tolerance: dict[Target, float] = {TENSORFLOW: 0.0, LITERT: 0.0}  # noqa: RUF012  never changed


def run_eagerly(step: Step, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Op by op."""
    return _arrays(step.function(TENSORFLOW)(*map(tf.constant, inputs)))


def run_traced(step: Step, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """As one graph, for every size."""
    return _arrays(_traced(step.name)(*map(tf.constant, inputs)))


def run_reloaded(step: Step, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """From a SavedModel."""
    return _arrays(_reloaded(step.name).step(*map(tf.constant, inputs)))


def run_in_litert(step: Step, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """In LiteRT's interpreter, from builtin ops alone; twice, since a second run was seen to differ."""
    runner = Interpreter(model_content=_litert_model(step.name)).get_signature_runner()
    given = {f"input_{index}": array for index, array in enumerate(inputs)}
    runner(**{name: np.zeros_like(array) for name, array in given.items()})
    outputs = runner(**given)
    return [outputs[name] for name in sorted(outputs, key=lambda name: int(name.rpartition("_")[2]))]


PLACES = {
    "eager": run_eagerly,
    "traced": run_traced,
    "reloaded": run_reloaded,
    "LiteRT": run_in_litert,
}


def target_of(place: str) -> Target:
    """The target that a place belongs to."""
    return LITERT if place == "LiteRT" else TENSORFLOW


def matrix() -> list[tuple[str, str, str]]:
    """Step, whether it runs on TensorFlow, whether it runs on LiteRT or why not."""
    return [(step.name, "yes", step.litert if isinstance(step.litert, str) else "yes") for step in STEPS]


def _arrays(outputs: Any) -> list[np.ndarray]:
    return [output.numpy() for output in tf.nest.flatten(outputs)]


@functools.cache
def _traced(name: str) -> Any:
    step = _step(name)
    dtypes = [tf.constant(array).dtype for array in step.inputs]
    specs = [tf.TensorSpec(*spec) for spec in zip(step.shapes, dtypes, strict=True)]
    function = step.function(TENSORFLOW)
    # not a partial, the bound arguments of which SavedModel would want to store
    return tf.function(lambda *tensors: function(*tensors), input_signature=specs, autograph=False)


@functools.cache
def _reloaded(name: str) -> Any:
    module = tf.Module()
    module.step = _traced(name).get_concrete_function()  # as a `tf.function` it would be traced once more
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder)
        return tf.saved_model.load(folder)


@functools.cache
def _litert_model(name: str) -> bytes:
    step = _step(name)
    assert not isinstance(step.litert, str)
    function = step.function(LITERT)

    def flat(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        return {f"output_{index}": part for index, part in enumerate(tf.nest.flatten(function(*tensors)))}

    specs = [
        tf.TensorSpec(shape, array.dtype, name=f"input_{index}")
        for index, (shape, array) in enumerate(zip(step.litert, step.inputs, strict=True))
    ]
    module = tf.Module()
    module.step = tf.function(flat, input_signature=specs, autograph=False)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([module.step.get_concrete_function()], module)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter.convert()


def _step(name: str) -> Step:
    return next(step for step in STEPS if step.name == name)


def _padded_images(fill: int) -> np.ndarray:
    images = np.full((2, 70, 90, 3), fill, np.uint8)
    images[0, :41, :90] = samples.pixels(41, 90)
    images[1, :70, :50] = samples.pixels(70, 50, seed=1)
    return images


def _padded_clips(fill: float) -> np.ndarray:
    clips = np.full((2, 4_000), fill, np.float32)
    clips[0, :3_300] = samples.sounds(3_300)["noise"]
    clips[1, :900] = samples.sounds(900)["sweep"]
    return clips


def _padded_ids(fill: int) -> np.ndarray:
    return np.array([[5, 7, 5, 2, fill], [7, fill, fill, fill, fill]], np.int32)


def _padded_text(fill: int) -> np.ndarray:
    text = "A fox <turn|> 🦊 zyx <start_of_turn>".encode() + b"\xff\xc3"
    return np.frombuffer(text + bytes([fill]) * 9, np.uint8)


LENGTHS = np.array([4, 1], np.int32)
TEXT_LENGTH = np.array(len(_padded_text(0)) - 9, np.int32)
WAVS = [
    tf.audio.encode_wav(samples.sounds(800)["noise"][:, np.newaxis], rate).numpy() for rate in (16_000, 8_000)
] + [b"", b"no clip"]
PNG = [tf.io.encode_png(samples.pixels(20, 30)).numpy(), b"", b"no image"]


@functools.lru_cache(maxsize=1)
def _engine() -> Any:
    return Gemma4Tokenizer(DEMONSTRATION, engine="builtin").engine


def _expand(target: Target) -> Callable[..., Any]:
    medium = placeholders.Placeholder(6, 7, 8, tf.constant([[2], [3]]))

    def step(ids: tf.Tensor, lengths: tf.Tensor) -> Any:
        expanded = placeholders.expand_placeholders(ids, lengths, [medium], width=9)
        inside = tf.sequence_mask(expanded.lengths, 9)  # what lies past the length is unspecified
        return tf.where(inside, expanded.token_ids, 0), expanded.lengths, expanded.media_end, *expanded.starts

    return step


def _pack(target: Target) -> Callable[..., Any]:
    def step(ids: tf.Tensor, lengths: tf.Tensor) -> Any:
        segment = packing.Segment(ids, lengths)
        empty = packing.Segment(ids[:, :1], tf.zeros_like(lengths))
        settings = {"sequence_length": 8, "start_id": 2, "end_id": 1, "pad_id": 0}
        rows = packing.pack_rows(segment, empty, keep=lengths > 0, **settings)
        return rows.token_ids, tf.cast(rows.padding_mask, tf.int32), tf.cast(rows.response_mask, tf.int32)

    return step


def _labels(target: Target) -> Callable[..., Any]:
    def step(ids: tf.Tensor, mask: tf.Tensor) -> Any:
        rows, y, weights = packing.next_token_labels(packing.Rows(ids, ids > 0, mask > 0))
        return rows.token_ids, y, tf.cast(weights, tf.int32)

    return step


def _texts(target: Target) -> Callable[..., Any]:
    def step(ids: tf.Tensor, keep: tf.Tensor) -> Any:
        codes, lengths = _engine().detokenize_bytes(ids, keep > 0)[:2]
        return codes, lengths

    return step


def _tokens(target: Target) -> Callable[..., Any]:
    return lambda codes, length: _engine().tokenize_bytes(codes, length)[:2]


STEPS = [
    Step(
        "image.encode_image_arrays",
        lambda target: functools.partial(encode_image_arrays, config=IMAGE, target=target),
        [_padded_images(0), np.array([[41, 90], [70, 50]], np.int32)],
        [_padded_images(255), np.array([[41, 90], [70, 50]], np.int32)],
        [[None, None, None, 3], [None, 2]],
        [[2, None, None, 3], [2, 2]],
        {TENSORFLOW: 0.0, LITERT: 1e-7},  # a product with the reciprocal of 255 in place of a division
    ),
    Step(
        "image.encode_images",
        lambda target: functools.partial(encode_images, config=IMAGE),
        [np.array(PNG, object)],
        [np.array(PNG, object)],
        [[None]],
        "no strings: apps decode files",
    ),
    Step(
        "image.resize_bicubic",
        lambda target: lambda pixels: resize_bicubic(pixels, tf.constant(48), tf.constant(96)),
        [samples.pixels(41, 90)[np.newaxis]],
        [samples.pixels(41, 90)[np.newaxis]],
        [[None, None, None, 3]],
        "no float64: `image.resize_litert` gives the same bytes, as part of `image.encode_image_arrays`",
    ),
    Step(
        "image.target_size",
        lambda target: functools.partial(target_size, config=IMAGE),
        [np.array([480, 5, 0, 3_000], np.int32), np.array([640, 300, 0, 2], np.int32)],
        [np.array([480, 5, 0, 3_000], np.int32), np.array([640, 300, 0, 2], np.int32)],
        [[None], [None]],
        [[4], [4]],
    ),
    *(
        Step(
            f"audio.encode_audio, {name}",
            functools.partial(
                lambda parity, config, target: functools.partial(
                    audio.encode_audio, parity=parity, config=config, target=target
                ),
                parity,
                config,
            ),
            [_padded_clips(0), np.array([3_300, 900], np.int32)],
            [_padded_clips(np.nan), np.array([3_300, 900], np.int32)],
            [[None, None], [None]],
            [[2, None], [2]],
            {TENSORFLOW: TENSORFLOW_MEL_TOLERANCE, LITERT: LITERT_MEL_TOLERANCE},
        )
        for name, parity, config in (
            ("keras_hub", "keras_hub", AUDIO),
            ("transformers", "transformers", AUDIO),
            ("waveform", "transformers", RAW),
        )
    ),
    Step(
        "audio.decode_wavs",
        lambda target: functools.partial(decode_wavs, config=AUDIO),
        [np.array(WAVS, object)],
        [np.array(WAVS, object)],
        [[None]],
        "no strings: apps decode files",
    ),
    Step(
        "audio.resample",
        lambda target: functools.partial(resample, config=AUDIO),
        [samples.sounds(2_000)["sweep"], np.array(44_100, np.int32)],
        [samples.sounds(2_000)["sweep"], np.array(44_100, np.int32)],
        [[None], []],
        "apps pass samples at 16 kHz",
    ),
    Step(
        "audio.log_mel_spectrogram",
        lambda target: functools.partial(log_mel_spectrogram, num_frames=12, config=AUDIO, target=target),
        [_padded_clips(0)],
        [_padded_clips(0)],
        [[None, None]],
        [[2, 4_000]],
        {TENSORFLOW: TENSORFLOW_MEL_TOLERANCE, LITERT: LITERT_MEL_TOLERANCE},
    ),
    Step(
        "rows.expand_placeholders",
        _expand,
        [_padded_ids(0), LENGTHS],
        [_padded_ids(7), LENGTHS],
        [[None, None], [None]],
        [[2, None], [2]],
    ),
    Step(
        "rows.pack_rows",
        _pack,
        [_padded_ids(0), LENGTHS],
        [_padded_ids(9), LENGTHS],
        [[None, None], [None]],
        [[2, None], [2]],
    ),
    Step(
        "rows.next_token_labels",
        _labels,
        [_padded_ids(0), np.eye(2, 5, dtype=np.int32)],
        [_padded_ids(0), np.eye(2, 5, dtype=np.int32)],
        [[None, None], [None, None]],
        [[2, None], [2, None]],
    ),
    Step(
        "rows.soft_token_indices",
        lambda target: functools.partial(placeholders.soft_token_indices, block=4),
        [np.array([[0, 6], [4, 0]], np.int32), np.array([[3, 2], [1, 0]], np.int32)],
        [np.array([[0, 6], [4, 77]], np.int32), np.array([[3, 2], [1, 0]], np.int32)],
        [[None, None], [None, None]],
        [[2, 2], [2, 2]],
    ),
    Step(
        "text.bpe.utf8.decode",
        lambda target: lambda codes: utf8.decode(tf.cast(codes, tf.int32)).code_points,
        [_padded_text(0)],
        [_padded_text(0)],
        [[None]],
        [[None]],
    ),
    Step(
        "text.bpe.tokenize",
        _tokens,
        [_padded_text(0), TEXT_LENGTH],
        [_padded_text(0xFF), TEXT_LENGTH],
        [[None], []],
        [[None], []],
    ),
    Step(
        "text.bpe.detokenize",
        _texts,
        [np.array([900, 901, 902, 0], np.int32), np.array([1, 1, 1, 0], np.int32)],
        [np.array([900, 901, 902, 77], np.int32), np.array([1, 1, 1, 0], np.int32)],
        [[None], [None]],
        [[None], [None]],
    ),
]
