"""The fused LiteRT bundle: a small Gemma 4 and a small Keras model beside the preprocessor's signatures, in
builtin ops.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import graph_ops
from examples.small_gemma4 import small_gemma4
from export.fusing.generate import Generation, generate_rows
from export.fusing.keras_ops import core_ops
from export.fusing.litert import fuse_litert
from export.litert.signatures import device_signatures
from export.litert.write import MODEL, count_ops
from export.saved_model.signatures import signatures
from export.verify.samples import demonstration_file
from tests.export.fusing.rig import text_preprocessor

NEW_TOKENS = 6


@pytest.fixture(scope="module")
def tokenizer():
    keras.utils.set_random_seed(2)
    return graph_ops.Gemma4Tokenizer(demonstration_file("demonstration.spm"), engine="builtin")


@pytest.fixture(scope="module")
def bundle(tokenizer, tmp_path_factory):
    """A small Gemma 4 that sees and hears, fused; its preprocessor, itself, the interpreter."""
    preprocessor = graph_ops.Gemma4CausalLMPreprocessor(
        tokenizer,
        graph_ops.Gemma4ImageConverter(),
        graph_ops.Gemma4AudioConverter(),
        sequence_length=512,
        max_images_per_prompt=1,
    )
    model = small_gemma4(4096)
    folder = fuse_litert(preprocessor, model, tmp_path_factory.mktemp("fused") / "bundle")
    return preprocessor, model, folder / MODEL


@pytest.mark.slow
def test_prefill_and_decode_give_the_ids_of_the_served_model(bundle, photo, speech):
    preprocessor, model, path = bundle
    interpreter = Interpreter(str(path))
    prompt = "See <|image|> hear <|audio|> say"
    image, clip = tf.io.decode_jpeg(photo).numpy(), tf.audio.decode_wav(speech)[0].numpy()[:, 0]
    text = np.frombuffer(prompt.encode(), np.uint8)
    row = interpreter.get_signature_runner("generate_preprocess")(
        prompts=text,
        prompts_length=np.array([text.size], np.int32),
        images=image[np.newaxis, np.newaxis],
        image_sizes=np.array([[image.shape[:2]]], np.int32),
        audio=clip[np.newaxis, np.newaxis],
        audio_lengths=np.array([[clip.size]], np.int32),
    )
    assert row.pop("status").tolist() == [0]
    given = {name: value for name, value in row.items() if name not in ("status_detail", "position_ids")}
    cache = interpreter.get_signature_runner("prefill")(**given)["cache"]
    start = int(row["padding_mask"].sum())
    ids, decode = list(row["token_ids"][0, :start]), interpreter.get_signature_runner("decode")
    for _ in range(NEW_TOKENS):
        outputs = decode(
            token_id=np.array([[ids[-1]]], np.int32), position=np.array([len(ids) - 1], np.int32), cache=cache
        )
        cache = outputs["cache"]
        ids.append(int(np.argmax(outputs["logits"])))
    files = {
        "prompts": tf.constant([prompt]),
        "images": tf.constant([[photo]]),
        "audio": tf.constant([[speech]]),
    }
    features = signatures(preprocessor.settings)["generate_preprocess"].function(files)
    generation = Generation(stop_ids=(), pad_id=0, max_new_tokens=NEW_TOKENS)
    with core_ops(model):
        generated = tf.function(lambda: generate_rows(model, features, None, generation), autograph=False)()
    assert ids == generated.token_ids[0, : start + NEW_TOKENS].numpy().tolist()


@pytest.mark.slow
def test_the_bundle_holds_the_preprocessors_signatures_and_builtin_ops_only(bundle):
    preprocessor, _, path = bundle
    assert set(Interpreter(str(path)).get_signature_list()) == {
        *device_signatures(preprocessor.settings),
        "prefill",
        "decode",
    }
    assert not [
        op for op in count_ops(path.read_bytes()) if op.startswith("custom:") or op.startswith("FLEX")
    ]


@pytest.mark.release
def test_predict_runs_a_keras_model_on_a_prompt(tokenizer, tmp_path):
    preprocessor = text_preprocessor(tokenizer=tokenizer)
    inputs = [keras.Input((64,), dtype="int32", name=name) for name in ("token_ids", "padding_mask")]
    hidden = keras.layers.Embedding(4096, 4)(inputs[0]) * keras.ops.cast(inputs[1][..., None], "float32")
    model = keras.Model(inputs, keras.layers.Dense(3)(keras.ops.mean(hidden, axis=1)))
    folder = fuse_litert(preprocessor, model, tmp_path / "bundle")
    text = np.frombuffer(b"some text", np.uint8)
    predict = Interpreter(str(folder / MODEL)).get_signature_runner("predict")
    outputs = predict(prompts=text, prompts_length=np.array([text.size], np.int32))
    features = preprocessor.generate_preprocess(["some text"])
    np.testing.assert_allclose(
        outputs["outputs"], model([features["token_ids"], features["padding_mask"]]), atol=1e-6
    )
    assert outputs["status"].tolist() == [0]
