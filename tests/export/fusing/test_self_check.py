"""The first request to a fused artifact: what is asked, what came of it, and what is refused."""

import numpy as np
import pytest
import tensorflow as tf

from export.fusing.self_check import NEW_TOKENS, PROMPT, check_answers, check_bundle_answers
from export.litert.signatures import STATUS
from export.litert.write import write_bundle
from export.saved_model.signatures import DEFAULT
from export.signature import Input, Signature
from export.verify.samples import demonstration_file
from graph_ops.faults import Fault
from tests.export.tiny import DEVICE_TABLE, TABLE, save_tiny, tiny_preprocessor

LENGTH = 32


def answering(function):
    """A default signature that answers a prompt with `y`."""

    def answer(tensors):
        prompts = tensors["prompts"]
        return {"y": function(prompts), "status": tf.fill(tf.shape(prompts), "")}

    return TABLE["generate_preprocess_text"]._replace(function=answer, outputs=("y", "status"))


def test_the_demonstrations_media_are_sent_where_they_are_taken(tiny_saved_model):
    check = check_answers(tiny_saved_model)
    assert check.prompt == f"{PROMPT} <|image|>"
    assert bytes(check.outputs["token_ids"][0].astype(np.uint8)) == check.prompt.encode()
    assert check.outputs["sizes"].tolist() == [demonstration_file("photo.jpg").stat().st_size]
    assert min(check.load_seconds, check.first_seconds, check.seconds) > 0


def test_a_signature_that_draws_gets_a_seed(tmp_path):
    check = check_answers(save_tiny(tmp_path, **{DEFAULT: TABLE["generate"]}))
    assert check.outputs["text"].tolist() == [f"{PROMPT} 0".encode()]


def test_texts_to_embed_get_no_task_and_keep_all_numbers(tmp_path):
    def embed(tensors):
        told = tf.strings.as_string(tensors["truncate_dim"])
        joined = tf.strings.join([tensors["texts"], tensors["tasks"], told], "|")
        return {"y": joined, "status": tf.fill(tf.shape(joined), "")}

    inputs = {
        "texts": Input(tf.string, (None,), ""),
        "tasks": Input(tf.string, (None,), ""),
        "truncate_dim": Input(tf.int32, (None,), ""),
    }
    signature = Signature(inputs, ("y", "status"), embed, "for a test")
    check = check_answers(save_tiny(tmp_path, **{DEFAULT: signature}))
    assert check.outputs["y"].tolist() == [f"{PROMPT}||0".encode()]


def test_the_status_of_the_row_is_raised(tmp_path):
    broken = TABLE["generate_preprocess_text"]._replace(
        function=lambda tensors: {"status": tf.fill(tf.shape(tensors["prompts"]), "`prompts`: broken.")},
        outputs=("status",),
    )
    with pytest.raises(ValueError, match=r"^`prompts`: broken\.$"):
        check_answers(save_tiny(tmp_path, **{DEFAULT: broken}))


def test_two_answers_that_differ_are_refused(tmp_path):
    draws = answering(lambda prompts: tf.random.uniform(tf.shape(prompts)))
    with pytest.raises(ValueError, match="one request must have one answer; it had two"):
        check_answers(save_tiny(tmp_path, **{DEFAULT: draws}))


def test_an_answer_that_is_no_number_is_the_same_twice(tmp_path):
    empty = answering(lambda prompts: tf.fill(tf.shape(prompts), np.nan))
    assert np.isnan(check_answers(save_tiny(tmp_path, **{DEFAULT: empty})).outputs["y"]).all()


def status():
    return {"status": tf.zeros([1], tf.int32), "status_detail": tf.zeros([1, 2], tf.int32)}


def device(function, outputs, **inputs):
    given = {name: Input(dtype, shape, "for a test") for name, (dtype, shape) in inputs.items()}
    return Signature(given, outputs, function, "for a test")


TEXT = {"prompts": (tf.uint8, (None,)), "prompts_length": (tf.int32, (1,))}
ROW = {"token_ids": (tf.int32, (1, LENGTH)), "padding_mask": (tf.int32, (1, LENGTH))}


def padded(tensors):
    codes = tf.cast(tensors["prompts"], tf.int32)[tf.newaxis]
    ids = tf.reshape(tf.pad(codes, [[0, 0], [0, LENGTH - tf.shape(codes)[1]]]), [1, LENGTH])
    return {"token_ids": ids, "padding_mask": tf.cast(ids > 0, tf.int32)} | status()


SPEAKING = {
    "generate_preprocess": device(padded, ("token_ids", "padding_mask", *STATUS), **TEXT),
    "prefill": device(
        lambda tensors: {"cache": tf.reduce_sum(tf.cast(tensors["token_ids"], tf.float32), axis=1)},
        ("cache",),
        **ROW,
    ),
    # The likeliest id is one more than the last; the cache is the sum of the ids before.
    "decode": device(
        lambda tensors: {
            "logits": tf.one_hot(tensors["token_id"][:, 0] + 1, 128),
            "cache": tensors["cache"]
            + tf.cast(tensors["token_id"][:, 0] + 0 * tensors["position"], tf.float32),
        },
        ("logits", "cache"),
        token_id=(tf.int32, (1, 1)),
        position=(tf.int32, (1,)),
        cache=(tf.float32, (1,)),
    ),
    "generate_postprocess": DEVICE_TABLE["generate_postprocess"],
}


def test_a_bundle_that_generates_is_asked_for_the_likeliest_ids(tmp_path):
    folder = write_bundle(tiny_preprocessor(), SPEAKING, tmp_path / "bundle", lambda _: None)
    check = check_bundle_answers(folder)
    said = bytes(range(ord("?") + 1, ord("?") + 1 + NEW_TOKENS))
    assert check.prompt == PROMPT
    assert check.outputs["text"].tolist() == [PROMPT.encode() + said]
    assert np.count_nonzero(check.outputs["token_ids"]) == len(PROMPT) + NEW_TOKENS


def test_a_bundle_that_predicts_is_asked_with_the_demonstrations_image(tmp_path):
    predict = DEVICE_TABLE["generate_preprocess"]
    table = {"generate_preprocess": predict, "predict": predict}
    folder = write_bundle(tiny_preprocessor(), table, tmp_path / "bundle", lambda _: None)
    check = check_bundle_answers(folder)
    assert check.prompt == f"{PROMPT} <|image|>"
    height, width = tf.io.decode_jpeg(demonstration_file("photo.jpg").read_bytes()).shape[:2]
    assert check.outputs["vision_indices"].tolist() == [[height + width, 0]]


def test_the_status_of_a_bundle_is_its_sentence(tmp_path):
    def broken(tensors):
        return status() | {"status": tf.reshape(int(Fault.TEXT_LENGTH) + 0 * tensors["prompts_length"], [1])}

    table = {
        "generate_preprocess": SPEAKING["generate_preprocess"],
        "predict": device(broken, STATUS, **TEXT),
    }
    folder = write_bundle(tiny_preprocessor(), table, tmp_path / "bundle", lambda _: None)
    with pytest.raises(ValueError, match="a length must be from 0"):
        check_bundle_answers(folder)
