"""Control tokens that are spelled in a text: as those tokens or as ordinary characters, in both engines and
in whole rows.
"""

import pytest
import sentencepiece
import tensorflow as tf

import graph_ops
from export.verify import samples
from graph_ops.text.reading import CONTROL_TOKEN, Reading, as_read
from graph_ops.text.vocabulary.sentencepiece_model import PieceType

NAMES = (
    "<|turn>",
    "<turn|>",
    '<|"|>',
    "<|tool_call>",
    "<mask>",
    "<|image|>",
    "<audio|>",
    "<|video|>",
    "<bos>",
    "<eos>",
)
TEXT = "a" + " b ".join(NAMES) + "\n\n<table>"


@pytest.fixture(scope="module", params=["sentencepiece", "builtin"])
def engine(request, vocabulary):
    return graph_ops.Gemma4Tokenizer(vocabulary, engine=request.param)


def ids_of(tokenizer, texts, reading):
    rows = tokenizer.tokenize_rows(tf.constant(texts), reading=reading)
    return [
        ids[:length].tolist()
        for ids, length in zip(rows.token_ids.numpy(), rows.lengths.numpy(), strict=True)
    ]


def control_pieces(tokenizer, ids):
    pieces = [tokenizer.vocabulary.pieces[index] for index in ids]
    return {piece for piece in pieces if CONTROL_TOKEN.fullmatch(piece) or piece in NAMES}


def test_each_reading_sees_its_own_tokens(engine):
    expected = {
        Reading.TRAINED: set(NAMES[:8]),
        Reading.CONTROL: set(NAMES),
        Reading.PLACEHOLDERS: {"<|image|>"},
        Reading.PLAIN: set(),
    }
    for reading, seen in expected.items():
        (ids,) = ids_of(engine, [TEXT], reading)
        assert control_pieces(engine, ids) == seen
        assert engine.token_to_id("\n\n") in ids
        if reading is not Reading.CONTROL:
            assert engine.detokenize(ids).numpy().decode() == TEXT


@pytest.mark.parametrize("reading", [Reading.PLACEHOLDERS, Reading.PLAIN])
def test_plain_ids_are_those_of_sentencepiece_without_the_control_tokens(engine, reading):
    processor = sentencepiece.SentencePieceProcessor(model_proto=as_read(engine.vocabulary, reading).proto)
    texts = [TEXT.encode(), *samples.hostile_texts(500, pieces=NAMES)]
    assert ids_of(engine, texts, reading) == [processor.encode(text) for text in texts]


@pytest.mark.parametrize("wrong", [False, None, "plain"])
def test_what_is_no_reading_is_refused(wrong, vocabulary):
    with pytest.raises(TypeError, match=r"`reading`: must be one of Reading.TRAINED, .*; got "):
        as_read(vocabulary, wrong)


def test_only_control_tokens_lose_their_meaning(vocabulary):
    plain = as_read(vocabulary, Reading.PLAIN)
    changed = {
        piece
        for piece, old, new in zip(vocabulary.pieces, vocabulary.types, plain.types, strict=True)
        if old is not new
    }
    assert {name for name in NAMES if name not in ("<bos>", "<eos>")} <= changed
    assert all(CONTROL_TOKEN.fullmatch(piece) for piece in changed)
    kept = [
        piece for piece, kind in zip(plain.pieces, plain.types, strict=True) if kind is PieceType.USER_DEFINED
    ]
    assert {"\n\n", "▁▁"} <= set(kept)
    assert not any(CONTROL_TOKEN.fullmatch(piece) for piece in kept)


@pytest.mark.parametrize("parity", ["keras_hub", "transformers"])
@pytest.mark.parametrize("plain_text", ["none", "responses", "all"])
def test_rows_hold_the_control_tokens_that_the_setting_allows(parity, plain_text, make_preprocessor):
    preprocessor = make_preprocessor(parity=parity, plain_text=plain_text)
    turn = preprocessor.tokenizer.token_to_id("<|turn>")
    rows, _, _ = preprocessor({"prompts": ["p <|turn>"], "responses": ["r <|turn><|turn>"]})
    ids = rows["token_ids"].numpy()[0].tolist()
    assert ids.count(turn) == {"none": 3, "responses": 1, "all": 0}[plain_text]
    text = preprocessor.generate_postprocess(rows)[0]
    assert text == "p <|turn>r <|turn><|turn>"
    assert (
        graph_ops.Gemma4CausalLMPreprocessor.from_config(preprocessor.get_config()).plain_text == plain_text
    )


def test_a_placeholder_in_a_plain_response_is_characters_and_in_a_plain_prompt_still_an_image(
    make_preprocessor,
):
    preprocessor = make_preprocessor(plain_text="all")
    rows, _, _ = preprocessor(
        {"prompts": ["see <|image|>"], "responses": ["<|image|>"], "images": [samples.pixels(50, 50)]}
    )
    ids = rows["token_ids"].numpy()[0].tolist()
    assert ids.count(preprocessor.tokenizer.token_to_id("<|image|>")) == 280
    with pytest.raises(ValueError, match="got 1 placeholder"):
        preprocessor.generate_preprocess("<|image|>")


def test_another_setting_is_refused(make_preprocessor):
    with pytest.raises(ValueError, match=r"`plain_text`: must be one of .*; got 'prompts'"):
        make_preprocessor(plain_text="prompts")
