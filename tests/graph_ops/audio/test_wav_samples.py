"""Samples of every kind are what libsndfile makes of them."""

import io

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from graph_ops.audio.riff import read_riff
from graph_ops.audio.wav_format import read_format
from graph_ops.audio.wav_samples import A_LAW_VALUES, KINDS, MU_LAW_VALUES, to_float
from tests.graph_ops.audio.wav_files import chunk, fmt, riff

EVERY_BYTE = bytes(range(256))
RNG = np.random.default_rng(0)


def floats_of(file):
    riff_parts, size = read_riff(tf.constant(file)), tf.constant(len(file), tf.int64)
    wav = read_format(tf.constant(file), riff_parts)
    raw = tf.strings.substr(file, riff_parts.data.start, tf.minimum(riff_parts.data.size, size))
    return to_float(raw, wav, is_big_endian=riff_parts.is_big_endian).numpy()


def libsndfile(file):
    return soundfile.read(io.BytesIO(file), dtype="float32")[0]


@pytest.mark.parametrize("endian", ["LITTLE", "BIG"])
@pytest.mark.parametrize(
    "subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"]
)
def test_files_that_libsndfile_writes_are_read_as_it_reads_them(subtype, endian):
    stream = io.BytesIO()
    values = np.concatenate([[-1, 1, 0, -0.0], RNG.uniform(-1, 1, 1_000)])
    soundfile.write(stream, values, 16_000, subtype, endian, "WAV")
    file = stream.getvalue()
    assert file[:4] == (b"RIFX" if endian == "BIG" else b"RIFF")
    np.testing.assert_array_equal(floats_of(file), libsndfile(file))


@pytest.mark.parametrize(("tag", "values"), [(6, A_LAW_VALUES), (7, MU_LAW_VALUES)])
def test_each_code_of_telephone_sound_has_its_value(tag, values):
    file = riff(fmt(tag, bits=8, rate=8_000), chunk(b"data", EVERY_BYTE))
    np.testing.assert_array_equal(values, libsndfile(file))
    np.testing.assert_array_equal(floats_of(file), values)
    assert values.dtype == np.float32


@pytest.mark.parametrize("bits", [1, 4, 8, 9, 12, 16, 17, 20, 24, 25, 31, 32])
def test_integers_stand_at_the_upper_end_of_their_bytes(bits):
    file = riff(fmt(bits=bits, block=(bits + 7) // 8), chunk(b"data", EVERY_BYTE * 3))
    np.testing.assert_array_equal(floats_of(file), libsndfile(file))


@pytest.mark.parametrize("bits", [20, 24])
def test_samples_of_24_bits_in_32_stand_at_either_end(bits):
    values = RNG.integers(-(2**23), 2**23, 500)
    expected = (values / 2**23).astype(np.float32)
    for shift in (0, 8):
        body = (values << shift).astype("<i4").tobytes()
        file = riff(fmt(bits=bits, block=4), chunk(b"data", body))
        np.testing.assert_array_equal(floats_of(file), expected)


def test_extremes_are_exact():
    body = bytes.fromhex("000080 ffffff 000000 010000 ffff7f")
    found = floats_of(riff(fmt(bits=24), chunk(b"data", body)))
    np.testing.assert_array_equal(found, [-1, -(2**-23), 0, 2**-23, np.float32(1 - 2**-23)])


def test_nothing_is_read_of_an_unknown_kind():
    file = riff(fmt(0x55, bits=0), chunk(b"data", b""))
    assert floats_of(file).shape == (0,)
    assert len(set(KINDS)) == len(KINDS)
