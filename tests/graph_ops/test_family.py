"""The family's tokens are those of its media and of the vocabulary."""

import re

import pytest

from graph_ops.family import EMBEDDING_GEMMA2, GEMMA4, GEMMA4_UNIFIED
from graph_ops.media.table import MEDIA


def test_the_family_reads_the_media_of_the_table():
    assert [tokens.medium for tokens in (*GEMMA4.media, GEMMA4.video)] == [medium.name for medium in MEDIA]
    with pytest.raises(KeyError):
        GEMMA4.tokens_of("smell")


def test_special_tokens_are_told_from_other_user_defined_symbols():
    tokens = [token for each in GEMMA4.media for token in (each.opening, each.placeholder, each.closing)]
    assert all(re.fullmatch(GEMMA4.special_tokens, token) for token in (*tokens, *GEMMA4.unread, "<turn|>"))
    assert not any(re.fullmatch(GEMMA4.special_tokens, text) for text in ("<h1>", "<br>", "\n\n", "▁▁"))


def test_a_family_that_embeds_differs_from_gemma_4_in_that_alone():
    assert EMBEDDING_GEMMA2.media == GEMMA4.media
    tasks = dict(EMBEDDING_GEMMA2.embedding.tasks)
    assert len(tasks) == len(EMBEDDING_GEMMA2.embedding.tasks)
    assert tasks["query"] == tasks["Retrieval-query"] == "task: search result | query: "
    assert tasks["document"] == tasks["Retrieval-document"] == "title: none | text: "
    assert all(
        re.fullmatch(r"task: [a-z ]+ \| query: |title: none \| text: ", text) for text in tasks.values()
    )
    assert GEMMA4.embedding.tasks == GEMMA4.embedding.sizes == ()


def test_a_merged_patch_is_as_many_pixels_as_a_soft_token_of_gemma_4():
    merged, pooled = GEMMA4_UNIFIED.image, GEMMA4.image
    assert merged.side_multiple == pooled.side_multiple == merged.patch_size
    assert merged.max_soft_tokens == pooled.max_soft_tokens == merged.max_patches
    assert merged.patch_dim == pooled.patch_dim * pooled.pooling_kernel_size**2 == 6912
    assert GEMMA4_UNIFIED.media == GEMMA4.media
    assert dict(GEMMA4_UNIFIED.row)["chat_variant"] in GEMMA4_UNIFIED.chat.empty_thought_variants
