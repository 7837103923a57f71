"""Engines inside modules that are saved: with each reading, before and after the first call."""

import json
import re
import subprocess
import sys

import pytest
import tensorflow as tf

from graph_ops.text.engines import ENGINES, make_engine
from graph_ops.text.reading import Reading
from graph_ops.text.vocabulary.vocabulary import load_vocabulary
from tests.data import DEMONSTRATION

TEXTS = ["<bos>caf\u00e9 <|turn>", "", "<|image|> of a <|video|> <|tool_call>"]
STRINGS = [tf.TensorSpec([None], tf.string)]
LOAD = """
import json, pathlib, sys
import tensorflow as tf
import tensorflow_text
folder, texts = pathlib.Path(sys.argv[1]), tf.constant(json.loads(sys.argv[2]))
found = {}
for each in folder.iterdir():
    loaded = tf.saved_model.load(str(each))
    ids = [part.numpy().tolist() for part in loaded.encode(texts)]
    found[each.name] = [ids, [text.decode() for text in loaded.there_and_back(texts).numpy()]]
assert not any(name.startswith("graph_ops") for name in sys.modules)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def vocabulary():
    return load_vocabulary(DEMONSTRATION)


def engine_of(name, vocabulary, *readings):
    engine = make_engine(name, vocabulary)
    engine.prepare(readings)
    return engine


class Holder(tf.Module):
    """Holds an engine one level down and uses it in functions of its own."""

    def __init__(self, engine, reading, in_bulk):
        super().__init__()
        self.inner = tf.Module()
        self.inner.engine = engine
        self.encode = tf.function(
            lambda texts: engine.encode(texts, reading=reading, in_bulk=in_bulk),
            input_signature=STRINGS,
            autograph=False,
        )
        self.there_and_back = tf.function(
            lambda texts: engine.decode(*engine.encode(texts, reading=reading)),
            input_signature=STRINGS,
            autograph=False,
        )


class Outer(tf.Module):
    """Holds an engine higher up than the module with the functions that use it: the engine is met first."""

    def __init__(self, engine, holder):
        super().__init__()
        self.engine, self.deep = engine, tf.Module()
        self.deep.deeper = tf.Module()
        self.deep.deeper.holder = holder


def answers(holder):
    ids = [part.numpy().tolist() for part in holder.encode(tf.constant(TEXTS))]
    return [ids, [text.decode() for text in holder.there_and_back(tf.constant(TEXTS)).numpy()]]


BEFORE = (Reading.TRAINED, Reading.PLAIN)


@pytest.fixture(scope="module")
def saved(vocabulary, tmp_path_factory):
    """Holders of both engines: of some readings saved before any call, of each one after calls of all."""
    folder, holders = tmp_path_factory.mktemp("engines"), {}
    for name in ENGINES:
        for reading in BEFORE:
            holders[f"{name} {reading.value} before"] = Holder(
                engine_of(name, vocabulary, reading), reading, in_bulk=True
            )
        used = engine_of(name, vocabulary)
        for reading in Reading:
            used.encode(tf.constant(TEXTS), reading=reading, in_bulk=True)
        for reading in Reading:
            holders[f"{name} {reading.value} after"] = Holder(used, reading, in_bulk=False)
    for name, holder in holders.items():
        tf.saved_model.save(holder, str(folder / name))
    return folder, holders


@pytest.mark.release
def test_saved_modules_give_the_same_in_a_fresh_process(saved):
    folder, holders = saved
    command = [sys.executable, "-c", LOAD, str(folder), json.dumps(TEXTS)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {name: answers(holder) for name, holder in holders.items()}


@pytest.mark.release
def test_readings_differ_and_engines_agree(saved):
    _, holders = saved
    given = {name: answers(holder) for name, holder in holders.items()}
    for reading in Reading:
        same = [each for name, each in given.items() if f" {reading.value} " in name]
        assert len(same) == (4 if reading in BEFORE else 2)
        assert all(each == same[0] for each in same)
    assert len({str(given[f"builtin {reading.value} after"][0]) for reading in Reading}) == len(Reading)


@pytest.mark.release
@pytest.mark.parametrize("name", ENGINES)
def test_a_prepared_reading_may_be_traced_last(name, vocabulary, tmp_path):
    engine = engine_of(name, vocabulary, Reading.PLAIN)
    module = Outer(engine, Holder(engine, Reading.PLAIN, in_bulk=True))
    tf.saved_model.save(module, str(tmp_path / "saved"))
    loaded = tf.saved_model.load(str(tmp_path / "saved")).deep.deeper.holder
    ours, theirs = (each.encode(tf.constant(TEXTS)) for each in (module.deep.deeper.holder, loaded))
    assert [part.numpy().tolist() for part in ours] == [part.numpy().tolist() for part in theirs]


@pytest.mark.release
@pytest.mark.parametrize("name", ENGINES)
def test_a_reading_that_the_saved_module_itself_is_the_first_to_use_is_found(name, vocabulary, tmp_path):
    engine = engine_of(name, vocabulary)
    tf.saved_model.save(Holder(engine, Reading.PLACEHOLDERS, in_bulk=True), str(tmp_path / "saved"))


@pytest.mark.parametrize("name", ENGINES)
def test_both_engines_count_their_models_by_readings(name, vocabulary):
    engine = engine_of(name, vocabulary, *Reading)
    assert len(engine.models()) == (len(Reading) if name == "sentencepiece" else 0)
    engine.prepare(Reading)
    assert len(engine.models()) == (len(Reading) if name == "sentencepiece" else 0)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("wrong", [False, True, None, "plain", 0])
def test_what_is_no_reading_is_refused(name, wrong, vocabulary):
    engine = engine_of(name, vocabulary)
    with pytest.raises(TypeError, match=r"`reading`: must be one of Reading.TRAINED, .*; got "):
        engine.encode(tf.constant(TEXTS), reading=wrong)


STEPS = {
    "sentencepiece": {"tokenize/cond/segments", "tokenize/cond/runs", "tokenize/cond/assemble", "detokenize"},
    "builtin": {
        "tokenize/segments",
        "tokenize/characters",
        "tokenize/user_defined",
        "tokenize/merge",
        "tokenize/assemble",
        "detokenize",
    },
}


@pytest.mark.parametrize("name", ENGINES)
def test_a_graph_names_the_steps_of_text(name, vocabulary):
    engine = engine_of(name, vocabulary)
    holder = tf.function(
        lambda texts: engine.decode(*engine.encode(texts, in_bulk=True)),
        input_signature=STRINGS,
        autograph=False,
    )
    graph = holder.get_concrete_function().graph
    definition = graph.as_graph_def()
    names = [node.name for node in definition.node]
    names += [node.name for function in definition.library.function for node in function.node_def]
    for step in STEPS[name]:
        # what stands in a branch is named inside the branch's own function
        pattern = re.compile(rf"(^|/)({step}|{step.rpartition('/')[2]})/")
        assert any(pattern.search(found) for found in names), step
