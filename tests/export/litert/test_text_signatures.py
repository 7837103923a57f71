"""A bundle's signatures of texts and ids, before any of them is converted."""

import random

import numpy as np
import pytest
import tensorflow as tf

from export.litert.run import load_bundle
from export.litert.run import text_inputs as running_inputs
from export.litert.signatures import device_signatures
from export.litert.text_signatures import STATUS, most_bytes, text_inputs, text_outputs, text_signatures
from export.litert.write import write_bundle
from graph_ops.faults import Finding
from graph_ops.pipeline.litert import Text
from tests.export.tiny import tiny_preprocessor
from tests.twins.streams import hostile_ids, parted


def test_a_size_is_a_part_of_the_name_and_of_the_inputs():
    settings = tiny_preprocessor().settings
    assert list(text_signatures(settings, 8)) == [f"{name}_8" for name in text_signatures(settings)]
    assert text_inputs("text", 8)["text"].shape == (8,)
    assert list(text_inputs("prompts", None)) == ["prompts", "prompts_length"]
    assert text_signatures(settings, 8)["detokenize_stream_8"].inputs["token_ids"].shape == (1, 8)


def test_a_buffer_holds_what_the_longest_pieces_become():
    settings = tiny_preprocessor().settings
    longest = max(len(piece.encode()) for piece in settings.tokenizer.vocabulary.pieces)
    assert most_bytes(settings, None) is None
    assert most_bytes(settings, 3) == 3 * longest
    nothing = Finding.none(tf.zeros([1]))
    outputs = text_outputs(Text(tf.constant([1, 2], tf.uint8), tf.constant([2])), nothing)
    assert tuple(outputs) == ("text", "text_length", *STATUS)


def test_ids_that_come_one_at_a_time_give_the_same_text():
    settings = tiny_preprocessor().settings
    signature = text_signatures(settings, 4)["detokenize_stream_4"]
    ids = settings.tokenizer("ab 🦊 a").numpy().tolist()
    pending, text = np.zeros([1, 3], np.int32), b""
    for place, index in enumerate(ids):
        given = {"token_ids": [[index, 7, 7, 7]], "lengths": [1], "is_last": [place + 1 == len(ids)]}
        inputs = {key: tf.constant(value, tf.int32) for key, value in given.items()}
        found = signature.function(inputs | {"pending": pending})
        assert set(found) == set(signature.outputs)
        pending = found["pending"]
        text += found["text"].numpy().tobytes()[: int(found["text_length"][0])]
    assert text.decode() == "ab 🦊 a"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A bundle of a vocabulary of a few letters, with these signatures alone."""
    preprocessor = tiny_preprocessor()
    table = device_signatures(preprocessor.settings)
    kept = {name: table[name] for name in text_signatures(preprocessor.settings)}
    folder = tmp_path_factory.mktemp("texts") / "bundle"
    write_bundle(preprocessor, kept, folder, lambda _: None)
    return load_bundle(folder)


@pytest.mark.slow
def test_a_converted_stream_gives_the_parts_of_the_whole(bundle):
    rng, tokenizer = random.Random(4), tiny_preprocessor().tokenizer
    for _ in range(100):
        ids = hostile_ids(rng, tokenizer.vocabulary)
        pending, text = np.zeros([1, 3], np.int32), b""
        for place, part in enumerate(parted(rng, ids, 3)):
            row, lengths = np.array([[*part, 7]], np.int32), np.array([len(part)], np.int32)
            last = np.array([place == 2], np.int32)
            found = bundle.run(
                "detokenize_stream", token_ids=row, lengths=lengths, pending=pending, is_last=last
            )
            pending = found["pending"]
            text += found["text"].tobytes()[: int(found["text_length"][0])]
        assert text == tokenizer.detokenize(ids).numpy()


@pytest.mark.slow
def test_converted_places_are_those_of_the_tokenizer(bundle):
    tokenizer = tiny_preprocessor().tokenizer
    for text in ("", "ab \U0001f98a\u00e9a", "a" * 40, "e\u0301<|turn>"):
        given = running_inputs("text", text.encode())
        ids = {name: bundle.run("tokenize", **given)[name] for name in ("token_ids", "lengths")}
        found = bundle.run("token_offsets", **given, **ids)
        expected = tokenizer.tokenize_with_offsets(text)
        count = int(ids["lengths"][0])
        for name in ("byte_spans", "character_spans"):
            assert found[name][0, :count].tolist() == getattr(expected, name).numpy().tolist(), text
            assert not found[name][0, count:].any()
