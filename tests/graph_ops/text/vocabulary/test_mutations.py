"""Ten thousand damaged vocabularies: each is refused with our sentence, or read as SentencePiece reads it."""

import random
import re

import pytest
import sentencepiece
import tensorflow as tf
import tokenizers

from graph_ops.text.bpe.supported import require_supported
from graph_ops.text.engines import ENGINES, make_engine
from graph_ops.text.vocabulary.vocabulary import load_vocabulary
from tests.graph_ops.text.vocabulary.test_tokenizer_json import tokenizer_json
from tests.twins.bpe import Encoder
from tests.twins.mutations import json_mutations, model_mutations
from tests.twins.vocabularies import small_vocabulary

COUNT = 5_000  # of each kind of file
MOST_ENGINES = 8  # whose tables are built
TEXT = "ab abb ba<|x|> x\u2603 \u00e9<0x41>  b abababab\u2581a <unk> ccab"
PLAIN = "ab abb ba<|x|> xx\u2603 \u00e9<0x41>  b abababab ccab"  # without what the two read differently
SPACE = "\u2581"
REFUSAL = re.compile(
    r"`tokenizer`: a (vocabulary must be a whole SentencePiece model|tokenizer\.json must be whole .*); "
    r"the given bytes \([\d,]+ bytes\) (is not one|does not): .+\. (Fetch the|Pass the) ",
    re.DOTALL,
)
BEYOND = '`engine`: "builtin" must be able to reproduce the vocabulary; this one has '
MAP = "precompiled_charsmap is invalid"  # its trie is not looked at


def mutations(kind):
    draw = random.Random(0)
    if kind == "model":
        model = small_vocabulary(["abb", "ab", "a", "b", "\u2581"], ["<|x|>"])
        return model_mutations(model.proto, COUNT, draw)
    merges = [("a", "b"), ("ab", "b"), ("c", "a"), (SPACE, "a"), ("b", "b"), ("c", "c")]
    pieces = ["a", "b", "c", SPACE, *map("".join, merges)]
    tree = tokenizer_json(pieces, merges, [{"content": "<|x|>"}, {"content": "xx", "normalized": True}])
    return json_mutations(tree, COUNT, draw)


def loaded(files):
    """Those that load, each once, with the content, and the sentences of the others."""
    vocabularies, sentences = {}, []
    for content in files:
        try:
            vocabulary = load_vocabulary(content)
            vocabularies[vocabulary.sha256] = (vocabulary, content)
        except ValueError as error:
            sentences.append(str(error))
    return list(vocabularies.values()), sentences


def error_of(function, *arguments, **named):
    """What a function raises, "" if nothing."""
    try:
        function(*arguments, **named)
    except (ValueError, RuntimeError) as error:
        return str(error)
    return ""


def is_supported(vocabulary):
    refusal = error_of(require_supported, vocabulary)
    assert not refusal or refusal.startswith(BEYOND)
    return not refusal


def sentencepiece_of(vocabulary):
    """SentencePiece with the model, or None for a character map's trie that it refuses."""
    refusal = error_of(sentencepiece.SentencePieceProcessor, model_proto=vocabulary.proto)
    assert not refusal or MAP in refusal
    return None if refusal else sentencepiece.SentencePieceProcessor(model_proto=vocabulary.proto)


def hugging_face_of(content):
    """`tokenizers` with a tokenizer.json, or None for what it does not read."""
    try:
        return tokenizers.Tokenizer.from_str(content.decode())
    except Exception:  # all that it raises
        return None


@pytest.fixture(scope="module", params=["model", "tokenizer.json"])
def outcome(request):
    return loaded(mutations(request.param))


def test_a_refusal_says_what_must_be_what_is_and_how_to_correct_it(outcome):
    _, sentences = outcome
    assert len(sentences) > COUNT / 2
    assert not [sentence for sentence in sentences if not REFUSAL.match(sentence)]
    "".join(sentences).encode()  # each can be printed


def test_what_loads_is_read_as_sentencepiece_reads_it(outcome):
    supported = 0
    for vocabulary, _ in outcome[0]:
        judge = sentencepiece_of(vocabulary)
        if is_supported(vocabulary) and judge is not None:
            assert Encoder(vocabulary)(TEXT.encode()) == judge.encode(TEXT)
            supported += 1
    assert supported > 15


def test_what_hugging_face_loads_too_is_read_as_it_does(outcome):
    for vocabulary, content in outcome[0]:
        judge = hugging_face_of(content)
        if judge is not None:
            ids = judge.encode(PLAIN, add_special_tokens=False).ids
            assert sentencepiece_of(vocabulary).encode(PLAIN) == ids


def test_what_loads_makes_engines(outcome):
    supported = [vocabulary for vocabulary, _ in outcome[0] if is_supported(vocabulary)]
    for vocabulary in supported[:: max(len(supported) // MOST_ENGINES, 1)]:
        expected = sentencepiece_of(vocabulary).encode(TEXT)
        for engine in ENGINES:
            ids = make_engine(engine, vocabulary).encode(tf.constant([TEXT]))
            assert ids.values.numpy().tolist() == expected


def test_special_tokens_in_text_need_no_name_that_is_taken():
    taken = small_vocabulary(["a", "<appended unknown>", *sorted(set("<appended unknown>") - {"a"})])
    read = taken.with_control_pieces_in_text()
    assert read.pieces[-1] == "<appended unknown+>"
    assert sentencepiece_of(read).encode("<bos>")[0] == taken.find("<bos>")
