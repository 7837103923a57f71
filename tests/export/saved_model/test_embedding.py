"""A SavedModel that makes rows to embed."""

import numpy as np
import pytest

from export.saved_model import run as running
from export.saved_model.embedding import embedding_signatures, tensor_names
from export.saved_model.signatures import DEFAULT
from export.saved_model.warmup import read_warmup_requests
from export.saved_model.write import export_saved_model, read_description
from export.verify.verify import verify
from graph_ops import EmbeddingGemma2TextEmbedderPreprocessor, Gemma4AudioConverter, Gemma4ImageConverter
from tests.comparing import assert_same
from tests.data import DEMONSTRATION
from tests.export.serving.rig import call


@pytest.fixture(scope="module")
def preprocessor():
    return EmbeddingGemma2TextEmbedderPreprocessor(
        DEMONSTRATION, Gemma4ImageConverter(max_soft_tokens=70), Gemma4AudioConverter(max_audio_length=4)
    )


def test_the_table_follows_the_converters(preprocessor):
    table = embedding_signatures(preprocessor)
    assert table[DEFAULT] is table["embed_preprocess"]
    assert table[DEFAULT].inputs.keys() == {"texts", "tasks", "images", "audio"}
    alone = EmbeddingGemma2TextEmbedderPreprocessor(preprocessor.tokenizer)
    assert embedding_signatures(alone)[DEFAULT].inputs.keys() == {"texts", "tasks"}
    chosen = embedding_signatures(preprocessor, max_soft_tokens_input=True)[DEFAULT].inputs
    assert chosen["max_soft_tokens"].shape == (None, None)
    assert tensor_names(alone.settings) == ["token_ids", "padding_mask"]


def test_what_rows_to_embed_have_not_is_refused(preprocessor, tmp_path):
    with pytest.raises(ValueError, match="`compact`: must be left out for rows to embed"):
        export_saved_model(preprocessor, tmp_path, compact=True)


@pytest.mark.slow
def test_rows_are_those_of_the_class(preprocessor, photo, speech, tmp_path):
    folder = export_saved_model(preprocessor, tmp_path)
    loaded = running.load(folder)
    inputs: dict[str, list] = {
        "texts": ["see <|image|> hear <|audio|>", "", "a", "b <|image|>"],
        "tasks": ["query", "", "document", ""],
        "images": [[photo], [photo], [b""], [b"no picture"]],
        "audio": [[speech], [b""], [b""], [b""]],
    }
    rows = call(loaded, DEFAULT, inputs)
    alone = running.request(loaded, "a", {})["token_ids"]
    assert alone.tolist() == preprocessor(["a"])["token_ids"].numpy().tolist()
    with pytest.raises(ValueError, match=r"`folders`: must be of models that generate; .* embeds"):
        verify(folder)
    assert [bool(status) for status in rows.pop("status")] == [False, False, False, True]
    assert not rows["padding_mask"][3].any()
    first = preprocessor({"texts": [inputs["texts"][0]], "images": [photo], "audio": [speech]}, task="query")
    for name, expected in first.items():
        found = rows[name][:1]
        for axis, size in enumerate(expected.shape):
            assert (
                not found.shape[axis] > size or not np.take(found, range(size, found.shape[axis]), axis).any()
            )
            found = np.take(found, range(size), axis)
        assert_same(found, expected.numpy(), name)
    for row, x in ((1, {"images": [photo]}), (2, {"texts": ["a"]})):
        expected = preprocessor(x, task=inputs["tasks"][row])
        assert rows["token_ids"][row].tolist() == expected["token_ids"][0].numpy().tolist()
    assert read_description(folder)["preprocessor"]["sequence_length"] == 512
    assert {request.model_spec.signature_name for request in read_warmup_requests(folder)} == {
        "embed_preprocess",
        DEFAULT,
    }
