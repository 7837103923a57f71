"""The exported SavedModel: every signature, in a process that knows nothing of this project, rows that do not
disturb each other.
"""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import graph_ops
from export.saved_model import run as running
from export.saved_model.signatures import signatures
from export.saved_model.write import export_saved_model, read_description, read_vocabulary
from export.signature import input_specs
from export.verify import samples
from graph_ops.features import BY_NAME, static_shape
from tests.comparing import assert_same

VERSION = 3


@pytest.fixture(scope="module", params=["keras_hub", pytest.param("transformers", marks=pytest.mark.release)])
def exported(request, tmp_path_factory):
    """An export without its vocabulary file, with the preprocessor that it was made of."""
    folder = tmp_path_factory.mktemp("export")
    vocabulary = folder / "vocabulary.spm"
    vocabulary.write_bytes(samples.demonstration_file("demonstration.spm").read_bytes())
    preprocessor = graph_ops.Gemma4CausalLMPreprocessor(
        graph_ops.Gemma4Tokenizer(vocabulary),
        graph_ops.Gemma4ImageConverter(),
        graph_ops.Gemma4AudioConverter(),
        parity=request.param,
    )
    written = export_saved_model(preprocessor, folder / "model", version=VERSION)
    vocabulary.unlink()
    return preprocessor, written


@pytest.fixture(scope="module")
def loaded(exported):
    return running.load(exported[1])


def call(loaded, name, **inputs):
    return {
        key: value.numpy()
        for key, value in loaded.signatures[name](
            **{key: tf.constant(value) for key, value in inputs.items()}
        ).items()
    }


@pytest.fixture(scope="module")
def mixed(photo, speech):
    """Good and faulty rows of every kind, as inputs of `generate_preprocess`; the second list says what each
    row's status holds.
    """
    small = tf.io.encode_png(samples.pixels(40, 60)).numpy()
    rows = [
        ("text alone", [b"", b""], [b""], ""),
        ("see <|image|>", [photo, b""], [b""], ""),
        ("<|image|> and <|image|>", [small, photo], [b""], ""),
        ("hear <|audio|>", [b"", b""], [speech], ""),
        ("<|audio|> both <|image|>", [b"", small], [speech], ""),
        ("bad <|image|>", [b"no image", b""], [b""], "must be an intact JPEG"),
        ("truncated <|image|>", [photo[:5000], b""], [b""], "must be an intact JPEG"),
        ("missing <|image|>", [b"", b""], [b""], "got 1 placeholder(s) and 0 image(s)"),
        ("bad <|audio|>", [b"", b""], [b"no wav"], "must be a RIFF WAVE file"),
        ("an MP3 <|audio|>", [b"", b""], [b"ID3" + speech[:3000]], "got an MP3 file, 3003 bytes"),
        ("surplus", [b"", b""], [speech], "got 0 placeholder(s) and 1 clip(s)"),
        ("word " * 1500 + "<|image|>", [small, b""], [b""], "must fit into the row"),
    ]
    prompts, images, audio, faults = zip(*rows, strict=True)
    return {"prompts": list(prompts), "images": list(images), "audio": list(audio)}, list(faults)


@pytest.mark.slow
def test_a_fresh_process_without_this_project_runs_every_signature(exported, photo, speech, tmp_path):
    preprocessor, written = exported
    (tmp_path / "photo.jpg").write_bytes(photo)
    (tmp_path / "speech.wav").write_bytes(speech)
    script = tmp_path / "client.py"
    script.write_text(FRESH_CLIENT)
    ran = subprocess.run(
        [sys.executable, "-I", script, written, tmp_path],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout.splitlines()[-1])
    assert set(result["ran"]) == set(signatures(preprocessor.settings))
    x = {"prompts": ["see <|image|> hear <|audio|>"], "images": [[photo]], "audio": [[speech]]}
    expected = preprocessor.generate_preprocess(x)
    assert result["token_ids"] == np.asarray(expected["token_ids"])[0].tolist()
    assert result["text"] == preprocessor.generate_postprocess(expected)[0]


FRESH_CLIENT = """
import json, pathlib, sys
import tensorflow as tf, tensorflow_text

folder, media = sys.argv[1], pathlib.Path(sys.argv[2])
module = tf.saved_model.load(folder)
photo, speech = (media / "photo.jpg").read_bytes(), (media / "speech.wav").read_bytes()
values = {
    "prompts": ["see <|image|> hear <|audio|>"], "responses": ["yes"], "text": ["hello"],
    "images": [[photo]], "audio": [[speech]],
    "token_ids": tf.constant([[5, 6]]), "lengths": tf.constant([2]),
    "padding_mask": tf.constant([[True, True]]),
    "image_sizes": tf.constant([[[40, 50]]]), "audio_lengths": tf.constant([[900]]),
    "pending": tf.zeros([1, 3], tf.int32), "is_last": [True], "in_thought": [False],
    "roles": [["user"]], "parts": [[["see", "", ""]]], "part_types": [[["text", "image", "audio"]]],
    "add_generation_prompt": [True], "enable_thinking": [False], "preserve_thinking": [False],
    "names": [[""]], "thoughts": [[""]], "calls": [[[""]]], "tools": [[""]],
}
arrays = {"images": tf.zeros([1, 1, 40, 50, 3], tf.uint8), "audio": tf.zeros([1, 1, 900])}
ran, kept = [], {}
for name, signature in module.signatures.items():
    given = dict(values)
    if name == "generate_preprocess_text": given["prompts"] = ["hello"]
    if name == "generate_preprocess_image": given["prompts"] = ["<|image|>"]
    if name == "generate_preprocess_audio": given["prompts"] = ["<|audio|>"]
    if name == "generate_preprocess_arrays": given |= arrays
    wanted = signature.structured_input_signature[1]
    if "tools" in wanted: given["responses"] = [[[""]]]
    outputs = signature(**{key: tf.constant(given[key]) for key in wanted})
    assert "status" not in outputs or outputs["status"].numpy().tolist() == [b""], (name, outputs["status"])
    ran.append(name)
    kept[name] = outputs
assert not {"graph_ops", "export", "keras_hub"} & set(sys.modules)
row = kept["generate_preprocess"]
given = {name: row[name] for name in ("token_ids", "padding_mask")}
text = module.signatures["generate_postprocess"](**given)["text"]
ids = row["token_ids"].numpy()[0].tolist()
print(json.dumps({"ran": ran, "token_ids": ids, "text": text.numpy()[0].decode()}))
"""


def test_signatures_are_those_of_the_table_with_static_dims(exported, loaded):
    preprocessor, _ = exported
    table = signatures(preprocessor.settings)
    sizes = preprocessor.settings.dim_sizes
    assert loaded.signatures.keys() == table.keys()
    for name, signature in table.items():
        function = loaded.signatures[name]
        inputs = function.structured_input_signature[1]
        assert {key: (spec.dtype, spec.shape.as_list()) for key, spec in inputs.items()} == {
            key: (spec.dtype, spec.shape.as_list()) for key, spec in input_specs(signature).items()
        }
        assert set(function.structured_outputs) == set(signature.outputs)
        for key, spec in function.structured_outputs.items():
            if key in BY_NAME and name not in ("tokenize", "tokenize_with_offsets"):
                assert spec.shape.as_list() == static_shape(BY_NAME[key], sizes), (name, key)
                assert spec.dtype == BY_NAME[key].dtype


def test_served_rows_equal_the_class(exported, loaded, mixed):
    preprocessor, _ = exported
    inputs, faults = mixed
    served = call(loaded, "generate_preprocess", **inputs)
    for row, fault in enumerate(faults):
        if fault:
            continue
        single = preprocessor.generate_preprocess({name: [value[row]] for name, value in inputs.items()})
        for name, value in single.items():
            value = np.asarray(value)
            mine = served[name][row : row + 1]
            width = tuple(slice(size) for size in value.shape)
            assert_same(mine[width], value, name)
            rest = mine.copy()
            rest[width] = 0
            assert name in ("audio_mel", "pixel_position_ids") or not rest.any()


def test_each_fault_stays_in_its_row_and_is_explained(loaded, mixed):
    inputs, faults = mixed
    served = call(loaded, "generate_preprocess", **inputs)
    for row, fault in enumerate(faults):
        status = served["status"][row].decode()
        assert bool(status) == bool(fault), status
        assert fault in status
        if fault:
            assert not served["padding_mask"][row].any()
            assert not served["token_ids"][row].any()
            assert not served["vision_indices"][row].any()
            assert not served["pixel_values"][row].any()
            assert (served["pixel_position_ids"][row] == -1).all()
            assert not served["audio_mel_mask"][row].any()


@pytest.mark.parametrize("seed", range(3))
def test_a_row_is_the_same_alone_and_in_any_batch(loaded, mixed, seed):
    inputs, faults = mixed
    order = np.random.default_rng(seed).permutation(len(faults))[:7]
    batch = call(
        loaded,
        "generate_preprocess",
        **{name: [value[row] for row in order] for name, value in inputs.items()},
    )
    for place, row in enumerate(order):
        alone = call(loaded, "generate_preprocess", **{name: [value[row]] for name, value in inputs.items()})
        for name, value in alone.items():
            assert_same(batch[name][place], value[0], name)


def test_arrays_equal_files_with_garbage_in_the_padding(loaded, speech):
    image = samples.pixels(40, 60)
    padded = np.random.default_rng(0).integers(0, 256, (1, 2, 90, 70, 3)).astype(np.uint8)
    padded[0, 0, :40, :60] = image
    decoded = tf.audio.decode_wav(speech).audio.numpy()[:, 0]
    sound = np.full((1, 1, len(decoded) + 500), np.nan, np.float32)
    sound[0, 0, : len(decoded)] = decoded
    prompts = ["<|image|> <|audio|>"]
    arrays = call(
        loaded,
        "generate_preprocess_arrays",
        prompts=prompts,
        images=padded,
        image_sizes=np.array([[[40, 60], [0, 0]]], np.int32),
        audio=sound,
        audio_lengths=np.array([[len(decoded)]], np.int32),
    )
    png = tf.io.encode_png(image).numpy()
    files = call(loaded, "generate_preprocess", prompts=prompts, images=[[png, b""]], audio=[[speech]])
    for name, value in files.items():
        assert_same(arrays[name], value, name)


@pytest.mark.slow
def test_training_signature_equals_the_class(exported, loaded, photo):
    preprocessor, _ = exported
    x = {
        "prompts": ["see <|image|>", "a"],
        "responses": ["yes it is", "b"],
        "images": [[photo, b""], [b"", b""]],
    }
    served = call(loaded, "preprocess", **x, audio=[[b""], [b""]])
    features, y, sample_weight = preprocessor(x)
    np.testing.assert_array_equal(served["y"], y)
    np.testing.assert_array_equal(served["sample_weight"], sample_weight)
    for name in ("token_ids", "padding_mask", "pixel_values", "vision_indices", "vision_mask"):
        np.testing.assert_array_equal(served[name], features[name], err_msg=name)


def test_more_media_than_slots_are_a_fault_of_their_row(loaded, photo):
    served = call(
        loaded,
        "generate_preprocess_image",
        prompts=["<|image|>" * 3, "<|image|>"],
        images=[[photo] * 3, [photo, b"", b""]],
    )
    assert b"at most `max_images_per_prompt` images; got 3, and the most is 2" in served["status"][0]
    assert served["status"][1] == b""
    assert served["pixel_values"].shape == (2, 2, 2520, 768)


def test_tokenize_and_detokenize_signatures(loaded):
    rows = call(loaded, "tokenize", text=["hello there", ""])
    assert rows["lengths"].tolist()[1] == 0
    back = call(loaded, "detokenize", **rows)
    assert back["text"].tolist() == [b"hello there", b""]
    bad = call(
        loaded,
        "detokenize",
        token_ids=np.array([[5, 99_999], [5, 7]], np.int32),
        lengths=np.array([2, 1], np.int32),
    )
    assert b"an id must be in [0, 4096); got 99999" in bad["status"][0]
    assert bad["text"].tolist()[0] == b""
    assert bad["status"][1] == b""


def test_ids_past_a_length_are_not_read(loaded):
    rows = call(
        loaded, "detokenize", token_ids=np.array([[300, 99_999]], np.int32), lengths=np.array([1], np.int32)
    )
    assert rows["status"].tolist() == [b""]


@pytest.mark.release
def test_saved_again_after_loading_it_still_runs(exported, tmp_path):
    _, written = exported
    copy = tmp_path / "again"
    first = tf.saved_model.load(str(written))
    tf.saved_model.save(first, str(copy), signatures=dict(first.signatures))
    del first
    again = running.load(copy)
    assert (
        call(again, "tokenize", text=["hello"])["token_ids"].tolist()
        == call(running.load(written), "tokenize", text=["hello"])["token_ids"].tolist()
    )


def test_description_and_vocabulary_can_be_read_back(exported):
    preprocessor, written = exported
    description = read_description(written)
    assert description["preprocessor"]["sequence_length"] == 1024
    assert description["preprocessor"]["tokenizer"]["sha256"] == preprocessor.tokenizer.vocabulary.sha256
    assert read_vocabulary(written).proto == preprocessor.tokenizer.proto
    with pytest.raises(FileNotFoundError, match="must be a version folder that `gemma4-graph saved-model`"):
        read_description(written.parent)


def test_nothing_but_the_version_is_left_in_the_folder(exported):
    _, written = exported
    assert [path.name for path in written.parent.iterdir()] == [str(VERSION)]
