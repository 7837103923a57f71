"""The fused SavedModel: strings and media in, the answers of KerasHub's model out, in a process that has no
KerasHub.
"""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from export import fuse
from export.fusing.encoders import encode_media
from export.fusing.keras_ops import core_ops
from export.saved_model.signatures import DEFAULT, signatures
from export.saved_model.write import read_description
from tests.export.fusing.rig import (
    NEW_TOKENS,
    Request,
    as_inputs,
    ids_of,
    keras_hub_answer,
    our_preprocessor,
    requests,
    run_fresh,
    small_model,
)

pytestmark = pytest.mark.slow

FAULTY = Request("broken <|image|>", (b"no image",))


@pytest.fixture(scope="module")
def model():
    return small_model()


@pytest.fixture(scope="module")
def rows(speech):
    """Good rows with a faulty one among them."""
    rows = requests(speech)
    return [*rows[:2], FAULTY, *rows[2:]]


@pytest.fixture(scope="module")
def fused(model, tmp_path_factory):
    return fuse(our_preprocessor(model), model, tmp_path_factory.mktemp("fused"), max_new_tokens=NEW_TOKENS)


@pytest.fixture(scope="module")
def fresh(fused, rows, speech, tmp_path_factory):
    """Outputs by a process without KerasHub: `generate` for the batch and for its last row, `loss`,
    `generate` for media that differ.
    """
    seen = [
        Request("See <|image|>", (tf.io.encode_png(np.full((768, 768, 3), grey, np.uint8)).numpy(),))
        for grey in (0, 255)
    ]
    heard = [
        Request("Hear <|audio|>", (), (clip,)) for clip in (speech, speech[:44] + bytes(len(speech) - 44))
    ]
    calls = [
        ("generate", as_inputs(rows)),
        ("generate", as_inputs(rows[-1:])),
        (
            "loss",
            as_inputs(rows)
            | {"responses": np.array([f"answer {index}" for index in range(len(rows))], object)},
        ),
        ("generate", as_inputs([*seen, *heard])),
    ]
    return run_fresh(fused, calls, tmp_path_factory.mktemp("fresh"))


def test_a_process_without_keras_hub_gives_the_answers_of_keras_hubs_generate(model, rows, fresh):
    for row, text, ids in zip(rows, fresh[0]["text"], fresh[0]["token_ids"], strict=True):
        if row is not FAULTY:
            expected_text, expected_ids = keras_hub_answer(model, row)
            assert ids_of(ids).tolist() == ids_of(expected_ids).tolist(), row.prompt
            assert text.decode() == expected_text


def test_a_faulty_row_says_what_is_wrong_and_has_no_answer(rows, fresh):
    faulty = rows.index(FAULTY)
    assert [bool(status) for status in fresh[0]["status"]] == [row is FAULTY for row in rows]
    assert b"must be an intact JPEG" in fresh[0]["status"][faulty]
    assert fresh[0]["text"][faulty] == b""
    assert not fresh[0]["token_ids"][faulty].any()


def test_an_answer_does_not_depend_on_the_other_rows(fresh):
    """Though they hold images of other widths, which KerasHub pools on the grid of the widest."""
    assert fresh[1]["token_ids"].tolist() == fresh[0]["token_ids"][-1:].tolist()


def test_loss_is_the_mean_cross_entropy_of_the_response(model, rows, fresh):
    x, y, weight = our_preprocessor(model)({**as_inputs(rows[-1:]), "responses": [f"answer {len(rows) - 1}"]})
    logits = tf.boolean_mask(model(x), weight).numpy().astype(np.float64)
    right = np.take_along_axis(logits, tf.boolean_mask(y, weight).numpy()[:, np.newaxis], axis=1)[:, 0]
    np.testing.assert_allclose(
        fresh[2]["loss"][-1], np.mean(np.log(np.exp(logits).sum(axis=1)) - right), rtol=1e-5
    )
    assert fresh[2]["loss_tokens"][-1] == len(logits)
    assert fresh[2]["loss"][rows.index(FAULTY)] == 0


def test_the_artifact_keeps_the_preprocessors_signatures_and_holds_each_variable_once(model, fused):
    saved = tf.train.list_variables(str(fused / "variables" / "variables"))
    sizes = [np.prod(shape, dtype=int) for name, shape in saved if name.endswith("VARIABLE_VALUE")]
    assert sum(sizes) == sum(np.prod(weight.shape, dtype=int) for weight in model.weights)
    graph = SavedModel.FromString((fused / "saved_model.pb").read_bytes()).meta_graphs[0]
    names = {name for name in graph.signature_def if not name.startswith("__")}
    assert names == {*signatures(our_preprocessor(model).settings), "predict", "generate", "loss"}
    assert set(graph.signature_def[DEFAULT].outputs) == {"text", "token_ids", "status"}
    assert read_description(fused)["preprocessor"]["sequence_length"] == 1024


def test_padding_soft_tokens_reach_no_position_and_real_ones_reach_theirs(model):
    """In parity "transformers", where an image of 640×480 has 266 soft tokens in a block of 280."""
    preprocessor = our_preprocessor(model, parity="transformers")
    image = tf.io.encode_png(np.random.default_rng(3).integers(0, 256, (480, 640, 3), np.uint8)).numpy()
    features = preprocessor.generate_preprocess({"prompts": ["see <|image|> now"], "images": [[image, b""]]})
    assert np.sum(features["vision_mask"]) == 266
    with core_ops(model):
        media = encode_media(model, features, skip_empty=True)
    text = model.backbone.token_embedding(features["token_ids"]).numpy()
    real = media["img_embeddings"].numpy()
    garbage = real.copy()
    garbage[0, 0, 266:], garbage[0, 1] = 1e6, -1e6
    placed = [
        model.backbone.interleave_embeddings(some, text, media["vision_indices"]).numpy()
        for some in (real, garbage)
    ]
    soft = features["vision_mask"].numpy()[0]
    np.testing.assert_array_equal(placed[0][0][soft], real[0, 0, :266])
    np.testing.assert_array_equal(placed[1], placed[0])
    np.testing.assert_array_equal(placed[0][0][~soft], text[0][~soft])


def test_an_answer_depends_on_its_image_and_its_clip(fresh):
    answers = [ids_of(row)[-NEW_TOKENS:].tolist() for row in fresh[3]["token_ids"]]
    assert answers[0] != answers[1]
    assert answers[2] != answers[3]
