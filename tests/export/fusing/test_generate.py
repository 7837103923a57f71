"""Answers: the loop with a model that counts, and the fused SavedModel beside KerasHub's model, in a process
that has no KerasHub.
"""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from export import fuse
from export.fusing.encoders import encode_media
from export.fusing.generate import (
    Generation,
    behind,
    cache_shape,
    generate_rows,
    is_random,
    most_new_tokens,
)
from export.fusing.keras_ops import core_ops
from export.saved_model.signatures import DEFAULT, signatures
from export.saved_model.write import read_description
from tests.export.fusing.rig import (
    NEW_TOKENS,
    Counting,
    Drawn,
    Likeliest,
    Request,
    as_inputs,
    ids_of,
    keras_hub_answer,
    our_preprocessor,
    requests,
    run_fresh,
    small_model,
)

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


@pytest.mark.slow
def test_a_process_without_keras_hub_gives_the_answers_of_keras_hubs_generate(model, rows, fresh):
    for row, text, ids in zip(rows, fresh[0]["text"], fresh[0]["token_ids"], strict=True):
        if row is not FAULTY:
            expected_text, expected_ids = keras_hub_answer(model, row)
            assert ids_of(ids).tolist() == ids_of(expected_ids).tolist(), row.prompt
            assert text.decode() == expected_text


@pytest.mark.slow
def test_a_faulty_row_says_what_is_wrong_and_has_no_answer(rows, fresh):
    faulty = rows.index(FAULTY)
    assert [bool(status) for status in fresh[0]["status"]] == [row is FAULTY for row in rows]
    assert b"must be an intact JPEG" in fresh[0]["status"][faulty]
    assert fresh[0]["text"][faulty] == b""
    assert not fresh[0]["token_ids"][faulty].any()


@pytest.mark.slow
def test_an_answer_does_not_depend_on_the_other_rows(fresh):
    """Though they hold images of other widths, which KerasHub pools on the grid of the widest."""
    assert fresh[1]["token_ids"].tolist() == fresh[0]["token_ids"][-1:].tolist()


@pytest.mark.slow
def test_loss_is_the_mean_cross_entropy_of_the_response(model, rows, fresh):
    x, y, weight = our_preprocessor(model)({**as_inputs(rows[-1:]), "responses": [f"answer {len(rows) - 1}"]})
    logits = tf.boolean_mask(model(x), weight).numpy().astype(np.float64)
    right = np.take_along_axis(logits, tf.boolean_mask(y, weight).numpy()[:, np.newaxis], axis=1)[:, 0]
    np.testing.assert_allclose(
        fresh[2]["loss"][-1], np.mean(np.log(np.exp(logits).sum(axis=1)) - right), rtol=1e-5
    )
    assert fresh[2]["loss_tokens"][-1] == len(logits)
    assert fresh[2]["loss"][rows.index(FAULTY)] == 0


@pytest.mark.slow
def test_the_artifact_keeps_the_preprocessors_signatures_and_holds_each_variable_once(model, fused):
    saved = tf.train.list_variables(str(fused / "variables" / "variables"))
    sizes = [np.prod(shape, dtype=int) for name, shape in saved if name.endswith("VARIABLE_VALUE")]
    assert sum(sizes) == sum(np.prod(weight.shape, dtype=int) for weight in model.weights)
    graph = SavedModel.FromString((fused / "saved_model.pb").read_bytes()).meta_graphs[0]
    names = {name for name in graph.signature_def if not name.startswith("__")}
    assert names == {
        *signatures(our_preprocessor(model).settings),
        "predict",
        "loss",
        *(name + ending for name in ("generate", "chat", "chat_tools") for ending in ("", "_with_limits")),
    }
    outputs = {"text", "token_ids", "finish_reason", "log_probabilities"}
    outputs |= {"num_prompt_tokens", "num_new_tokens", "status"}
    assert set(graph.signature_def[DEFAULT].outputs) == outputs
    assert read_description(fused)["preprocessor"]["sequence_length"] == 1024


@pytest.mark.release
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


@pytest.mark.slow
def test_an_answer_depends_on_its_image_and_its_clip(fresh):
    answers = [ids_of(row)[-NEW_TOKENS:].tolist() for row in fresh[3]["token_ids"]]
    assert answers[0] != answers[1]
    assert answers[2] != answers[3]


def prompts(*rows, size=9):
    ids = np.array([[*row, *[0] * (size - len(row))] for row in rows], np.int32)
    return {"token_ids": tf.constant(ids), "padding_mask": tf.constant(ids > 0)}


@pytest.mark.parametrize(
    ("settings", "answers", "lengths"),
    [
        ({"max_new_tokens": 3}, [[6, 7, 8], [13, 14, 15], []], [5, 6, 0]),
        ({"max_new_tokens": 3, "stop_ids": (7, 13)}, [[6, 7], [13], []], [4, 4, 0]),
        ({"max_new_tokens": 50}, [range(6, 13), range(13, 19), []], [9, 9, 0]),
        ({}, [range(6, 13), range(13, 19), []], [9, 9, 0]),
        ({"stop_ids": (5, 12)}, [range(6, 13), range(13, 19), []], [9, 9, 0]),
    ],
    ids=["limit", "stop", "limit past the row", "none", "stop in a prompt"],
)
def test_each_row_ends_at_its_stop_its_limit_or_its_size(settings, answers, lengths):
    given = [[2, 5], [2, 9, 12], []]
    generation = Generation(**{"stop_ids": (), "pad_id": 0, **settings})
    found = generate_rows(Counting(), prompts(*given), None, generation)
    expected = prompts(*([*row, *answer] for row, answer in zip(given, answers, strict=True)))
    assert found.token_ids.numpy().tolist() == expected["token_ids"].numpy().tolist()
    assert found.ends.numpy().tolist() == lengths
    stops = settings.get("stop_ids", ())
    ended = [bool(answer) and answer[-1] in stops for answer in answers]
    assert found.is_stopped.numpy().tolist() == ended


def test_each_row_ends_after_its_own_number_of_ids():
    given = prompts([2, 5], [2, 9, 12], [2], [])
    found = generate_rows(Counting(), given, None, Generation((), 0, 5), tf.constant([1, 5, 2, 3]))
    answers = [[2, 5, 6], [2, 9, 12, 13, 14, 15, 16, 17], [2, 3, 4], []]
    assert found.token_ids.numpy().tolist() == prompts(*answers)["token_ids"].numpy().tolist()
    assert found.ends.numpy().tolist() == [3, 8, 3, 0]
    assert (found.log_probabilities.numpy() != 0).sum(axis=1).tolist() == [1, 5, 2, 0]


def test_log_probabilities_are_those_of_the_model_and_stand_at_the_front():
    found = generate_rows(Counting(), prompts([2, 5], [2, 9, 12]), None, Generation((8,), 0, 4))
    certain = 9 - np.log(999 + np.exp(9.0))
    np.testing.assert_allclose(
        found.log_probabilities, [[*[certain] * 3, 0], [certain] * 4], rtol=1e-5, atol=1e-6
    )
    drawn = generate_rows(Counting(Drawn()), prompts([2]), tf.constant([7]), Generation((), 0, 3))
    np.testing.assert_allclose(drawn.log_probabilities, [[-np.log(1000)] * 3], rtol=1e-6)


def test_a_row_ends_where_a_stop_string_was_found():
    def at_fourteen(seen, ids, is_new):
        return seen._replace(cuts=tf.where(is_new & tf.equal(ids, 14), 3, seen.cuts))

    given = prompts([2, 5], [2, 9, 12], [2, 14])
    found = generate_rows(Counting(), given, None, Generation((), 0, 4), look=at_fourteen)
    assert found.ends.numpy().tolist() == [6, 5, 6]
    assert found.is_stopped.numpy().tolist() == [False, True, False]
    assert found.seen.cuts.numpy().tolist() == [-1, 3, -1]


def test_what_is_behind_moves_to_the_front():
    moved, lengths = behind(
        tf.constant([[1, 2, 3], [4, 5, 6]]), tf.constant([1, 3]), tf.constant([3, 3]), width=4, pad=9
    )
    assert moved.numpy().tolist() == [[2, 3, 9, 9], [9, 9, 9, 9]]
    assert lengths.numpy().tolist() == [2, 0]


@pytest.mark.parametrize(("most", "expected"), [(None, 64), (3, 3), (100, 64)])
def test_an_answer_has_at_most_what_the_export_allows_or_a_row_holds(most, expected):
    assert most_new_tokens(Generation((), 0, most), 64) == expected


def test_what_is_drawn_depends_on_the_rows_seed_alone():
    generation, model = Generation((), 0, max_new_tokens=3), Counting(Drawn())
    ids = generate_rows(model, prompts([2], [2], [2, 3]), tf.constant([7, 8, 7]), generation).token_ids
    alone = generate_rows(model, prompts([2]), tf.constant([7]), generation).token_ids
    assert ids[0].numpy().tolist() == alone[0].numpy().tolist()
    assert ids[0].numpy().tolist() != ids[1].numpy().tolist()


def test_a_sampler_with_a_seed_generator_is_random():
    assert is_random(Drawn())
    assert not is_random(Likeliest())


@pytest.mark.parametrize(
    ("heads", "dim"), [({}, 8), ({"global_head_dim": None}, 8), ({"global_head_dim": 16}, 16)]
)
def test_a_cache_holds_the_largest_heads(heads, dim):
    backbone = SimpleNamespace(num_layers=3, num_key_value_heads=2, head_dim=8, **heads)
    assert cache_shape(SimpleNamespace(backbone=backbone), 5, 40) == [5, 3, 2, 40, 2, dim]
