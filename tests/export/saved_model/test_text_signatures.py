"""Signatures of texts and ids, before any of them is saved."""

import tensorflow as tf

from export.saved_model.text_signatures import status_output, text_signatures
from graph_ops.faults import Fault, Finding, sentence
from tests.export.tiny import tiny_preprocessor


def test_every_input_and_output_has_the_batch_in_front():
    for name, signature in text_signatures(tiny_preprocessor().settings).items():
        assert all(given.shape[0] is None for given in signature.inputs.values()), name
        tensors = {
            key: tf.zeros([2 if size is None else size for size in given.shape], given.dtype)
            for key, given in signature.inputs.items()
        }
        outputs = signature.function(tensors)
        assert set(outputs) == set(signature.outputs), name
        assert all(output.shape[0] == 2 for output in outputs.values()), name


def test_a_finding_becomes_its_sentence():
    finding = Finding(tf.constant([0, int(Fault.TEXT_LENGTH)]), tf.constant([[0, 0], [3, 2]]))
    assert status_output(finding)["status"].numpy().tolist() == [
        b"",
        sentence(Fault.TEXT_LENGTH, 3, 2).encode(),
    ]


def test_ids_that_come_one_at_a_time_give_the_same_text():
    settings = tiny_preprocessor().settings
    signature = text_signatures(settings)["detokenize_stream"]
    ids = settings.tokenizer("ab 🦊 a").numpy().tolist()
    pending, text = tf.zeros([1, 3], tf.int32), b""
    for index in ids:
        given = {"token_ids": [[index]], "lengths": [1], "pending": pending, "is_last": [False]}
        found = signature.function({key: tf.constant(value) for key, value in given.items()})
        pending, text = found["pending"], text + found["text"].numpy()[0]
    assert text.decode() == "ab 🦊 a"
