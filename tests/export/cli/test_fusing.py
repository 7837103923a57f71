"""`gemma4-graph fuse` as a user types it, and a client of what it wrote."""

import json

import keras
import pytest

from examples.small_gemma4 import small_gemma4
from export.artifact import open_artifact
from export.cli import fusing
from export.cli.main import main
from export.cli.options import PreprocessorOptions
from export.cli.preprocessor import make_preprocessor
from export.fusing import models
from export.fusing.self_check import check_answers, check_bundle_answers
from export.serving.client import Client
from export.serving.server import Server, Settings
from export.verify.samples import demonstration_file
from tests.data import DEMONSTRATION
from tests.export.cli.commands import run
from tests.export.tiny import mean_of_words

VOCABULARY = str(demonstration_file("demonstration.spm"))
TEXT_ONLY = ("--no-images", "--no-audio", "--sequence-length", "64")


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("model") / "small.keras"
    small_gemma4(4096, images=False, audio=False).save(path)
    return path


@pytest.fixture(scope="module")
def fused(model_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fused") / "gemma4"
    with pytest.raises(SystemExit) as stop:
        main(
            [
                "fuse",
                "--tokenizer",
                VOCABULARY,
                "--model",
                str(model_file),
                "--out",
                str(folder),
                *TEXT_ONLY,
                "--sampler",
                "top_k",
                "--steps",
            ]
        )
    assert stop.value.code == 0
    return folder


@pytest.mark.slow
def test_fuse_writes_a_version_and_says_what_it_answers(capsys, model_file, tmp_path):
    options = (
        "--tokenizer",
        VOCABULARY,
        "--model",
        str(model_file),
        "--out",
        str(tmp_path / "gemma4"),
        *TEXT_ONLY,
    )
    code, out, _ = run(
        capsys, "fuse", *options, "--max-new-tokens", "4", "--stop-token", "<eos>", "--strip-prompt", "--json"
    )
    assert code == 0
    document = json.loads(out.splitlines()[-1])
    assert document["folder"] == str(tmp_path / "gemma4" / "1")
    assert document["bytes"] > document["weights_bytes"] > 4 * 4096 * 32
    assert document["check"]["prompt"] == "What is this?"
    assert document["check"]["text"]


@pytest.fixture(scope="module")
def server(fused):
    server = Server(Settings(fused, port=0, rest_port=0, warm=False))
    server.start()
    yield server
    server.stop()


@pytest.mark.release
def test_a_server_of_a_fused_model_draws_from_the_seed_of_a_request(capsys, server):
    for address in (f"127.0.0.1:{server.port}", f"http://127.0.0.1:{server.rest_port}"):
        client = Client(address, "gemma4", timeout=300)
        answers = [client.request("generate", "Hi", {}, seed=seed)["text"][0] for seed in (1, 2, 1)]
        assert answers[0] == answers[2] != answers[1]
        code, out, _ = run(
            capsys, "request", address, "--prompt", "Hi", "--signature", "generate", "--seed", "1"
        )
        assert code == 0
        assert out.startswith("text: Hi")


@pytest.mark.slow
def test_a_request_says_where_its_answer_ends(capsys, server):
    for address in (f"127.0.0.1:{server.port}", f"http://127.0.0.1:{server.rest_port}"):
        request = ("request", address, "--prompt", "Hi", "--timeout", "300", "--signature")
        texts = []
        for given in (("--max-new-tokens", "30", "--stop", "never said"), ("--max-new-tokens", "2"), ()):
            code, out, _ = run(capsys, *request, "generate_with_limits", *given, "--json")
            assert code == 0
            texts += json.loads(out)["text"]
        assert len(texts[1]) < len(texts[0]) < len(texts[2])
        code, _, err = run(capsys, *request, "generate_with_limits", "--max-new-tokens", "65")
        assert code == 2
        assert "`max_new_tokens`: must be from 0 to 64" in err
        code, _, err = run(capsys, *request, "generate", "--stop", "x")
        assert code == 2
        assert "`stop`: must be left out for a signature without that input; got ['x']" in err


@pytest.mark.slow
def test_inspect_shows_the_signatures_of_a_fused_model(capsys, fused):
    code, out, _ = run(capsys, "inspect", str(fused / "1"), "--json")
    rows = {(row["signature"], row["name"]): row for row in json.loads(out)["tensors"]}
    assert code == 0
    assert rows["generate", "seed"]["dtype"] == "int32"
    assert rows["predict", "outputs"]["shape"] == [None, 64, 4096]
    assert rows["generate_with_limits", "stop"]["shape"] == [None, None]
    assert rows["decode", "cache"]["shape"] == [None, 2, 2, 64, 2, 8]
    assert "loss" in run(capsys, "inspect", str(fused / "1"))[1]


@pytest.mark.release
def test_fuse_writes_a_bundle_for_devices(capsys, model_file, tmp_path):
    options = (
        "--tokenizer",
        VOCABULARY,
        "--model",
        str(model_file),
        "--out",
        str(tmp_path / "bundle"),
        *TEXT_ONLY,
        "--litert",
    )
    code, out, _ = run(capsys, "fuse", *options, "--engine", "builtin")
    assert code == 0
    assert "asked: What is this?\nanswered: What is this?" in out
    assert f"Next: gemma4-graph inspect {tmp_path / 'bundle'}" in out
    rows = json.loads(run(capsys, "inspect", str(tmp_path / "bundle"), "--json")[1])["tensors"]
    shapes = {(row["signature"], row["name"]): row["shape"] for row in rows}
    assert shapes["decode", "logits"] == [1, 4096]
    assert shapes["prefill", "cache"] == [1, 2, 2, 64, 2, 8]


@pytest.mark.release
def test_the_self_check_finds_an_answer(fused):
    check = check_answers(fused / "1")
    assert check.outputs["status"].tolist() == [b""]
    assert check.outputs["text"][0].startswith(b"What is this?")


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        (("--version", "2"), "`version`: must be left out with --litert; a bundle has no versions"),
        (("--max-new-tokens", "4"), "`max_new_tokens`: must be left out with --litert; an app generates"),
        (("--stop-token", "<eos>"), "`stop_tokens`: must be left out with --litert; an app generates"),
        (("--sampler", "top_k"), "`sampler`: must be left out with --litert; an app generates"),
        (("--strip-prompt",), "`strip_prompt`: must be left out with --litert; an app generates"),
        (("--steps",), "`steps`: must be left out with --litert; a bundle has `prefill` and `decode` anyway"),
        (("--engine", "sentencepiece"), "`engine`: must be builtin with --litert"),
    ],
)
def test_what_has_no_effect_on_a_bundle_is_refused(capsys, model_file, tmp_path, option, reason):
    options = ("--tokenizer", VOCABULARY, "--model", str(model_file), "--out", str(tmp_path / "bundle"))
    code, out, err = run(capsys, "fuse", *options, *TEXT_ONLY, "--litert", *option)
    assert (code, out) == (2, "")
    assert reason in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def plain_file(tmp_path_factory):
    """A model that converts fast: it tells how many ids a row has."""
    ids, mask = (keras.Input((64,), dtype="int32", name=name) for name in ("token_ids", "padding_mask"))
    count = keras.ops.sum(keras.ops.cast(mask, "float32"), axis=1, keepdims=True)
    path = tmp_path_factory.mktemp("plain") / "plain.keras"
    keras.Model([ids, mask], keras.layers.Dense(1, kernel_initializer="ones")(count)).save(path)
    return path


@pytest.mark.release
def test_a_bundle_is_asked_unless_told_not_to_be(capsys, plain_file, tmp_path, monkeypatch):
    options = ("--tokenizer", VOCABULARY, "--model", str(plain_file), *TEXT_ONLY, "--litert", "--json")
    code, out, err = run(capsys, "fuse", *options, "--out", str(tmp_path / "asked"))
    assert (code, err) == (0, "")
    assert json.loads(out)["check"]["prompt"] == "What is this?"
    outputs = check_bundle_answers(tmp_path / "asked").outputs
    row = open_artifact(tmp_path / "asked").request("What is this?", {})
    assert outputs["outputs"].tolist() == [[row["padding_mask"].sum()]]
    code, out, _ = run(capsys, "fuse", *options, "--out", str(tmp_path / "not"), "--no-check")
    assert (code, json.loads(out).keys()) == (0, {"folder", "bytes"})


@pytest.mark.release
def test_progress_names_the_tables(capsys, plain_file, tmp_path, monkeypatch):
    """As those of `saved-model`."""
    make_preprocessor(PreprocessorOptions(tokenizer=DEMONSTRATION)).save_to_preset(tmp_path / "preset")
    said = []
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: tmp_path / "cache")
    monkeypatch.setattr("rich.status.Status.update", lambda self, status: said.append(status))
    source = ("--preset", str(tmp_path / "preset"), "--model", str(plain_file), *TEXT_ONLY)
    options = ("--engine", "builtin", "--no-check", "--out", str(tmp_path / "fused"))
    code, _, err = run(capsys, "fuse", *source, *options)
    assert code == 0
    assert err == ""
    assert said[0] == "merges"
    assert said.index("words") < said.index("loading the model") < said.index("saving")


def test_what_a_user_gets_wrong_is_one_line(capsys, model_file, tmp_path, monkeypatch):
    options = ("fuse", "--tokenizer", VOCABULARY, "--out", str(tmp_path), *TEXT_ONLY)
    for given, message in (
        (("--model", str(tmp_path / "none.keras")), "`model`: must be a .keras file that exists"),
        (
            ("--model", str(model_file), "--sampler", "beam"),
            "Invalid value for '--sampler': must be one of greedy, random, top_k, top_p; got 'beam'.",
        ),
        (
            ("--model", str(model_file), "--stop-token", "<stop>"),
            "`stop_tokens`: must be pieces of the vocabulary; got ['<stop>']",
        ),
    ):
        code, _, error = run(capsys, *options, *given)
        assert code == 2
        assert message in error
    monkeypatch.setattr(models.importlib.util, "find_spec", lambda name: None)
    code, _, error = run(capsys, *options, "--model", "gemma4_2b")
    assert code == 2
    assert "pip install 'gemma4-graph[keras-hub]'" in error


def test_what_was_fused_is_said_with_what_it_answered():
    check = {"prompt": "What [is] this?", "seconds": 0.25, "load_seconds": 1.5, "text": "A [cup]."}
    document = {"folder": "models/1", "bytes": 3_000_000, "weights_bytes": 2_000_000, "check": check}
    assert fusing.lines(document) == [
        "wrote models/1 (3.0 MB, 2.0 MB of it weights)",
        "loaded in 1.5 s, answers in 0.250 s",
        r"asked: What \[is] this?",
        r"answered: A \[cup].",
        "Next: gemma4-graph serve models",
    ]
    assert fusing.lines({"folder": "bundle", "bytes": 10_000}) == [
        "wrote bundle (0.0 MB)",
        "Next: gemma4-graph inspect bundle",
    ]


def test_each_option_of_a_saved_model_alone_has_its_reason():
    unset: dict[str, object] = {"version": None, "max_new_tokens": None, "stop_tokens": None, "sampler": None}
    unset |= {"strip_prompt": False, "steps": False}
    fusing.check_bundle_options(unset, None)
    fusing.check_bundle_options(unset, "builtin")
    assert fusing.NOT_FOR_BUNDLES.keys() == unset.keys()


@pytest.mark.slow
def test_fuse_writes_an_artifact_that_embeds(capsys, tmp_path):
    model = tmp_path / "mean.keras"
    mean_of_words(192).save(model)
    out = str(tmp_path / "embedder")
    options = ("--preset", "embedding_gemma2", "--tokenizer", VOCABULARY, "--model", str(model), "--out")
    code, printed, _ = run(capsys, "fuse", *options, out, "--no-images", "--no-audio", "--json")
    assert (code, json.loads(printed)["check"]["prompt"]) == (0, "What is this?")
    code, printed, _ = run(capsys, "run", out, "--prompt", "Hello", "--json")
    assert code == 0
    assert "token_ids" in printed
    code, _, error = run(capsys, "fuse", *options, f"{out}-device", "--litert")
    assert code == 2
    assert "must be of a model that generates, for a LiteRT bundle" in error
