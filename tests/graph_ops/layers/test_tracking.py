"""A preprocessor or tokenizer inside what TensorFlow and Keras save, before and after calls."""

import pytest

from tests.graph_ops.layers.fresh import run

SAVE = """
    import pathlib, sys
    import keras
    import tensorflow as tf
    import graph_ops
    from tests.data import DEMONSTRATION

    out, engine = pathlib.Path(sys.argv[1]), sys.argv[2]
    TEXTS = [tf.TensorSpec([None], tf.string, name="x")]

    class Holder(tf.Module):
        def __init__(self, preprocessor):
            super().__init__()
            self.preprocessor = preprocessor

        @tf.function(input_signature=TEXTS)
        def __call__(self, x):
            return self.preprocessor.generate_preprocess(x)["token_ids"]

    class TokenizerHolder(tf.Module):
        def __init__(self, tokenizer):
            super().__init__()
            self.tokenizer = tokenizer

        @tf.function(input_signature=TEXTS)
        def __call__(self, x):
            return self.tokenizer(x).to_tensor()

    class Model(keras.Model):
        def __init__(self, preprocessor):
            super().__init__()
            self.preprocessor = preprocessor
            self.embedding = keras.layers.Embedding(4096, 2)

        def call(self, ids):
            return self.embedding(ids)

    def save_model(preprocessor, folder):
        model = Model(preprocessor)
        model(tf.zeros([1, 4], tf.int32))

        @tf.function(input_signature=TEXTS)
        def serve(x):
            ids = model.preprocessor.generate_preprocess(x)["token_ids"]
            return {"token_ids": ids, "embedded": model(ids)}

        tf.saved_model.save(model, folder, signatures=serve)

    def save_archive(tracked, endpoint, folder):
        archive = keras.export.ExportArchive()
        archive.track(tracked)
        archive.add_endpoint("serve", endpoint, input_signature=TEXTS)
        archive.write_out(folder, verbose=False)

    def save_functional(preprocessor, folder):
        prompts, responses = (keras.Input((), dtype="string", name=name) for name in ("prompts", "responses"))
        rows, _, _ = preprocessor({"prompts": prompts, "responses": responses})
        keras.Model([prompts, responses], rows["token_ids"]).export(folder, verbose=False)

    def save_signature(preprocessor, folder):
        @tf.function(input_signature=TEXTS)
        def serve(x):
            return {"token_ids": preprocessor.generate_preprocess(x)["token_ids"]}

        tf.saved_model.save(preprocessor, folder, signatures=serve)

    for called in (False, True)[engine == "builtin" :]:
        preprocessor = graph_ops.Gemma4CausalLMPreprocessor(
            graph_ops.Gemma4Tokenizer(DEMONSTRATION, engine=engine),
            graph_ops.Gemma4ImageConverter(),
            graph_ops.Gemma4AudioConverter(),
            sequence_length=600,
            parity="transformers",
            allow_special_tokens="prompts",
        )
        if called:
            preprocessor.generate_preprocess(["a"])
            preprocessor({"prompts": "a", "responses": "b"})
        tokenizer, ending = preprocessor.tokenizer, f"-{called}"
        tf.saved_model.save(preprocessor, str(out / f"alone{ending}"))
        tf.saved_model.save(tokenizer, str(out / f"tokenizer{ending}"))
        tf.saved_model.save(Holder(preprocessor), str(out / f"module{ending}"))
        tf.saved_model.save(TokenizerHolder(tokenizer), str(out / f"module_of_tokenizer{ending}"))
        save_signature(preprocessor, str(out / f"signature{ending}"))
        save_model(preprocessor, str(out / f"model{ending}"))
        save_functional(preprocessor, str(out / f"functional{ending}"))
        save_archive(
            preprocessor,
            lambda x: preprocessor.generate_preprocess(x)["token_ids"],
            str(out / f"archive{ending}"),
        )
        save_archive(
            tokenizer, lambda x: tokenizer(x).to_tensor(), str(out / f"archive_of_tokenizer{ending}")
        )
    ids = preprocessor.generate_preprocess(["hello <|turn>"])["token_ids"]
    print(ids.numpy()[0, :8].tolist(), tokenizer(["hello <|turn>"]).to_tensor().numpy()[0].tolist())
"""

LOAD = """
    import pathlib, sys
    import tensorflow as tf

    if sys.argv[2] == "sentencepiece":
        import tensorflow_text
    texts = tf.constant(["hello <|turn>"])
    for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()):
        name, loaded = folder.name.split("-")[0], tf.saved_model.load(str(folder))
        if name.startswith("module"):
            ids = loaded(texts)
        elif name.startswith("archive"):
            ids = loaded.serve(texts)
        elif name == "functional":
            ids = loaded.serve([texts, tf.constant([""])])
        elif name in ("signature", "model"):
            ids = loaded.signatures["serving_default"](x=texts)["token_ids"]
        else:
            continue
        print(folder.name, ids.numpy()[0, :8].tolist())
    assert not any(name.split(".")[0] in ("graph_ops", "keras_hub") for name in sys.modules)
"""


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sentencepiece", pytest.param("builtin", marks=pytest.mark.release)])
def test_whatever_holds_it_is_saved_and_loads_in_a_fresh_process(engine, tmp_path):
    row, ids = run(SAVE, tmp_path, engine).splitlines()[-1].replace("] [", "]|[").split("|")
    loaded = dict(line.split(" ", 1) for line in run(LOAD, tmp_path, engine).splitlines() if "[" in line)
    of_rows = ["module", "signature", "model", "archive"]
    of_ids = ["module_of_tokenizer", "archive_of_tokenizer"]
    for called in ("False", "True")[engine == "builtin" :]:
        assert {name: loaded[f"{name}-{called}"] for name in of_rows} == dict.fromkeys(of_rows, row)
        assert {name: loaded[f"{name}-{called}"] for name in of_ids} == dict.fromkeys(of_ids, ids)
        assert loaded[f"functional-{called}"].startswith(row.rstrip("]").rstrip(", 0"))
