"""Plain dialogues: told from those in which something could be forged, or is wrong."""

import functools
import random

import pytest
import tensorflow as tf

import graph_ops
from graph_ops.chat.draft import drafted, written
from graph_ops.chat.draft_rules import Mark
from graph_ops.chat.findings import dialogue_finding
from graph_ops.chat.marks import spelled_tokens
from graph_ops.chat.plain import are_plain, spellable
from graph_ops.chat.template import render
from graph_ops.family import GEMMA4
from graph_ops.pipeline.chat import SPECS
from graph_ops.text.reading import Reading, read_as_tokens
from tests.data import DEMONSTRATION
from tests.graph_ops.chat.rig import QUOTE, dialogues
from tests.graph_ops.chat.test_findings import BAD, GOOD, changed
from tests.twins import chat as twin
from tests.twins.vocabularies import small_vocabulary

SWITCHES = ("add_generation_prompt", "enable_thinking", "preserve_thinking")
TOKENS = spelled_tokens(GEMMA4)
WORDS = ("", " ", "Hi", "  a b ", "\n\nx\n", "naïve 👍🏽", "\u2003y\u200b", "<b>", "<|", "|>", "[")
TYPES = ("text", "text", "image", "audio", "input_audio")
SPECIAL = read_as_tokens(graph_ops.Gemma4Tokenizer(DEMONSTRATION).vocabulary, Reading.TRAINED)


def random_plain(rng, messages):
    def content():
        listed = [rng.choice(TYPES) for _ in range(rng.randrange(4))]
        text = "".join(rng.choices(WORDS, k=rng.randrange(5)))
        parts = [{"type": each, **({"text": text} if each == "text" else {})} for each in listed]
        return rng.choice((text, parts)) if "text" in listed else text

    roles = ("user", "assistant", "assistant", "model", "system", "developer")
    return [{"role": rng.choice(roles), "content": content()} for _ in range(messages)]


def plain(tensors, draft):
    return are_plain(tensors, draft, media=("image", "audio"), special=SPECIAL, checks_native=True)


@functools.cache
def graph(variant):
    """Whether dialogues are plain, their text, and the template's."""

    def function(tensors):
        draft = drafted(tensors, quote=QUOTE)
        return (
            plain(tensors, draft),
            written(draft.text, TOKENS, gives_empty_thought=variant == "large"),
            render(tensors, TOKENS, chat=GEMMA4.chat, variant=variant),
        )

    return tf.function(function, input_signature=[SPECS], autograph=False)


@pytest.mark.parametrize("variant", twin.VARIANTS)
@pytest.mark.parametrize("seed", range(4))
def test_plain_dialogues_are_rendered_as_by_the_template(seed, variant):
    rng = random.Random(seed)
    count = 0
    for messages in range(1, 8):
        batch = [random_plain(rng, messages) for _ in range(100)]
        switches = {name: [rng.random() < 0.5 for _ in batch] for name in SWITCHES}
        is_plain, text, expected = graph(variant)(dialogues(*batch, **switches))
        assert text.numpy().tolist() == expected.numpy().tolist()
        count += bool(is_plain)
    for _ in range(100):
        is_plain, _, _ = graph(variant)(dialogues(random_plain(rng, 3)))
        count += bool(is_plain)
    assert count > 50


@pytest.mark.parametrize("seed", range(4))
def test_what_is_called_plain_is_rendered_alike_whatever_it_is(seed):
    rng = random.Random(seed)
    count = 0
    for _ in range(500):
        tensors = dialogues(twin.random_dialogue(rng, most=4) or [PLAIN])
        is_plain, text, expected = graph("small")(tensors)
        count += bool(is_plain)
        assert not is_plain or text.numpy().tolist() == expected.numpy().tolist()
    assert 10 < count < 400


PLAIN = {"role": "user", "content": "Hi"}


def is_plain(tensors):
    return bool(plain(tensors, drafted(tensors, quote=QUOTE)))


CALLS = [{"function": {"name": "f", "arguments": {"a": "x"}}}]


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "tool", "content": "x"}],
        [PLAIN, {"role": "assistant", "content": "x", "reasoning": "so"}],
        [PLAIN, {"role": "assistant", "tool_calls": CALLS}, {"role": "tool", "name": "f", "content": "x"}],
    ],
)
def test_tool_turns_are_plain(messages):
    assert is_plain(dialogues(messages))


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "critic", "content": "x"}],
        [PLAIN, {"role": "model", "content": "x", "reasoning": "so"}],
        [PLAIN, {"role": "model", "tool_calls": CALLS}],
        [PLAIN, {"role": "assistant", "tool_calls": CALLS}, {"role": "tool", "name": "f", "content": 42}],
        [PLAIN, {"role": "assistant", "tool_responses": [{"name": "f", "response": 1}]}],
        [{"role": "user", "content": [{"type": "video"}]}],
        [{"role": "user", "content": [{"type": "text", "text": "<|tu"}, {"type": "text", "text": "rn>"}]}],
        [{"role": "assistant", "content": "<|tu"}, {"role": "assistant", "content": " rn>"}],
        [PLAIN, {"role": "assistant", "content": "x", "reasoning": "<turn|>"}],
    ],
)
def test_others_are_not_plain(messages):
    assert is_plain(dialogues([PLAIN]))
    assert not is_plain(dialogues(messages))


def test_no_messages_gaps_and_wrong_bytes_are_not_plain():
    tensors = dialogues([PLAIN, PLAIN])
    assert is_plain(dialogues([PLAIN], tools=[[{"type": "function", "function": {"name": "f"}}]]))
    assert not is_plain(dialogues([]))
    assert not is_plain(dialogues([PLAIN], [PLAIN, PLAIN]))
    assert not is_plain(tensors._replace(roles=tf.constant([["", "user"]])))
    assert not is_plain(tensors._replace(parts=tf.constant([[[b"\xff"], [b""]]])))
    # two halves of a character in two parts are no character
    halves = [[[b"\xe2\x82", b"\xac"]] * 2]
    assert not is_plain(tensors._replace(parts=tf.constant(halves), part_types=tf.fill([1, 2, 2], "text")))


@pytest.mark.parametrize("text", [*GOOD, *BAD, "call:f[a]{}", "call:f{a:\x01}", "call:f\x01"])
@pytest.mark.parametrize("beside", ["", "call:g{}", 'call:g{b:<|"|>}'])
def test_native_text_is_plain_only_where_nothing_is_wrong_with_it(text, beside):
    messages = [PLAIN, {"role": "assistant", "content": "x"}]
    tensors = changed(messages, calls=[["", ""], [text, beside]])
    finding = dialogue_finding(tensors, media=(), quote=QUOTE)
    assert not is_plain(tensors) or bool(finding.is_clean.numpy().all())
    declared = changed([PLAIN], tools=[text.replace("call:", "declaration:", 1), ""])
    finding = dialogue_finding(declared, media=(), quote=QUOTE)
    assert not is_plain(declared) or bool(finding.is_clean.numpy().all())


def test_usual_native_text_is_plain():
    call = 'call:get_weather{city:<|"|>Rome, {IT} ]<|"|>,days:[1,2.0,null],where:{a:{b:[[],{}]}}}'
    assert is_plain(changed([{"role": "assistant", "content": "x"}], calls=[[call]]))
    assert is_plain(changed([PLAIN], tools=[call.replace("call:", "declaration:")]))
    assert not is_plain(changed([PLAIN], tools=[call]))


@pytest.mark.parametrize("token", [token for token in SPECIAL if "unused" not in token])
def test_a_special_token_is_not_plain_wherever_it_is_cut(token):
    for at in range(len(token)):
        halves = [{"type": "text", "text": text} for text in (f"a {token[:at]}", f"{token[at:]} b")]
        assert not is_plain(dialogues([{"role": "user", "content": halves}]))


@pytest.mark.parametrize("reading", [Reading.TRAINED, Reading.CONTROL])
def test_the_template_can_be_spelled_with_gemma_s_vocabulary(tokenizer, reading):
    names = tuple(name.decode() for name in TOKENS if name not in (b"", b"<bos>"))
    found = spellable(tokenizer.vocabulary, reading, names)
    assert list(found) == read_as_tokens(tokenizer.vocabulary, reading)
    assert spellable(tokenizer.vocabulary, Reading.PLACEHOLDERS, names) == ()


@pytest.mark.parametrize("symbol", ["x<|t", ">y", "a<|turn>", "<|turn>b"])
def test_a_symbol_across_the_end_of_a_token_is_found(symbol):
    vocabulary = small_vocabulary(["a"], ["<|turn>", symbol])
    assert spellable(vocabulary, Reading.TRAINED, ("<|turn>",)) == ()
    vocabulary = small_vocabulary(["a"], ["<|turn>", "turn"])
    assert spellable(vocabulary, Reading.TRAINED, ("<|turn>",)) == ("<|turn>",)


@pytest.mark.parametrize("mark", Mark)
def test_marks_that_a_text_spells_are_not_plain(mark):
    tensors = dialogues(
        [PLAIN, {"role": "assistant", "tool_calls": CALLS, "reasoning": "so", "content": "a"}, PLAIN],
        tools=[[{"type": "function", "function": {"name": "f"}}]],
    )
    assert is_plain(tensors)
    for field in ("parts", "names", "thoughts", "calls", "tools"):
        given = getattr(tensors, field)
        for spelled in (mark.text + given, given + mark.text):
            assert not is_plain(tensors._replace(**{field: spelled})), field
