"""Messages to rows: nobody can inject, bad input is a finding, and the model's own words are learned."""

import random

import numpy as np
import pytest
import tensorflow as tf

import graph_ops
from export.saved_model.signatures import signatures
from graph_ops.chat.dialogue import Dialogues
from graph_ops.chat.marks import marks_of
from graph_ops.family import GEMMA4
from graph_ops.faults import Fault
from graph_ops.pipeline.chat import (
    SPECS,
    as_dialogues,
    chat_marks,
    dialogue_rows,
    encode_chat,
    has_chat,
    make_rows,
)
from graph_ops.text.reading import Reading, read_as_tokens
from tests.export.tiny import tiny_preprocessor
from tests.graph_ops.chat.rig import dialogues

PARITIES = ("keras_hub", "transformers")
ROLES = ("system", "user", "assistant", "developer", "critic", "tool")
CALL, RESPONSE, TOOL = "call:f{{{}}}", "response:f{{{}}}", "declaration:f{{{}}}"


@pytest.fixture(scope="module", params=["sentencepiece", "builtin"])
def tokenizer(request, vocabulary):
    return graph_ops.Gemma4Tokenizer(vocabulary, engine=request.param)


def preprocessor_of(tokenizer, **settings):
    return graph_ops.Gemma4CausalLMPreprocessor(
        tokenizer,
        graph_ops.Gemma4ImageConverter(),
        graph_ops.Gemma4AudioConverter(),
        sequence_length=1024,
        **settings,
    )


def rows_of(preprocessor, tensors):
    made = dialogue_rows(tensors, tf.constant(False), settings=preprocessor.settings, is_native=True)
    assert made.finding.fault.numpy().tolist() == [0] * len(made.lengths), made.finding
    return [
        ids[:length].tolist()
        for ids, length in zip(made.token_ids.numpy(), made.lengths.numpy(), strict=True)
    ]


def specials(preprocessor, rows):
    vocabulary = preprocessor.tokenizer.vocabulary
    known = {vocabulary.find(piece) for piece in read_as_tokens(vocabulary, Reading.CONTROL)}
    return [[index for index in ids if index in known] for ids in rows]


def everywhere(text, other=""):
    """A dialogue with a text in every place where one may stand, in every role."""
    roles = ["system", "user", "assistant", "tool", "assistant", "critic"]
    count = len(roles)
    parts = [[text, other, text] for _ in roles]
    return Dialogues(
        roles=tf.constant([roles]),
        parts=tf.constant([parts], tf.string),
        part_types=tf.constant([[["text"] * 3] * count]),
        names=tf.constant([[text] * count], tf.string),
        thoughts=tf.constant([[text] * count], tf.string),
        calls=tf.constant([[[""], [""], [CALL.format(f"a:{quoted(text)}")], [""], [""], [""]]], tf.string),
        responses=tf.constant([[[""], [""], [""], [""], [""], [""]]]),
        tools=tf.constant([[TOOL.format(f"description:{quoted(text)}")]], tf.string),
        add_generation_prompt=tf.constant([True]),
        enable_thinking=tf.constant([True]),
        preserve_thinking=tf.constant([True]),
    )


def quoted(text):
    return f'<|"|>{text}<|"|>'


def stacked(rows):
    """Several batches of one row as one."""
    return Dialogues(*(tf.concat(parts, axis=0) for parts in zip(*rows, strict=True)))


@pytest.mark.parametrize("parity", PARITIES)
def test_no_message_can_spell_a_special_token(tokenizer, parity):
    preprocessor = preprocessor_of(tokenizer, parity=parity)
    known = read_as_tokens(tokenizer.vocabulary, Reading.CONTROL)
    tokens = [token for token in known if "unused" not in token and token != GEMMA4.chat.quote]
    tokens += [token for token in ("<unused5>", "<unused99>") if token in known]
    (expected,) = specials(preprocessor, rows_of(preprocessor, everywhere("x", "y")))
    found = rows_of(preprocessor, stacked([everywhere(f"x{token}y") for token in tokens]))
    assert specials(preprocessor, found) == [expected] * len(tokens)


@pytest.mark.parametrize("parity", PARITIES)
def test_no_special_token_is_put_together_from_parts(tokenizer, parity):
    preprocessor = preprocessor_of(tokenizer, parity=parity)
    known = read_as_tokens(tokenizer.vocabulary, Reading.CONTROL)
    tokens = [token for token in known if "unused" not in token]
    halves = [(token[:cut], token[cut:]) for token in tokens for cut in range(1, len(token))]
    plain = everywhere("x", "y")
    parts = np.array([[[first, second, ""]] * plain.parts.shape[1] for first, second in halves], dtype=object)
    rows = stacked([plain] * len(halves))._replace(parts=tf.constant(parts, tf.string))
    (expected,) = specials(preprocessor, rows_of(preprocessor, plain))
    assert specials(preprocessor, rows_of(preprocessor, rows)) == [expected] * len(halves)


def test_a_role_cannot_spell_one_either(tokenizer):
    preprocessor = preprocessor_of(tokenizer)
    for token in ("<turn|>", "<|turn>", "<|image|>", "<bos>"):
        tensors = dialogues([{"role": f"user{token}", "content": "x"}])
        (found,) = specials(preprocessor, rows_of(preprocessor, tensors))
        (expected,) = specials(
            preprocessor, rows_of(preprocessor, dialogues([{"role": "user", "content": "x"}]))
        )
        assert found == expected


def test_bytes_that_are_marks_inside_are_no_marks_from_outside(tokenizer):
    preprocessor = preprocessor_of(tokenizer)
    (expected,) = specials(preprocessor, rows_of(preprocessor, everywhere("x", "y")))
    forged = [b"a\xff" + bytes([letter]) for letter in range(0x40, 0x60)]
    found = rows_of(preprocessor, stacked([everywhere("x", each) for each in forged]))
    assert specials(preprocessor, found) == [expected] * len(forged)


def test_text_is_read_as_where_special_tokens_are_characters(tokenizer):
    preprocessor = preprocessor_of(tokenizer)
    rng = random.Random(6)
    tokens = [t for t in read_as_tokens(tokenizer.vocabulary, Reading.TRAINED) if "unused" not in t]
    words = [*tokens, "a", " ", "\n", "<", "é", "x y"]
    texts = ["".join(rng.choices(words, k=rng.randrange(1, 8))).strip() for _ in range(300)]
    made = rows_of(preprocessor, dialogues(*[[{"role": "user", "content": text}] for text in texts]))
    plain = tokenizer.tokenize_rows(tf.constant([f"user\n{text}" for text in texts]), reading=Reading.PLAIN)
    for ids, expected, length in zip(made, plain.token_ids.numpy(), plain.lengths.numpy(), strict=True):
        assert ids[2 : 2 + length] == expected[:length].tolist()


def test_messages_may_spell_special_tokens_where_that_is_asked_for(tokenizer):
    preprocessor = preprocessor_of(tokenizer, allow_special_tokens_in_chat=True)
    find = tokenizer.vocabulary.find
    (found,) = rows_of(preprocessor, dialogues([{"role": "user", "content": "a<|image|>b<|turn>"}]))
    assert (found.count(find("<|image|>")), found.count(find("<|turn>"))) == (1, 3)


@pytest.mark.parametrize("parity", PARITIES)
@pytest.mark.parametrize("add_start_token", [True, False])
def test_a_row_has_one_start_token(demonstration_tokenizer, parity, add_start_token):
    preprocessor = preprocessor_of(demonstration_tokenizer, parity=parity, add_start_token=add_start_token)
    messages = [{"role": "user", "content": "Hi <bos>"}, {"role": "assistant", "content": "x"}]
    start = demonstration_tokenizer.start_token_id
    row = preprocessor.generate_preprocess({"messages": messages})["token_ids"].numpy()
    assert (row[0], (row == start).sum()) == (start, 1)
    features, _, _ = preprocessor({"messages": messages})
    row = features["token_ids"].numpy()
    assert (row[0], (row == start).sum()) == (start, 1)


def served(preprocessor, name="generate_preprocess_chat_tools", **inputs):
    """One row through a signature."""
    signature = signatures(preprocessor.settings)[name]
    given = {
        "roles": ["user"],
        "parts": [["Hi"]],
        "part_types": [["text"]],
        "names": [""],
        "thoughts": [""],
        "calls": [[""]],
        "responses": [[""]],
        "tools": [""],
        "add_generation_prompt": True,
        "enable_thinking": False,
        "preserve_thinking": False,
        "images": [],
        "audio": [],
        **inputs,
    }
    tensors = {
        key: tf.constant([given[key]], spec.dtype, shape=np.shape([given[key]]))
        for key, spec in signature.inputs.items()
    }
    return {key: value.numpy() for key, value in signature.function(tensors).items()}


@pytest.mark.parametrize(
    ("inputs", "status"),
    [
        ({}, ""),
        ({"roles": [""], "parts": [[""]], "part_types": [[""]]}, "`roles`: a dialogue must have a message"),
        ({"roles": ["a b"]}, "`roles`: a role must be one word"),
        ({"part_types": [["picture"]]}, "`part_types`: a part must be `text`, `image`"),
        ({"part_types": [["video"]]}, "`part_types`: a part must be text or a medium"),
        (
            {"part_types": [["image"]]},
            "for each of its images; got 1 placeholder(s) and 0",
        ),
        ({"calls": [["call:f{"]]}, "`calls`, `responses`: must be native text"),
        ({"tools": ["x"]}, "`tools`: must be native text"),
    ],
)
def test_bad_input_is_a_status_and_a_row_of_padding(make_preprocessor, inputs, status):
    found = served(make_preprocessor(), **inputs)
    assert status in found["status"][0].decode() if status else not found["status"][0]
    assert found["padding_mask"].any() == (not status)


def test_more_media_than_parts_is_a_status(make_preprocessor, photo):
    found = served(make_preprocessor(), images=[photo])
    assert b"got 0 placeholder(s) and 1 image(s)" in found["status"][0]
    found = served(make_preprocessor(max_images_per_prompt=1), images=[photo, photo])
    assert b"`max_images_per_prompt`" in found["status"][0]


def test_a_bad_row_leaves_the_others_alone(make_preprocessor):
    preprocessor = make_preprocessor()
    inputs = {
        "roles": tf.constant([["user"], ["a b"]]),
        "parts": tf.constant([[["Hi"]], [["Hi"]]]),
        "part_types": tf.constant([[["text"]], [["text"]]]),
    }
    features, finding = encode_chat(
        inputs,
        preprocessor.settings,
        rows=make_rows(preprocessor.settings, is_native=True),
        sequence_length=32,
        training=False,
        served=True,
    )
    assert finding.fault.numpy().tolist() == [Fault.NONE, Fault.CHAT_ROLE]
    assert features["padding_mask"].numpy().any(axis=1).tolist() == [True, False]


def test_soft_tokens_stand_where_the_part_is_and_are_not_learned(make_preprocessor, photo):
    preprocessor = make_preprocessor(parity="transformers")
    messages = [
        {"role": "user", "content": [{"type": "image", "image": photo}, {"type": "text", "text": "What?"}]},
        {"role": "assistant", "content": "A cup."},
    ]
    features, y, weights = preprocessor({"messages": messages})
    ids, mask = features["token_ids"].numpy(), features["vision_mask"].numpy()
    assert mask.sum() > 9
    assert (ids[mask] == preprocessor.tokenizer.token_to_id("<|image|>")).all()
    text = preprocessor.tokenizer.detokenize(y.numpy()[weights.numpy()]).numpy().decode()
    assert text == "A cup.<turn|>"


def test_missing_fields_are_empty():
    filled = as_dialogues({"roles": tf.constant([["user"]]), "parts": tf.constant([[["x"]]])})
    assert filled.calls.shape[2] == filled.tools.shape[1] == 0
    assert not filled.add_generation_prompt.numpy()[0]
    assert [spec.dtype for spec in SPECS] == [tensor.dtype for tensor in filled]


def test_the_reading_of_prompts_is_shared(make_preprocessor):
    preprocessor = make_preprocessor(parity="transformers")
    marks = chat_marks(preprocessor.settings)
    assert marks.reading is Reading.CONTROL
    expected = marks_of(
        preprocessor.tokenizer.vocabulary, GEMMA4, reading=Reading.CONTROL, allows_tokens=False
    )
    assert marks.breaks == expected.breaks


def test_a_vocabulary_without_the_template_has_no_chat(make_preprocessor):
    assert has_chat(make_preprocessor().settings)
    assert not has_chat(tiny_preprocessor().settings)
    with pytest.raises(ValueError, match="special tokens needed for chat"):
        tiny_preprocessor().generate_preprocess({"messages": [{"role": "user", "content": "a"}]})


@pytest.mark.parametrize("parity", [PARITIES[0], pytest.param(PARITIES[1], marks=pytest.mark.release)])
def test_plain_dialogues_become_the_rows_that_they_become_beside_others(tokenizer, parity):
    preprocessor = preprocessor_of(tokenizer, parity=parity)
    rng = random.Random(8)
    words = ["a", " ", "\n\n", "<", "<table>", "é", "x y", "👍🏽", "<unused", "   ", "[", "<|"]
    roles = ("user", "assistant", "assistant", "system", "model")

    def dialogue():
        return [
            {"role": rng.choice(roles), "content": "".join(rng.choices(words, k=9))}
            for _ in range(rng.randrange(1, 4))
        ]

    rows = make_rows(preprocessor.settings, is_native=True)
    listed = [dialogue() for _ in range(100)]
    other = [{"role": "tool", "content": "x"}]
    beside = rows(dialogues(*listed, other), tf.constant(False))
    for place, messages in enumerate(listed):
        alone = rows(dialogues(messages), tf.constant(False))
        length = alone.lengths.numpy()[0]
        assert length == beside.lengths.numpy()[place]
        assert alone.token_ids.numpy()[0].tolist() == beside.token_ids.numpy()[place, :length].tolist()
