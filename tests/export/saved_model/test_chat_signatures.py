"""The signatures that take messages, before any of it is saved."""

import tensorflow as tf

from export.saved_model.chat_signatures import CHAT_INPUTS, chat_signatures
from export.saved_model.signatures import signatures
from export.signature import traced
from graph_ops.chat.dialogue import Dialogues
from graph_ops.pipeline.chat import SPECS
from tests.export.tiny import tiny_preprocessor


def test_inputs_are_the_fields_of_dialogues():
    assert tuple(CHAT_INPUTS) == Dialogues._fields
    for name, given in CHAT_INPUTS.items():
        spec = getattr(SPECS, name)
        assert (given.dtype, list(given.shape)) == (spec.dtype, spec.shape.as_list()), name


def test_each_signature_takes_what_it_needs(make_preprocessor):
    table = signatures(make_preprocessor().settings)
    switches = {"add_generation_prompt", "enable_thinking", "preserve_thinking"}
    said = {"roles", "parts", "part_types", "images", "audio"}
    assert set(table["generate_preprocess_chat"].inputs) == said | switches
    assert set(table["generate_preprocess_chat_tools"].inputs) == set(Dialogues._fields) | {"images", "audio"}
    training = table["preprocess_chat"]
    assert set(training.inputs) == (set(Dialogues._fields) | {"images", "audio"}) - {"add_generation_prompt"}
    assert training.outputs[-3:] == ("y", "sample_weight", "status")


def test_a_vocabulary_without_the_template_has_none():
    assert not [name for name in signatures(tiny_preprocessor().settings) if "chat" in name]


def test_the_template_is_traced_once_for_all_of_them(make_preprocessor):
    settings = make_preprocessor(images=False, audio=False).settings
    table = chat_signatures(settings, {}, lambda features, names, finding: features)
    called = {
        node.attr["f"].func.name
        for signature in table.values()
        for node in traced(signature).graph.as_graph_def().node
        if node.op in ("PartitionedCall", "StatefulPartitionedCall") and len(node.input) > len(SPECS)
    }
    assert len(called) == 1


def test_a_signature_gives_the_rows_of_the_class(make_preprocessor):
    preprocessor = make_preprocessor(images=False, audio=False, sequence_length=64)
    dialogue = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    expected = preprocessor.generate_preprocess({"messages": [dialogue]})
    found = traced(signatures(preprocessor.settings)["generate_preprocess_chat"])(
        roles=tf.constant([["system", "user"]]),
        parts=tf.constant([[["Be brief."], ["Hi"]]]),
        part_types=tf.constant([[["text"], ["text"]]]),
        add_generation_prompt=tf.constant([True]),
        enable_thinking=tf.constant([False]),
        preserve_thinking=tf.constant([False]),
    )
    assert found["status"].numpy().tolist() == [b""]
    assert (found["token_ids"] == expected["token_ids"]).numpy().all()
