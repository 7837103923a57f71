"""The input that chooses a budget for each item of a request."""

import json

import numpy as np
import pytest
import tensorflow as tf

from export.artifact import open_artifact
from export.budgets import check_budgets, with_budget_inputs
from export.litert.buckets import Buckets
from export.litert.run import load_bundle, text_inputs
from export.litert.signatures import device_signatures
from export.litert.write import export_litert
from export.saved_model.signatures import DEFAULT, signatures
from export.saved_model.write import export_saved_model
from export.serving.server import Server, Settings
from export.signature import traced
from export.verify import samples
from graph_ops import Gemma4CausalLMPreprocessor, Gemma4ImageConverter, Gemma4Tokenizer
from graph_ops.media.image import IMAGE
from tests.data import DEMONSTRATION
from tests.export.cli.commands import run

FILES = [tf.io.encode_png(samples.pixels(*size)).numpy() for size in ((480, 640), (200, 90))]
PROMPT = "See <|image|> and <|image|>."


@pytest.fixture(scope="module")
def preprocessor(make_preprocessor):
    return make_preprocessor(audio=False, parity="transformers")


def inputs_of(table):
    return {
        name: tuple(signature.inputs["max_soft_tokens"].shape)
        for name, signature in table.items()
        if "max_soft_tokens" in signature.inputs
    }


def test_signatures_that_take_images_or_their_sizes_have_the_input_if_it_is_wanted(make_preprocessor):
    settings = make_preprocessor().settings
    assert inputs_of(signatures(settings)) == {}
    table = signatures(settings, max_soft_tokens_input=True)
    without = {
        name for name in table if "tokenize" in name or name in ("generate_postprocess", "parse_response")
    }
    without |= {"generate_preprocess_text", "generate_preprocess_audio"}
    assert inputs_of(table) == dict.fromkeys(table.keys() - without, (None, None))
    assert table[DEFAULT] is table["generate_preprocess"]
    assert table["generate_preprocess"].inputs["max_soft_tokens"].dtype == tf.int32
    text = make_preprocessor(images=False).settings
    assert inputs_of(signatures(text, max_soft_tokens_input=True)) == {}


def test_devices_have_it_for_one_image_and_for_a_rows():
    tokenizer = Gemma4Tokenizer(DEMONSTRATION, engine="builtin")
    settings = Gemma4CausalLMPreprocessor(tokenizer, Gemma4ImageConverter()).settings
    assert inputs_of(device_signatures(settings)) == {}
    assert inputs_of(device_signatures(settings, max_soft_tokens_input=True)) == {
        "preprocess_image": (1,),
        "generate_preprocess": (1, 2),
        "generate_preprocess_counts": (1, 2),
        "count_tokens": (1, 2),
    }
    buckets = Buckets((8,), {"image": ((48, 96),)})
    assert inputs_of(device_signatures(settings, buckets, max_soft_tokens_input=True)) == {
        "preprocess_image_48x96": (1,),
        "generate_preprocess_counts_8": (1, 2),
        "count_tokens_8": (1, 2),
    }


@pytest.mark.slow
def test_a_served_row_equals_the_classs_and_a_wrong_budget_is_its_rows_alone(preprocessor):
    table = signatures(preprocessor.settings, max_soft_tokens_input=True)
    inputs = {
        "prompts": tf.constant([PROMPT] * 4),
        "images": tf.constant([FILES] * 4),
        "max_soft_tokens": tf.constant([[70, 140], [0, 0], [70, 71], [560, 0]]),
    }
    found = traced(table["generate_preprocess"])(**inputs)
    status = found.pop("status").numpy().tolist()
    assert status[:2] == [b"", b""]
    assert b"got 71, and its own is 280" in status[2]
    assert b"got 560, and its own is 280" in status[3]
    expected = preprocessor.generate_preprocess(
        {"prompts": [PROMPT] * 2, "images": [FILES] * 2, "max_soft_tokens": [[70, 140], [0, 0]]}
    )
    for name, feature in expected.items():
        if name in found:
            np.testing.assert_array_equal(found[name][:2], feature, err_msg=name)
    assert not found["padding_mask"][2:].numpy().any()
    blocks = found["vision_indices"].numpy().reshape(4, 2, 280)
    assert np.count_nonzero(blocks, axis=2).tolist() == [[63, 119], [266, 264], [0, 0], [0, 0]]
    chat = {
        "roles": [["user"]],
        "parts": [[["", "See"]]],
        "part_types": [[["image", "text"]]],
        "add_generation_prompt": [True],
        "enable_thinking": [False],
        "preserve_thinking": [False],
        "images": [FILES[:1]],
        "max_soft_tokens": [[70]],
    }
    chat_rows = traced(table["generate_preprocess_chat"])
    row = chat_rows(**{name: tf.constant(one) for name, one in chat.items()})
    assert np.count_nonzero(row["vision_mask"]) == 63


def test_counts_follow_the_budgets(preprocessor):
    table = signatures(preprocessor.settings, max_soft_tokens_input=True)
    sizes, budgets = tf.constant([[[480, 640], [200, 90]]]), tf.constant([[70, 0]])
    count = table["count_tokens"].function(
        {"prompts": tf.constant([PROMPT]), "image_sizes": sizes, "max_soft_tokens": budgets}
    )
    row = preprocessor.generate_preprocess({"prompts": PROMPT, "images": FILES, "max_soft_tokens": [70, 0]})
    assert int(count["num_tokens"][0]) == np.count_nonzero(row["padding_mask"])


def test_one_budget_is_for_all_items_and_several_are_for_each():
    assert check_budgets((), 2, IMAGE, accepted=False) == [0, 0]
    assert check_budgets((70,), 2, IMAGE, accepted=True) == [70, 70]
    assert check_budgets((70, 0), 2, IMAGE, accepted=True) == [70, 0]
    with pytest.raises(ValueError, match=r"this export takes none; .* --max-soft-tokens-input"):
        check_budgets((70,), 1, IMAGE, accepted=False)
    with pytest.raises(ValueError, match=r"got 2 for 3\. Pass as many"):
        check_budgets((70, 0), 3, IMAGE, accepted=True)


def test_a_table_without_images_stays_as_it_is(preprocessor):
    table = {"tokenize": signatures(preprocessor.settings)["tokenize"]}
    assert with_budget_inputs(table) == table


@pytest.fixture(scope="module")
def saved(preprocessor, made_once):
    """A version folder with the input."""
    folder = made_once(
        "budgets", lambda place: export_saved_model(preprocessor, place, max_soft_tokens_input=True)
    )
    return folder / "1"


@pytest.mark.release
def test_a_saved_model_a_server_and_the_commands_follow_the_budgets(capsys, preprocessor, saved, tmp_path):
    pictures = [tmp_path / "a.png", tmp_path / "b.png"]
    for path, file in zip(pictures, FILES, strict=True):
        path.write_bytes(file)
    files = [argument for path in pictures for argument in ("--image", str(path))]
    expected = preprocessor.generate_preprocess({"prompts": PROMPT, "images": FILES, "max_soft_tokens": 70})
    found = open_artifact(saved).request(PROMPT, {"image": FILES}, max_soft_tokens=[70])
    for name in found.keys() & expected.keys():
        np.testing.assert_array_equal(found[name][0], expected[name], err_msg=name)

    def soft_tokens(*command, prompt=("--prompt", PROMPT)):
        code, out, error = run(capsys, *command, *prompt, *files, "--json")
        return json.loads(out)["soft_tokens"]["image"] if code == 0 else error

    both = ("--max-soft-tokens", "140", "--max-soft-tokens", "0")
    message = ("--message", "user=Compare.")
    assert soft_tokens("run", str(saved)) == [266, 264]
    assert soft_tokens("run", str(saved), *both) == [130, 264]
    assert "got 71, and its own is 280" in soft_tokens("run", str(saved), "--max-soft-tokens", "71")
    assert soft_tokens("chat", str(saved), *both, prompt=message) == [130, 264]
    server = Server(Settings(saved.parent, "budgets", port=0, rest_port=0, warm=False))
    server.start()
    try:
        for port in (server.port, server.rest_port):
            named = (f"127.0.0.1:{port}", "--model-name", "budgets", "--timeout", "300")
            assert soft_tokens("request", *named, "--max-soft-tokens", "70") == [63, 60]
            assert soft_tokens("request", *named) == [266, 264]
    finally:
        server.stop()


@pytest.mark.release
def test_a_bundles_rows_and_counts_follow_the_budgets(tmp_path):
    tokenizer = Gemma4Tokenizer(DEMONSTRATION, engine="builtin")
    ours = Gemma4CausalLMPreprocessor(tokenizer, Gemma4ImageConverter())
    artifact = open_artifact(export_litert(ours, tmp_path / "bundle", max_soft_tokens_input=True))
    for budgets in ([140, 0], [70, 280]):
        x = {"prompts": [PROMPT], "images": [FILES], "max_soft_tokens": [budgets]}
        expected = ours.generate_preprocess(x)
        found = artifact.request(PROMPT, {"image": FILES}, max_soft_tokens=budgets)
        for name in found.keys() & expected.keys():
            np.testing.assert_array_equal(found[name], expected[name], err_msg=name)
    bundle = load_bundle(artifact.folder)
    pixels = samples.pixels(480, 640)
    item = {"images": pixels[np.newaxis], "image_sizes": np.array([[480, 640]], np.int32)}
    one = bundle.run("preprocess_image", **item, max_soft_tokens=np.array([70], np.int32))
    assert one["soft_tokens"].tolist() == [63]
    counts = {"image_soft_tokens": np.array([[63, 0]], np.int32)}
    prompt = text_inputs("prompts", b"See <|image|>")
    chosen = {"max_soft_tokens": np.array([[70, 0]], np.int32)}
    row = bundle.run("generate_preprocess_counts", **prompt, **counts, **chosen)
    assert row["vision_mask"].sum() == 70
    too_many = np.array([[71, 0]], np.int32)
    with pytest.raises(ValueError, match=r"a count must be .*; got 71, and the most is 70"):
        bundle.run(
            "generate_preprocess_counts",
            **prompt,
            image_soft_tokens=too_many,
            **chosen,
        )
