"""`python -m tools.across_tensorflows`: whether SavedModels of this TensorFlow give the same in older ones.

Exports both engines with the TensorFlow of this environment, makes an environment of each older version in
`build/tensorflows` (2.5 GB each), runs every signature on the same inputs in all of them, and prints which
outputs are equal byte for byte.
"""

import argparse
import io
import json
import os
import pathlib
import subprocess
import sys
import wave
from collections.abc import Mapping
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from rich.console import Console
from rich.table import Table

import graph_ops
from export.saved_model.write import export_saved_model
from export.verify import samples
from tools.run_signatures import pack, unpack

ROOT = pathlib.Path(__file__).parents[1]
WORK = ROOT / "build" / "tensorflows"
VERSIONS = ("2.16.2", "2.18.1", "2.20.0")
PYTHONS = ("3.11", "3.10")
"""Those that all of them have wheels for."""
ENGINES = ("sentencepiece", "builtin")

Arrays = Mapping[str, Mapping[str, np.ndarray]]
"""By signature and name."""
Packed = Mapping[str, Mapping[str, list[Any]]]
"""The same, each array as `pack` writes it."""


class Comparison(NamedTuple):
    """How one version's outputs stand to another's.

    Attributes:
        equal: number of outputs with the same bytes.
        total: number of outputs.
        differences: by signature and output, the largest absolute difference, or what differs besides.
    """

    equal: int
    total: int
    differences: dict[str, float | str]


def requests() -> Arrays:
    """Inputs of every signature: good rows beside faulty ones, hostile texts, a clip to resample."""
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


def compare(found: Packed, expected: Packed) -> Comparison:
    """Every output of `found` beside the same of `expected`, byte for byte."""
    pairs = {
        f"{signature}: {name}": (found.get(signature, {}).get(name), packed)
        for signature, outputs in expected.items()
        for name, packed in outputs.items()
    }
    differences = {label: _difference(one, other) for label, (one, other) in pairs.items() if one != other}
    return Comparison(len(pairs) - len(differences), len(pairs), differences)


def _difference(found: list[Any] | None, expected: list[Any]) -> float | str:
    if found is None:
        return "missing"
    one, other = unpack(found), unpack(expected)
    if (one.dtype, one.shape) != (other.dtype, other.shape):
        return f"{found[0]} {found[2]} beside {expected[0]} {expected[2]}"
    if other.dtype == object:
        return f"{np.sum(one != other)} of {other.size} strings"
    return float(np.max(np.abs(one.astype(np.float64) - other.astype(np.float64))))


def _strings(items: list[Any]) -> np.ndarray:
    return np.array(items, object)


def _wav(sound: np.ndarray, rate: int) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(np.round(sound * 32_767).astype("<i2").tobytes())
    return stream.getvalue()


def _export(engine: str, folder: pathlib.Path) -> pathlib.Path:
    tokenizer = graph_ops.Gemma4Tokenizer(samples.demonstration_file("demonstration.spm"), engine=engine)
    converters = graph_ops.Gemma4ImageConverter(), graph_ops.Gemma4AudioConverter()
    return export_saved_model(graph_ops.Gemma4CausalLMPreprocessor(tokenizer, *converters), folder / engine)


def _interpreter() -> str:
    """One of PYTHONS on this machine."""
    listed = subprocess.run([ROOT / "tools" / "pythons.sh"], capture_output=True, text=True, check=True)
    for python in listed.stdout.split():
        version = subprocess.run([python, "--version"], capture_output=True, text=True, check=True).stdout
        if any(version.startswith(f"Python {wanted}.") for wanted in PYTHONS):
            return python
    raise SystemExit(
        f"Python {' or '.join(PYTHONS)} is needed: the older TensorFlows have no wheels for later ones"
    )


def _environment(version: str) -> str:
    """The interpreter of an environment with that TensorFlow, made if it is not there."""
    folder = WORK / version
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        print(f"installing TensorFlow {version}", flush=True)
        text = ".".join(version.split(".")[:2])
        subprocess.run([_interpreter(), "-m", "venv", "--clear", folder], check=True)
        subprocess.run(
            [python, "-m", "pip", "install", "-q", f"tensorflow=={version}", f"tensorflow-text=={text}.*"],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        (folder / "installed").touch()
    return str(python)


def _run(python: str, exported: pathlib.Path, packed: pathlib.Path) -> dict[str, Any]:
    """Answers of the signatures in another process, and its versions."""
    answers = packed.with_name("answers.json")
    command = [python, "-I", *map(str, (ROOT / "tools" / "run_signatures.py", exported, packed, answers))]
    subprocess.run(command, check=True, cwd=packed.parent)
    return json.loads(answers.read_text())


def main(versions: list[str]) -> int:
    """Prints the table; 1 if anything but log-mel differs, which is sums of floats."""
    WORK.mkdir(parents=True, exist_ok=True)
    packed = WORK / "requests.json"
    packed.write_text(
        json.dumps(
            {
                signature: {name: pack(array) for name, array in inputs.items()}
                for signature, inputs in requests().items()
            }
        )
    )
    pythons = [sys.executable, *(_environment(version) for version in versions)]
    table = Table(
        "engine", "TensorFlow", "tensorflow-text", "Python", "NumPy", "equal outputs", "differences"
    )
    failed = False
    for engine in ENGINES:
        exported = _export(engine, WORK / "exports")
        expected = _run(sys.executable, exported, packed)["outputs"]
        for python in pythons:
            answer = _run(python, exported, packed)
            comparison = compare(answer["outputs"], expected)
            failed |= not all(name.endswith("audio_mel") for name in comparison.differences)
            table.add_row(engine, *_cells(answer["versions"], comparison))
    Console().print(table)
    return int(failed)


def _cells(versions: dict[str, str], comparison: Comparison) -> list[str]:
    names = ("tensorflow", "tensorflow-text", "python", "numpy")
    differences = [
        f"{name} {difference:.1e}" if isinstance(difference, float) else f"{name} {difference}"
        for name, difference in comparison.differences.items()
    ]
    return [
        *(versions.get(name, "") for name in names),
        f"{comparison.equal} of {comparison.total}",
        "\n".join(differences) or "none",
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("versions", nargs="*", default=VERSIONS, help="TensorFlows; by default %(default)s")
    sys.exit(main(parser.parse_args().versions))
