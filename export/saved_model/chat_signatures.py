"""The signatures that take messages, beside those of `signatures` that take prompts."""

from collections.abc import Callable

import tensorflow as tf

from export.signature import Input, Signature, Tensors
from graph_ops.chat.dialogue import Dialogues
from graph_ops.faults import Finding
from graph_ops.pipeline.chat import MakeRows, encode_chat, make_rows
from graph_ops.settings import Settings

Finish = Callable[[Tensors, list[str], Finding], Tensors]

CHAT_INPUTS = {
    "roles": Input(
        tf.string,
        (None, None),
        'who speaks: `user`, `assistant`, `system`, `tool` or another; "" for none',
    ),
    "parts": Input(tf.string, (None, None, None), "of each message, the texts of its parts, UTF-8"),
    "part_types": Input(
        tf.string, (None, None, None), '`text`, `image`, `audio` of each part; "" for no part'
    ),
    "names": Input(tf.string, (None, None), 'of a tool\'s message, the function that it answers for, or ""'),
    "thoughts": Input(tf.string, (None, None), 'what the model thought before a message, or ""'),
    "calls": Input(tf.string, (None, None, None), 'native text of each call, `call:NAME{…}`, or ""'),
    "responses": Input(
        tf.string, (None, None, None), 'native text of each response, `response:NAME{…}`, or ""'
    ),
    "tools": Input(tf.string, (None, None), 'native text of each tool, `declaration:NAME{…}`, or ""'),
    "add_generation_prompt": Input(tf.bool, (None,), "whether the model's next turn is opened"),
    "enable_thinking": Input(tf.bool, (None,), "whether the model is asked to think"),
    "preserve_thinking": Input(tf.bool, (None,), "whether thoughts beside older calls stay"),
}
"""Of a dialogue; messages are counted along the second axis."""
_SAID = ("roles", "parts", "part_types")
_SWITCHES = ("add_generation_prompt", "enable_thinking", "preserve_thinking")
_PROMPTING = (*_SAID, *_SWITCHES)
_LEARNING = tuple(name for name in Dialogues._fields if name != "add_generation_prompt")


def chat_signatures(settings: Settings, files: dict[str, Input], finish: Finish) -> dict[str, Signature]:
    """The signatures of a preprocessor that has the tokens of a chat template, by name.

    Args:
        settings: of the preprocessor.
        files: inputs of the files of its media.
        finish: from features, their names, and what is wrong with rows, to outputs.
    """
    rows = make_rows(settings, is_native=True)

    def signature(names: tuple[str, ...], meaning: str, *, training: bool = False) -> Signature:
        return _signature(settings, names, files, finish, rows, meaning, training=training)

    return {
        "generate_preprocess_chat": signature(_PROMPTING, "messages, to generate from"),
        "generate_preprocess_chat_tools": signature(
            Dialogues._fields, "the same with thoughts, calls, responses and tools"
        ),
        "preprocess_chat": signature(
            _LEARNING, "messages, labels, and weights on what the model itself says", training=True
        ),
    }


def _signature(
    settings: Settings,
    names: tuple[str, ...],
    files: dict[str, Input],
    finish: Finish,
    rows: MakeRows,
    meaning: str,
    *,
    training: bool,
) -> Signature:
    features = settings.feature_names(*settings.groups, *(["labels"] if training else []))

    def function(tensors: Tensors) -> Tensors:
        encoded = encode_chat(
            tensors,
            settings,
            rows=rows,
            sequence_length=settings.row.sequence_length,
            training=training,
            served=True,
        )
        return finish(encoded[0], features, encoded[1])

    inputs = {name: CHAT_INPUTS[name] for name in names} | files
    return Signature(inputs, (*features, "status"), function, meaning)
