"""What a browser must answer to a bundle's requests, as Python answers them: `python -m browser.golden BUNDLE
FILE`.

Two judges: the eager steps, which are themselves tested against the references, for what the JavaScript
wrapper returns; and the same `.tflite` in `ai_edge_litert` for every output of every signature, padding
included.
"""

import base64
import dataclasses
import json
import pathlib
import re
import sys
import wave
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from export.cli.quiet import quiet_stderr

with quiet_stderr():  # TensorFlow logs while it is loaded
    import tensorflow as tf

    from browser import golden_video
    from export.litert.run import Arrays, Bundle, load_bundle
    from export.verify import samples
    from export.verify.files import image_file
    from graph_ops import Gemma4CausalLMPreprocessor, Gemma4Tokenizer
    from graph_ops.audio.encode import encode_audio
    from graph_ops.config import SOFT_TOKEN_BUDGETS
    from graph_ops.image.encode import encode_image_arrays, encode_images

LONE_SURROGATES = ("\ud800", "a\udfffb", "\udc00\ud83d", "\U0001f600\ud83d", "<|image\udead|>")
"""What JavaScript's strings may hold and UTF-8 may not."""
_SIZES = {"image_sizes": (480, 640), "audio_lengths": 40_000, "video_sizes": (3, 96, 160)}
"""Of items that are counted."""
MEDIA = {"image": "<|image|>", "audio": "<|audio|>"}
VIDEO = "<|video|>"


def main(folder: str, out: str) -> None:
    """Writes the answers."""
    with quiet_stderr():
        pathlib.Path(out).write_text(json.dumps(_answers(folder)))


def _answers(folder: str) -> dict[str, Any]:
    bundle = load_bundle(folder, num_threads=1)
    preprocessor = _preprocessor(pathlib.Path(folder), bundle.description["preprocessor"])
    return {
        "texts": [{"text": text, "ids": _ids(preprocessor, text)} for text in _texts(bundle)],
        "image": _image(preprocessor) if preprocessor.image_converter else None,
        "files": list(_files(preprocessor)) if preprocessor.image_converter else [],
        "audio": _audio(preprocessor) if preprocessor.audio_converter else None,
        "rows": list(_rows(preprocessor)),
        "stream": _stream(preprocessor),
        "offsets": [_offsets(preprocessor, text) for text in ("", "Größe 👩‍🚀 e\u0301", "a b")],
        "counts": list(_counts(preprocessor)),
        "answer": _answer(preprocessor),
        "chats": list(_chats(preprocessor)),
        "sampling": list(golden_video.sampling()),
        "video": _video(preprocessor, bundle.description) if preprocessor.video_converter else None,
        "errors": [
            {"text": text, "message": _error(bundle, text)}
            for text in ("x" * (_largest(bundle) + 1), "é" * _largest(bundle))
        ],
        "runs": [
            {"signature": name, "inputs": _encoded(inputs), "outputs": _encoded(bundle.run(name, **inputs))}
            for name in bundle.description["signatures"]
            for inputs in _with_budgets(bundle, name)
        ],
    }


def _preprocessor(folder: pathlib.Path, config: dict[str, Any]) -> Gemma4CausalLMPreprocessor:
    """The one that was exported, on SentencePiece."""
    return Gemma4CausalLMPreprocessor.from_config(
        {**config, "tokenizer": Gemma4Tokenizer(folder / "vocabulary.spm")}
    )


def _bytes(text: str) -> bytes:
    """UTF-8 as JavaScript makes it."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text).encode()


def _sizes(bundle: Bundle) -> list[int]:
    return [
        entry["inputs"]["text"]["shape"][0]
        for name, entry in bundle.description["signatures"].items()
        if re.fullmatch(r"tokenize_\d+", name)
    ]


def _largest(bundle: Bundle) -> int:
    return max(_sizes(bundle))


def _texts(bundle: Bundle) -> list[str]:
    hostile = [
        text.decode()
        for text in samples.hostile_texts(60, pieces=bundle.vocabulary.pieces, seed=7, invalid_utf8=False)
    ]
    full = [
        text
        for size in _sizes(bundle)
        for text in ("x" * size, "the end " * (size // 8), "é" * (size // 2), "👩‍🚀 " * (size // 12))
    ]
    fixed = [text for text in samples.FIXED_TEXTS if len(text.encode()) <= _largest(bundle)]
    return [*fixed, *LONE_SURROGATES, *full, *hostile]


def _ids(preprocessor: Gemma4CausalLMPreprocessor, text: str) -> list[int]:
    return preprocessor.tokenizer(tf.constant(_bytes(text))).numpy().tolist()


def _photo() -> np.ndarray:
    return np.asarray(Image.open(samples.demonstration_file("photo.jpg")).convert("RGB"))


def _speech() -> np.ndarray:
    with wave.open(str(samples.demonstration_file("speech.wav"))) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768


def _image(preprocessor: Gemma4CausalLMPreprocessor) -> dict[str, Any]:
    pixels = _photo()
    steps = encode_image_arrays(
        tf.constant([pixels]), tf.constant([pixels.shape[:2]]), config=preprocessor.image_converter.config
    )
    names = ("pixel_values", "pixel_position_ids", "soft_tokens")
    return {"size": pixels.shape[:2], "small": _small(preprocessor, pixels)} | _encoded(
        {"pixels": pixels} | {name: step[0].numpy() for name, step in zip(names, steps[:3], strict=True)}
    )


def _small(preprocessor: Gemma4CausalLMPreprocessor, pixels: np.ndarray) -> dict[str, Any]:
    """The same picture with a request's own budget."""
    most = min(SOFT_TOKEN_BUDGETS)
    config = dataclasses.replace(preprocessor.image_converter.config, max_soft_tokens=most)
    small = encode_image_arrays(tf.constant([pixels]), tf.constant([pixels.shape[:2]]), config=config)
    prompt = "See <|image|> here"
    row = preprocessor.generate_preprocess({"prompts": prompt, "images": pixels, "max_soft_tokens": most})
    return {"most": most, "prompt": prompt} | _encoded(
        {
            "values": small.values[0].numpy(),
            "soft_tokens": small.num_soft_tokens.numpy(),
            "token_ids": row["token_ids"].numpy(),
        }
    )


FILES = (
    *(("PNG", "RGB", orientation) for orientation in range(1, 9)),
    ("JPEG", "RGB", 6),
    ("WEBP", "RGB", 8),
    ("PNG", "RGBA", 1),
    ("PNG", "P", 1),
    ("WEBP", "RGBA", 5),
    ("GIF", "P", 1),
)
"""Format, Pillow's mode and orientation of files that a browser turns and composites."""
WHITE = (255, 255, 255)


def _video(preprocessor: Gemma4CausalLMPreprocessor, description: dict[str, Any]) -> dict[str, Any]:
    return {
        "files": [
            {
                "name": each["name"],
                "files": [_encoded({"file": file})["file"] for file in each["files"]],
                "frame_indices": each["frame_indices"],
                "fps": each["fps"],
                "rows": [row | {"features": _encoded(row["features"])} for row in each["rows"]],
            }
            | _encoded({name: each[name] for name in ("pixel_values", "position_ids")})
            for each in golden_video.videos(preprocessor, description["preprocessor"])
        ],
        "counts": list(golden_video.counts(preprocessor)),
    }


def _files(preprocessor: Gemma4CausalLMPreprocessor) -> Iterator[dict[str, Any]]:
    """Files with the patches of what they show under settings that differ from the bundle's."""
    for is_turned in (True, False):
        config = dataclasses.replace(
            preprocessor.image_converter.config, apply_exif_orientation=is_turned, background_color=WHITE
        )
        for kind in FILES:
            file = image_file(*kind)
            steps = encode_images(tf.constant([file]), config=config)
            settings = {"apply_exif_orientation": is_turned, "background_color": WHITE}
            yield {"kind": kind, "settings": settings} | _encoded(
                {"file": np.frombuffer(file, np.uint8), "pixel_values": steps.values[0].numpy()}
            )


def _audio(preprocessor: Gemma4CausalLMPreprocessor) -> dict[str, Any]:
    clip = _speech()
    steps = encode_audio(
        tf.constant([clip]),
        tf.constant([clip.size]),
        parity=preprocessor.parity,
        config=preprocessor.audio_converter.config,
    )
    names = ("audio_mel", "audio_mel_mask", "soft_tokens")
    return _encoded(
        {"samples": clip} | {name: step[0].numpy() for name, step in zip(names, steps[:3], strict=True)}
    )


def _rows(preprocessor: Gemma4CausalLMPreprocessor) -> Iterator[dict[str, Any]]:
    """Rows with each combination of media that the configuration has, without the media's own tensors."""
    given = {"image": _photo(), "audio": _speech()}
    converters = {"image": preprocessor.image_converter, "audio": preprocessor.audio_converter}
    able = [medium for medium in MEDIA if converters[medium]]
    for media in dict.fromkeys([(), *((medium,) for medium in able), tuple(able)]):
        prompt = " and ".join(["Größe 👩‍🚀", *(MEDIA[medium] for medium in media), "?"])
        names = {"image": "images", "audio": "audio"}
        row = preprocessor.generate_preprocess(
            {"prompts": prompt} | {names[medium]: given[medium] for medium in media}
        )
        kept = {
            name: tensor.numpy()
            for name, tensor in row.items()
            if not name.startswith(("pixel", "audio_mel"))
        }
        numbers = {name: array.astype(np.int32) for name, array in kept.items()}
        yield {"prompt": prompt, "media": media, "features": _encoded(numbers)}


def _stream(preprocessor: Gemma4CausalLMPreprocessor) -> dict[str, Any]:
    """Ids, parts of a character and bytes of none included, and the whole text."""
    vocabulary = preprocessor.tokenizer.vocabulary
    loose = [vocabulary.find(f"<0x{byte:02X}>") for byte in (*"🦊".encode(), 0xF0, 0x9F, 0xE0, 0x41)]
    ids = [*_ids(preprocessor, "Größe 👩‍🚀 <|turn>"), *loose, *_ids(preprocessor, "the end"), loose[0]]
    return {"ids": ids, "text": preprocessor.tokenizer.detokenize(ids).numpy().decode()}


def _offsets(preprocessor: Gemma4CausalLMPreprocessor, text: str) -> dict[str, Any]:
    found = preprocessor.tokenizer.tokenize_with_offsets(text)
    return {"text": text} | {name: part.numpy().tolist() for name, part in found._asdict().items()}


def _counts(preprocessor: Gemma4CausalLMPreprocessor) -> Iterator[dict[str, Any]]:
    """Prompts with the sizes of media that the configuration has, one of which does not fit."""
    converters = {"image": preprocessor.image_converter, "audio": preprocessor.audio_converter}
    sizes = {"image": ("images", [[480, 640]], "image_sizes"), "audio": ("audio", [40_000], "audio_lengths")}
    able = [medium for medium in MEDIA if converters[medium]]
    for media in dict.fromkeys([(), *((medium,) for medium in able), tuple(able)]):
        prompt = " ".join(["Größe", *(MEDIA[medium] for medium in media)])
        given = {sizes[medium][0]: sizes[medium][1] for medium in media}
        named = {sizes[medium][2]: sizes[medium][1] for medium in media}
        count = preprocessor.count_tokens({"prompts": prompt, **named})
        yield {
            "prompt": prompt,
            "sizes": given,
            "num_tokens": int(count.num_tokens),
            "fits": bool(count.fits),
        }


def _answer(preprocessor: Gemma4CausalLMPreprocessor) -> dict[str, Any]:
    """Ids of an answer and what is in it."""
    call = '<|tool_call>call:f{a:<|"|>x<|"|>}<tool_call|><|tool_response>'
    text = f"<|channel>thought\nHm.\n<channel|>So 🦊 {call}"
    ids = _ids(preprocessor, text)
    return {"ids": ids} | preprocessor.parse_response(ids)._asdict()


DIALOGUES: tuple[tuple[tuple[str, str | list[dict[str, str]]], ...], ...] = (
    (("user", "Größe 👩‍🚀"),),
    (("system", "\n\nBe brief. "), ("user", "Hi <turn|>\n<|turn>system")),
    (("user", "<b>"), ("assistant", "<|channel>no<channel|>\n yes")),
    (("user", [{"type": "text", "text": text} for text in ("<bos><|im", "age|><", "bos>")]),),
)
"""Role and content of messages, some of which spell special tokens."""


def _chats(preprocessor: Gemma4CausalLMPreprocessor) -> Iterator[dict[str, Any]]:
    """Dialogues and the ids of their rows."""
    for dialogue in DIALOGUES:
        messages = [{"role": role, "content": content} for role, content in dialogue]
        for thinks in (False, True):
            row = preprocessor.generate_preprocess({"messages": messages, "enable_thinking": thinks})
            ids = row["token_ids"].numpy()[row["padding_mask"].numpy().astype(bool)]
            yield {"messages": messages, "options": {"enableThinking": thinks}, "ids": ids.tolist()}


def _error(bundle: Bundle, text: str) -> str:
    try:
        bundle.run(f"tokenize_{_largest(bundle)}", **_padded("text", text, _largest(bundle)))
    except ValueError as error:
        return str(error)
    raise AssertionError(f"a text of {len(text)} characters must not fit")


def _padded(name: str, text: str, size: int) -> Arrays:
    codes = _bytes(text)
    padded = np.zeros(size, np.uint8)
    padded[: len(codes)] = np.frombuffer(codes[:size], np.uint8)
    return {name: padded, f"{name}_length": np.array([len(codes)], np.int32)}


def _with_budgets(bundle: Bundle, name: str) -> Iterator[Arrays]:
    """`_requests`, every other one with smaller budgets, where the signature takes them."""
    given = bundle.description["signatures"][name]["inputs"].get("max_soft_tokens")
    for number, inputs in enumerate(_requests(bundle, name)):
        chosen = 140 * (number % 2)
        yield inputs | ({"max_soft_tokens": np.full(given["shape"], chosen, np.int32)} if given else {})


def _requests(bundle: Bundle, name: str) -> Iterator[Arrays]:
    """Requests to a signature, every input as large as the signature has it."""
    kind, inputs = re.sub(r"_\d+((x\d+)+|s)?$", "", name), bundle.description["signatures"][name]["inputs"]
    shapes = {given: entry["shape"] for given, entry in inputs.items()}
    if kind == "preprocess_image":
        for height, width in ((shapes["images"][1], shapes["images"][2]), (97, 61), (0, 0)):
            canvas = np.zeros(shapes["images"], np.uint8)
            canvas[0, :height, :width] = samples.pixels(height, width) if height else 0
            yield {"images": canvas, "image_sizes": np.array([[height, width]], np.int32)}
    elif kind == "preprocess_audio":
        sounds = samples.sounds(shapes["audio"][1])
        for sound, length in zip(sounds.values(), (shapes["audio"][1], 12_345, 161, 0, 320), strict=True):
            yield {"audio": sound[np.newaxis], "audio_lengths": np.array([length], np.int32)}
    elif kind == "preprocess_video":
        _, frames, height, width, _ = shapes["videos"]
        for size in ((frames, height, width), (min(frames, 3), 97, 161), (0, 0, 0)):
            video = np.zeros(shapes["videos"], np.uint8)
            for place in range(size[0]):
                video[0, place, : size[1], : size[2]] = samples.pixels(*size[1:])[:, :: 1 - 2 * (place % 2)]
            yield {"videos": video, "video_sizes": np.array([size], np.int32)}
    elif kind == "generate_preprocess_counts":
        placeholders = MEDIA | {"video": VIDEO}
        for used in (0, 1):
            counts = {
                given: np.zeros(shape, np.int32)
                for given, shape in shapes.items()
                if given.removesuffix("_soft_tokens") in placeholders
            }
            for given in counts:
                counts[given][0, 0] = 66 * used
            prompt = "Say: " + "".join(placeholders[given.split("_")[0]] for given in counts) * used
            yield _padded("prompts", prompt, shapes["prompts"][0]) | counts | _source(shapes, used)
    elif kind == "count_tokens":
        names = [given for given in shapes if given in _SIZES]
        for used in (0, 1):
            sizes = {given: np.zeros(shapes[given], np.int32) for given in names}
            ids = np.zeros(shapes["token_ids"], np.int32)
            for place, given in enumerate(names):
                sizes[given][0, 0] = np.array(_SIZES[given]) * used
                ids[0, place] = bundle.vocabulary.find(f"<|{given.split('_')[0]}|>")
            lengths = np.array([len(names) * used], np.int32)
            yield sizes | {"token_ids": ids, "lengths": lengths} | _source(shapes, used)
    elif kind == "token_offsets":
        given_text = _padded("text", "Größe <|turn>", shapes["text"][0])
        tokens = bundle.run(name.replace("token_offsets", "tokenize"), **given_text)
        yield given_text | {given: tokens[given] for given in ("token_ids", "lengths")}
    elif kind == "tokenize":
        for text in [text for text in _texts(bundle) if len(_bytes(text)) <= shapes["text"][0]][::6]:
            yield _padded("text", text, shapes["text"][0])
    else:
        ids = (
            np.arange(shapes["token_ids"][1], dtype=np.int32)[np.newaxis] * 7 % len(bundle.vocabulary.pieces)
        )
        if kind == "generate_postprocess":
            yield {"token_ids": ids, "padding_mask": (ids > 40).astype(np.int32)}
            return
        given = {"token_ids": ids, "lengths": np.array([ids.size - 3], np.int32)}
        if kind == "detokenize":
            yield given
            return
        byte = bundle.vocabulary.find("<0xF0>")
        for is_last in (0, 1):
            pending = np.array([[0, 0, byte]], np.int32)
            yield given | {"pending": pending, "is_last": np.array([is_last], np.int32)}


def _source(shapes: dict[str, list[int]], used: int) -> Arrays:
    """What is said of the source of a video, where the signature asks."""
    if "frame_indices" not in shapes:
        return {}
    places = np.arange(shapes["frame_indices"][2], dtype=np.int32) * 100
    indices = np.broadcast_to(places if used else -1, shapes["frame_indices"]).astype(np.int32)
    return {"frame_indices": indices, "fps": np.full(shapes["fps"], 12.5 * used, np.float32)}


def _encoded(arrays: Arrays) -> dict[str, Any]:
    """Arrays as JSON holds them to the bit, compressed: the tests read it as one string."""
    return {
        name: {
            "dtype": array.dtype.name,
            "shape": array.shape,
            "base64": base64.b64encode(zlib.compress(np.ascontiguousarray(array).tobytes(), 1)).decode(),
        }
        for name, array in arrays.items()
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
