"""A LiteRT bundle beside the SavedModel of the same preprocessor: what goes in, what comes out, and what is
refused.
"""

import functools
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

import graph_ops
from export.litert import run as litert_running
from export.litert import write as litert
from export.litert.buckets import Buckets
from export.litert.runtime import CompiledModelRuntime, InterpreterRuntime
from export.saved_model.run import load
from export.saved_model.runtime import SavedModelRuntime
from export.saved_model.write import export_saved_model
from export.verify import samples
from graph_ops.faults import SENTENCES, Fault
from graph_ops.media.arrays import pack_items
from graph_ops.media.table import BY_NAME
from tests.data import DEMONSTRATION, REAL, needs_real

MEL_TOLERANCE = 1e-4  # float32 matrix products in place of a float64 FFT
IMAGE, CLIP = "<|image|>", "<|audio|>"


def make(vocabulary=DEMONSTRATION, **settings):
    tokenizer = graph_ops.Gemma4Tokenizer(vocabulary, engine="builtin")
    converters = graph_ops.Gemma4ImageConverter(max_image_pixels=10**6), graph_ops.Gemma4AudioConverter()
    return graph_ops.Gemma4CausalLMPreprocessor(tokenizer, *converters, **settings)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The folders of a bundle and of a SavedModel with the same settings, the latter without
    tensorflow-text's ops, by parity.
    """

    @functools.cache
    def export(parity):
        folder, preprocessor = tmp_path_factory.mktemp("litert"), make(parity=parity)
        return litert.export_litert(preprocessor, folder / "bundle"), export_saved_model(
            preprocessor, folder / "saved_model"
        )

    return export


@pytest.fixture(scope="module", params=["keras_hub", pytest.param("transformers", marks=pytest.mark.release)])
def both(request, exported):
    return exported(request.param)


@pytest.fixture(scope="module")
def bundle(both):
    return litert_running.load_bundle(both[0])


@pytest.fixture(scope="module")
def saved_model(both, bundle):
    return SavedModelRuntime(load(both[1]), bundle.description["preprocessor"])


@pytest.fixture(scope="module", params=["Interpreter", "CompiledModel"])
def on_device(request, bundle):
    parity = bundle.description["preprocessor"]["parity"]
    if request.param == "CompiledModel" and parity != "keras_hub":
        pytest.skip("one parity shows the runtime, one runtime the parity")
    return InterpreterRuntime(bundle) if request.param == "Interpreter" else CompiledModelRuntime(bundle)


@pytest.fixture(scope="module")
def static(tmp_path_factory):
    buckets = Buckets(text=(64, 256), media={"image": ((96, 160),), "audio": ((1,),)})
    return litert_running.load_bundle(
        litert.export_litert(make(), tmp_path_factory.mktemp("static") / "bundle", buckets=buckets)
    )


def pixels(*size, seed=0):
    return samples.pixels(*size, seed=seed)


def clip(length, seed=0):
    return samples.sounds(length, seed=seed)["sweep"]


ROWS = {
    "nothing": ("", {}),
    "text": ("A fox <turn|> jumps 🦊 over \n\n the <bos> dog", {}),
    "image": (f"see {IMAGE} here", {"image": [pixels(100, 140)]}),
    "two images of different sizes": (
        f"{IMAGE}{IMAGE}",
        {"image": [pixels(40, 31), pixels(300, 200, seed=1)]},
    ),
    "audio": (f"hear {CLIP} it", {"audio": [clip(20_007)]}),
    "audio beyond 30 s": (CLIP, {"audio": [clip(490_000)]}),
    "image and audio": (f"{CLIP} then {IMAGE}", {"image": [pixels(64, 700)], "audio": [clip(16_000)]}),
    "longer than the row": ("word " * 2000, {}),
}


@pytest.mark.parametrize("case", ROWS)
def test_a_row_equals_that_of_the_saved_model(case, on_device, saved_model):
    expected, found = saved_model.row(*ROWS[case]), on_device.row(*ROWS[case])
    assert expected["status"].tolist() == [b""]
    assert found["status"].tolist() == [0]
    for name in expected.keys() - {"status"}:
        tolerance = MEL_TOLERANCE if name == "audio_mel" else 0
        assert found[name].shape == expected[name].shape
        np.testing.assert_allclose(found[name], expected[name], atol=tolerance, rtol=0, err_msg=name)


def test_ids_and_texts_equal_those_of_the_saved_model(on_device, saved_model):
    texts = [
        *(text.encode() for text in samples.FIXED_TEXTS),
        *samples.hostile_texts(200, pieces=("▁the", "<|image|>")),
    ]
    expected = saved_model.tokenize(texts)
    for found, ids in zip(on_device.tokenize(texts), expected, strict=True):
        assert found.tolist() == ids.tolist()
    rows = np.random.default_rng(0).integers(0, 4096, (100, 20)).astype(np.int32)
    assert on_device.detokenize(rows) == saved_model.detokenize(rows)
    row = saved_model.row(f"see {IMAGE} <|audio>", {"image": [pixels(50, 50)]})
    assert on_device.postprocess(row["token_ids"], row["padding_mask"]) == saved_model.postprocess(
        row["token_ids"], row["padding_mask"]
    )


def test_media_that_were_preprocessed_before_give_the_same_row(bundle):
    prompt, images, clips = f"see {IMAGE} hear {CLIP}", [pixels(100, 140)], [clip(20_007)]
    whole = litert_running.request(bundle, prompt.encode(), {"image": images, "audio": clips})
    image = bundle.run(
        "preprocess_image", images=images[0][np.newaxis], image_sizes=np.array([[100, 140]], np.int32)
    )
    audio = bundle.run(
        "preprocess_audio", audio=clips[0][np.newaxis], audio_lengths=np.array([20_007], np.int32)
    )
    counts = {
        "image_soft_tokens": np.array([[image["soft_tokens"][0], 0]], np.int32),
        "audio_soft_tokens": audio["soft_tokens"][np.newaxis],
    }
    row = bundle.run(
        "generate_preprocess_counts", **litert_running.text_inputs("prompts", prompt.encode()), **counts
    )
    assert row.keys() == whole.keys() - {"pixel_values", "pixel_position_ids", "audio_mel", "audio_mel_mask"}
    for name in row:
        np.testing.assert_array_equal(row[name], whole[name], err_msg=name)
    np.testing.assert_array_equal(image["pixel_values"], whole["pixel_values"][:, 0])
    np.testing.assert_allclose(audio["audio_mel"], whole["audio_mel"][:, 0], rtol=0, atol=MEL_TOLERANCE)


def test_the_bundle_describes_itself(both, bundle):
    description = json.loads((both[0] / litert.DESCRIPTION).read_text())
    assert set(description["signatures"]) == set(bundle.interpreter.get_signature_list())
    for name, signature in description["signatures"].items():
        runner = bundle.interpreter.get_signature_runner(name)
        for given, details in (
            (signature["inputs"], runner.get_input_details()),
            (signature["outputs"], runner.get_output_details()),
        ):
            assert given.keys() == details.keys()
            for key, tensor in given.items():
                assert tensor["dtype"] == details[key]["dtype"].__name__ in ("float32", "int32", "uint8")
                assert tensor["shape"] == [
                    None if size < 0 else size for size in details[key]["shape_signature"].tolist()
                ]
                assert tensor["meaning"]
    assert description["statuses"] == {"0": ""} | {
        str(int(code)): sentence for code, sentence in SENTENCES.items()
    }
    assert not [op for op in description["ops"] if op.startswith("custom:") or "FLEX" in op or op == "CUSTOM"]


def lengths(value):
    return np.array([value], np.int32)


TEXT = np.frombuffer(b"hello", np.uint8)
NO_MEDIA = {
    name: array
    for medium, slots in ((BY_NAME["image"], 2), (BY_NAME["audio"], 1))
    for name, array in zip(
        (medium.argument, medium.sizes), pack_items([[]], medium=medium, slots=slots), strict=True
    )
}
FAULTS = {
    "text longer than its buffer": (
        "tokenize",
        {"text": TEXT, "text_length": lengths(6)},
        Fault.TEXT_LENGTH,
        (6, 5),
    ),
    "negative length": ("tokenize", {"text": TEXT, "text_length": lengths(-1)}, Fault.TEXT_LENGTH, (-1, 5)),
    "id out of range": (
        "detokenize",
        {"token_ids": np.array([[5, 4096, -1]], np.int32), "lengths": lengths(3)},
        Fault.TOKEN_ID_OUT_OF_RANGE,
        (4096, 4096),
    ),
    "negative id": (
        "generate_postprocess",
        {"token_ids": np.array([[-7]], np.int32), "padding_mask": np.array([[1]], np.int32)},
        Fault.TOKEN_ID_OUT_OF_RANGE,
        (-7, 4096),
    ),
    "more ids than given": (
        "detokenize",
        {"token_ids": np.zeros([1, 2], np.int32), "lengths": lengths(3)},
        Fault.TEXT_LENGTH,
        (3, 2),
    ),
    "image beyond its array": (
        "preprocess_image",
        {"images": np.zeros([1, 9, 9, 3], np.uint8), "image_sizes": np.array([[10, 9]], np.int32)},
        Fault.IMAGE_SIZE,
        (10, 9),
    ),
    "image over the limit": (
        "preprocess_image",
        {"images": np.zeros([1, 1001, 1000, 3], np.uint8), "image_sizes": np.array([[1001, 1000]], np.int32)},
        Fault.IMAGE_TOO_LARGE,
        (1001, 1000),
    ),
    "clip beyond its array": (
        "preprocess_audio",
        {"audio": np.zeros([1, 100], np.float32), "audio_lengths": lengths(101)},
        Fault.AUDIO_LENGTH,
        (101, 100),
    ),
    "surplus placeholder": (
        "generate_preprocess",
        litert_running.text_inputs("prompts", IMAGE.encode()) | NO_MEDIA,
        Fault.IMAGE_COUNT,
        (1, 0),
    ),
    "too many soft tokens": (
        "generate_preprocess_counts",
        litert_running.text_inputs("prompts", IMAGE.encode())
        | {
            "image_soft_tokens": np.array([[281, 0]], np.int32),
            "audio_soft_tokens": np.array([[0]], np.int32),
        },
        Fault.SOFT_TOKENS,
        (281, 280),
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_is_wrong_is_a_status_and_the_outputs_are_padding(case, bundle):
    signature, inputs, fault, numbers = FAULTS[case]
    outputs = bundle.interpreter.get_signature_runner(signature)(**inputs)
    assert (outputs["status"].tolist(), outputs["status_detail"].tolist()) == ([fault], [list(numbers)])
    for name in outputs.keys() & {
        "lengths",
        "text_length",
        "soft_tokens",
        "padding_mask",
        "pixel_values",
        "vision_indices",
    }:
        assert not outputs[name].any()
    with pytest.raises(ValueError, match=r"`.*; got "):
        bundle.run(signature, **inputs)


@pytest.mark.slow
def test_static_buckets_give_what_sizes_that_vary_give(static, demonstration_tokenizer):
    text = "A fox jumps 🦊 over <|image|>".encode()
    for size in (64, 256):
        buffer = np.full(size, 77, np.uint8)  # what lies past the length is not looked at
        buffer[: len(text)] = np.frombuffer(text, np.uint8)
        tokens = static.run(f"tokenize_{size}", text=buffer, text_length=lengths(len(text)))
        ids = tokens["token_ids"][0, : tokens["lengths"][0]]
        assert ids.tolist() == demonstration_tokenizer(text.decode()).numpy().tolist()
        padded = np.zeros([1, size], np.int32)
        padded[0, : len(ids)] = ids
        back = static.run(f"detokenize_{size}", token_ids=padded, lengths=tokens["lengths"])
        assert back["text"].tobytes()[: back["text_length"][0]] == text
    image = np.full([1, 96, 160, 3], 200, np.uint8)
    image[0, :70, :90] = pixels(70, 90)
    found = static.run("preprocess_image_96x160", images=image, image_sizes=np.array([[70, 90]], np.int32))
    expected = graph_ops.Gemma4ImageConverter()(pixels(70, 90))
    np.testing.assert_array_equal(found["pixel_values"][0], expected["pixel_values"])
    np.testing.assert_array_equal(found["pixel_position_ids"][0], expected["pixel_position_ids"])
    sound = np.zeros([1, 16_000], np.float32)
    sound[0, :9_000] = clip(9_000)
    found = static.run("preprocess_audio_1s", audio=sound, audio_lengths=lengths(9_000))
    np.testing.assert_allclose(
        found["audio_mel"][0], graph_ops.Gemma4AudioConverter()(clip(9_000)), atol=MEL_TOLERANCE
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prompt", "images", "clips"),
    [
        ("", 0, 0),
        ("no media", 0, 0),
        (f"see {IMAGE}", 1, 0),
        (f"{CLIP} hear", 0, 1),
        (f"{IMAGE} {IMAGE} and {CLIP}", 2, 1),
    ],
)
def test_a_static_bundle_makes_the_row_from_its_parts(static, exported, prompt, images, clips):
    varying = litert_running.load_bundle(exported("keras_hub")[0])
    media = {
        "image": [pixels(70, 90), pixels(96, 160, seed=3)][:images],
        "audio": [clip(9_000)][:clips],
    }
    found, expected = (litert_running.request(each, prompt.encode(), media) for each in (static, varying))
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert (found[name].shape, found[name].dtype) == (tensor.shape, tensor.dtype)
        tolerance = MEL_TOLERANCE if name == "audio_mel" else 0
        np.testing.assert_allclose(found[name], tensor, rtol=0, atol=tolerance)


@pytest.mark.slow
def test_what_a_static_bundle_has_no_room_for_is_refused_before_it_runs(static):
    with pytest.raises(ValueError, match=r"`images`: this bundle has 2 slot\(s\); got 3"):
        litert_running.request(static, b"x", {"image": [pixels(9, 9)] * 3})
    with pytest.raises(ValueError, match=r"`images`: must fit into \[1, 96, 160, 3\]"):
        litert_running.request(static, IMAGE.encode(), {"image": [pixels(97, 9)]})
    with pytest.raises(ValueError, match=r"`prompts`: must fit into \[64\] or \[256\], .* got \[257\]"):
        litert_running.request(static, b"a" * 257, {})


@pytest.mark.slow
def test_clips_that_take_turns_in_a_static_buffer_leave_nothing_behind(static):
    cut = (16_000, 16_000, 9_000, 320)
    clips = [samples.sounds(16_000, seed=seed)["noise"] for seed in range(len(cut))]
    expected = [
        graph_ops.Gemma4AudioConverter()(sound[:length]) for sound, length in zip(clips, cut, strict=True)
    ]
    for _ in range(
        12
    ):  # what is left behind depends on where memory happens to lie, so that not every interpreter shows it
        loaded = litert_running.load_bundle(static.folder, num_threads=1)
        for sound, length, mel in zip(clips, cut, expected, strict=True):
            found = loaded.run("preprocess_audio_1s", audio=sound[np.newaxis], audio_lengths=lengths(length))
            np.testing.assert_allclose(found["audio_mel"][0], mel, atol=MEL_TOLERANCE)


def test_clips_that_take_turns_leave_nothing_behind_where_sizes_vary(bundle):
    cut = (16_000, 16_000, 9_000, 320, 320)
    clips = [samples.sounds(length, seed=seed)["noise"] for seed, length in enumerate(cut)]
    expected = [graph_ops.Gemma4AudioConverter()(sound) for sound in clips]
    for _ in range(12):
        loaded = litert_running.load_bundle(bundle.folder, num_threads=1)
        for sound, mel in zip(clips, expected, strict=True):
            found = loaded.run("preprocess_audio", audio=sound[np.newaxis], audio_lengths=lengths(len(sound)))
            valid = found["audio_mel_mask"].sum()
            assert valid > 0
            np.testing.assert_allclose(found["audio_mel"][0, :valid], mel[:valid], atol=MEL_TOLERANCE)


@pytest.mark.slow
def test_floats_are_computed_in_sizes_that_are_known_before_a_run(bundle, static):
    """Where they are not, XNNPACK may read memory that holds something else (LiteRT 2.3): wrong numbers
    without an error.
    """
    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    for folder in (bundle.folder, static.folder):
        model = schema.ModelT.InitFromPackedBuf((folder / litert.MODEL).read_bytes(), 0)
        computing = set()
        for graph in (model.subgraphs[definition.subgraphIndex] for definition in model.signatureDefs):
            for op in graph.operators:
                tensors = [graph.tensors[index] for index in (*op.inputs, *op.outputs) if index >= 0]
                if any(tensor.type == schema.TensorType.FLOAT32 and _varies(tensor) for tensor in tensors):
                    code = model.operatorCodes[op.opcodeIndex]
                    computing.add(names[max(code.builtinCode, code.deprecatedBuiltinCode)])
        assert computing <= {
            "SHAPE",
            "RESHAPE",
            "STRIDED_SLICE",
            "PAD",
        }  # which bring an input to a known size


def _varies(tensor):
    return tensor.shapeSignature is not None and any(size < 0 for size in tensor.shapeSignature)


@pytest.mark.slow
def test_a_text_longer_than_its_bucket_is_a_status(static):
    with pytest.raises(
        ValueError, match=r"`prompts`, `text`: a length must be from 0 .*; got 65, and 64 are given"
    ):
        static.run("tokenize_64", text=np.zeros(64, np.uint8), text_length=lengths(65))


@pytest.mark.slow
def test_every_tensor_of_a_static_bundle_has_a_fixed_size(static):
    for signature in static.description["signatures"].values():
        assert all(
            None not in tensor["shape"]
            for side in ("inputs", "outputs")
            for tensor in signature[side].values()
        )


@pytest.mark.slow
def test_the_tables_are_stored_once_whatever_the_number_of_signatures(static):
    model = schema.ModelT.InitFromPackedBuf(pathlib.Path(static.folder, litert.MODEL).read_bytes(), 0)
    large = [
        bytes(buffer.data) for buffer in model.buffers if buffer.data is not None and len(buffer.data) > 4096
    ]
    assert len(large) > 10
    assert len(set(large)) == len(large)


WITHOUT_TEXT = """
import sys
sys.modules["tensorflow_text"] = None
import tensorflow as tf
signatures = tf.saved_model.load(sys.argv[1]).signatures
rows = signatures["tokenize"](text=tf.constant(["This is a test.", "", "日本 <|image|>"]))
print(rows["token_ids"].numpy().tolist(), rows["lengths"].numpy().tolist())
print(signatures["detokenize"](**rows)["text"].numpy().tolist())
"""


@pytest.mark.slow
def test_a_saved_model_with_the_builtin_engine_loads_without_tensorflow_text(both, demonstration_tokenizer):
    printed = subprocess.run(
        [sys.executable, "-c", WITHOUT_TEXT, str(both[1])], capture_output=True, text=True, check=True
    ).stdout
    expected = demonstration_tokenizer(tf.constant(["This is a test.", "", "日本 <|image|>"]))
    assert printed.splitlines() == [
        f"{expected.to_tensor().numpy().tolist()} {expected.row_lengths().numpy().tolist()}",
        str([b"This is a test.", b"", "日本 <|image|>".encode()]),
    ]


MEMORY = """
import pathlib, resource, sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
prompt = np.frombuffer("See <|image|> and hear <|audio|>".encode(), np.uint8)
images, audio = np.full([1, 2, 512, 512, 3], 99, np.uint8), np.ones([1, 1, 160_000], np.float32)
sizes, lengths = np.array([[[512, 512], [0, 0]]], np.int32), np.array([[160_000]], np.int32)
before = peak()
run = Interpreter(sys.argv[1]).get_signature_runner("generate_preprocess")
text = {"prompts": prompt, "prompts_length": np.array([len(prompt)], np.int32)}
outputs = run(**text, images=images, image_sizes=sizes, audio=audio, audio_lengths=lengths)
assert outputs["status"][0] == 0
print(peak() - before - pathlib.Path(sys.argv[1]).stat().st_size)
"""


@needs_real
def test_the_real_vocabularys_bundle_is_small_and_so_is_what_it_takes_to_run(tmp_path):
    for parity in ("keras_hub", "transformers"):
        model = (
            litert.export_litert(make(pathlib.Path(REAL), parity=parity), tmp_path / parity) / litert.MODEL
        )
        assert model.stat().st_size <= 9e6
        printed = subprocess.run(
            [sys.executable, "-c", MEMORY, str(model)], capture_output=True, text=True, check=True
        ).stdout
        assert int(printed.split()[-1]) <= 150e6
