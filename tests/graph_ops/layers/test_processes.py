"""What depends on the whole process: spawned workers, NumPy behaviour."""

import pytest

from tests.graph_ops.layers.fresh import run

SPAWNED = """
    import multiprocessing
    import graph_ops
    from tests.data import DEMONSTRATION
    from tests.graph_ops.layers.working import token_ids

    tokenizer = graph_ops.Gemma4Tokenizer(DEMONSTRATION)
    preprocessor = graph_ops.Gemma4CausalLMPreprocessor(tokenizer, sequence_length=8)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.apply(token_ids, (preprocessor, "hello")) == token_ids(preprocessor, "hello"))
"""


@pytest.mark.slow
def test_a_spawned_worker_gets_the_preprocessor_itself():
    assert run(SPAWNED).splitlines()[-1] == "True"


NUMPY_BEHAVIOUR = """
    import io
    import numpy as np
    import tensorflow as tf
    from PIL import Image
    import graph_ops
    from export.verify import samples
    from tests.data import DEMONSTRATION

    def files():
        picture = Image.fromarray(samples.pixels(50, 60))
        for kind in ("JPEG", "PNG", "GIF", "BMP", "WEBP"):
            written = io.BytesIO()
            picture.save(written, kind)
            yield {"prompts": ["a <|image|>"], "images": [written.getvalue()]}

    def all_rows():
        layers = graph_ops.Gemma4ImageConverter(), graph_ops.Gemma4AudioConverter()
        tokenizer = graph_ops.Gemma4Tokenizer(DEMONSTRATION)
        preprocessor = graph_ops.Gemma4CausalLMPreprocessor(tokenizer, *layers, parity="transformers")
        speech = samples.demonstration_file("speech.wav").read_bytes()
        media = {"images": samples.pixels(50, 60), "audio": samples.sounds(8000)["noise"]}
        wav = {"prompts": ["<|audio|>"], "audio": [speech]}
        calls = [*files(), wav, {"prompts": "<|image|><|audio|>", **media}]
        rows = [preprocessor.generate_preprocess(call) for call in calls]
        texts = [preprocessor.generate_postprocess(row) for row in rows]
        return [np.asarray(value) for row in rows for value in row.values()], texts

    rows, texts = all_rows()
    tf.experimental.numpy.experimental_enable_numpy_behavior()
    again, texts_again = all_rows()
    assert texts == texts_again
    for a, b in zip(rows, again, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5)  # float32 audio varies with memory alignment
    print("equal")
"""


@pytest.mark.release
def test_rows_are_the_same_under_numpy_behaviour():
    assert run(NUMPY_BEHAVIOUR).splitlines()[-1] == "equal"
