"""Gemma 4 unified in a SavedModel, in a server and in a LiteRT bundle: the class's rows in each."""

import shutil

import numpy as np
import pytest
import tensorflow as tf
from transformers.models.gemma4_unified.feature_extraction_gemma4_unified import (
    Gemma4UnifiedAudioFeatureExtractor,
)

from export.litert import run as litert_running
from export.litert.runtime import InterpreterRuntime
from export.litert.write import export_litert
from export.saved_model.run import load
from export.saved_model.runtime import SavedModelRuntime
from export.saved_model.write import export_saved_model
from export.serving.server import Server, Settings
from export.verify import samples
from graph_ops import Gemma4AudioConverter, Gemma4CausalLMPreprocessor, Gemma4ImageConverter, Gemma4Tokenizer
from tests.comparing import assert_same
from tests.data import DEMONSTRATION
from tests.export.serving.rig import GrpcClient, call, predict_request
from tests.graph_ops.audio.sounds import wav_file

pytestmark = pytest.mark.slow

PRESET, SECONDS, BUDGET = "gemma4_unified_instruct_12b", 4, 20
FRAMES = SECONDS * 25
IMAGE, CLIP = "<|image|>", "<|audio|>"


def make(engine="sentencepiece"):
    """Few soft tokens, so that rows are small."""
    return Gemma4CausalLMPreprocessor.from_preset(
        PRESET,
        tokenizer=Gemma4Tokenizer(DEMONSTRATION, engine=engine),
        image_converter=Gemma4ImageConverter.from_preset(PRESET, max_soft_tokens=BUDGET),
        audio_converter=Gemma4AudioConverter.from_preset(PRESET, max_audio_length=SECONDS),
        num_vision_tokens_per_image=BUDGET,
        sequence_length=300,
    )


@pytest.fixture(scope="module")
def ours():
    return make()


@pytest.fixture(scope="module")
def folder(ours, tmp_path_factory):
    written = export_saved_model(ours, tmp_path_factory.mktemp("unified"))
    shutil.rmtree(written / "assets.extra")  # warmup requests: a server that runs them is tested elsewhere
    return written


@pytest.fixture(scope="module")
def saved_model(folder):
    return load(folder)


@pytest.fixture(scope="module")
def requests(photo, speech):
    """Rows with what is good, what is damaged, and what is too long."""
    long = wav_file(samples.sounds(16_000 * 6)["sweep"])
    return {
        "prompts": [f"see {IMAGE}{IMAGE} hear {CLIP}", CLIP, f"a {IMAGE}", CLIP, "hi", CLIP],
        "images": [[photo, photo], [b"", b""], [photo[:99], b""], [b"", b""], [b"", b""], [b"", b""]],
        "audio": [[speech], [long], [b""], [wav_file(np.zeros(0, np.float32))], [b""], [b"RIFF"]],
    }


def expected_row(ours, requests, index):
    x = {name: [file for file in requests[name][index] if file] for name in ("images", "audio")}
    given = {name: files for name, files in x.items() if files}
    row = ours.generate_preprocess({"prompts": requests["prompts"][index], **given})
    return {name: value.numpy() for name, value in row.items()}


def test_rows_of_the_saved_model_are_those_of_the_class(ours, saved_model, requests):
    found = call(saved_model, "generate_preprocess", requests)
    assert found["pixel_values"].shape == (6, 2, BUDGET, 6912)
    assert found["audio_mel"].shape == (6, 1, FRAMES, 640)
    statuses = [status.decode() for status in found.pop("status")]
    assert [bool(status) for status in statuses] == [False, False, True, True, False, True]
    assert statuses[2].startswith("`images`: ")
    assert [status.startswith("`audio`: ") for status in statuses] == [False, False, False, True, False, True]
    for index in (0, 1, 4):
        for name, expected in expected_row(ours, requests, index).items():
            window = tuple(slice(size) for size in expected.shape)  # no wider than the row needs
            assert_same(found[name][index][window], expected)
    for index in (2, 3, 5):
        assert not found["padding_mask"][index].any()
        assert not found["audio_mel"][index].any()


def test_a_clip_is_cut_where_the_extractor_cuts(saved_model, requests):
    clip = np.frombuffer(requests["audio"][1][0][44:], "<i2").astype(np.float32) / 2**15
    found = call(saved_model, "generate_preprocess", requests)
    theirs = Gemma4UnifiedAudioFeatureExtractor()(
        clip, padding="max_length", max_length=FRAMES, return_tensors="np"
    )
    np.testing.assert_array_equal(found["audio_mel"][1], theirs["input_features"])
    np.testing.assert_array_equal(found["audio_mel_mask"][1], theirs["input_features_mask"])


@pytest.mark.release
def test_a_server_answers_as_the_signature_does(folder, saved_model, requests):
    server = Server(Settings(folder.parent, port=0, rest_port=0))
    server.start()
    try:
        given = {name: value[:1] for name, value in requests.items()}
        request = predict_request("generate_preprocess", given)
        answer = GrpcClient(server.port).predict(request)
        found = {name: tf.make_ndarray(value) for name, value in answer.outputs.items()}
    finally:
        server.stop()
    assert_same(found, call(saved_model, "generate_preprocess", given))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    place = tmp_path_factory.mktemp("unified") / "bundle"
    return litert_running.load_bundle(export_litert(make("builtin"), place))


ROWS = {
    "text": ("A fox 🦊", {}),
    "image": (f"see {IMAGE}", {"image": [samples.pixels(100, 140)]}),
    "two images": (f"{IMAGE}{IMAGE}", {"image": [samples.pixels(31, 40), samples.pixels(9, 700)]}),
    "a clip": (CLIP, {"audio": [samples.sounds(20_007)["noise"]]}),
    "one sample": (CLIP, {"audio": [np.ones(1, np.float32)]}),
    "whole frames": (CLIP, {"audio": [samples.sounds(6_400)["sweep"]]}),
    "too long": (CLIP, {"audio": [samples.sounds(70_000)["clicks"]]}),
    "both": (f"{CLIP}{IMAGE}", {"audio": [samples.sounds(641)["noise"]], "image": [samples.pixels(48, 48)]}),
}


@pytest.mark.parametrize("case", ROWS)
def test_rows_of_a_bundle_are_those_of_the_saved_model(case, bundle, ours, saved_model):
    prompt, media = ROWS[case]
    expected = SavedModelRuntime(saved_model, ours.get_config()).row(prompt, media)
    found = InterpreterRuntime(bundle).row(prompt, media)
    for name, value in expected.items():
        if name == "status":
            assert value.tolist() == [b""]
        else:
            np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.parametrize(
    ("media", "word"),
    [
        ({"audio": [np.full(900, np.nan, np.float32)]}, "audio"),
        ({"audio": []}, "audio"),
        ({"image": [samples.pixels(4, 4)]}, "image"),
    ],
    ids=["NaN", "no clip", "an image instead"],
)
def test_a_bundle_refuses_what_the_class_refuses(bundle, ours, media, word):
    names = {"audio": "audio", "image": "images"}
    with pytest.raises(ValueError, match=word):
        litert_running.request(bundle, CLIP.encode(), media)
    with pytest.raises(ValueError, match=word):
        ours.generate_preprocess({"prompts": CLIP, **{names[name]: items for name, items in media.items()}})


def test_a_bundle_has_builtin_ops_alone(bundle):
    names = {op["op_name"] for op in bundle.interpreter._get_ops_details()}
    assert names
    assert not {name for name in names if "Flex" in name or "CUSTOM" in name.upper()}
