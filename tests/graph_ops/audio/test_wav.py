"""WAV files of every supported kind, and hostile ones."""

import io
import struct
import wave

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.audio import resample, wav
from graph_ops.audio.riff import MAX_CHUNKS
from graph_ops.config import AudioConfig
from graph_ops.faults import Fault, sentence
from tests.graph_ops.audio.wav_files import GOOD, GUID_TAIL, PCM_16, SINE, chunk, extensible, fmt, riff
from tests.twins import audio as twin

CONFIG, STRICT = AudioConfig(), AudioConfig(strict=True)

decode = tf.function(
    lambda encoded: wav.decode_wav(encoded, config=CONFIG),
    input_signature=[tf.TensorSpec([], tf.string)],
    autograph=False,
)
decode_batch = tf.function(
    lambda encoded: wav.decode_wavs(encoded, config=CONFIG),
    input_signature=[tf.TensorSpec([None], tf.string)],
    autograph=False,
)


def samples_of(file):
    samples, _, (fault, detail) = decode(file)
    assert fault == Fault.NONE, sentence(Fault(int(fault)), *detail.numpy())
    np.testing.assert_array_equal(detail, [0, 0])
    return samples.numpy()


def fault_of(file):
    samples, _, (fault, detail) = decode(file)
    assert samples.shape == [0]
    return Fault(int(fault)), *detail.numpy().tolist()


ENCODERS = {
    (1, 8): lambda x: np.round(x * 127 + 128).astype("u1").tobytes(),
    (1, 16): lambda x: np.round(x * (2**15 - 1)).astype("<i2").tobytes(),
    (1, 24): lambda x: b"".join(int(v).to_bytes(3, "little", signed=True) for v in np.round(x * (2**23 - 1))),
    (1, 32): lambda x: np.round(x * (2**31 - 1)).astype("<i4").tobytes(),
    (3, 32): lambda x: x.astype("<f4").tobytes(),
    (3, 64): lambda x: x.astype("<f8").tobytes(),
}


@pytest.mark.parametrize(("tag", "bits"), ENCODERS)
def test_every_format_is_decoded(tag, bits):
    file = riff(fmt(tag, bits=bits), chunk(b"data", ENCODERS[tag, bits](SINE)))
    np.testing.assert_allclose(
        samples_of(file), SINE, atol=max(2.0 ** (1 - bits) * 1.6, 1e-7) if tag == 1 else 1e-7
    )


@pytest.mark.parametrize(("tag", "bits"), ENCODERS)
def test_extensible_headers_name_their_format_in_the_guid(tag, bits):
    extra = struct.pack("<HHIH", 22, bits, 4, tag) + GUID_TAIL
    data = chunk(b"data", ENCODERS[tag, bits](SINE))
    np.testing.assert_array_equal(
        samples_of(riff(fmt(0xFFFE, bits=bits, extra=extra), data)),
        samples_of(riff(fmt(tag, bits=bits), data)),
    )


def test_full_scale_integers_are_exact():
    expected = {8: ([0, 128, 255], [-1, 0, 127 / 128]), 16: ([-(2**15), 0, 2**15 - 1], [-1, 0, 1 - 2**-15])}
    for bits, (integers, values) in expected.items():
        body = np.array(integers, "u1" if bits == 8 else "<i2").tobytes()
        np.testing.assert_array_equal(samples_of(riff(fmt(bits=bits), chunk(b"data", body))), values)
    body = bytes.fromhex("000080 ffffff 000000 010000 ffff7f")
    np.testing.assert_array_equal(
        samples_of(riff(fmt(bits=24), chunk(b"data", body))),
        [-1, -(2**-23), 0, 2**-23, np.float32(1 - 2**-23)],
    )


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 65])
def test_channels_are_mixed_by_their_mean(channels):
    values = np.random.default_rng(0).integers(-(2**15), 2**15, [200, channels])
    file = riff(fmt(channels=channels), chunk(b"data", values.astype("<i2").tobytes()))
    np.testing.assert_allclose(samples_of(file), values.mean(1) / 2**15, atol=1e-7)


def test_files_of_the_standard_library_are_read():
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((2, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.repeat(PCM_16, 2).tobytes())
    np.testing.assert_array_equal(samples_of(stream.getvalue()), PCM_16 / np.float32(2**15))


def test_chunks_around_the_data_are_skipped():
    extras = [
        chunk(b"bext", b"x" * 602),
        chunk(b"LIST", b"INFOodd"),
        chunk(b"fact", b"1234"),
        chunk(b"PAD ", b""),
    ]
    data = chunk(b"data", PCM_16.tobytes())
    for file in (
        riff(extras[0], fmt(), *extras[1:], data),
        riff(fmt(extra=b"\0\0"), data, *extras),
        riff(*extras, fmt(), data),
    ):
        np.testing.assert_array_equal(samples_of(file), samples_of(GOOD))


def test_a_riff_size_that_lies_and_a_part_of_a_frame_do_not_matter():
    lying = GOOD[:4] + b"\xff\xff\xff\xff" + GOOD[8:]
    np.testing.assert_array_equal(samples_of(lying), samples_of(GOOD))
    odd = riff(fmt(), chunk(b"data", PCM_16.tobytes() + b"\7"))
    np.testing.assert_array_equal(samples_of(odd), samples_of(GOOD))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, -3e9])
@pytest.mark.parametrize(("dtype", "bits"), [("<f4", 32), ("<f8", 64)])
def test_floats_that_no_spectrogram_can_be_computed_of_are_a_fault(value, dtype, bits):
    body = np.array([1.5, value, 0.25, value], dtype).tobytes()
    assert fault_of(riff(fmt(3, bits=bits), chunk(b"data", body))) == (Fault.AUDIO_VALUE, 2, 1)


def test_floats_keep_their_value():
    body = np.array([1.5, -2, 0.25, 2.0**31], "<f4").tobytes()
    samples = samples_of(riff(fmt(3, bits=32), chunk(b"data", body)))
    np.testing.assert_array_equal(samples, np.array([1.5, -2, 0.25, 2.0**31], np.float32))


@pytest.mark.parametrize("rate", [1, 8_000, 11_025, 44_100, 48_000, 44_099, 768_000])
def test_other_rates_are_resampled(rate):
    length = min(rate, 3_000)
    file = riff(fmt(rate=rate), chunk(b"data", np.full(length, 8_192, "<i2").tobytes()))
    samples = samples_of(file)
    assert samples.shape == (min(-(-length * 16_000 // rate), 480_000),)
    if rate > 1:  # one sample at 1 Hz never sees a steady level
        assert samples[len(samples) // 2] == pytest.approx(0.25, abs=1e-2)


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_only_the_first_thirty_seconds_are_decoded(rate):
    config = AudioConfig(max_audio_length=1)
    values = np.random.default_rng(0).uniform(-1, 1, 3 * rate)
    needed = rate + int(resample.context(rate, config=CONFIG))
    values[needed - 8 : needed] = 1e6  # so that a sample too few would show, small as the filter is there
    encoded = tf.constant(riff(fmt(3, rate=rate, bits=32), chunk(b"data", values.astype("<f4").tobytes())))
    whole, _, (fault, _) = wav.decode_wav(encoded, config=CONFIG)
    cut, _, _ = wav.decode_wav(encoded, config=config)
    assert fault == Fault.NONE
    assert cut.shape == [16_000]
    assert whole.shape == [48_000]
    np.testing.assert_allclose(cut, whole[:16_000], rtol=1e-6, atol=2 * twin.RESAMPLING_ERROR)


@pytest.fixture
def reads(monkeypatch):
    """Bytes of each part of a file that eager decoding turns into numbers."""
    sizes, decode_raw = [], tf.io.decode_raw

    def watched(text, *args, **kwargs):
        sizes.append(int(tf.strings.length(text)))
        return decode_raw(text, *args, **kwargs)

    monkeypatch.setattr(tf.io, "decode_raw", watched)
    return sizes


def test_of_an_hour_no_more_than_thirty_seconds_are_read(reads):
    hour = riff(fmt(rate=8_000, bits=8), chunk(b"data", b"\x80" * 8_000 * 3_600))
    samples, _, (fault, _) = wav.decode_wav(tf.constant(hour), config=CONFIG)
    assert fault == Fault.NONE
    assert samples.shape == [480_000]
    assert 30 * 8_000 < max(reads) < 31 * 8_000


def test_of_a_million_chunks_only_the_first_few_are_read(reads):
    wav.decode_wav(tf.constant(NOT_WAVE["a million chunks"]), config=CONFIG)
    assert MAX_CHUNKS <= len(reads) < 6 * MAX_CHUNKS


NOT_WAVE = {
    "one byte": b"R",
    "garbage": bytes(range(256)) * 20,
    "only RIFF": GOOD[:12],
    "no fmt": riff(chunk(b"data", PCM_16.tobytes())),
    "no data": riff(fmt()),
    "data before fmt": riff(chunk(b"data", PCM_16.tobytes()), fmt()),
    "short fmt": riff(chunk(b"fmt ", b"\1\0\1\0"), chunk(b"data", PCM_16.tobytes())),
    "cut in fmt": GOOD[:30],
    "chunk of 4 GB": riff(fmt(), chunk(b"LIST", b"abcd", size=0xFFFFFFFF), chunk(b"data", PCM_16.tobytes())),
    "fmt of 4 GB": riff(chunk(b"fmt ", fmt()[8:], size=0xFFFFFFFF), chunk(b"data", PCM_16.tobytes())),
    "chunks of size 0": b"RIFF\0\0\0\0WAVE" + b"junk\0\0\0\0" * 1_000,
    "a million chunks": b"RIFF\0\0\0\0WAVE" + b"junk\0\0\0\0" * 1_000_000 + GOOD[12:],
}


@pytest.mark.parametrize("name", NOT_WAVE)
def test_what_is_not_a_wave_file_is_undecodable(name):
    assert fault_of(NOT_WAVE[name]) == (Fault.AUDIO_UNDECODABLE, len(NOT_WAVE[name]), 0)


@pytest.mark.parametrize(
    ("header", "tag", "bits"),
    [
        (fmt(bits=64), 1, 64),
        (fmt(bits=33), 1, 33),
        (fmt(3, bits=16), 3, 16),
        (fmt(bits=0), 1, 0),
        (fmt(channels=0), 1, 16),
        (fmt(rate=0), 1, 16),
        (fmt(rate=768_001), 1, 16),
        (fmt(rate=0xFFFFFFFF), 1, 16),
    ],
)
def test_an_unsupported_format_is_a_fault(header, tag, bits):
    assert fault_of(riff(header, chunk(b"data", PCM_16.tobytes()))) == (Fault.AUDIO_FORMAT, tag, bits)


@pytest.mark.parametrize(
    ("header", "tag", "name"),
    [
        (fmt(2, bits=4, block=256), 2, "Microsoft ADPCM"),
        (fmt(0x11, bits=4, block=256), 0x11, "IMA ADPCM"),
        (fmt(0x31, bits=0, block=65), 0x31, "GSM 6.10"),
        (fmt(0x55, bits=0, block=1), 0x55, "MP3"),
        (extensible(16, 0x55), 0x55, "MP3"),
        (fmt(0xFFFE), 0xFFFE, "sound of a kind that is not decoded"),
        (extensible(16, 1, tail=b"\1" * 14), 0xFFFE, "sound of a kind that is not decoded"),
    ],
)
def test_compressed_sound_is_refused_by_its_name(header, tag, name):
    fault, *detail = fault_of(riff(header, chunk(b"data", PCM_16.tobytes())))
    assert (fault, detail[0]) == (Fault.AUDIO_CODEC, tag)
    assert f"got {name}, format tag {tag}. Convert it to 16-bit PCM WAV" in sentence(fault, *detail)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        (b"ID3\4\0\0\0\0\0\0" + b"\xff\xfb\x90\xc4" + bytes(99), "an MP3 file"),
        (b"fLaC" + bytes(40), "a FLAC file"),
        (b"", "an empty file"),
        (GOOD[:8] + b"AVI " + GOOD[12:], "an AVI video"),
        (b"<!DOCTYPE html><p>404", "an HTML page"),
    ],
)
def test_another_kind_of_file_is_refused_by_its_name(file, name):
    fault, *detail = fault_of(file)
    assert fault == Fault.AUDIO_FILE_TYPE
    assert f"must be a WAV file; got {name}, {len(file)} bytes. " in sentence(fault, *detail)


@pytest.mark.parametrize(
    "claimed", [1_001, 1_007, 2**31 - 1, 2**31 - 37, 2**31, 2_000_000_000, 0xFFFFFFFF, 0]
)
@pytest.mark.parametrize("riff_size", [0, 0xFFFFFFFF, 36, 5_000])
def test_a_claim_that_is_not_true_gives_what_is_there(claimed, riff_size):
    file = bytearray(riff(fmt(), chunk(b"data", PCM_16.tobytes(), size=claimed)))
    file[4:8] = struct.pack("<I", riff_size)
    np.testing.assert_array_equal(samples_of(bytes(file)), samples_of(GOOD))
    strict = wav.decode_wav(bytes(file), config=STRICT)
    assert strict.finding.fault == Fault.AUDIO_TRUNCATED
    np.testing.assert_array_equal(strict.finding.detail, [min(claimed, 2**31 - 1), 1_000])
    assert strict.samples.shape == [0]


def test_a_file_cut_in_a_frame_gives_the_whole_frames():
    stereo = riff(fmt(channels=2), chunk(b"data", PCM_16.tobytes()))
    np.testing.assert_array_equal(samples_of(stereo[:-3]), samples_of(stereo)[:-1])


def test_a_stated_size_of_nothing_before_another_chunk_is_true():
    file = riff(fmt(), chunk(b"data", b""), chunk(b"LIST", b"INFOISFT" + bytes(6)))
    assert fault_of(file) == (Fault.AUDIO_EMPTY, 0, 0)


@pytest.mark.parametrize("block", [0, 1, 3, 4, 65_535])
def test_a_wrong_size_of_a_frame_does_not_matter_unless_strict(block):
    file = riff(fmt(block=block), chunk(b"data", PCM_16.tobytes()))
    np.testing.assert_array_equal(samples_of(file), samples_of(GOOD))
    assert wav.decode_wav(file, config=STRICT).finding.fault == Fault.AUDIO_FORMAT


@pytest.mark.parametrize("header", [fmt(), fmt(channels=2), fmt(bits=8), fmt(7, bits=8), extensible(16, 1)])
def test_a_true_header_passes_when_strict(header):
    file = riff(header, chunk(b"data", PCM_16.tobytes()))
    np.testing.assert_array_equal(wav.decode_wav(file, config=STRICT).samples, samples_of(file))


def test_a_clip_without_a_whole_sample_is_empty():
    for body in (b"", b"\1"):
        assert fault_of(riff(fmt(), chunk(b"data", body))) == (Fault.AUDIO_EMPTY, 0, 0)


def test_every_prefix_and_every_changed_header_byte_is_survived():
    stereo = riff(fmt(channels=2, rate=48_000), chunk(b"LIST", b"odd"), chunk(b"data", PCM_16[:20].tobytes()))
    prefixes = [stereo[:n] for n in range(len(stereo))]
    changed = [
        stereo[:i] + bytes([value]) + stereo[i + 1 :] for i in range(56) for value in (0, 1, 0x7F, 0xFF)
    ]
    samples, lengths, (fault, _) = decode_batch(prefixes + changed)
    assert np.isfinite(samples).all()
    np.testing.assert_array_equal(
        lengths.numpy() == 0, (fault.numpy() != 0) | (np.arange(len(fault)) == 0)
    )  # the first is "": no clip


def test_random_bytes_behind_a_good_header_are_survived():
    rng = np.random.default_rng(0)
    files = [
        GOOD[:12] + rng.integers(0, 256, rng.integers(0, 200), dtype=np.uint8).tobytes() for _ in range(300)
    ]
    _, lengths, (fault, _) = decode_batch(files)
    assert (fault.numpy() == Fault.AUDIO_UNDECODABLE).all()
    assert not lengths.numpy().any()


def test_a_batch_equals_its_rows():
    loud = riff(fmt(rate=48_000), chunk(b"data", np.full(900, 20_000, "<i2").tobytes()))
    samples, lengths, (fault, detail) = decode_batch([GOOD, b"", loud, b"junk", b"RIFF"])
    np.testing.assert_array_equal(lengths, [500, 0, 300, 0, 0])
    np.testing.assert_array_equal(fault, [0, 0, 0, Fault.AUDIO_UNDECODABLE, Fault.AUDIO_UNDECODABLE])
    np.testing.assert_array_equal(detail, [[0, 0], [0, 0], [0, 0], [4, 0], [4, 0]])
    assert samples.shape == [5, 500]
    np.testing.assert_array_equal(samples[0], samples_of(GOOD))
    np.testing.assert_allclose(samples[2, :300], samples_of(loud), rtol=0, atol=2 * twin.RESAMPLING_ERROR)
    assert not samples.numpy()[2, 300:].any()


def test_an_empty_batch_is_empty():
    samples, lengths, (fault, detail) = decode_batch(tf.constant([], tf.string))
    assert samples.shape[0] == 0
    assert lengths.shape == [0]
    assert fault.shape == [0]
    assert detail.shape == [0, 2]


def test_eager_equals_traced():
    for file in (GOOD, b"", riff(fmt(rate=44_100, bits=8), chunk(b"data", b"\x90" * 333))):
        both = (
            tf.nest.flatten(found)
            for found in (wav.decode_wav(tf.constant(file), config=CONFIG), decode(file))
        )
        for eager, traced in zip(*both, strict=True):
            np.testing.assert_allclose(eager, traced, rtol=0, atol=2 * twin.RESAMPLING_ERROR)
