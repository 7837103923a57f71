"""Rows to embed in parity "transformers": ids as `EmbeddingGemma2Processor` has them, with `<bos>` and
`<eos>`, and as many soft tokens as its arithmetic gives.
"""

import numpy as np
import pytest
from transformers.models.embedding_gemma2.processing_embedding_gemma2 import (
    EmbeddingGemma2Processor,
    get_aspect_ratio_preserving_size,
)

from export.verify import samples
from graph_ops import EmbeddingGemma2TextEmbedderPreprocessor, Gemma4AudioConverter, Gemma4ImageConverter
from graph_ops.config import AudioConfig, ImageConfig
from graph_ops.family import EMBEDDING_GEMMA2
from tests.data import needs_corpus, needs_real

IMAGE_SIZES = [(480, 640), (100, 100), (50, 1200), (3000, 200)]
CLIP_LENGTHS = [16_000, 40_123, 161, 700]


@pytest.fixture(scope="module")
def preprocessor(real_tokenizer):
    return EmbeddingGemma2TextEmbedderPreprocessor(
        real_tokenizer, Gemma4ImageConverter(), Gemma4AudioConverter(), parity="transformers"
    )


def image_count(height, width):
    """As `_get_num_multimodal_tokens`."""
    image = ImageConfig()
    sides = get_aspect_ratio_preserving_size(
        height, width, image.patch_size, image.max_patches, image.pooling_kernel_size
    )
    return int(np.prod(sides)) // image.side_multiple**2


def clip_count(length):
    """As `_compute_audio_num_tokens`."""
    audio = AudioConfig()
    frames = (length + audio.frame_length // 2 - audio.frame_length - 1) // audio.stride + 1
    return EmbeddingGemma2Processor.compute_sscp(frames)


def ids_of(row):
    return row["token_ids"].numpy()[row["padding_mask"].numpy()].tolist()


@needs_real
@needs_corpus
def test_ids_are_those_of_the_text_between_its_start_and_end(preprocessor, huggingface_tokenizer, corpus):
    texts = [*corpus[::20], "a <bos> b<eos>", "<pad><unk>", ""]
    expected = [
        huggingface_tokenizer.encode(f"<bos>{text}<eos>", add_special_tokens=False).ids for text in texts
    ]
    rows = preprocessor(texts, sequence_length=max(map(len, expected)))
    for row, ids in enumerate(expected):
        assert ids_of({name: value[row] for name, value in rows.items()}) == ids


@needs_real
@pytest.mark.parametrize("turn", range(4))
def test_a_row_has_as_many_soft_tokens_as_the_processor_counts(preprocessor, huggingface_tokenizer, turn):
    size, length = IMAGE_SIZES[turn], CLIP_LENGTHS[turn]
    clip = samples.sounds(length, seed=turn)["noise"].astype(np.float32)
    text = "hear <|audio|> see <|image|> it"
    x = {"texts": text, "images": samples.pixels(*size, seed=turn), "audio": clip}
    row = preprocessor(x, sequence_length=1200, task="document")
    expanded = text.replace("<|image|>", f"<|image>{'<|image|>' * image_count(*size)}<image|>")
    expanded = expanded.replace("<|audio|>", f"<|audio>{'<|audio|>' * clip_count(length)}<audio|>")
    prefix = dict(EMBEDDING_GEMMA2.embedding.tasks)["document"]
    expected = huggingface_tokenizer.encode(f"<bos>{prefix}{expanded}<eos>", add_special_tokens=False).ids
    assert ids_of(row) == expected
    assert len(row["vision_indices"]) == image_count(*size)
    assert len(row["audio_indices"]) == clip_count(length)
