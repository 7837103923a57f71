"""Rows with a video, beside KerasHub's class."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from export.verify import samples
from export.verify.result import Result, Subject, compare, skipped
from export.verify.rows import KERAS_HUB_PIXEL_TOLERANCE
from graph_ops.family import GEMMA4
from graph_ops.media.image import IMAGE
from graph_ops.media.video import VIDEO

STEP, REFERENCE = "row of a video", "keras_hub's class"
_LONG = 2**17
"""Tokens of a row that holds any video of these."""
_OURS = {
    IMAGE.values: VIDEO.values,
    IMAGE.marks: VIDEO.marks,
    IMAGE.indices: VIDEO.indices,
    IMAGE.mask: VIDEO.mask,
}
"""What signatures call the tensors that KerasHub has for images and frames alike."""


def videos(subject: Subject) -> Iterator[Result]:
    """Every tensor of a row with a video."""
    if subject.config_of(VIDEO) is None:
        return
    if subject.parity != "keras_hub":
        yield skipped(STEP, "Gemma4VideoProcessor", "it resizes with torchvision and not with Pillow")
        return
    try:
        import keras_hub
    except ImportError:
        yield skipped(STEP, REFERENCE, "keras-hub is not installed")
        return
    if not hasattr(keras_hub.layers, "Gemma4VideoConverter"):
        yield skipped(STEP, REFERENCE, "the installed keras-hub has no converter of videos")
        return
    prompt = f"Watch {GEMMA4.tokens_of(VIDEO.name).placeholder} now."
    video = np.stack([samples.pixels(40, 720, seed=seed) for seed in range(40)])
    given = {"prompts": [prompt], VIDEO.argument: video[np.newaxis]}
    expected = _reference(keras_hub, subject).generate_preprocess(given)
    takes, length = int(np.sum(expected["padding_mask"])), subject.config["sequence_length"]
    if takes > length:
        yield skipped(STEP, REFERENCE, f"rows of {length} tokens hold none: one takes {takes}")
        return
    for runtime in subject.runtimes:
        yield from _compared(runtime.name, runtime.row(prompt, {VIDEO.name: [video]}), expected, length)


def _reference(keras_hub: Any, subject: Subject) -> Any:
    config = subject.config_of(VIDEO)
    names = ("patch_size", "max_soft_tokens", "pooling_kernel_size", "scale", "num_frames")
    converter = keras_hub.layers.Gemma4VideoConverter(**{name: config[name] for name in names})
    return keras_hub.models.Gemma4CausalLMPreprocessor(
        keras_hub.models.Gemma4Tokenizer(subject.vocabulary.proto),
        video_converter=converter,
        sequence_length=_LONG,
        num_frames_per_video=config["num_frames"],
        video_fps=subject.config["video_fps"],
    )


def _compared(runtime: str, row: Any, expected: Any, length: int) -> Iterator[Result]:
    for name in sorted(expected):
        key = _OURS.get(name, name)
        ours = row.get(key, row.get(name))
        if ours is None:
            continue
        theirs = np.asarray(expected[name])
        if name in ("token_ids", "padding_mask", "position_ids", IMAGE.mask):
            theirs = theirs[:, :length]
        mine = np.asarray(ours)[tuple(slice(size) for size in theirs.shape)]
        theirs = theirs[tuple(slice(size) for size in mine.shape)]
        allowed = KERAS_HUB_PIXEL_TOLERANCE if name == IMAGE.values else 0.0
        yield compare(f"{STEP}: {key}", runtime, REFERENCE, [mine], [theirs], allowed=allowed)
