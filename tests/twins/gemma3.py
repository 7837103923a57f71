"""Vocabularies with the special tokens of Gemma 3 and of the models made of it: those of Gemma 4, renamed.

The pieces that texts are made of are the same in large part; a released vocabulary of Gemma 3 is not there.
Its `<img>`, which is a tag in both, stands in the place of a token that Gemma 3 does not have where the given
vocabulary has no such piece.
"""

import io
import itertools
import re

import sentencepiece

from graph_ops.families import FUNCTION_GEMMA, GEMMA3, GEMMA3N
from graph_ops.text.vocabulary.sentencepiece_model import parse_model
from graph_ops.text.vocabulary.vocabulary import load_vocabulary
from tools.train_demonstration_vocabulary import ENGLISH, SETTINGS

_SHARED = {
    "<|turn>": "<start_of_turn>",
    "<turn|>": "<end_of_turn>",
    "<|image>": "<start_of_image>",
    "<image|>": "<end_of_image>",
}
_OF_3N = {
    "<|image|>": "<image_soft_token>",
    "<|audio>": "<start_of_audio>",
    "<|audio|>": "<audio_soft_token>",
    "<audio|>": "<end_of_audio>",
    "<|video|>": "[multimodal]",
}
_FUNCTIONS = {
    "<|tool>": "<start_function_declaration>",
    "<tool|>": "<end_function_declaration>",
    "<|tool_call>": "<start_function_call>",
    "<tool_call|>": "<end_function_call>",
    "<|tool_response>": "<start_function_response>",
    "<tool_response|>": "<end_function_response>",
    '<|"|>': "<escape>",
}
_RENAMED = {
    GEMMA3: _SHARED | {"<|image|>": "<img>"},
    FUNCTION_GEMMA: _SHARED | {"<|image|>": "<img>"} | _FUNCTIONS,
    GEMMA3N: _SHARED | _OF_3N,
}


def names_in(family, pieces):
    """What Gemma 4's special tokens among pieces are called in a family's vocabulary: `<unused…>` those that
    the family does not have.
    """
    unused = itertools.count(len(pieces))
    special = [piece for piece in pieces if re.fullmatch(r"<\|.+>|<.+\|>", piece)]
    wanted = {piece: _RENAMED[family].get(piece) for piece in special}
    return {
        piece: name if name and name not in pieces else f"<unused{next(unused)}>"
        for piece, name in wanted.items()
    }


def vocabulary_of(family, vocabulary):
    """Gemma 4's `Vocabulary` as one of a family."""
    model, names = parse_model(vocabulary.proto), names_in(family, set(vocabulary.pieces))
    for entry, piece in zip(model.pieces, vocabulary.pieces, strict=True):
        entry.piece = names.get(piece, piece).encode()
    return load_vocabulary(model.SerializeToString())


def tokenizer_json_of(family, content):
    """The parsed tokenizer.json of Gemma 4 as one of a family."""
    vocab = content["model"]["vocab"]
    names = names_in(family, vocab.keys() | {entry["content"] for entry in content["added_tokens"]})
    added = [
        {**entry, "content": names.get(entry["content"], entry["content"])}
        for entry in content["added_tokens"]
    ]
    renamed = {names.get(piece, piece): index for piece, index in vocab.items()}
    return {**content, "model": {**content["model"], "vocab": renamed}, "added_tokens": added}


def trained_vocabulary():
    """A `Vocabulary` that SentencePiece trained, with Gemma 3's special tokens among its own settings."""
    model, image = io.BytesIO(), GEMMA3.tokens_of("image")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(ENGLISH.read_text(encoding="utf-8").splitlines()),
        model_writer=model,
        vocab_size=1_000,
        user_defined_symbols=[
            "<mask>",
            "[multimodal]",
            *GEMMA3.known_by,
            image.opening,
            image.placeholder,
            image.closing,
        ],
        num_threads=1,
        minloglevel=2,
        **SETTINGS,
    )
    return load_vocabulary(model.getvalue())
