"""Messages: rendered beside jinja2, and a request with them beside the same request as a rendered prompt."""

import functools
import pathlib
import random
import tempfile
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

import graph_ops
from benchmarks import texts
from benchmarks.measuring import CALLS_IN_A_TURN, Comparison, Work, compared
from export.saved_model import run
from export.saved_model.chat import SIGNATURE
from export.saved_model.write import export_saved_model
from export.verify import samples
from graph_ops.family import GEMMA4
from graph_ops.layers.chat import traced_template
from graph_ops.layers.inputs.chat import DEFAULTS, read_chat
from tests.twins import chat as twin

DIALOGUES, MESSAGES, CHARACTERS = 32, 12, 150
PEER = "jinja2, the template in our own words"
MOST_OF_JINJA, MOST_OF_PROMPT = 0.5, 1.15
PLAIN = "generate_preprocess_chat"
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "Its name."}},
            "required": ["city"],
        },
    },
}

_TOOL_TURNS = [
    {
        "role": "assistant",
        "reasoning": "I need the weather.",
        "tool_calls": [{"id": "1", "function": {"name": "weather", "arguments": {"city": "Rome"}}}],
    },
    {"role": "tool", "tool_call_id": "1", "content": "21 degrees"},
]


def comparisons(vocabulary: pathlib.Path, rounds: int) -> Iterator[Comparison]:
    """Every task, one after the other."""
    preprocessor = graph_ops.Gemma4CausalLMPreprocessor(
        graph_ops.Gemma4Tokenizer(vocabulary),
        graph_ops.Gemma4ImageConverter(),
        graph_ops.Gemma4AudioConverter(),
        max_images_per_prompt=1,
        parity="transformers",
        add_start_token=False,  # a rendered prompt begins with one
    )
    yield from _rendering(preprocessor, rounds)
    yield from _requests(preprocessor, rounds)


def _rendering(preprocessor: graph_ops.Gemma4CausalLMPreprocessor, rounds: int) -> Iterator[Comparison]:
    turns = [_dialogues(seed) for seed in range(rounds)]
    template = traced_template(preprocessor.settings.family, "small")
    tensors = [read_chat(dialogues, None, quote="").tensors(DEFAULTS) for dialogues in turns]

    def jinja(turn: int) -> Any:
        return [
            twin.render(dialogue, None, variant="small", **DEFAULTS)
            for dialogue in turns[turn // CALLS_IN_A_TURN]
        ]

    task = f"{DIALOGUES} dialogues of {MESSAGES} messages as text"
    for name, ours in (
        ("", lambda turn: preprocessor.render_chat(turns[turn // CALLS_IN_A_TURN])),
        (", from string tensors", lambda turn: template(tensors[turn // CALLS_IN_A_TURN]).numpy()),
    ):
        contenders: dict[str, Work] = {"ours": ours, PEER: jinja}
        yield from compared(f"{task}{name}", contenders, rounds, {PEER: MOST_OF_JINJA})


def _requests(preprocessor: graph_ops.Gemma4CausalLMPreprocessor, rounds: int) -> Iterator[Comparison]:
    """Of the exported signatures, as a server calls them."""
    with tempfile.TemporaryDirectory() as scratch:
        table = run.load(export_saved_model(preprocessor, scratch)).signatures
    image = tf.io.encode_jpeg(samples.pixels(512, 512)).numpy()
    clip = samples.demonstration_file("speech.wav").read_bytes()
    media = {"images": tf.constant([[image]]), "audio": tf.constant([[clip]])}
    none = {name: tf.zeros([1, 0], tf.string) for name in media}
    for title, kinds, tools, files, names in (
        ("text", (), None, none, (PLAIN, SIGNATURE)),
        ("text, a 512×512 image and 3 s of audio", ("image", "audio"), None, media, (PLAIN, SIGNATURE)),
        ("text and a tool", (), [TOOL], none, (SIGNATURE,)),
        ("text, a tool, a call and its answer", (), [TOOL], none, (SIGNATURE,)),
    ):
        turns = _TOOL_TURNS if "answer" in title else []
        dialogues = [[*_question(seed, kinds), *turns] for seed in range(rounds)]
        texts = [preprocessor.render_chat(each, tools) for each in dialogues]
        prompts = [{"prompts": tf.constant([text])} | files for text in texts]
        read = [read_chat(each, tools, quote=GEMMA4.chat.quote).tensors(DEFAULTS) for each in dialogues]
        prompted = functools.partial(_call, table["generate_preprocess"], prompts)
        for name in names:
            wanted = table[name].structured_input_signature[1]
            given = [
                {key: value for key, value in (each._asdict() | files).items() if key in wanted}
                for each in read
            ]
            contenders: dict[str, Work] = {
                "ours": functools.partial(_call, table[name], given),
                "the rendered prompt": prompted,
            }
            label = ", signature with tools" if name == SIGNATURE else ""
            targets = {"the rendered prompt": MOST_OF_PROMPT}
            yield from compared(f"messages: {title}{label}", contenders, rounds, targets)


def _call(signature: Any, inputs: list[dict[str, tf.Tensor]], turn: int) -> Any:
    return signature(**inputs[turn // CALLS_IN_A_TURN])


def _dialogues(seed: int) -> list[list[dict[str, Any]]]:
    """Dialogues in English, user and assistant in turns."""
    draw, text = random.Random(seed), texts.english()
    starts = ((draw.randrange(len(text) - CHARACTERS) for _ in range(MESSAGES)) for _ in range(DIALOGUES))
    roles = ("user", "assistant")
    return [
        [
            {"role": roles[place % 2], "content": text[start : start + CHARACTERS]}
            for place, start in enumerate(dialogue)
        ]
        for dialogue in starts
    ]


def _question(seed: int, kinds: tuple[str, ...]) -> list[dict[str, Any]]:
    """A system message, and a question with an item of each kind."""
    question = _dialogues(seed)[0][0]["content"] * 2
    content = [*({"type": kind} for kind in kinds), {"type": "text", "text": question}]
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": content}]
