"""Special tokens as attributes, switched by flags."""

import pytest

from graph_ops.family import GEMMA4
from graph_ops.layers.control_tokens import ControlTokens, TokenId
from tests.twins.vocabularies import small_vocabulary

IMAGE, AUDIO = ("<|image>", "<|image|>", "<image|>"), ("<|audio>", "<|audio|>", "<audio|>")
ROW = ["<bos>", "<eos>", "<pad>"]


class Tokens(ControlTokens):
    """A tokenizer's vocabulary and flags, without a tokenizer."""

    def __init__(self, pieces, *, vision=False, audio=False, video=False):
        self.vocabulary = small_vocabulary(("a",), pieces)
        self.has_vision_tokens, self.has_audio_tokens, self.has_video_tokens = vision, audio, video


@pytest.mark.parametrize("vision", [False, True])
@pytest.mark.parametrize("audio", [False, True])
@pytest.mark.parametrize("video", [False, True])
def test_flags_switch_tokens_and_ids_on(vision, audio, video):
    tokens = Tokens((*IMAGE, *AUDIO, "<|video|>"), vision=vision, audio=audio, video=video)
    switched = [
        *ROW,
        *(IMAGE if vision else ()),
        *(AUDIO if audio else ()),
        *(["<|video|>"] if video else []),
    ]
    assert tokens.special_tokens == switched
    assert [tokens.vocabulary.pieces[index] for index in tokens.special_token_ids] == switched
    ids = tokens.image_placeholder_id, tokens.audio_placeholder_id, tokens.video_placeholder_id
    places = tokens.vocabulary.find
    expected = (places("<|image|>"), places("<|audio|>"), places("<|video|>"))
    on = zip(expected, (vision, audio, video), strict=True)
    assert ids == tuple(index if flag else -1 for index, flag in on)
    assert tokens.start_of_video_token_id == tokens.end_of_video_token_id == -1


def test_tokens_that_the_vocabulary_lacks_have_no_id():
    tokens = Tokens(("<|image|>",), vision=True, audio=True, video=True)
    assert (tokens.start_of_image_token_id, tokens.end_of_audio_token_id) == (-1, -1)
    pieces = [tokens.vocabulary.pieces[index] for index in tokens.special_token_ids]
    assert pieces == [*ROW, "<|image|>"]


def test_a_generated_text_keeps_the_opening_image_token():
    tokens = Tokens((*IMAGE, *AUDIO), vision=True)
    for with_audio, more in ((False, ()), (True, AUDIO)):
        ids = tokens.stripped_token_ids(with_audio=with_audio)
        assert [tokens.vocabulary.pieces[index] for index in ids] == [*ROW, *IMAGE[1:], *more]
    tokens.has_audio_tokens = True
    assert tokens.stripped_token_ids(with_audio=True) == tokens.stripped_token_ids(with_audio=False)


def test_names_are_the_familys():
    audio = GEMMA4.tokens_of("audio")
    found = Tokens.start_of_audio_token, Tokens.audio_placeholder, Tokens.end_of_audio_token
    assert found == (audio.opening, audio.placeholder, audio.closing)
    assert (Tokens.start_token, Tokens.pad_token) == (GEMMA4.start, GEMMA4.pad)


def test_of_the_class_an_id_is_the_attribute_itself():
    assert isinstance(Tokens.image_placeholder_id, TokenId)
