"""One SavedModel that embeds: strings, images and clips in, vectors out, as the model's own in Python.

With KerasHub's EmbeddingGemma 2 where keras-hub has it, under `make test-keras-hub`; with a model of a few
lines everywhere.
"""

import itertools
from types import SimpleNamespace

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from examples.small_embedding_gemma2 import small_embedder
from export.fusing.embedding import check_embedder, filled_slots
from export.fusing.write import fuse
from export.saved_model import run as running
from export.saved_model.signatures import DEFAULT
from export.saved_model.warmup import read_warmup_requests
from export.serving.client import Client
from export.serving.server import Server, Settings
from export.serving_configuration import allowed_batch_sizes
from graph_ops import EmbeddingGemma2TextEmbedderPreprocessor, Gemma4AudioConverter, Gemma4ImageConverter
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from tests.data import DEMONSTRATION
from tests.export.fusing.rig import png, run_fresh
from tests.export.serving.rig import NAME, GrpcClient, call, predict_request
from tests.export.tiny import mean_of_words

needs_embedder = pytest.mark.skipif(
    not hasattr(keras_hub.models, "EmbeddingGemma2TextEmbedder"),
    reason="keras-hub has EmbeddingGemma 2 from 0.33 on",
)
TOLERANCE = 1e-5
"""Of vectors of length 1: sums of floats in another order."""
DIM = 192
LENGTH = 1200


@pytest.fixture(scope="module")
def text_preprocessor():
    return EmbeddingGemma2TextEmbedderPreprocessor(DEMONSTRATION, sequence_length=32)


@pytest.fixture(scope="module")
def text_model(text_preprocessor):
    keras.utils.set_random_seed(1)
    return mean_of_words(DIM)


@pytest.fixture(scope="module")
def text_folder(text_preprocessor, text_model, tmp_path_factory):
    return fuse(text_preprocessor, text_model, tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="module")
def loaded(text_folder):
    return running.load(text_folder)


def embed(loaded, texts, tasks=None, sizes=None, **media):
    inputs = {"texts": texts, "tasks": tasks or [""] * len(texts), "truncate_dim": sizes or [0] * len(texts)}
    outputs = call(loaded, "embed", inputs | media)
    return outputs["embeddings"], [status.decode() for status in outputs["status"]]


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_vectors_are_the_models_of_the_texts_behind_their_tasks(loaded, text_preprocessor, text_model):
    texts, tasks = ["some text", "more", "", "word " * 90], ["", "query", "STS", "Retrieval-document"]
    vectors, statuses = embed(loaded, texts, tasks)
    prefixes = [text_preprocessor.tasks.get(task, "") for task in tasks]
    rows = text_preprocessor([prefix + text for prefix, text in zip(prefixes, texts, strict=True)])
    np.testing.assert_allclose(vectors, unit(text_model(rows).numpy()), atol=TOLERANCE)
    assert statuses == [""] * 4
    assert loaded.signatures[DEFAULT].structured_outputs.keys() == {"embeddings", "status"}


def test_a_vector_is_cut_and_brought_to_length_one(loaded):
    whole, _ = embed(loaded, ["some text"])
    cut, statuses = embed(loaded, ["some text"] * 3, sizes=[128, DIM, 0])
    assert statuses == [""] * 3
    np.testing.assert_allclose(cut[0, :128], unit(whole[0, :128]), atol=TOLERANCE)
    assert not cut[0, 128:].any()
    np.testing.assert_allclose(cut[1:], np.repeat(whole, 2, axis=0), atol=TOLERANCE)


def test_a_faulty_row_is_zeros_and_harms_no_other(loaded):
    texts = ["good", "a", "b", "<|image|>", "good"]
    vectors, statuses = embed(loaded, texts, ["", "Query", "", "", ""], [0, 0, 256, 0, 128])
    assert [bool(status) for status in statuses] == [False, True, True, True, False]
    assert "`tasks`: must be the name of a task" in statuses[1]
    assert "5 bytes that are no such name" in statuses[1]
    assert f"`truncate_dim`: must be 0 or {DIM}" in statuses[2]
    assert "got 256" in statuses[2]
    assert "`texts`: a text must have no placeholder of a medium that is not read" in statuses[3]
    assert not vectors[1:4].any()
    np.testing.assert_allclose(vectors[0], embed(loaded, ["good"])[0][0], atol=TOLERANCE)


def test_a_model_that_does_not_fit_is_refused_with_what_to_correct(text_preprocessor, tmp_path):
    with pytest.raises(ValueError, match=r"`model`: must give one tensor of as many numbers for each row"):
        fuse(text_preprocessor, lambda features: features["token_ids"], tmp_path)
    with pytest.raises(ValueError, match=r"its input 'padding_mask' must take what the preprocessor makes"):
        check_embedder(mean_of_words(DIM, length=64), text_preprocessor)
    with pytest.raises(ValueError, match="`strip_prompt`: must be left out for a preprocessor of rows to"):
        fuse(text_preprocessor, mean_of_words(DIM), tmp_path, strip_prompt=True)


class Encoder:
    """Sums each patch, and remembers how many slots it was asked for."""

    slots: tuple[int, int] | None = None

    def call(self, given):
        self.slots = tuple(given[IMAGE.values].shape[:2])
        return given[IMAGE.values] * 2.0


def test_encoders_get_the_slots_that_are_filled():
    encoder = Encoder()
    model = SimpleNamespace(vision_encoder=encoder, audio_encoder=None)
    values = tf.ones([3, 1, 2, 4])
    marks = tf.constant([[[[0, 0], [1, 0]]], [[[-1, -1]] * 2], [[[0, 0], [1, 0]]]])
    with filled_slots(model, [IMAGE, AUDIO]):
        found = encoder.call({IMAGE.values: values, IMAGE.marks: marks})
    assert encoder.slots == (2, 1)
    assert found.numpy()[:, 0, 0, 0].tolist() == [2.0, 0.0, 2.0]
    encoder.call({IMAGE.values: values, IMAGE.marks: marks})
    assert encoder.slots == (3, 1)


@pytest.fixture(scope="module")
def model():
    """A small EmbeddingGemma 2 with media that sway its vectors."""
    keras.utils.set_random_seed(0)
    model = small_embedder(4096)
    for encoder in (model.backbone.vision_encoder, model.backbone.audio_encoder):
        for weight in encoder.trainable_variables:
            if "kernel" in weight.path:
                weight.assign(weight * 3.0)
    return model


@pytest.fixture(scope="module")
def preprocessors(model):
    """KerasHub's and ours, after the seed of the model, which empties TensorFlow's kernel cache."""
    layers = keras_hub.layers
    theirs = keras_hub.models.EmbeddingGemma2TextEmbedderPreprocessor(
        keras_hub.models.EmbeddingGemma2Tokenizer(str(DEMONSTRATION)),
        layers.EmbeddingGemma2ImageConverter(scale=1 / 255),
        layers.EmbeddingGemma2AudioConverter(mel_floor=1e-3),
        sequence_length=LENGTH,
    )
    ours = EmbeddingGemma2TextEmbedderPreprocessor(
        DEMONSTRATION, Gemma4ImageConverter(), Gemma4AudioConverter(), sequence_length=LENGTH
    )
    return theirs, ours


@pytest.fixture(scope="module")
def folder(preprocessors, model, tmp_path_factory):
    return fuse(preprocessors[1], model, tmp_path_factory.mktemp("embedder"))


SQUARE, WIDE, SMALL = png(768, 768, 0), png(672, 960, 2), png(48, 96, 3)


def rows(speech):
    """(text, image, clip), of images that are not resized."""
    return [
        ("What is it?", b"", b""),
        ("See <|image|> and say.", SQUARE, b""),
        ("Listen: <|audio|>", b"", speech),
        ("", WIDE, speech),
        ("A <|image|>, no image", b"", b""),
        ("<|image|>", SMALL[:40], b""),
    ]


def as_inputs(rows):
    texts, images, clips = zip(*rows, strict=True)
    media = {"images": images, "audio": clips}
    return {
        "texts": np.array(texts, object),
        "tasks": np.array([""] * len(rows), object),
        "truncate_dim": np.zeros(len(rows), np.int32),
    } | {name: np.array([[file] for file in files], object) for name, files in media.items()}


def keras_hub_vector(theirs, model, text, image, clip):
    x = {"texts": [text] if text else None}
    if image:
        x["images"] = [tf.io.decode_image(image).numpy()]
    if clip:
        x["audio"] = [tf.audio.decode_wav(clip)[0].numpy()[:, 0]]
    return model(theirs(x)).numpy()[0]


@pytest.mark.slow
@needs_embedder
def test_vectors_equal_keras_hubs_model_alone_and_in_any_batch(
    folder, preprocessors, model, speech, tmp_path
):
    given = rows(speech)
    turned = [as_inputs(given), as_inputs(given[::-1][2:]), *(as_inputs([row]) for row in given[:4])]
    whole, part, *alone = run_fresh(folder, [("embed", inputs) for inputs in turned], tmp_path)
    vectors = whole["embeddings"]
    for row, vector in zip(given[:4], vectors, strict=False):
        np.testing.assert_allclose(vector, keras_hub_vector(preprocessors[0], model, *row), atol=TOLERANCE)
    assert min(np.abs(a - b).max() for a, b in itertools.pairwise(vectors[:4])) > 1e-3
    np.testing.assert_allclose(part["embeddings"], vectors[:4][::-1], atol=TOLERANCE)
    np.testing.assert_allclose([each["embeddings"][0] for each in alone], vectors[:4], atol=TOLERANCE)
    assert [bool(status) for status in whole["status"].tolist()] == [False] * 4 + [True] * 2
    assert whole["status"][4].decode().startswith("`texts`: a prompt needs one `<|image|>`")
    assert not vectors[4:].any()


@pytest.mark.slow
@needs_embedder
def test_keras_hubs_task_takes_the_preprocessor(preprocessors, model):
    assert isinstance(preprocessors[1], keras_hub.models.Preprocessor)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 768, 768, 3), np.uint8)
    vectors = []
    for preprocessor in preprocessors:
        task = keras_hub.models.EmbeddingGemma2TextEmbedder(model.backbone, preprocessor=preprocessor)
        x = {"texts": ["a <|image|>", "<|image|> b"], "images": pixels}
        vectors.append(task.predict(x, verbose=0))
    np.testing.assert_allclose(vectors[0], vectors[1], atol=TOLERANCE)


@pytest.mark.slow
@needs_embedder
def test_the_embedded_server_warms_up_and_answers(folder, speech):
    requests = list(read_warmup_requests(folder))
    assert len(requests) == 2 * len(allowed_batch_sizes())
    server = Server(Settings(folder.parent, port=0, rest_port=0))
    server.start()
    try:
        inputs = as_inputs(rows(speech)[:3])
        answer = GrpcClient(server.port).predict(predict_request("embed", inputs, NAME))
        found = tf.make_ndarray(answer.outputs["embeddings"])
        expected = call(running.load(folder), "embed", inputs)["embeddings"]
        np.testing.assert_allclose(found, expected, atol=TOLERANCE)
        text, image, _ = rows(speech)[1]
        client = Client(f"127.0.0.1:{server.port}", NAME, timeout=60)
        alone = client.request("embed", text, {"image": [image]})["embeddings"]
        np.testing.assert_allclose(alone, expected[1:2], atol=TOLERANCE)
    finally:
        server.stop()
