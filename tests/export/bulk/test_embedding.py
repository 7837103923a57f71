"""Samples that become vectors, from a file to a dataset."""

import keras
import numpy as np
import pytest

from export.bulk.embedding import Embedding, check_embedding
from export.bulk.job import prepare
from export.bulk.model import Model
from export.bulk.reader import KEY, open_rows
from export.fusing.write import fuse
from graph_ops import EmbeddingGemma2TextEmbedderPreprocessor
from tests.data import DEMONSTRATION
from tests.export.bulk.rig import make_job, run_all, write_lines
from tests.export.tiny import mean_of_words

ROWS = [
    {"id": "one", "prompt": "a cup of coffee"},
    {"id": "image", "prompt": "<|image|>"},
    {"id": "two", "prompt": "espresso"},
]


@pytest.fixture(scope="module")
def preprocessor():
    return EmbeddingGemma2TextEmbedderPreprocessor(DEMONSTRATION, sequence_length=32)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    return mean_of_words(192)


@pytest.fixture(scope="module")
def folder(preprocessor, model, tmp_path_factory):
    return fuse(preprocessor, model, tmp_path_factory.mktemp("embedder"))


@pytest.fixture(scope="module")
def loaded(folder):
    return Model(folder)


@pytest.mark.parametrize("size", [0, 128])
def test_vectors_are_written_and_read_back(size, folder, loaded, preprocessor, model, tmp_path):
    job = make_job(folder, write_lines(tmp_path, ROWS), key="id", task="query", truncate_dim=size)
    run_all(job, loaded)
    rows = {row[KEY].numpy().decode(): row["embeddings"].numpy() for row in open_rows(job.output)}
    texts = {row["id"]: row["prompt"] for row in ROWS if row["id"] in rows}
    assert list(texts) == ["one", "two"]
    whole = model(preprocessor(list(texts.values()), task="query")).numpy()[:, : size or None]
    expected = whole / np.linalg.norm(whole, axis=1, keepdims=True)
    np.testing.assert_allclose([rows[key] for key in texts], expected, atol=1e-6)
    (letter,) = list(tmp_path.glob("out/rows-dead-letters-*"))
    assert "placeholder of a medium that is not read" in letter.read_text()


def test_a_second_run_of_other_vectors_is_refused(folder, loaded, tmp_path):
    source = write_lines(tmp_path, ROWS[:1])
    run_all(make_job(folder, source), loaded)
    with pytest.raises(ValueError, match="had other values of embedding"):
        run_all(make_job(folder, source, truncate_dim=128), loaded)


def test_what_cannot_be_embedded_is_refused(folder, loaded, tmp_path):
    source = write_lines(tmp_path, ROWS[:1])
    with pytest.raises(ValueError, match="`pack`: must be left out for a model that embeds"):
        prepare(make_job(folder, source, pack=True), loaded)
    with pytest.raises(ValueError, match="rows to embed must have prompts alone; they have messages"):
        check_embedding(("messages",), labels=False, pack=False)
    with pytest.raises(ValueError, match="`truncate_dim`: must be 0 or 192"):
        prepare(make_job(folder, source, truncate_dim=3), loaded)


def test_tasks_and_sizes_are_for_models_that_embed(tmp_path, loaded, monkeypatch):
    monkeypatch.setattr(Model, "embeds", False)
    with pytest.raises(ValueError, match="`task`: needs a model that embeds"):
        prepare(make_job(tmp_path, write_lines(tmp_path, ROWS[:1]), task="query"), loaded)


def test_a_row_is_as_much_of_the_vector_as_is_kept():
    vector = {"embeddings": np.arange(4, dtype=np.float32)}
    assert Embedding("", 2).row(vector)["embeddings"].tolist() == [0, 1]
    (tensor,) = Embedding("", 0).tensors(Embedding("", 0).row(vector))
    assert (tensor.shape, tensor.dtype, tensor.padding) == ((4,), "float32", 0.0)
