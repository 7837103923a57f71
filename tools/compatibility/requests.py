"""Inputs of every signature of an export: good rows beside faulty ones, hostile texts, media of odd sizes."""

import io
import wave
from collections.abc import Mapping
from typing import Any

import numpy as np

from export.verify import samples

Arrays = Mapping[str, Mapping[str, np.ndarray]]
"""By signature and name. A signature that is asked several times is `signature/0`, `signature/1`, …"""


def saved_model_requests() -> Arrays:
    """Inputs of every signature of a SavedModel, a batch each: good rows beside faulty ones, hostile texts, a
    clip to resample.
    """
    photo, speech = (samples.demonstration_file(name).read_bytes() for name in ("photo.jpg", "speech.wav"))
    prompts = _strings([b"see <|image|>", b"nothing", b"hear <|audio|>", b"<|image|>", b"hear <|audio|>"])
    images = _strings([[photo], [b""], [b""], [b"no image"], [b""]])
    audio = _strings([[b""], [b""], [speech], [b""], [_wav(samples.sounds(22_050)["sweep"], 44_100)]])
    pixels = samples.pixels(50, 70)
    arrays = {
        "images": np.stack([pixels] * 5)[:, np.newaxis],
        "image_sizes": np.array([[[50, 70]], [[0, 0]], [[0, 0]], [[40, 70]], [[0, 0]]], np.int32),
        "audio": np.stack([samples.sounds(9_000)["sweep"]] * 5)[:, np.newaxis],
        "audio_lengths": np.array([[0], [0], [8_000], [0], [9_000]], np.int32),
    }
    texts = [
        *(text.encode() for text in samples.FIXED_TEXTS),
        *samples.hostile_texts(200, pieces=("▁the", "<|image|>")),
    ]
    ids = np.array([[5, 300, 4095], [2, 1, 7]], np.int32)
    row = {"token_ids": ids, "lengths": np.array([3, 2], np.int32)}
    media = {"prompts": prompts, "images": images, "audio": audio}
    return {
        "generate_preprocess_text": {"prompts": _strings(texts[:20])},
        "generate_preprocess_image": {"prompts": prompts, "images": images},
        "generate_preprocess_audio": {"prompts": prompts, "audio": audio},
        "generate_preprocess": media,
        "serving_default": media,
        "generate_preprocess_arrays": {"prompts": prompts, **arrays},
        "preprocess": {**media, "responses": _strings([b"a cup", b"", b"he says", b"x", b"y"])},
        "generate_postprocess": {
            "token_ids": ids,
            "padding_mask": np.array([[True, True, True], [True, False, True]]),
        },
        "tokenize": {"text": _strings(texts)},
        "tokenize_with_offsets": {"text": _strings(texts)},
        "detokenize": row,
        "detokenize_stream": {
            **row,
            "pending": np.zeros((2, 3), np.int32),
            "is_last": np.array([True, False]),
        },
        "parse_response": {**row, "in_thought": np.array([False, True])},
        "count_tokens": {"prompts": prompts, **{name: arrays[name] for name in _SIZES}},
        **_dialogues(photo, speech),
    }


_SIZES = ("image_sizes", "audio_lengths")


def _dialogues(photo: bytes, speech: bytes) -> Arrays:
    """Inputs of the signatures that take messages: a dialogue with media and a tool, and a faulty one."""
    said = {
        "roles": _strings([[b"system", b"user"], [b"no role", b""]]),
        "parts": _strings([[[b"Be brief.", b"", b""], [b"see", b"", b""]], [[b"x", b"", b""], [b""] * 3]]),
        "part_types": _strings(
            [[[b"text", b"", b""], [b"text", b"image", b"audio"]], [[b"text", b"", b""], [b""] * 3]]
        ),
        "images": _strings([[photo], [b""]]),
        "audio": _strings([[speech], [b""]]),
        "enable_thinking": np.array([True, False]),
        "preserve_thinking": np.array([False, False]),
    }
    used = {
        "names": _strings([[b"", b""]] * 2),
        "thoughts": _strings([[b"", b""]] * 2),
        "calls": _strings([[[b""], [b""]]] * 2),
        "responses": _strings([[[b""], [b""]]] * 2),
        "tools": _strings([[b'declaration:f{description:<|"|>F.<|"|>}'], [b""]]),
    }
    prompting = {"add_generation_prompt": np.array([True, True])}
    return {
        "generate_preprocess_chat": said | prompting,
        "generate_preprocess_chat_tools": said | prompting | used,
        "preprocess_chat": said | used,
    }


def _strings(items: list[Any]) -> np.ndarray:
    return np.array(items, object)


def _wav(sound: np.ndarray, rate: int) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(np.round(sound * 32_767).astype("<i2").tobytes())
    return stream.getvalue()
