"""How far artifacts are from the references, step by step, in every runtime that they run in.

The references are optional packages (the `dev` extra); a step whose reference is not installed says so.
"""

import dataclasses
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from export.verify import samples
from export.verify.runtimes import EagerRuntime, Runtime, load_artifact
from graph_ops.config import RowConfig
from graph_ops.family import GEMMA4
from graph_ops.text.reading import as_read, prompt_reading
from graph_ops.text.vocabulary.vocabulary import PieceType, Vocabulary

MEL_TOLERANCE = 1e-4
"""Largest difference of a log-mel value: float32 sums of 320 products in another order."""
PIXEL_TOLERANCE = 1e-7
"""Largest difference of a pixel value after scaling: one unit in the last place of float32 below 1."""
KERAS_HUB_PIXEL_TOLERANCE = 32 / 255
"""Largest difference from KerasHub's pixels, whose resize is `tf.image.resize` and not Pillow's."""


class Result(NamedTuple):
    """One line of the parity table.

    Attributes:
        step: what was computed.
        runtime: where.
        reference: whose answer it is compared with.
        compared: number of values.
        differing: how many of them are off by more than is allowed.
        largest: the largest difference.
        allowed: the largest that is allowed.
        skipped: why the step was not run, or "".
    """

    step: str
    runtime: str
    reference: str
    compared: int = 0
    differing: int = 0
    largest: float = 0.0
    allowed: float = 0.0
    skipped: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing differs, or nothing was run."""
        return self.differing == 0


class _Subject(NamedTuple):
    runtimes: list[Runtime]
    vocabulary: Vocabulary
    config: dict[str, Any]
    num_texts: int

    @property
    def parity(self) -> str:
        return self.config["parity"]

    @property
    def image(self) -> Any:
        return (self.config["image_converter"] or {}).get("config")

    @property
    def audio(self) -> Any:
        return (self.config["audio_converter"] or {}).get("config")


Folder = str | os.PathLike[str]


def verify(
    *folders: Folder, num_texts: int = 2000, report: Callable[[str], None] = lambda _: None
) -> list[Result]:
    """Compares every step of artifacts, and of the Python class with the first one's settings, with its
    reference.

    Args:
        *folders: version folders of SavedModels, folders of LiteRT bundles.
        num_texts: random texts to compare.
        report: called with a line before each step.
    """
    results: list[Result] = []
    order: dict[str, int] = {}  # of steps, so that the runtimes of each stand together
    for index, folder in enumerate(folders):
        report(f"loading {folder}")
        artifact = load_artifact(folder)
        eager: list[Runtime] = [] if index else [EagerRuntime(artifact.settings, artifact.vocabulary)]
        subject = _Subject(eager + artifact.runtimes, artifact.vocabulary, artifact.settings, num_texts)
        for step in (_ids, _text, _round_trip, _pixels, _mel, _rows):
            report(f"comparing {step.__name__.strip('_')} of {folder}")
            results += list(step(subject))
    return sorted(results, key=lambda result: order.setdefault(result.step, len(order)))


def compare(
    step: str, runtime: str, reference: str, ours: Any, theirs: Any, *, allowed: float = 0.0
) -> Result:
    """Counts the values of two arrays, or of two lists of them, that differ by more than is allowed."""
    pairs = [(np.asarray(a), np.asarray(b)) for a, b in zip(ours, theirs, strict=True)]
    compared = differing = 0
    largest = 0.0
    for a, b in pairs:
        compared += b.size
        if a.shape != b.shape:
            differing += max(a.size, b.size, 1)
        elif a.dtype.kind in "fiub" and b.size:
            distance = np.abs(a.astype(np.float64) - b.astype(np.float64))
            largest, differing = (
                max(largest, float(distance.max())),
                differing + int((distance > allowed).sum()),
            )
        else:
            differing += int((a != b).sum())
    return Result(step, runtime, reference, compared, differing, largest, allowed)


def _texts(subject: _Subject) -> list[bytes]:
    fixed = [text.encode() for text in samples.FIXED_TEXTS]
    return fixed + samples.hostile_texts(subject.num_texts, pieces=subject.vocabulary.pieces)


def _processor(vocabulary: Vocabulary) -> Any:
    import sentencepiece

    return sentencepiece.SentencePieceProcessor(model_proto=vocabulary.proto)


def _ids(subject: _Subject) -> Iterator[Result]:
    reading = prompt_reading(
        RowConfig(**{field.name: subject.config[field.name] for field in dataclasses.fields(RowConfig)})
    )
    try:
        processor = _processor(as_read(subject.vocabulary, reading))
    except ImportError:
        yield _skipped("tokenize", "sentencepiece", "sentencepiece is not installed")
        return
    texts = _texts(subject)
    theirs = [processor.encode(text) for text in texts]
    for runtime in subject.runtimes:
        yield compare(
            f"tokenize {len(texts):,} texts", runtime.name, "sentencepiece", runtime.tokenize(texts), theirs
        )


def _text(subject: _Subject) -> Iterator[Result]:
    try:
        processor = _processor(subject.vocabulary)
    except ImportError:
        yield _skipped("detokenize", "sentencepiece", "sentencepiece is not installed")
        return
    generator = np.random.default_rng(0)
    ids = generator.integers(0, len(subject.vocabulary), (subject.num_texts, 24)).astype(np.int32)
    byte_ids = [index for index, kind in enumerate(subject.vocabulary.types) if kind is PieceType.BYTE]
    ids[::2] = generator.choice(byte_ids or [0], ids[::2].shape)
    theirs = [processor.decode(row.tolist()).encode() for row in ids]
    for runtime in subject.runtimes:
        yield compare(
            f"detokenize {len(ids):,} rows", runtime.name, "sentencepiece", runtime.detokenize(ids), theirs
        )


def _round_trip(subject: _Subject) -> Iterator[Result]:
    fixed = [text for text in samples.FIXED_TEXTS if "<" not in text and "\u2581" not in text]
    for runtime in subject.runtimes:
        rows = [runtime.row(text, {}) for text in fixed]
        texts = [runtime.postprocess(row["token_ids"], row["padding_mask"]) for row in rows]
        yield compare(
            "text -> row -> text", runtime.name, "the text itself", texts, [text.encode() for text in fixed]
        )


def _images() -> list[np.ndarray]:
    sizes = ((480, 640), (876, 1300), (7, 9), (5, 300), (300, 5), (768, 768), (97, 1203), (2000, 1500))
    return [samples.pixels(*size) for size in sizes] + [samples.pixels(213, 355, smooth=False)]


def _pixels(subject: _Subject) -> Iterator[Result]:
    if subject.image is None:
        return
    name = "Gemma4ImageProcessorPil"
    try:
        from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil
    except ImportError:
        yield _skipped("pixels", name, "transformers is not installed")
        return
    if not isinstance(subject.image["scale"], float) or subject.image["offset"] is not None:
        yield _skipped("pixels", name, "it scales by one number only")
        return
    kept = {key: subject.image[key] for key in ("patch_size", "max_soft_tokens", "pooling_kernel_size")}
    processor = Gemma4ImageProcessorPil(rescale_factor=subject.image["scale"], **kept)
    images = _images()
    theirs = [
        processor.preprocess(image, return_tensors="np", input_data_format="channels_last")
        for image in images
    ]
    for runtime in subject.runtimes:
        ours = [runtime.row(GEMMA4.tokens_of("image").placeholder, {"image": [image]}) for image in images]
        values, positions = (
            [row[key][0, 0] for row in ours] for key in ("pixel_values", "pixel_position_ids")
        )
        expected = [one["pixel_values"][0] for one in theirs]
        yield compare(
            f"pixels of {len(images)} images", runtime.name, name, values, expected, allowed=PIXEL_TOLERANCE
        )
        yield compare(
            "their patch positions",
            runtime.name,
            name,
            positions,
            [one["image_position_ids"][0] for one in theirs],
        )


def _mel(subject: _Subject) -> Iterator[Result]:
    if subject.audio is None:
        return
    clips = [clip for length in (700, 16_000, 80_123) for clip in samples.sounds(length).values()]
    name = {"transformers": "Gemma4AudioFeatureExtractor", "keras_hub": "keras_hub's converter"}[
        subject.parity
    ]
    try:
        reference = _mel_reference(subject)
    except ImportError as missing:
        yield _skipped("log-mel", name, f"{missing.name} is not installed")
        return
    expected = [reference(clip) for clip in clips]
    for runtime in subject.runtimes:
        rows = [runtime.row(GEMMA4.tokens_of("audio").placeholder, {"audio": [clip]}) for clip in clips]
        mels = [row["audio_mel"][0, 0, : len(theirs)] for row, theirs in zip(rows, expected, strict=True)]
        yield compare(
            f"log-mel of {len(clips)} clips", runtime.name, name, mels, expected, allowed=MEL_TOLERANCE
        )


def _mel_reference(subject: _Subject) -> Callable[[np.ndarray], np.ndarray]:
    """The reference spectrogram of one clip, under the export's own settings."""
    settings = {
        key: subject.audio[key]
        for key in ("min_frequency", "max_frequency", "mel_floor", "per_bin_mean", "per_bin_stddev")
    }
    if subject.parity == "transformers":
        from transformers.models.gemma4.feature_extraction_gemma4 import Gemma4AudioFeatureExtractor

        extractor = Gemma4AudioFeatureExtractor(feature_size=subject.audio["num_mels"], **settings)
        return lambda clip: extractor(
            [clip], sampling_rate=subject.audio["sampling_rate"], return_tensors="np"
        )["input_features"][0]
    import keras_hub

    converter = keras_hub.layers.Gemma4AudioConverter(num_mels=subject.audio["num_mels"], **settings)
    return lambda clip: np.asarray(converter(clip))


def _rows(subject: _Subject) -> Iterator[Result]:
    if subject.parity != "keras_hub":
        return
    try:
        import keras_hub
    except ImportError:
        yield _skipped("whole rows", "keras_hub's class", "keras-hub is not installed")
        return
    row_settings = ("sequence_length", "add_start_token", "add_end_token", "max_images_per_prompt")
    theirs = keras_hub.models.Gemma4CausalLMPreprocessor(
        keras_hub.models.Gemma4Tokenizer(subject.vocabulary.proto),
        image_converter=keras_hub.layers.Gemma4ImageConverter(scale=subject.image["scale"])
        if subject.image
        else None,
        audio_converter=keras_hub.layers.Gemma4AudioConverter(mel_floor=subject.audio["mel_floor"])
        if subject.audio
        else None,
        **{name: subject.config[name] for name in row_settings},
    )
    images = [samples.pixels(300, 400)] if subject.image else []
    clips = [samples.sounds(40_000)["noise"]] if subject.audio else []
    seen, heard = (
        GEMMA4.tokens_of(name).placeholder * len(found)
        for name, found in (("image", images), ("audio", clips))
    )
    prompt = f"Look {seen} and listen {heard} now."
    media: dict[str, Any] = ({"images": np.stack(images)[np.newaxis]} if images else {}) | (
        {"audio": clips[0][np.newaxis]} if clips else {}
    )
    expected = theirs.generate_preprocess({"prompts": [prompt], **media})
    for runtime in subject.runtimes:
        ours = runtime.row(prompt, {"image": images, "audio": clips})
        for name in sorted(expected.keys() & ours.keys()):
            reference = np.asarray(expected[name])
            mine = ours[name][
                tuple(slice(size) for size in reference.shape)
            ]  # slots and widths past KerasHub's hold padding
            allowed = {"pixel_values": KERAS_HUB_PIXEL_TOLERANCE, "audio_mel": MEL_TOLERANCE}.get(name, 0.0)
            yield compare(
                f"row: {name}", runtime.name, "keras_hub's class", [mine], [reference], allowed=allowed
            )


def _skipped(step: str, reference: str, why: str) -> Result:
    return Result(step, "", reference, skipped=why)
