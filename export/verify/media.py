"""Pixels and spectrograms, beside transformers' and KerasHub's."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from export.verify import samples
from export.verify.result import Result, Subject, compare, skipped
from graph_ops.family import GEMMA4
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE

MEL_TOLERANCE = 1e-4
"""Largest difference of a log-mel value: float32 sums of 320 products in another order."""
PIXEL_TOLERANCE = 1e-7
"""Largest difference of a pixel value after scaling: one unit in the last place of float32 below 1."""


PROCESSOR = "Gemma4ImageProcessorPil"
"""Reference of patches."""


def pixels(subject: Subject) -> Iterator[Result]:
    """Patches of several images."""
    if subject.config_of(IMAGE) is None:
        return
    reference = patches_reference(subject)
    if isinstance(reference, str):
        yield skipped("pixels", PROCESSOR, reference)
        return
    images = _images()
    theirs = [reference(image) for image in images]
    for runtime in subject.runtimes:
        ours = [runtime.row(GEMMA4.tokens_of("image").placeholder, {"image": [image]}) for image in images]
        values, positions = (
            [row[key][0, 0] for row in ours] for key in ("pixel_values", "pixel_position_ids")
        )
        step, expected = f"pixels of {len(images)} images", [one[0] for one in theirs]
        yield compare(step, runtime.name, PROCESSOR, values, expected, allowed=PIXEL_TOLERANCE)
        yield compare("their patch positions", runtime.name, PROCESSOR, positions, [one[1] for one in theirs])


def patches_reference(subject: Subject) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]] | str:
    """The reference's patches and positions of one image uint8 [H, W, 3], under the export's own settings;
    why there is no reference, where there is none.
    """
    try:
        from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil
    except ImportError:
        return "transformers is not installed"
    config = subject.config_of(IMAGE)
    if not isinstance(config["scale"], float) or config["offset"] is not None:
        return "it scales by one number only"
    kept = {key: config[key] for key in ("patch_size", "max_soft_tokens", "pooling_kernel_size")}
    processor = Gemma4ImageProcessorPil(rescale_factor=config["scale"], **kept)

    def patches(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = processor.preprocess(image, return_tensors="np", input_data_format="channels_last")
        return found["pixel_values"][0], found["image_position_ids"][0]

    return patches


def mel(subject: Subject) -> Iterator[Result]:
    """Frames of several clips: log-mel ones, or those of raw samples."""
    config = subject.config_of(AUDIO)
    if config is None:
        return
    is_raw = config.get("features") == "waveform"  # older exports do not say
    kind, allowed = ("raw frames", 0.0) if is_raw else ("log-mel", MEL_TOLERANCE)
    clips = [clip for length in (700, 16_000, 80_123) for clip in samples.sounds(length).values()]
    own = "Gemma4UnifiedAudioFeatureExtractor" if is_raw else "Gemma4AudioFeatureExtractor"
    name = {"transformers": own, "keras_hub": "keras_hub's converter"}[subject.parity]
    try:
        reference = _raw_reference(config) if is_raw else _mel_reference(subject)
    except ImportError as missing:
        yield skipped(kind, name, f"{missing.name} is not installed")
        return
    expected = [reference(clip) for clip in clips]
    for runtime in subject.runtimes:
        rows = [runtime.row(GEMMA4.tokens_of("audio").placeholder, {"audio": [clip]}) for clip in clips]
        mels = [row["audio_mel"][0, 0, : len(theirs)] for row, theirs in zip(rows, expected, strict=True)]
        step = f"{kind} of {len(clips)} clips"
        yield compare(step, runtime.name, name, mels, expected, allowed=allowed)


def _images() -> list[np.ndarray]:
    sizes = ((480, 640), (876, 1300), (7, 9), (5, 300), (300, 5), (768, 768), (97, 1203), (2000, 1500))
    return [samples.pixels(*size) for size in sizes] + [samples.pixels(213, 355, smooth=False)]


def _raw_reference(config: Mapping[str, Any]) -> Callable[[np.ndarray], np.ndarray]:
    """The reference's frames of one clip."""
    from transformers.models.gemma4_unified.feature_extraction_gemma4_unified import (
        Gemma4UnifiedAudioFeatureExtractor,
    )

    extractor = Gemma4UnifiedAudioFeatureExtractor(audio_samples_per_token=config["stride"])
    return lambda clip: extractor(clip, return_tensors="np")["input_features"][0]


def _mel_reference(subject: Subject) -> Callable[[np.ndarray], np.ndarray]:
    """The reference spectrogram of one clip, under the export's own settings."""
    settings = {
        key: subject.config_of(AUDIO)[key]
        for key in ("min_frequency", "max_frequency", "mel_floor", "per_bin_mean", "per_bin_stddev")
    }
    if subject.parity == "transformers":
        from transformers.models.gemma4.feature_extraction_gemma4 import Gemma4AudioFeatureExtractor

        extractor = Gemma4AudioFeatureExtractor(feature_size=subject.config_of(AUDIO)["num_mels"], **settings)
        return lambda clip: extractor(
            [clip], sampling_rate=subject.config_of(AUDIO)["sampling_rate"], return_tensors="np"
        )["input_features"][0]
    import keras_hub

    converter = keras_hub.layers.Gemma4AudioConverter(
        num_mels=subject.config_of(AUDIO)["num_mels"], **settings
    )
    return lambda clip: np.asarray(converter(clip))
