"""What is compared: each target makes inputs and says what is wrong with one."""

import io
import pathlib
import tempfile
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sentencepiece
import soundfile
import tensorflow as tf
from hypothesis import strategies as st
from PIL import Image, ImageOps

from export.verify.eager import EagerRuntime
from export.verify.samples import hostile_texts
from graph_ops import Gemma4AudioConverter, Gemma4CausalLMPreprocessor, Gemma4ImageConverter, Gemma4Tokenizer
from graph_ops.audio.encode import encode_wavs
from graph_ops.audio.wav import decode_wav
from graph_ops.config import AudioConfig, ImageConfig
from graph_ops.image.decode import decode_image
from graph_ops.image.encode import encode_images
from tools.fuzz import seeds
from tools.fuzz.damage import damaged

MOST_SECONDS = 20
"""Longer is a hang: inputs are small."""
IMAGE, AUDIO = ImageConfig(max_image_pixels=1_000_000), AudioConfig(max_audio_length=2)
SAMPLE_TOLERANCE = 1e-5
"""Of the loudest sample: float32 sums of up to some hundred channels."""
MEL_TOLERANCE = 5e-5
"""Of a natural logarithm: LiteRT's matrix products in place of an FFT; see `graph_ops.audio.magnitude`."""

Check = Callable[[Any], None]


class Target(NamedTuple):
    """One comparison.

    Attributes:
        name: for readers.
        inputs: strategy of hypothesis.
        check: raises AssertionError for an input that shows a fault.
    """

    name: str
    inputs: st.SearchStrategy[Any]
    check: Check


def targets(vocabulary: pathlib.Path) -> list[Target]:
    """Every target; making them traces graphs and writes a bundle."""
    preprocessor = Gemma4CausalLMPreprocessor(
        Gemma4Tokenizer(vocabulary, engine="builtin"),
        Gemma4ImageConverter(max_image_pixels=IMAGE.max_image_pixels),
        Gemma4AudioConverter(),
        sequence_length=700,
    )
    return [_image_files(), _wav_files(), _texts(vocabulary), *_devices(preprocessor)]


def _traced(function: Callable[[tf.Tensor], Any]) -> Any:
    return tf.function(function, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)


def _timed(function: Callable[..., Any], *arguments: Any) -> Any:
    start = time.perf_counter()
    result = function(*arguments)
    seconds = time.perf_counter() - start
    assert seconds < MOST_SECONDS, f"took {seconds:.0f} s"
    return result


def _file_check(
    encode: Callable[[tf.Tensor], Any],
    decode: Callable[[tf.Tensor], tuple[tf.Tensor, Any]],
    good: bytes,
    reference: Callable[[bytes], np.ndarray | None],
    *,
    tolerance: float,
) -> Callable[[bytes], tuple[np.ndarray, np.ndarray] | None]:
    """What is found of a file and what the reference reads of it, where both read it; the file's neighbour in
    a batch must be, within a tolerance, as if it were alone.
    """
    neighbour = encode(tf.constant([good])).values[0]

    def both(file: bytes) -> tuple[np.ndarray, np.ndarray] | None:
        batch = _timed(encode, tf.constant([file, good]))
        np.testing.assert_allclose(
            batch.values[1], neighbour, rtol=0, atol=tolerance, err_msg="the neighbour changed"
        )
        assert np.isfinite(batch.values).all(), "not finite"
        found, finding = _timed(decode, tf.constant([file]))
        expected = None if finding.fault else reference(file)
        if expected is None:
            return None
        assert found.shape == expected.shape, f"{found.shape} != {expected.shape}"
        return found.numpy().astype(np.float64), expected.astype(np.float64)

    return both


def _image_files() -> Target:
    """Pixels beside Pillow's."""
    files = seeds.pictures()
    both = _file_check(
        _traced(lambda batch: encode_images(batch, config=IMAGE)),
        _traced(lambda batch: tuple(decode_image(batch[0], config=IMAGE))),
        files[0],
        _pillow,
        tolerance=0,
    )

    def check(file: bytes) -> None:
        if pair := both(file):
            off = np.abs(pair[0] - pair[1]).max(initial=0)
            assert off <= 1, f"a pixel is off by {off}"

    return Target("image files, Pillow", damaged(files), check)


def _pillow(file: bytes) -> np.ndarray | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            opened = Image.open(io.BytesIO(file))
            pixels = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    except Exception:  # Pillow raises many kinds at a damaged file
        return None
    return pixels


def _wav_files() -> Target:
    """Samples beside libsndfile's, relative to the loudest: a mean of channels is a sum of floats."""
    files = seeds.clips()

    def decode(batch: tf.Tensor) -> tuple[tf.Tensor, Any]:
        waveforms = decode_wav(batch[0], config=AUDIO)
        return waveforms.samples, waveforms.finding

    both = _file_check(
        _traced(lambda batch: encode_wavs(batch, parity="transformers", config=AUDIO)),
        _traced(decode),
        files[0],
        _libsndfile,
        tolerance=MEL_TOLERANCE,
    )

    def check(file: bytes) -> None:
        if pair := both(file):
            loudest = np.abs(pair[1]).max(initial=1)
            np.testing.assert_allclose(pair[0], pair[1], rtol=0, atol=SAMPLE_TOLERANCE * loudest)

    return Target("WAV files, libsndfile", damaged(files), check)


def _libsndfile(file: bytes) -> np.ndarray | None:
    """Mono samples; None where it refuses, has another rate or no samples, or reads another layout knowingly:
    24 bits in 4 bytes (see `wav_samples`) and the size in a `ds64` that the header does not point to.
    """
    if file[:4] == b"RF64":
        return None
    try:
        with soundfile.SoundFile(io.BytesIO(file)) as opened:
            if opened.samplerate != AUDIO.sampling_rate or opened.format not in ("WAV", "WAVEX"):
                return None
            samples = opened.read(AUDIO.max_samples, dtype="float32", always_2d=True)
            in_four_bytes = opened.subtype == "PCM_32" and _bits(file) <= 24
    except Exception:  # and so does libsndfile
        return None
    return None if in_four_bytes or not len(samples) else samples.mean(axis=1, dtype=np.float64)


def _bits(file: bytes) -> int:
    """Of a sample, as the header says."""
    field = file[file.find(b"fmt ") + 22 :][:2]
    return int.from_bytes(field, "big" if file[:4] == b"RIFX" else "little")


def _texts(vocabulary: pathlib.Path) -> Target:
    """Ids of both engines beside SentencePiece's, and back."""
    engines = {name: Gemma4Tokenizer(vocabulary, engine=name) for name in ("builtin", "sentencepiece")}
    proto = engines["builtin"].vocabulary.proto
    processor = sentencepiece.SentencePieceProcessor(model_proto=proto)
    pieces = [piece for piece in engines["builtin"].vocabulary.pieces if piece]

    def check(text: bytes) -> None:
        expected = processor.encode(text)
        for name, tokenizer in engines.items():
            ids = _timed(tokenizer.tokenize, tf.constant([text]))[0].numpy().tolist()
            assert ids == expected, f"{name}: other ids"
        assert (
            _timed(engines["builtin"].detokenize, [expected])[0].numpy()
            == processor.decode(expected).encode()
        )

    def fixed(seed: int) -> bytes:
        return hostile_texts(1, pieces=pieces, seed=seed)[0]

    any_text = st.text(max_size=60).map(str.encode) | st.binary(max_size=60)
    pasted = st.lists(st.sampled_from(pieces), max_size=20).map(lambda parts: "".join(parts).encode())
    repeated = st.tuples(st.text(min_size=1, max_size=6), st.integers(1, 300)).map(
        lambda pair: (pair[0] * pair[1]).encode()
    )
    seeded = st.integers(0, 2**31).map(fixed)
    return Target("texts, SentencePiece", any_text | pasted | repeated | seeded, check)


def _devices(preprocessor: Gemma4CausalLMPreprocessor) -> list[Target]:
    """Rows of a bundle in LiteRT beside those of the class."""
    from export.litert.run import load_bundle
    from export.litert.runtime import InterpreterRuntime
    from export.litert.write import export_litert

    folder = pathlib.Path(tempfile.mkdtemp(), "bundle")
    export_litert(preprocessor, folder)
    here = EagerRuntime(preprocessor.get_config(), preprocessor.tokenizer.vocabulary)
    device = InterpreterRuntime(load_bundle(folder))

    def check_row(row: tuple[str, list[np.ndarray], list[np.ndarray]]) -> None:
        prompt, images, clips = row
        media = {"image": images, "audio": clips}
        ours, theirs = (_row(runtime, prompt, media) for runtime in (device, here))
        assert (ours is None) == (theirs is None), "refused in one place only"
        if ours is None or theirs is None:
            return
        for name in theirs.keys() & ours.keys():
            assert np.isfinite(ours[name]).all(), f"{name}: not finite"
            tolerance = MEL_TOLERANCE if name == "audio_mel" else 1e-7
            # the class leaves out slots that no row has
            common = ours[name][tuple(slice(size) for size in theirs[name].shape)]
            np.testing.assert_allclose(common, theirs[name], rtol=0, atol=tolerance, err_msg=name)

    def check_text(text: bytes) -> None:
        ours, theirs = (_timed(runtime.tokenize, [text])[0].tolist() for runtime in (device, here))
        assert ours == theirs, "other ids"

    words = st.sampled_from(["<|image|>", "<|audio|>", "a fox", " ", "\n", "<|turn>", "é", "🦊"])
    prompts = st.lists(words, max_size=8).map("".join)
    rows = st.tuples(prompts, st.lists(_images(), max_size=2), st.lists(_clips(), max_size=1))
    return [
        Target("rows, LiteRT and TensorFlow", rows, check_row),
        Target(
            "texts, LiteRT and TensorFlow",
            st.text(max_size=80).map(str.encode) | st.binary(max_size=80),
            check_text,
        ),
    ]


def _row(runtime: Any, prompt: str, media: dict[str, list[np.ndarray]]) -> dict[str, np.ndarray] | None:
    try:
        return _timed(runtime.row, prompt, media)
    except ValueError:
        return None


def _images() -> st.SearchStrategy[np.ndarray]:
    sizes = st.tuples(st.integers(1, 120), st.integers(1, 120), st.integers(0, 2**31))
    return sizes.map(
        lambda size: np.random.default_rng(size[2]).integers(0, 256, [size[0], size[1], 3], np.uint8)
    )


def _clips() -> st.SearchStrategy[np.ndarray]:
    values = st.sampled_from([0.0, 1.0, -1.0, 1e-30, 1e9, 3e9, np.inf, np.nan])
    described = st.tuples(st.integers(1, 4_000), st.integers(0, 2**31), st.none() | values)
    return described.map(_clip)


def _clip(described: tuple[int, int, float | None]) -> np.ndarray:
    """Noise, with one odd sample if there is a value for it."""
    length, seed, odd = described
    samples = np.random.default_rng(seed).uniform(-1, 1, length).astype(np.float32)
    if odd is not None:
        samples[seed % length] = odd
    return samples
