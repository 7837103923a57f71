"""The demonstration assets that ship as package data: vocabulary, photograph, speech."""

import importlib
import itertools
import json
import os
import re
import wave
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
from PIL import Image, ImageSequence
from sentencepiece.sentencepiece_model_pb2 import ModelProto

from tests.data import ROOT, needs_corpus

VOCABULARY = ROOT / "graph_ops" / "demonstration" / "demonstration.spm"
MEDIA = ROOT / "export" / "demonstration"
ENGLISH = ROOT / "tools" / "universal_declaration_english.txt"

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6

CONTROL_TOKENS = {
    **{
        "<mask>": 4,
        "<|tool>": 5,
        "<tool|>": 6,
        "<|tool_call>": 7,
        "<tool_call|>": 8,
        "<|tool_response>": 9,
        "<tool_response|>": 10,
    },
    **{'<|"|>': 11, "<|think|>": 12, "<|channel>": 13, "<channel|>": 14, "<|turn>": 15, "<turn|>": 16},
    **{"\n" * length: 16 + length for length in range(1, 9)},
    **{"▁" * length: 23 + length for length in range(2, 17)},
    **{
        "<|image>": 40,
        "<|audio>": 41,
        "<|image|>": 42,
        "<|audio|>": 43,
        "<image|>": 44,
        "<audio|>": 45,
        "<|video|>": 46,
    },
}
"""Piece and id of everything that is matched before any merge."""

PATH = re.compile(rb"[\w.-]+/[\w.-]+/[\w.-]+|[A-Za-z]:\\\w+|\.jsonl?\b|\.txt\b|\.spm\b")


@pytest.fixture(scope="module")
def model() -> ModelProto:
    return ModelProto.FromString(VOCABULARY.read_bytes())


@pytest.fixture(scope="module")
def processor() -> sentencepiece.SentencePieceProcessor:
    return sentencepiece.SentencePieceProcessor(model_proto=VOCABULARY.read_bytes())


@pytest.fixture(scope="module")
def corpus() -> Path:
    """The JSON-lines file that the environment names; for tests marked `needs_corpus`."""
    return Path(os.environ["GEMMA4_CORPUS"])


@pytest.fixture(scope="module")
def trainer():
    return importlib.import_module("tools.train_demonstration_vocabulary")


def test_vocabulary_has_4096_distinct_pieces_in_a_small_file(model):
    assert len(model.pieces) == len({piece.piece for piece in model.pieces}) == 4_096
    assert VOCABULARY.stat().st_size < 100_000


def test_meta_pieces_have_gemmas_ids_and_types(model):
    assert [(piece.piece, piece.type) for piece in model.pieces[:4]] == [
        ("<pad>", CONTROL),
        ("<eos>", CONTROL),
        ("<bos>", CONTROL),
        ("<unk>", UNKNOWN),
    ]


def test_user_defined_pieces_are_gemma_4s_control_tokens_and_runs(model):
    assert {
        piece.piece: id_ for id_, piece in enumerate(model.pieces) if piece.type == USER_DEFINED
    } == CONTROL_TOKENS


def test_every_control_token_in_a_text_is_one_id(processor):
    for token, id_ in CONTROL_TOKENS.items():
        text = token.replace("▁", " ")
        assert processor.encode(f"a{text}b") == [*processor.encode("a"), id_, *processor.encode("b")]


def test_every_byte_has_a_piece_in_order(model):
    assert [piece.piece for piece in model.pieces if piece.type == BYTE] == [
        f"<0x{byte:02X}>" for byte in range(256)
    ]


def test_learned_pieces_stand_last_by_descending_score(model):
    learned = model.pieces[303:]
    assert {piece.type for piece in learned} == {NORMAL}
    assert [-piece.score for piece in learned] == list(range(4_096 - 303))


def test_settings_are_gemmas(model):
    trainer, normalizer = model.trainer_spec, model.normalizer_spec
    assert trainer.model_type == trainer.BPE
    assert trainer.byte_fallback
    assert trainer.split_digits
    assert trainer.allow_whitespace_only_pieces
    assert (trainer.pad_id, trainer.eos_id, trainer.bos_id, trainer.unk_id) == (0, 1, 2, 3)
    assert (normalizer.name, normalizer.precompiled_charsmap) == ("identity", b"")
    assert not normalizer.add_dummy_prefix
    assert not normalizer.remove_extra_whitespaces
    assert normalizer.escape_whitespaces


def test_digits_are_single_pieces(processor):
    assert processor.encode("2024", out_type=str) == ["2", "0", "2", "4"]


def test_english_text_is_cut_into_words(processor):
    text = ENGLISH.read_text(encoding="utf-8")
    ids = processor.encode(text)
    assert len(text) / len(ids) > 5
    assert processor.encode("All human beings are born free", out_type=str) == [
        "All",
        "▁human",
        "▁beings",
        "▁are",
        "▁born",
        "▁free",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "  two  spaces ",
        "tab\tnul\0",
        "ꦗꦮ 😀 龘",
        "<|turn>user\nWhat is this?<|image|><turn|>\n\n\n",
        '{"a": [1.5, "x"]}',
    ],
)
def test_text_comes_back_from_its_ids(processor, text):
    assert processor.decode(processor.encode(text)) == text


@needs_corpus
def test_every_text_of_the_corpus_comes_back_from_its_ids(processor, corpus):
    texts = [json.loads(line)["text"] for line in corpus.read_text(encoding="utf-8").splitlines()]
    assert processor.decode(processor.encode(texts)) == texts


def test_tf_text_gives_sentencepieces_ids(processor):
    tf_text = pytest.importorskip("tensorflow_text")
    texts = [
        *ENGLISH.read_text(encoding="utf-8").splitlines(),
        *CONTROL_TOKENS,
        "  ꦗꦮ 😀\t<|turn>user\nhi<turn|>  <bos>",
    ]
    ids = tf_text.SentencepieceTokenizer(model=VOCABULARY.read_bytes()).tokenize(texts)
    assert ids.to_list() == processor.encode(texts)


def test_vocabulary_holds_no_path(model):
    assert not model.trainer_spec.input
    assert not model.trainer_spec.model_prefix
    assert PATH.findall(VOCABULARY.read_bytes()) == []


def test_script_and_readme_name_the_same_sentencepiece(trainer):
    readme = VOCABULARY.with_name("README.md").read_text(encoding="utf-8")
    assert re.findall(r"sentencepiece (\d+\.\d+\.\d+)", readme) == [trainer.SENTENCEPIECE_VERSION]


@needs_corpus
def test_training_again_gives_the_same_bytes(trainer, corpus):
    assert sentencepiece.__version__ == trainer.SENTENCEPIECE_VERSION, (
        "another version may train other pieces; pin it or train again"
    )
    assert trainer.train(corpus, quiet=True) == VOCABULARY.read_bytes()


def test_training_names_the_languages_that_a_corpus_lacks(trainer, tmp_path):
    short = tmp_path / "short.jsonl"
    short.write_text('{"language": "afr", "text": "vry"}\n', encoding="utf-8")
    with pytest.raises(
        SystemExit, match=r"short\.jsonl: the corpus must hold every language.*missing: cat, deu_1996"
    ):
        trainer.train(short, quiet=True)


def test_photo_is_a_small_jpeg_that_is_not_square():
    path = MEDIA / "photo.jpg"
    with Image.open(path) as photo:
        photo.load()
        assert (photo.format, photo.mode, photo.size) == ("JPEG", "RGB", (600, 400))
        assert np.asarray(photo).std() > 30
    assert path.stat().st_size < 120_000


def test_video_is_a_small_gif_with_frames_that_differ():
    path = MEDIA / "video.gif"
    with Image.open(path) as video:
        assert (video.format, video.size, video.n_frames, video.info["duration"]) == (
            "GIF",
            (192, 128),
            12,
            700,
        )
        frames = [np.asarray(frame.convert("RGB"), int) for frame in ImageSequence.all_frames(video)]
    assert all(np.abs(one - other).mean() > 2 for one, other in itertools.pairwise(frames))
    assert path.stat().st_size < 120_000


def test_speech_is_16_khz_mono_16_bit_at_a_good_level():
    path = MEDIA / "speech.wav"
    with wave.open(str(path)) as speech:
        assert (speech.getframerate(), speech.getnchannels(), speech.getsampwidth(), speech.getnframes()) == (
            16_000,
            1,
            2,
            78_400,
        )
        samples = np.frombuffer(speech.readframes(78_400), "<i2") / 32_768
    assert 0.5 < np.abs(samples).max() < 1
    assert 0.05 < np.sqrt(np.mean(samples**2)) < 0.3
    assert path.stat().st_size < 200_000


@pytest.mark.parametrize(
    "readme", [VOCABULARY.with_name("README.md"), MEDIA / "README.md"], ids=lambda path: path.parts[-3]
)
def test_readme_names_every_file_beside_it(readme):
    text = readme.read_text(encoding="utf-8")
    assert all(f"`{path.name}`" in text for path in readme.parent.iterdir() if path != readme)
