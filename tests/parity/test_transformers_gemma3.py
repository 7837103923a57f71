"""Rows of text of Gemma 3 in parity "transformers": `<bos>` and the ids of Hugging Face's `tokenizers` with a
tokenizer.json of the family, special tokens that a text spells among them.

The tokenizer.json is Gemma 4's with the special tokens renamed; see `tests.twins.gemma3`.
"""

import json
import lzma
import pathlib

import pytest
import tokenizers

import graph_ops
from export.verify import samples
from graph_ops.families import FUNCTION_GEMMA, GEMMA3, GEMMA3N
from tests.data import REAL, needs_real
from tests.twins.gemma3 import tokenizer_json_of

CLASSES = {
    GEMMA3: graph_ops.Gemma3CausalLMPreprocessor,
    FUNCTION_GEMMA: graph_ops.FunctionGemmaCausalLMPreprocessor,
    GEMMA3N: graph_ops.Gemma3nCausalLMPreprocessor,
}


@needs_real
@pytest.mark.parametrize(
    "family",
    [
        FUNCTION_GEMMA,
        pytest.param(GEMMA3, marks=pytest.mark.release),
        pytest.param(GEMMA3N, marks=pytest.mark.release),
    ],
    ids=lambda family: family.name,
)
def test_ids_equal_hugging_faces(family):
    packed = pathlib.Path(REAL).with_name("tokenizer.json.xz").read_bytes()
    text = json.dumps(tokenizer_json_of(family, json.loads(lzma.decompress(packed))))
    theirs = tokenizers.Tokenizer.from_str(text)
    ours = CLASSES[family](text.encode(), parity="transformers", sequence_length=256)
    pieces = ours.tokenizer.vocabulary.pieces
    found = samples.hostile_texts(2_000, pieces=pieces, seed=7, invalid_utf8=False)
    turn = "<start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n"
    texts = [turn, "".join(family.known_by), *samples.FIXED_TEXTS, *map(bytes.decode, found)]
    texts = [text for text in texts if "\u2581" not in text]
    assert len(texts) > 1_500
    rows = ours.generate_preprocess(texts)
    mask = rows["padding_mask"].numpy()
    expected = [entry.ids for entry in theirs.encode_batch(texts, add_special_tokens=False)]
    kept = [row[keep].tolist() for row, keep in zip(rows["token_ids"].numpy(), mask, strict=True)]
    assert kept == [[ours.tokenizer.start_token_id, *ids][:256] for ids in expected]
