"""The class in Python asked as any other runtime is."""

import numpy as np
import pytest

import graph_ops
from export.verify import samples
from export.verify.eager import EagerRuntime
from tests.data import DEMONSTRATION


def runtime_of(preprocessor):
    return EagerRuntime(preprocessor.get_config(), preprocessor.tokenizer.vocabulary)


@pytest.fixture(scope="module")
def preprocessor():
    return graph_ops.Gemma4CausalLMPreprocessor(
        graph_ops.Gemma4Tokenizer(DEMONSTRATION),
        audio_converter=graph_ops.Gemma4AudioConverter(max_audio_length=1),
        num_audio_tokens_per_clip=25,
        sequence_length=100,
        add_end_token=False,
    )


@pytest.fixture(scope="module")
def runtime(preprocessor):
    return runtime_of(preprocessor)


def test_a_text_has_the_ids_of_the_tokenizer_and_comes_back(runtime, preprocessor):
    texts = ["This is a test.", "", "日本 <|image|>"]
    found = runtime.tokenize([text.encode() for text in texts])
    for ids, text in zip(found, texts, strict=True):
        assert ids.tolist() == preprocessor.tokenizer(text).numpy().tolist()
        assert runtime.detokenize(ids[np.newaxis].astype(np.int32)) == [text.encode()]


def test_special_tokens_are_read_as_the_settings_say(make_preprocessor):
    read, spelt = (
        runtime_of(make_preprocessor(images=False, audio=False, allow_special_tokens=texts))
        for texts in ("all", "none")
    )
    assert len(read.tokenize([b"<turn|>"])[0]) == 1
    assert len(spelt.tokenize([b"<turn|>"])[0]) > 1


def test_a_row_is_made_with_the_settings_of_the_artifact(runtime, preprocessor):
    clip = samples.sounds(16_000)["sweep"]
    row = runtime.row("hear <|audio|>", {"audio": [clip]})
    np.testing.assert_allclose(row["audio_mel"][0, 0], preprocessor.audio_converter(clip), atol=1e-5)
    assert row["token_ids"].shape == (1, 100)
    assert row["audio_mask"].sum() == 25


def test_a_row_without_items_and_its_text(runtime):
    row = runtime.row("This is a test.", {"audio": []})
    assert row["token_ids"].shape == (1, 100)
    assert runtime.postprocess(row["token_ids"], row["padding_mask"]) == b"This is a test."


def test_a_converter_that_is_not_there_is_left_out(make_preprocessor):
    runtime = runtime_of(make_preprocessor(images=False, audio=False))
    with pytest.raises(ValueError, match="image_converter"):
        runtime.row("<|image|>", {"image": [samples.pixels(9, 9)]})
