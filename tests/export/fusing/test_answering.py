"""Answers with limits beside a plain Python loop over KerasHub's model, an id at a time from whole rows."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from examples.small_gemma4 import small_gemma4
from export.fusing.answering import COUNTS, WITH_LIMITS, Marks, answer_inputs, answering
from export.fusing.fusable import generation_settings
from export.fusing.limits import INPUTS
from export.fusing.signatures import fused_signatures
from export.signature import traced
from graph_ops.family import GEMMA4
from tests.export.fusing.rig import Counting, text_preprocessor

MOST, SIZE = 10, 64
PROMPTS = ("one", "a second prompt, which is longer", "x", "on and on")
TOLERANCE = 2e-6
"""Of a log-probability, in nats: the cache adds up in another order than a whole row does."""


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
def generate(preprocessor, model):
    settings = preprocessor.settings
    generation = generation_settings(settings, GEMMA4.stop, MOST, True)
    return caller(traced(fused_signatures(settings, model, generation)["generate" + WITH_LIMITS]))


def caller(concrete):
    def call(prompts, max_new_tokens=None, stop=None):
        rows = len(prompts)
        stop = stop or [[""]] * rows
        inputs = {
            "prompts": tf.constant(prompts),
            "max_new_tokens": tf.constant(max_new_tokens or [0] * rows, tf.int32),
            "stop": tf.constant(stop, tf.string, [rows, len(stop[0])]),
        }
        return {name: value.numpy() for name, value in concrete(**inputs).items()}

    return call


@pytest.fixture(scope="module")
def plain(preprocessor, model):
    """For each prompt what the model says without limits, and the log-probability of each id of it."""
    run = tf.function(lambda row: model(row))
    ends = [preprocessor.tokenizer.token_to_id(piece) for piece in GEMMA4.stop]

    def loop(prompt):
        ids = preprocessor.generate_preprocess(prompt)["token_ids"].numpy()
        start, said = int(np.count_nonzero(ids)), []
        for place in range(start, start + MOST):
            row = {"token_ids": ids[np.newaxis], "padding_mask": (np.arange(SIZE) < place)[np.newaxis]}
            logits = run({**row, "position_ids": np.arange(SIZE)[np.newaxis]})[0, place - 1]
            said.append(tf.nn.log_softmax(logits).numpy())
            ids[place] = np.argmax(logits)
            if ids[place] in ends:
                break
        answer = ids[start : start + len(said)]
        return answer, [float(row[token]) for row, token in zip(said, answer, strict=True)]

    return {prompt: loop(prompt) for prompt in PROMPTS}


def text_of(preprocessor, ids):
    return preprocessor.tokenizer.detokenize(tf.constant(ids)).numpy().decode()


def cut(preprocessor, ids, most, stops):
    """How many of the ids a plain loop takes that searches the text so far after each, their text, and why
    it ended.
    """
    for count in range(1, most + 1):
        text = text_of(preprocessor, ids[:count]).rstrip("\ufffd")
        if places := [text.find(stop) for stop in stops if stop and stop in text]:
            return count, text[: min(places)], b"stop"
    return most, text_of(preprocessor, ids[:most]), b"length"


def test_each_row_has_its_own_limit(generate, plain, preprocessor):
    limits = [3, 0, 1, MOST]
    found = generate(PROMPTS, limits)
    for row, (prompt, limit) in enumerate(zip(PROMPTS, limits, strict=True)):
        ids = plain[prompt][0][: limit or MOST]
        start = found["num_prompt_tokens"][row]
        assert found["num_new_tokens"][row] == len(ids)
        assert found["token_ids"][row, start:].tolist() == [*ids, *[0] * (SIZE - start - len(ids))]
        assert found["text"][row].decode() == text_of(preprocessor, ids)
    assert found["finish_reason"].tolist() == [b"length"] * 4


def test_log_probabilities_are_those_of_the_model_over_whole_rows(generate, plain):
    found = generate(PROMPTS, [4, 0, 1, 0])["log_probabilities"]
    assert found.shape == (4, MOST)
    for row, (prompt, limit) in enumerate(zip(PROMPTS, [4, MOST, 1, MOST], strict=True)):
        np.testing.assert_allclose(found[row, :limit], plain[prompt][1][:limit], rtol=0, atol=TOLERANCE)
        assert not found[row, limit:].any()


def stops_of(text):
    """A character of a text, two that overlap, its first and its last, what never comes, and a broken one."""
    middle = len(text) // 2
    return [
        [text[middle]],
        [text[middle : middle + 3], text[middle - 1 : middle + 2]],
        [text[0]],
        [text[-1]],
        [text[1:-1]],
        ["never to come", text.swapcase() + "!"],
    ]


@pytest.mark.parametrize("prompt", PROMPTS[:2])
def test_stop_strings_end_an_answer_where_a_plain_loop_ends_it(generate, plain, preprocessor, prompt):
    ids = plain[prompt][0]
    stops = [[*some, ""][:2] for some in stops_of(text_of(preprocessor, ids))]
    found = generate([prompt] * len(stops), stop=stops)
    for row, some in enumerate(stops):
        count, text, reason = cut(preprocessor, ids, MOST, some)
        assert found["text"][row].decode() == text, some
        assert found["num_new_tokens"][row] == count
        assert found["finish_reason"][row] == reason
        start = found["num_prompt_tokens"][row]
        assert found["token_ids"][row, start : start + MOST].tolist() == [*ids[:count], *[0] * (MOST - count)]
    assert {*found["finish_reason"].tolist()} == {b"stop", b"length"}


def test_a_stop_string_of_the_prompt_does_not_count(generate, plain):
    found = generate(["one", "one"], stop=[["one"], ["on"]])
    assert found["num_new_tokens"].tolist() == [len(plain["one"][0])] * 2
    assert found["finish_reason"].tolist() == [b"length"] * 2


def test_wrong_limits_are_statuses_of_their_rows_and_others_keep_their_answers(generate):
    limits, stops = [-1, 4, 4, MOST + 1], [["a"], [b"\xff"], [""], [""]]
    found = generate(PROMPTS[:2] + PROMPTS[2:], limits, stops)
    assert [bool(status) for status in found["status"]] == [True, True, False, True]
    assert b"`max_new_tokens`: must be from 0 to 10" in found["status"][0]
    assert b"`stop`: a stop string must be UTF-8" in found["status"][1]
    alone = generate(PROMPTS[2:3], [4])
    for name in ("text", "token_ids", *COUNTS[1:], "finish_reason"):
        assert found[name][2:3].tolist() == alone[name].tolist()
    # products of more rows may be summed up in another order
    np.testing.assert_allclose(found[COUNTS[0]][2:3], alone[COUNTS[0]], rtol=1e-5)
    assert found["text"].tolist()[:2] == [b"", b""]
    assert not found["token_ids"][[0, 1, 3]].any()
    assert not found["log_probabilities"][[0, 1, 3]].any()


def test_limits_need_a_vocabulary_that_keeps_texts(preprocessor, model):
    settings = preprocessor.settings
    assert [ending for ending, _ in answer_inputs(model, settings)] == ["", WITH_LIMITS]
    assert dict(answer_inputs(model, settings))[WITH_LIMITS].keys() == {"max_new_tokens", "stop"}


def test_signatures_with_and_without_limits_share_one_loop(preprocessor):
    class Traced(Counting):
        calls = 0

        def call_with_cache(self, *args, **given):
            self.calls += 1
            return super().call_with_cache(*args, **given)

    model, settings = Traced(), preprocessor.settings
    ending_at = answering(model, settings, generation_settings(settings, GEMMA4.stop, 2, False))
    answer, chatting = ending_at(Marks((1,))), ending_at(Marks((1, 7), (9, 8, 6)))
    names = ("token_ids", "padding_mask")
    specs = {"token_ids": tf.TensorSpec([None, SIZE], tf.int32)}
    specs["padding_mask"] = tf.TensorSpec([None, SIZE], tf.bool)
    specs["status"] = tf.TensorSpec([None], tf.string)
    limits = {name: tf.TensorSpec(given.shape, given.dtype) for name, given in INPUTS.items()}
    plainly = tf.function(lambda features: answer(features, {})).get_concrete_function(specs)
    calls = model.calls
    limited = tf.function(lambda features, said: answer(features, said)).get_concrete_function(specs, limits)
    tf.function(lambda features: chatting(features, {})).get_concrete_function(specs)
    assert calls == model.calls == 2, "prefill and step"
    ids = [[2, 5, *[0] * (SIZE - 2)]]
    given = [tf.constant([""]), tf.constant(ids), tf.constant(np.array(ids) > 0)]
    features = dict(zip(("status", *names), given, strict=True))
    assert plainly(features)[0].ends.numpy().tolist() == [4]
    said = {"max_new_tokens": tf.constant([1]), "stop": tf.constant([[""]])}
    assert limited(features, said)[0].ends.numpy().tolist() == [3]
