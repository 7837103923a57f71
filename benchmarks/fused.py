"""`python -m benchmarks.fused`: the fused `generate` beside `Gemma4CausalLM.generate` in Python, on 50 varied
requests to a small model.

Both answer the same requests in turns, one row each, greedily. KerasHub compiles a graph for every length of
a row; its prompts are therefore cut to one length a kind of request, and each graph is compiled before the
clock starts. Its media are decoded before too.
"""

import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

from export.cli.quiet import quiet_stderr

NEW_TOKENS, TEXT_TOKENS, REQUESTS_OF_A_KIND = 16, 24, 10
KINDS = {
    "text": (0, 0),
    "text, image": (1, 0),
    "text, 2 images": (2, 0),
    "text, audio": (0, 1),
    "text, image, audio": (1, 1),
}
SIDES = ((768, 768), (672, 960), (960, 672))
"""Images that need no resizing, where KerasHub's is inexact."""


class Request(NamedTuple):
    """One row: a prompt, images as pixels, clips as samples."""

    prompt: str
    images: list[Any]
    clips: list[Any]


def requests(tokenizer: Any, images: int, clips: int, draw: random.Random) -> Iterator[Request]:
    """Prompts of equally many tokens that begin at random places of a text, each with its own media."""
    import numpy as np

    from benchmarks.texts import english

    text, noise = english(), np.random.default_rng(draw.randrange(2**32))
    marks = "<|image|>" * images + "<|audio|>" * clips
    while True:
        start = draw.randrange(len(text) - 400)
        prompt = (
            tokenizer.detokenize(tokenizer(text[start : start + 400])[:TEXT_TOKENS]).numpy().decode() + marks
        )
        if len(tokenizer(prompt)) == TEXT_TOKENS + images + clips:
            height, width = draw.choice(SIDES)
            pictures = [noise.integers(0, 256, (height, width, 3), np.uint8) for _ in range(images)]
            yield Request(
                prompt, pictures, [noise.normal(0, 0.1, 48_000).astype(np.float32) for _ in range(clips)]
            )


def main() -> None:
    """Prints, for each kind of request, how many answers are the same, and the median of both times."""
    with quiet_stderr(), tempfile.TemporaryDirectory() as folder:
        import keras
        import keras_hub
        import numpy as np
        import tensorflow as tf

        import graph_ops
        from examples.small_gemma4 import small_gemma4
        from export import fuse
        from export.saved_model import run as running
        from export.verify.samples import demonstration_file

        keras.utils.set_random_seed(0)
        theirs = keras_hub.models.Gemma4CausalLMPreprocessor(
            keras_hub.models.Gemma4Tokenizer(
                os.environ.get("GEMMA4_TOKENIZER") or str(demonstration_file("demonstration.spm"))
            ),
            image_converter=keras_hub.layers.Gemma4ImageConverter(scale=1 / 255),
            audio_converter=keras_hub.layers.Gemma4AudioConverter(mel_floor=1e-3),
        )
        model = small_gemma4(theirs.tokenizer.vocabulary_size(), preprocessor=theirs)
        preprocessor = graph_ops.Gemma4CausalLMPreprocessor.from_keras_hub(theirs)
        generate = running.load(fuse(preprocessor, model, folder, max_new_tokens=NEW_TOKENS)).signatures[
            "generate"
        ]
        stops = [theirs.tokenizer.token_to_id(token) for token in ("<eos>", "<turn|>")]

        def ours_of(request: Request) -> Any:
            images = [tf.io.encode_png(image).numpy() for image in request.images]
            clips = [tf.audio.encode_wav(clip[:, np.newaxis], 16_000).numpy() for clip in request.clips]
            given = {
                "prompts": tf.constant([request.prompt]),
                "images": tf.constant([images], tf.string, shape=[1, len(images)]),
                "audio": tf.constant([clips], tf.string, shape=[1, len(clips)]),
            }
            return lambda: {name: tensor.numpy() for name, tensor in generate(**given).items()}

        def theirs_of(request: Request) -> Any:
            x: dict[str, Any] = {"prompts": [request.prompt]}
            if request.images:
                x["images"] = [request.images]
            if request.clips:
                wav = [tf.audio.encode_wav(clip[:, np.newaxis], 16_000) for clip in request.clips]
                x["audio"] = [tf.audio.decode_wav(clip)[0].numpy()[:, 0] for clip in wav]
            length = int(np.sum(theirs.generate_preprocess(dict(x))["padding_mask"])) + NEW_TOKENS

            def answer() -> str:
                (text,) = model.generate(dict(x), max_length=length, stop_token_ids=stops)
                return text

            return answer

        results = {}
        draw = random.Random(0)
        for kind, media in KINDS.items():
            found, times = [], {"ours": [], "theirs": []}
            source = requests(preprocessor.tokenizer, *media, draw)
            for number in range(REQUESTS_OF_A_KIND + 1):
                request = next(source)
                pair = {"ours": ours_of(request), "theirs": theirs_of(request)}
                answers = {}
                for name in ("ours", "theirs") if number % 2 else ("theirs", "ours"):
                    start = time.perf_counter()
                    answers[name] = pair[name]()
                    times[name].append(time.perf_counter() - start)
                found.append(answers["ours"]["text"][0].decode("utf-8", "replace") == answers["theirs"])
            results[kind] = (
                found[1:],
                {name: 1e3 * statistics.median(each[1:]) for name, each in times.items()},
            )
    for kind, (found, medians) in results.items():
        ours, peer = medians["ours"], medians["theirs"]
        print(
            f"{kind:<20} {sum(found)} of {len(found)} the same, {ours:8.1f} ms beside {peer:8.1f} ms, "
            f"ratio {ours / peer:.2f}"
        )


if __name__ == "__main__":
    main()
