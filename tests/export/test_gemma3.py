"""Gemma 3 and the models made of it as SavedModels and LiteRT bundles, by the commands that a user types."""

import json

import numpy as np
import pytest
import tensorflow as tf

import graph_ops
from export.fusing.write import fuse
from export.saved_model.run import load
from export.verify import samples
from graph_ops.families import FUNCTION_GEMMA, GEMMA3, GEMMA3N
from graph_ops.text.vocabulary.vocabulary import load_vocabulary
from tests.data import DEMONSTRATION
from tests.export.cli.commands import run
from tests.twins.gemma3 import vocabulary_of

PRESETS = {
    GEMMA3: ("gemma3_instruct_1b", graph_ops.Gemma3CausalLMPreprocessor),
    GEMMA3N: ("gemma3n_e2b_it", graph_ops.Gemma3nCausalLMPreprocessor),
    FUNCTION_GEMMA: ("function_gemma_instruct_270m", graph_ops.FunctionGemmaCausalLMPreprocessor),
}
LENGTH = 32
MEDIA_AND_CHAT = ("image", "audio", "video", "arrays", "chat", "response")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A vocabulary file of each family."""
    folder, made = tmp_path_factory.mktemp("vocabularies"), load_vocabulary(DEMONSTRATION)
    found = {family: folder / f"{family.name}.spm" for family in PRESETS}
    for family, file in found.items():
        file.write_bytes(vocabulary_of(family, made).proto)
    return found


def export(capsys, files, family, command, out, *options, preset=None):
    arguments = ("--preset", preset or PRESETS[family][0], "--tokenizer", files[family], "--out", out)
    return run(capsys, command, *map(str, (*arguments, *options)))


@pytest.mark.parametrize("family", [GEMMA3, GEMMA3N], ids=lambda family: family.name)
def test_a_saved_model_gives_the_rows_of_the_class_and_offers_nothing_else(capsys, files, tmp_path, family):
    length = ("--sequence-length", LENGTH)
    assert export(capsys, files, family, "saved-model", tmp_path / "out", *length)[0] == 0
    signatures = load(tmp_path / "out" / "1").signatures
    assert [name for name in signatures if any(word in name for word in MEDIA_AND_CHAT)] == []
    ours = PRESETS[family][1](files[family], sequence_length=LENGTH)
    found = samples.hostile_texts(100, pieces=ours.tokenizer.vocabulary.pieces, invalid_utf8=False)
    texts = tf.constant([*samples.FIXED_TEXTS, *map(bytes.decode, found)])
    rows = signatures["generate_preprocess"](prompts=texts)
    assert sorted(rows) == ["padding_mask", "status", "token_ids"]
    expected = ours.generate_preprocess(texts)
    assert all(np.array_equal(rows[name], expected[name]) for name in expected)
    learned = signatures["preprocess"](prompts=texts, responses=texts[::-1])
    x, y, weight = ours({"prompts": texts, "responses": texts[::-1]})
    for name, value in {**x, "y": y, "sample_weight": weight}.items():
        assert np.array_equal(learned[name], value), name
    answers = {name: expected[name] for name in ("token_ids", "padding_mask")}
    said = signatures["generate_postprocess"](**answers)["text"].numpy()
    assert [text.decode() for text in said] == ours.generate_postprocess(answers)


@pytest.mark.slow
def test_exports_equal_the_references_in_every_runtime(capsys, files, tmp_path):
    family = GEMMA3N
    length = ("--sequence-length", LENGTH)
    assert export(capsys, files, family, "saved-model", tmp_path / "served", *length)[0] == 0
    assert export(capsys, files, family, "litert", tmp_path / "device", *length)[0] == 0
    code, out, _ = run(
        capsys, "verify", str(tmp_path / "served"), str(tmp_path / "device"), "--texts", "60", "--json"
    )
    lines = json.loads(out)
    assert code == 0
    assert not any(line["skipped"] for line in lines)
    compared = {(line["step"], line["runtime"]) for line in lines if line["compared"]}
    runtimes = ("Python", "SavedModel", "LiteRT Interpreter", "LiteRT CompiledModel")
    assert {(f"row: {name}", at) for name in ("token_ids", "padding_mask") for at in runtimes} <= compared
    described = json.loads((tmp_path / "device" / "signatures.json").read_text())
    assert [name for name in described["signatures"] if any(word in name for word in MEDIA_AND_CHAT)] == []
    assert described["preprocessor"]["family"] == family.name


def test_a_model_that_embeds_is_exported_to_a_saved_model_alone(capsys, files, tmp_path):
    preset = "embedding_gemma3_300m"
    code, *_ = export(capsys, files, GEMMA3, "saved-model", tmp_path / "out", preset=preset)
    assert code == 0
    embed = load(tmp_path / "out" / "1").signatures["embed_preprocess"]
    rows = embed(texts=tf.constant(["Hello", "a"]), tasks=tf.constant(["document", ""]))
    expected = graph_ops.Gemma3TextEmbedderPreprocessor(files[GEMMA3])(["Hello", "a"], task=["document", ""])
    assert sorted(rows) == ["padding_mask", "status", "token_ids"]
    assert all(np.array_equal(rows[name], expected[name]) for name in expected)
    code, _, err = export(capsys, files, GEMMA3, "litert", tmp_path / "device", preset=preset)
    assert (code, "EmbeddingGemma embeds. Write a SavedModel." in err) == (2, True)


def test_options_of_media_and_vocabularies_of_others_are_refused(capsys, files, tmp_path):
    code, _, err = export(capsys, files, GEMMA3, "saved-model", tmp_path / "x", "--max-soft-tokens", "280")
    assert code == 2
    assert "`max_soft_tokens`: must be left out for Gemma 3, of which text alone is read; got 280" in err
    code, _, err = export(capsys, files, GEMMA3, "saved-model", tmp_path / "x", preset="gemma4_2b")
    assert (code, "must be a Gemma 4 vocabulary" in err, "got one of Gemma 3." in err) == (2, True, True)
    wrong = {GEMMA3: DEMONSTRATION}
    code, _, err = export(capsys, wrong, GEMMA3, "saved-model", tmp_path / "x")
    assert (code, "must be a Gemma 3 vocabulary" in err, "got one of Gemma 4." in err) == (2, True, True)


def test_a_folder_that_names_its_model_is_exported(capsys, files, tmp_path):
    ours = graph_ops.Gemma3nCausalLMPreprocessor(files[GEMMA3N], sequence_length=LENGTH)
    ours.save_to_preset(tmp_path / "preset")
    arguments = ("--preset", tmp_path / "preset", "--out", tmp_path / "out")
    assert run(capsys, "saved-model", *map(str, arguments))[0] == 0
    row = load(tmp_path / "out" / "1").signatures["generate_preprocess"](prompts=tf.constant(["Hello"]))
    assert np.array_equal(row["token_ids"][0], ours.generate_preprocess("Hello")["token_ids"])


def test_a_preprocessor_of_text_alone_is_not_fused(files, tmp_path):
    ours = graph_ops.Gemma3CausalLMPreprocessor(files[GEMMA3], sequence_length=8)
    with pytest.raises(
        ValueError, match=r"`preprocessor`: must be of Gemma 4 or EmbeddingGemma 2 to be fused"
    ):
        fuse(ours, lambda features: features["token_ids"], tmp_path / "out")
