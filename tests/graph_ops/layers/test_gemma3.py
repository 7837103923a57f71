"""Classes of Gemma 3 and of the models made of it: what they take, refuse and keep."""

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

import graph_ops
from graph_ops.families import EMBEDDING_GEMMA, FUNCTION_GEMMA, GEMMA3, GEMMA3N
from graph_ops.layers.gemma3 import CLASSES
from graph_ops.text.vocabulary.vocabulary import load_vocabulary
from tests.data import DEMONSTRATION
from tests.twins.gemma3 import vocabulary_of
from tests.twins.vocabularies import small_vocabulary

GENERATING = (GEMMA3, GEMMA3N, FUNCTION_GEMMA)
FAMILIES = pytest.mark.parametrize("family", GENERATING, ids=lambda family: family.name)
SAID = [{"role": "user", "content": "Hello"}]
PIXELS = np.zeros((16, 16, 3), np.uint8)


@pytest.fixture(scope="module")
def vocabularies():
    made = load_vocabulary(DEMONSTRATION)
    return {family: vocabulary_of(family, made) for family in GENERATING} | {
        EMBEDDING_GEMMA: vocabulary_of(GEMMA3, made)
    }


@pytest.fixture(scope="module")
def make(vocabularies):
    def made(family, **settings):
        return CLASSES[family.name](vocabularies[family], **settings)

    return made


@FAMILIES
def test_a_row_is_start_text_and_padding(make, family):
    ours = make(family, sequence_length=12)
    turns = "<start_of_turn>user\nHi<end_of_turn>\n"
    rows = ours.generate_preprocess([turns, "<|turn>"])
    assert list(rows) == ["token_ids", "padding_mask"]
    assert rows["token_ids"].shape == (2, 12)
    pieces = [ours.tokenizer.id_to_token(int(token)) for token in rows["token_ids"][0]]
    assert pieces[:2] == ["<bos>", "<start_of_turn>"]
    assert pieces[pieces.index("<end_of_turn>") :][:2] == ["<end_of_turn>", "\n"]
    spelled = [ours.tokenizer.id_to_token(int(token)) for token in rows["token_ids"][1]]
    assert "<|turn>" not in spelled
    assert "".join(spelled).startswith("<bos><|turn><pad>")


@FAMILIES
def test_special_tokens_are_characters_where_texts_may_not_spell_them(make, family):
    ours = make(family, sequence_length=200, allow_special_tokens="none")
    spelled = "".join(family.known_by)
    (row,) = ours.generate_preprocess([spelled])["token_ids"].numpy()
    pieces = [ours.tokenizer.id_to_token(int(token)) for token in row]
    assert [piece for piece in pieces if piece in family.known_by] == []
    assert "".join(pieces).replace("<pad>", "") == f"<bos>{spelled}"


@pytest.mark.parametrize("family", [*GENERATING, EMBEDDING_GEMMA], ids=lambda family: family.name)
def test_a_vocabulary_of_another_family_is_refused_with_both_names(vocabularies, family):
    given = load_vocabulary(DEMONSTRATION)
    wanted = rf"`tokenizer`: must be a {family.title} vocabulary, which holds .*; got one of Gemma 4\. Pass"
    with pytest.raises(ValueError, match=wanted):
        CLASSES[family.name](given)
    other = "FunctionGemma" if family is FUNCTION_GEMMA else "Gemma 3n" if family is GEMMA3N else "Gemma 3"
    with pytest.raises(ValueError, match=rf"must be a Gemma 4 vocabulary, .*\|.*; got one of {other}\."):
        graph_ops.Gemma4CausalLMPreprocessor(vocabularies[family])


def test_a_vocabulary_without_the_tokens_of_a_family_made_of_gemma_3_is_refused(vocabularies):
    with pytest.raises(ValueError, match=r"a FunctionGemma vocabulary, .*<escape>; got one of Gemma 3\."):
        graph_ops.FunctionGemmaCausalLMPreprocessor(vocabularies[GEMMA3])
    with pytest.raises(ValueError, match=r"Gemma 3n vocabulary, which holds <start_of_audio>; got one of"):
        graph_ops.Gemma3nCausalLMPreprocessor(vocabularies[GEMMA3])
    assert graph_ops.Gemma3CausalLMPreprocessor(vocabularies[FUNCTION_GEMMA]).family is GEMMA3


def test_a_vocabulary_that_is_known_as_no_familys_is_taken():
    ours = graph_ops.Gemma3CausalLMPreprocessor(small_vocabulary(("a",)), sequence_length=4)
    assert ours.generate_preprocess("a")["padding_mask"].numpy().tolist() == [True, True, False, False]


@FAMILIES
def test_media_are_refused(make, family):
    ours, sentence = make(family), rf"must be left out for {family.title}, of which text alone is read"
    images, audio = graph_ops.Gemma4ImageConverter(), graph_ops.Gemma4AudioConverter()
    for name, converter in (("image_converter", images), ("audio_converter", audio)):
        with pytest.raises(ValueError, match=f"`{name}`: {sentence}"):
            make(family, **{name: converter})
        with pytest.raises(ValueError, match=f"`{name}`: {sentence}"):
            setattr(ours, name, converter)
    with pytest.raises(ValueError, match=f"`images`: {sentence}"):
        ours.generate_preprocess({"prompts": "x", "images": PIXELS})
    theirs = keras_hub.layers.Gemma3ImageConverter(image_size=(896, 896))
    with pytest.raises(ValueError, match=f"`image_converter`: {sentence}"):
        make(family, image_converter=theirs)


@FAMILIES
def test_messages_are_refused(make, family):
    ours = make(family)
    for ask in (
        lambda: ours.render_chat(SAID),
        lambda: ours.chat_to_prompts(SAID),
        lambda: ours.generate_preprocess({"messages": SAID}),
        lambda: ours({"messages": SAID}),
        lambda: ours.parse_response("Hello"),
        lambda: ours.parse_response([7, 8]),
    ):
        with pytest.raises(ValueError, match=rf"`messages`: must be left out for {family.title}, of which"):
            ask()


@FAMILIES
def test_settings_make_the_preprocessor_again(make, family, tmp_path):
    ours = make(family, sequence_length=9, add_end_token=False, parity="transformers")
    again = type(ours).from_config({**ours.get_config(), "family": family.name})
    saved = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(ours))
    ours.save_to_preset(tmp_path)
    loaded = type(ours).from_preset(tmp_path)
    for each in (again, saved, loaded):
        assert type(each) is type(ours)
        assert (each.parity, each.family) == ("transformers", family)
        assert each.settings[1:] == ours.settings[1:]
        assert each.tokenizer.vocabulary.sha256 == ours.tokenizer.vocabulary.sha256


@FAMILIES
def test_keras_hub_reads_what_is_saved_and_its_objects_are_read(make, family, tmp_path):
    ours = make(family, sequence_length=9)
    ours.save_to_preset(tmp_path)
    theirs = getattr(keras_hub.models, ours.keras_hub_class).from_preset(str(tmp_path))
    assert theirs.sequence_length == 9
    taken = type(ours).from_keras_hub(theirs)
    for each in (ours, taken):
        found, expected = each.generate_preprocess("Hello you"), theirs.generate_preprocess("Hello you")
        assert tf.reduce_all(found["token_ids"] == expected["token_ids"])
    assert isinstance(ours, keras_hub.models.Preprocessor)
    with pytest.raises(TypeError, match="`preprocessor`: must be a Gemma4CausalLMPreprocessor"):
        graph_ops.Gemma4CausalLMPreprocessor.from_keras_hub(theirs)


def test_a_tokenizer_of_another_family_is_refused(vocabularies):
    with pytest.raises(TypeError, match="`tokenizer`: must be a Gemma3Tokenizer, ours or KerasHub's; got"):
        graph_ops.Gemma3CausalLMPreprocessor(graph_ops.Gemma4Tokenizer(vocabularies[GEMMA3]))
    with pytest.raises(TypeError, match="`tokenizer`: must be a Gemma3nTokenizer"):
        graph_ops.Gemma3nCausalLMPreprocessor(graph_ops.Gemma3Tokenizer(vocabularies[GEMMA3N]))


@pytest.mark.parametrize("family", [GEMMA3, GEMMA3N], ids=lambda family: family.name)
def test_a_tokenizer_has_the_special_tokens_of_keras_hubs(make, family, vocabularies):
    ours = make(family).tokenizer
    theirs = getattr(keras_hub.models, f"{ours.keras_hub_prefix}Tokenizer")(vocabularies[family].proto)
    assert sorted(ours.special_token_ids) == sorted(theirs.special_token_ids)
    names = ["start_token", "end_token", "pad_token", "image_placeholder", "start_of_image_token"]
    names += ["audio_placeholder", "end_of_audio_token"] if family is GEMMA3N else []
    for name in (*names, *(f"{name}_id" for name in names)):
        assert getattr(ours, name) == getattr(theirs, name), name


def test_a_text_to_embed_stands_between_start_and_end_behind_its_task(make):
    ours = make(EMBEDDING_GEMMA, sequence_length=40)
    rows = ours(["Hello", "<img>"], task=["query", ""])
    assert list(rows) == ["token_ids", "padding_mask"]
    texts = ours.tokenizer.detokenize(rows["token_ids"]).numpy().tolist()
    assert texts == [b"task: search result | query: Hello", b"<img>"]
    lengths = tf.reduce_sum(tf.cast(rows["padding_mask"], tf.int32), axis=1).numpy()
    assert [row[length - 1] for row, length in zip(rows["token_ids"].numpy(), lengths, strict=True)] == [1, 1]
    with pytest.raises(ValueError, match="`tasks`: must be"):
        ours("Hello", task="FactChecking")
    with pytest.raises(
        ValueError, match="`images`: must be left out for EmbeddingGemma, of which text alone"
    ):
        ours({"texts": ["x"], "images": [PIXELS]})
    again = type(ours).from_config(ours.get_config())
    assert (again.sequence_length, again.family) == (40, EMBEDDING_GEMMA)
