"""Log-mel frames, masks and soft-token counts against both references and the NumPy twin."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.audio import encode as audio
from graph_ops.config import AudioConfig
from graph_ops.faults import Fault
from graph_ops.target import LITERT, TENSORFLOW
from tests.graph_ops.audio.sounds import (
    CONFIG,
    PARITIES,
    SHORT,
    SIGNALS,
    TOLERANCE,
    TOLERANCES,
    extract,
    samples_of,
    speech_like,
    wav_file,
)
from tests.twins import audio as twin

ARRAYS = [tf.TensorSpec([None, None], tf.float32), tf.TensorSpec([None], tf.int32)]


def traced(parity, config=CONFIG, target=TENSORFLOW):
    return tf.function(
        lambda samples, lengths: audio.encode_audio(
            samples, lengths, parity=parity, config=config, target=target
        )[:3],
        input_signature=ARRAYS,
        autograph=False,
    )


ENCODE = {parity: traced(parity) for parity in PARITIES}
ENCODE_BY_MATMUL = {parity: traced(parity, target=LITERT) for parity in PARITIES}
ENCODE_SHORT = {parity: traced(parity, SHORT) for parity in PARITIES}


@pytest.mark.parametrize("signal", SIGNALS)
def test_transformers_parity_equals_the_extractor(signal, extractor):
    samples = SIGNALS[signal](48_000)
    mel, mask, count = ENCODE["transformers"](samples[np.newaxis], [len(samples)])
    frames, frame_mask = extract(extractor, samples)
    np.testing.assert_allclose(mel[0, : len(frames)], frames, rtol=0, atol=TOLERANCE)
    np.testing.assert_array_equal(mask[0, : len(frames)], frame_mask)
    assert not mel[0, len(frames) :].numpy().any()
    assert not mask[0, len(frames) :].numpy().any()
    assert count[0] == 75


@pytest.mark.parametrize("signal", SIGNALS)
def test_matrix_products_equal_the_extractor_too(signal, extractor):
    samples = SIGNALS[signal](48_000)
    mel, mask, _ = ENCODE_BY_MATMUL["transformers"](samples[np.newaxis], [len(samples)])
    frames, frame_mask = extract(extractor, samples)
    np.testing.assert_allclose(mel[0, : len(frames)], frames, rtol=0, atol=TOLERANCES[LITERT])
    np.testing.assert_array_equal(mask[0, : len(frames)], frame_mask)


@pytest.mark.parametrize("signal", SIGNALS)
def test_keras_hub_parity_equals_the_converter_on_all_frames(signal, converter):
    samples = SIGNALS[signal](48_000)
    mel, mask, count = ENCODE["keras_hub"](samples[np.newaxis], [len(samples)])
    np.testing.assert_allclose(mel[0], converter(samples), rtol=0, atol=TOLERANCE)
    np.testing.assert_array_equal(mask[0], np.arange(3_000) < 300)
    assert count[0] == 75


def test_transformers_parity_equals_the_extractor_for_every_short_length(extractor):
    samples, encode = SIGNALS["noise"](2_000), ENCODE_SHORT["transformers"]
    for first in range(0, 2_001, 400):
        lengths = np.arange(first, min(first + 400, 2_001))
        mel, mask, count = (result.numpy() for result in encode(np.tile(samples, [len(lengths), 1]), lengths))
        for row, length in enumerate(lengths):
            frames, frame_mask = extract(extractor, samples[:length])
            np.testing.assert_array_equal(mask[row], np.pad(frame_mask, [0, 100 - len(frame_mask)]))
            np.testing.assert_allclose(
                mel[row], np.pad(frames, [[0, 100 - len(frames)], [0, 0]]), rtol=0, atol=TOLERANCE
            )
            assert count[row] == twin.count_soft_tokens(frame_mask)


@pytest.mark.parametrize(
    "length", [479_839, 479_840, 479_841, 479_873, 479_999, 480_000, 480_001, 480_160, 480_321, 500_000]
)
def test_both_parities_equal_their_reference_around_thirty_seconds(length, extractor, converter):
    samples = SIGNALS["speech-like"](length)
    mel, mask, count = ENCODE["transformers"](samples[np.newaxis], [length])
    frames, frame_mask = extract(extractor, samples)
    np.testing.assert_array_equal(mask[0], np.pad(frame_mask, [0, 3_000 - len(frames)]))
    np.testing.assert_allclose(mel[0, : len(frames)], frames, rtol=0, atol=TOLERANCE)
    assert count[0] == 750
    mel, mask, count = ENCODE["keras_hub"](samples[np.newaxis], [length])
    np.testing.assert_allclose(mel[0], converter(samples), rtol=0, atol=TOLERANCE)
    assert mask.numpy().sum() == min(length // 160, 3_000)
    assert count[0] == 750


@pytest.mark.parametrize("length", [0, 160, 161, 319, 320, 321])
def test_keras_hub_parity_equals_the_converter_for_short_lengths(length, converter):
    samples = SIGNALS["noise"](length)
    mel, mask, count = ENCODE["keras_hub"](samples[np.newaxis], [length])
    np.testing.assert_allclose(mel[0], converter(samples), rtol=0, atol=TOLERANCE)
    assert mask.numpy().sum() == length // 160
    assert count[0] == -(-(length // 160) // 4)


@pytest.mark.parametrize("parity", PARITIES)
def test_equals_the_slow_twin_with_mean_and_deviation(parity):
    rng = np.random.default_rng(0)
    config = AudioConfig(
        max_audio_length=1,
        per_bin_mean=tuple(rng.normal(size=128)),
        per_bin_stddev=tuple(rng.uniform(0.5, 2, 128)),
    )
    samples = SIGNALS["speech-like"](5_432)
    results = traced(parity, config)(samples[np.newaxis], [len(samples)])
    for result, expected in zip(results, twin.encode(samples, parity=parity, config=config), strict=True):
        np.testing.assert_allclose(result[0], expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("parity", PARITIES)
def test_a_batch_equals_its_rows_and_garbage_in_the_padding_changes_nothing(parity):
    lengths = [3_000, 0, 160, 9_999, 161, 1]
    batch = np.full([len(lengths), 12_000], np.nan, np.float32)
    for row, length in enumerate(lengths):
        batch[row, :length] = SIGNALS["noise"](length)
    results = ENCODE_SHORT[parity](batch, lengths)
    for row, length in enumerate(lengths):
        for result, alone, expected in zip(
            results,
            ENCODE_SHORT[parity](batch[row : row + 1, :length], [length]),
            twin.encode(batch[row, :length], parity=parity, config=SHORT),
            strict=True,
        ):
            np.testing.assert_allclose(result[row], alone[0], rtol=0, atol=TOLERANCE)
            np.testing.assert_allclose(result[row], expected, rtol=0, atol=TOLERANCE)


def test_a_row_without_a_clip_is_silence_that_no_mask_shows():
    mel, mask, count = ENCODE_SHORT["keras_hub"](np.full([2, 50], np.nan, np.float32), [0, 0])
    np.testing.assert_array_equal(mel, np.broadcast_to(np.float32(np.log(1e-3)), [2, 100, 128]))
    assert not mask.numpy().any()
    assert not count.numpy().any()


@pytest.mark.parametrize("parity", PARITIES)
@pytest.mark.parametrize(("rows", "length"), [(0, 0), (0, 500), (2, 0)])
def test_empty_batches_and_empty_rows_have_the_same_shapes(parity, rows, length):
    mel, mask, count = ENCODE_SHORT[parity](np.zeros([rows, length], np.float32), np.zeros([rows], np.int32))
    assert mel.shape == [rows, 100, 128]
    assert mask.shape == [rows, 100]
    assert count.shape == [rows]


@pytest.mark.parametrize("wrong", [5_000, 1_001, -3])
@pytest.mark.parametrize("parity", PARITIES)
def test_a_length_outside_the_row_is_a_fault_and_no_clip(parity, wrong):
    samples = np.repeat(SIGNALS["noise"](1_000)[np.newaxis], 2, axis=0)
    found = audio.encode_audio(samples, tf.constant([wrong, 1_000]), parity=parity, config=SHORT)
    assert found.finding.fault.numpy().tolist() == [Fault.AUDIO_LENGTH, Fault.NONE]
    assert found.finding.detail.numpy().tolist() == [[wrong, 1_000], [0, 0]]
    for one, other in zip(found[:3], ENCODE_SHORT[parity](samples, [0, 1_000]), strict=True):
        np.testing.assert_array_equal(one, other)


LEAST = {"keras_hub": 160, "transformers": 161}  # samples of a clip with a soft token


@pytest.mark.parametrize("target", [TENSORFLOW, LITERT], ids=lambda target: target.name)
@pytest.mark.parametrize("parity", PARITIES)
def test_a_clip_too_short_for_a_soft_token_is_a_fault_and_no_clip(parity, target):
    least = LEAST[parity]
    lengths = [least - 1, least, 1, 0, 1_000]
    samples = np.repeat(SIGNALS["noise"](1_000)[np.newaxis], len(lengths), axis=0)
    found = audio.encode_audio(samples, tf.constant(lengths), parity=parity, config=SHORT, target=target)
    is_short = [True, False, True, False, False]
    assert found.finding.fault.numpy().tolist() == [23 * short for short in is_short]
    assert found.finding.detail.numpy().tolist() == [[least - 1, least], [0, 0], [1, least], [0, 0], [0, 0]]
    assert found.num_soft_tokens.numpy().tolist() == [0, 1, 0, 0, 2]
    without = tf.where(is_short, 0, lengths)
    for one, other in zip(found[:3], traced(parity, SHORT, target)(samples, without), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=TOLERANCES[target])


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
@pytest.mark.parametrize("parity", PARITIES)
def test_a_file_too_short_for_a_soft_token_is_a_fault(parity, rate):
    least = LEAST[parity]
    frames = [(least - 1) * rate // 16_000, -(-least * rate // 16_000)]
    files = [wav_file(speech_like(length), rate) for length in frames]
    found = audio.encode_wavs(tf.constant([*files, b""]), parity=parity, config=SHORT)
    assert found.finding.fault.numpy().tolist() == [Fault.AUDIO_TOO_SHORT, Fault.NONE, Fault.NONE]
    assert found.finding.detail.numpy()[0].tolist() == [-(-frames[0] * 16_000 // rate), least]
    assert found.num_soft_tokens.numpy().tolist() == [0, 1, 0]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("target", [TENSORFLOW, LITERT], ids=lambda target: target.name)
@pytest.mark.parametrize("parity", PARITIES)
def test_a_sample_that_no_spectrogram_can_be_computed_of_is_a_fault_of_its_clip(parity, target, value):
    samples = np.repeat(SIGNALS["noise"](1_000)[np.newaxis], 3, axis=0)
    samples[1, [7, 500, 950]] = value
    lengths = [1_000, 900, 400]
    samples[2, 400:] = np.nan  # past the end: not looked at
    encode = tf.function(
        lambda samples, lengths: audio.encode_audio(
            samples, lengths, parity=parity, config=SHORT, target=target
        ),
        autograph=False,
    )
    found = encode(tf.constant(samples), tf.constant(lengths))
    assert found.finding.fault.numpy().tolist() == [Fault.NONE, Fault.AUDIO_VALUE, Fault.NONE]
    assert found.finding.detail.numpy().tolist() == [[0, 0], [2, 7], [0, 0]]
    assert np.isfinite(found.values.numpy()[[0, 2]]).all()
    assert found.num_soft_tokens.numpy()[1] == 0
    assert not found.mask.numpy()[1].any()


def test_an_unknown_parity_is_refused():
    with pytest.raises(ValueError, match="`parity` must be one of"):
        audio.encode_audio(tf.zeros([1, 9]), tf.constant([9]), parity="keras", config=CONFIG)


@pytest.mark.parametrize("parity", PARITIES)
def test_wavs_equal_their_samples_and_a_fault_is_no_clip(parity):
    files = [
        wav_file(speech_like(4_000)),
        b"",
        b"junk",
        wav_file(np.zeros(0)),
        wav_file(speech_like(9_000), 48_000, 2),
    ]
    mel, mask, count, (fault, detail) = audio.encode_wavs(tf.constant(files), parity=parity, config=SHORT)
    np.testing.assert_array_equal(fault, [0, 0, Fault.AUDIO_UNDECODABLE, Fault.AUDIO_EMPTY, 0])
    np.testing.assert_array_equal(detail, [[0, 0], [0, 0], [4, 0], [0, 0], [0, 0]])
    assert count.numpy().tolist() == ([7, 0, 0, 0, 5] if parity == "keras_hub" else [6, 0, 0, 0, 5])
    for row in (2, 3):
        np.testing.assert_array_equal(mel[row], mel[1])
    samples = np.round(speech_like(4_000) * 32_767) / 32_768
    expected = twin.encode(samples, parity=parity, config=SHORT)
    np.testing.assert_allclose(mel[0], expected[0], atol=TOLERANCE)
    np.testing.assert_array_equal(mask[0], expected[1])


@pytest.mark.parametrize("parity", PARITIES)
def test_a_saved_model_gives_the_same_and_holds_no_python(parity, tmp_path):
    module = tf.Module()
    wavs = [tf.TensorSpec([None], tf.string)]
    module.wavs = tf.function(
        lambda encoded: tf.nest.flatten(audio.encode_wavs(encoded, parity=parity, config=SHORT)),
        input_signature=wavs,
        autograph=False,
    )
    module.arrays = traced(parity, SHORT)
    concrete = module.wavs.get_concrete_function()
    assert [output.shape.as_list() for output in concrete.outputs] == [
        [None, 100, 128],
        [None, 100],
        [None],
        [None],
        [None, 2],
    ]
    operations = {
        node.op for function in concrete.graph.as_graph_def().library.function for node in function.node_def
    }
    assert not {name for name in operations if "Py" in name or "File" in name}
    module.wavs = concrete  # as a `tf.function` it would be traced once more
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    files = [wav_file(speech_like(3_000), rate) for rate in (16_000, 8_000, 44_100, 44_099)] + [b"", b"junk"]
    for result, expected in zip(
        loaded.wavs(tf.constant(files)),
        tf.nest.flatten(audio.encode_wavs(tf.constant(files), parity=parity, config=SHORT)),
        strict=True,
    ):
        np.testing.assert_allclose(result[0], expected[0], rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(result, expected, rtol=0, atol=twin.RESAMPLED_LOG_MEL_ERROR)
    assert loaded.wavs(tf.constant([], tf.string))[0].shape == [0, 100, 128]
    samples = np.full([1, 900], np.nan, np.float32)
    samples[0, :500] = 0.5
    for result, expected in zip(
        loaded.arrays(samples, tf.constant([500])), ENCODE_SHORT[parity](samples[:, :500], [500]), strict=True
    ):
        np.testing.assert_allclose(result, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("parity", PARITIES)
def test_litert_needs_builtin_ops_only(parity):
    interpreter_module = pytest.importorskip("ai_edge_litert.interpreter")
    names = ["mel", "mask", "count"]
    module = tf.Module()
    module.encode = tf.function(
        lambda samples, lengths: dict(
            zip(
                names,
                audio.encode_audio(samples, lengths, parity=parity, config=SHORT, target=LITERT)[:3],
                strict=True,
            )
        ),
        input_signature=[
            tf.TensorSpec([1, None], tf.float32, "samples"),
            tf.TensorSpec([1], tf.int32, "lengths"),
        ],
        autograph=False,
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [module.encode.get_concrete_function()], module
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    run = interpreter_module.Interpreter(model_content=converter.convert()).get_signature_runner()
    samples = speech_like(7_000)[np.newaxis]
    result, expected = (
        run(samples=samples, lengths=np.array([7_000], np.int32)),
        ENCODE_SHORT[parity](samples, [7_000]),
    )
    for name, value in zip(names, expected, strict=True):
        np.testing.assert_allclose(result[name], value, rtol=0, atol=TOLERANCES[LITERT])


def test_recorded_speech_equals_the_extractor(speech, extractor):
    samples = samples_of(speech)
    mel, mask, _, (fault, _) = audio.encode_wavs(tf.constant([speech]), parity="transformers", config=CONFIG)
    by_matmul, _, _ = ENCODE_BY_MATMUL["transformers"](samples[np.newaxis], [len(samples)])
    frames, frame_mask = extract(extractor, samples)
    np.testing.assert_allclose(by_matmul[0, : len(frames)], frames, rtol=0, atol=TOLERANCES[LITERT])
    assert fault[0] == Fault.NONE
    np.testing.assert_allclose(mel[0, : len(frames)], frames, rtol=0, atol=TOLERANCE)
    np.testing.assert_array_equal(mask[0, : len(frames)], frame_mask)
