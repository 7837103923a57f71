"""Dialogues of Python as tensors, and rows of ids back, for tests."""

from graph_ops.chat.marks import marked_tokens, marks_of, spelled_tokens, tokenize_marked
from graph_ops.chat.template import render
from graph_ops.family import GEMMA4
from graph_ops.layers.inputs.chat import DEFAULTS, QUOTE_MARK, read_chat
from graph_ops.text.reading import Reading

QUOTE = GEMMA4.chat.quote


def dialogues(*messages, tools=None, quote=QUOTE, **switches):
    """Several dialogues as tensors."""
    return read_chat(list(messages), tools, quote=quote).tensors({**DEFAULTS, **switches})


def spelled(*messages, variant="small", **options):
    """The rendered texts."""
    tensors = dialogues(*messages, **options)
    texts = render(tensors, spelled_tokens(GEMMA4), chat=GEMMA4.chat, variant=variant)
    return [text.decode() for text in texts.numpy()]


def marked(tokenizer, *messages, reading=Reading.TRAINED, allows_tokens=False, learns=True, **options):
    """The ids of each dialogue, and which of them are learned."""
    tensors = dialogues(*messages, quote=QUOTE_MARK, **options)
    rendered = render(tensors, marked_tokens(learns=learns), chat=GEMMA4.chat, variant="small")
    marks = marks_of(tokenizer.vocabulary, GEMMA4, reading=reading, allows_tokens=allows_tokens)
    rows = tokenize_marked(rendered, marks, tokenizer=tokenizer)
    return [
        (ids[:length].tolist(), flags[:length].tolist())
        for ids, length, flags in zip(*(part.numpy() for part in rows), strict=True)
    ]
