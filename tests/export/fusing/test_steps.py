"""Clients that drive the loop: `prefill` and `decode` give the ids of `generate`, saved and served."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from examples.small_gemma4 import small_gemma4
from export import fuse
from export.fusing.fusable import generation_settings
from export.fusing.generate import generate_rows
from export.fusing.keras_ops import core_ops
from export.fusing.signatures import fused_signatures
from export.fusing.steps import OUTPUTS, decode_rows, prefill_rows, step_finding
from export.serving.server import Server, Settings
from export.signature import traced
from graph_ops.family import GEMMA4
from graph_ops.faults import Fault
from tests.export.fusing.rig import our_preprocessor, png, small_model, text_preprocessor
from tests.export.serving.rig import GrpcClient, predict_request

MOST, SIZE = 10, 64
INPUTS = ("token_id", "position", "cache")
PROMPTS = ["one", "a second prompt, which is longer", "x"]


@pytest.fixture(scope="module")
def preprocessor():
    keras.utils.set_random_seed(3)  # first: it empties TensorFlow's kernel cache
    return text_preprocessor(sequence_length=SIZE)


@pytest.fixture(scope="module")
def model(preprocessor):
    model = small_gemma4(preprocessor.tokenizer.vocabulary_size(), images=False, audio=False)
    model.compile(sampler="greedy")
    return model


@pytest.fixture(scope="module")
def call(preprocessor, model):
    """Signatures by name, as functions of arrays."""
    generation = generation_settings(preprocessor.settings, (), MOST, True)
    table = fused_signatures(preprocessor.settings, model, generation, steps=True)
    functions = {name: traced(table[name]) for name in ("prefill", "decode", "generate")}

    def called(name, **inputs):
        found = functions[name](**{key: tf.constant(value) for key, value in inputs.items()})
        return {key: value.numpy() for key, value in found.items()}

    return called


def driven(call, prompts, most=MOST):
    """Ids [B, most] of a client's loop, which takes the likeliest each time."""
    state = call("prefill", prompts=prompts)
    ids = [state["token_id"]]
    while len(ids) < most:
        state = call("decode", **{name: state[name] for name in INPUTS})
        ids.append(state["token_id"])
    return np.stack(ids, axis=1)


def answers(found):
    """Ids [B, `MOST`] of what `generate` said."""
    starts = found["num_prompt_tokens"]
    return np.stack(
        [row[start : start + MOST] for row, start in zip(found["token_ids"], starts, strict=True)]
    )


def test_a_clients_loop_gives_the_ids_of_generate(call):
    expected = answers(call("generate", prompts=PROMPTS))
    np.testing.assert_array_equal(driven(call, PROMPTS), expected)


def test_a_row_is_the_same_alone_and_in_any_batch(call):
    together, alone = call("prefill", prompts=PROMPTS), call("prefill", prompts=PROMPTS[:1])
    for name in OUTPUTS:
        exact = np.testing.assert_array_equal if name != "logits" and name != "cache" else close
        exact(together[name][:1], alone[name])
    later = call("decode", **{name: alone[name] for name in INPUTS})
    mixed = {
        name: np.concatenate([together[name][1:], later[name]]) for name in ("token_id", "position", "cache")
    }
    after, expected = (call("decode", **{name: given[name] for name in INPUTS}) for given in (mixed, later))
    for name in OUTPUTS:
        np.testing.assert_array_equal(after[name][-1:], expected[name])


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_the_cache_ends_with_the_prompt(call):
    found = call("prefill", prompts=PROMPTS)
    filled = np.abs(found["cache"]).sum(axis=(1, 2, 4, 5)) > 0
    assert filled.sum(axis=1).tolist() == found["position"].tolist()


def test_log_probabilities_of_generate_are_those_of_the_logits(call):
    found, first = call("generate", prompts=PROMPTS), call("prefill", prompts=PROMPTS)
    likeliest = tf.reduce_max(tf.nn.log_softmax(first["logits"]), axis=1)
    close(found["log_probabilities"][:, 0], likeliest)


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("position", 0, "`position`: must be from 1 to 63, the last place of a row; got 0."),
        ("position", SIZE, "`position`: must be from 1 to 63, the last place of a row; got 64."),
        ("position", -(2**31), "`position`: must be from 1 to 63"),
        ("token_id", 4096, "`token_ids`: an id must be in [0, 4096); got 4096."),
        ("token_id", -1, "`token_ids`: an id must be in [0, 4096); got -1."),
    ],
)
def test_a_wrong_row_has_a_status_and_stays_and_others_go_on(call, name, wrong, message):
    state = {key: value for key, value in call("prefill", prompts=PROMPTS).items() if key in INPUTS}
    expected = call("decode", **state)
    broken = {key: value.copy() for key, value in state.items()}
    broken[name][1] = wrong
    found = call("decode", **broken)
    assert found["status"][1].decode().startswith(message)
    assert found["position"][1] == broken["position"][1]
    assert not found["logits"][1].any()
    assert found["token_id"][1] == 0
    np.testing.assert_array_equal(found["cache"][1], broken["cache"][1])
    for key in OUTPUTS:
        np.testing.assert_array_equal(found[key][[0, 2]], expected[key][[0, 2]])


def test_garbage_in_a_cache_stays_in_its_row(call):
    state = {key: value for key, value in call("prefill", prompts=PROMPTS).items() if key in INPUTS}
    expected = call("decode", **state)
    state["cache"] = state["cache"].copy()
    state["cache"][1] = np.nan
    found = call("decode", **state)
    for key in OUTPUTS:
        np.testing.assert_array_equal(found[key][[0, 2]], expected[key][[0, 2]])


def test_a_row_without_a_token_has_nothing_to_go_on_from(call, preprocessor, model):
    features = preprocessor.generate_preprocess(["one", "two"])
    features["padding_mask"] = tf.constant([[True] * 2 + [False] * (SIZE - 2), [False] * SIZE])
    with core_ops(model):
        found = prefill_rows(model, features, pad=7)
    assert found["position"].numpy().tolist() == [2, 0]
    assert found["token_id"].numpy()[1] == 7
    assert not found["cache"].numpy()[1].any()
    finding = step_finding(found["token_id"], found["position"], preprocessor.settings)
    assert finding.fault.numpy().tolist() == [0, Fault.POSITION]


@pytest.mark.slow
def test_media_are_in_the_cache():
    """Prompts with and without an image, and one that ends with it."""
    model = small_model(audio=False)
    preprocessor = our_preprocessor(model, audio_converter=None)
    images = [[png(768, 768, 0)], [b""], [png(672, 960, 2)]]
    prompts = ["See <|image|> and say.", "What is it?", "say <|image|>"]
    features = preprocessor.generate_preprocess({"prompts": prompts, "images": images})
    generation = generation_settings(preprocessor.settings, (), 4, True)
    pad = preprocessor.settings.ids.pad

    @tf.function(autograph=False)
    def both(features):
        with core_ops(model):
            state = prefill_rows(model, features, pad=pad)
            ids = [state["token_id"]]
            for _ in range(3):
                good = state["position"] > 0
                state = decode_rows(
                    model, state["token_id"], state["position"], state["cache"], good, pad=pad
                )
                ids.append(state["token_id"])
            return tf.stack(ids, axis=1), generate_rows(model, features, None, generation)

    ids, expected = both(features)
    rows = zip(expected.token_ids.numpy(), expected.starts.numpy(), strict=True)
    assert ids.numpy().tolist() == [row[start : start + 4].tolist() for row, start in rows]


@pytest.fixture(scope="module")
def fused(preprocessor, model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("steps") / "gemma4"
    return fuse(
        preprocessor, model, folder, max_new_tokens=MOST, stop_tokens=(), strip_prompt=True, steps=True
    )


CLIENT = """
import json, sys
for name in ("keras_hub", "graph_ops", "export", "examples"):
    sys.modules[name] = None
import numpy as np
import tensorflow as tf, tensorflow_text
signatures = tf.saved_model.load(sys.argv[1]).signatures
prompts, most = json.loads(sys.argv[2])
state = signatures["prefill"](prompts=tf.constant(prompts))
ids, texts, pending = [], [""] * len(prompts), tf.zeros([len(prompts), 3], tf.int32)
for count in range(1, most + 1):
    ids.append(state["token_id"].numpy().tolist())
    part = signatures["detokenize_stream"](
        token_ids=state["token_id"][:, tf.newaxis], lengths=tf.ones_like(state["token_id"]),
        pending=pending, is_last=tf.fill([len(prompts)], count == most))
    pending = part["pending"]
    texts = [text + new.decode() for text, new in zip(texts, part["text"].numpy())]
    state = signatures["decode"](**{name: state[name] for name in ("token_id", "position", "cache")})
answer = signatures["generate"](prompts=tf.constant(prompts))
lengths = tf.fill([len(prompts)], most)
whole = signatures["detokenize"](token_ids=tf.constant(np.transpose(ids), tf.int32), lengths=lengths)
print(json.dumps([np.transpose(ids).tolist(), texts, answer["token_ids"].numpy().tolist(),
                  answer["num_prompt_tokens"].numpy().tolist(), [t.decode() for t in whole["text"].numpy()]]))
"""


@pytest.mark.slow
def test_a_process_without_keras_hub_drives_the_loop_and_streams(fused, tmp_path):
    script = tmp_path / "client.py"
    script.write_text(CLIENT)
    command = [sys.executable, "-I", script, fused, json.dumps([PROMPTS, MOST])]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ran.returncode == 0, ran.stderr
    ids, texts, rows, starts, whole = json.loads(ran.stdout.splitlines()[-1])
    expected = [row[start : start + MOST] for row, start in zip(rows, starts, strict=True)]
    assert ids == expected
    assert texts == whole


@pytest.mark.slow
def test_a_client_of_a_server_drives_the_loop(fused, call):
    server = Server(Settings(fused.parent, port=0, rest_port=0, warm=False))
    server.start()
    try:
        client = GrpcClient(server.port)

        def served(name, **inputs):
            outputs = client.predict(predict_request(name, inputs)).outputs
            return {key: tf.make_ndarray(proto) for key, proto in outputs.items()}

        expected = answers(call("generate", prompts=PROMPTS))
        np.testing.assert_array_equal(driven(served, PROMPTS), expected)
    finally:
        server.stop()


def test_steps_need_a_model_that_generates(preprocessor, tmp_path):
    with pytest.raises(ValueError, match="`steps`: needs a model that generates; function does not"):
        fuse(preprocessor, lambda features: features["token_ids"], tmp_path, steps=True)


def test_steps_are_there_if_they_are_asked_for(preprocessor, model):
    generation = generation_settings(preprocessor.settings, GEMMA4.stop, MOST, True)
    tables = [
        fused_signatures(preprocessor.settings, model, generation, steps=steps) for steps in (False, True)
    ]
    assert tables[1].keys() - tables[0].keys() == {"prefill", "decode"}
