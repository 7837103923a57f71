"""A bundle in each of LiteRT's two runtimes, asked as any other runtime is."""

import numpy as np
import pytest

from export.litert.run import load_bundle
from export.litert.runtime import CompiledModelRuntime, InterpreterRuntime


@pytest.fixture(scope="module", params=[InterpreterRuntime, CompiledModelRuntime], ids=lambda made: made.name)
def runtime(request, tiny_bundle):
    return request.param(load_bundle(tiny_bundle))


def test_each_text_has_its_own_ids(runtime):
    texts = [b"abc", b"", "é".encode(), b"d"]
    assert [ids.tolist() for ids in runtime.tokenize(texts)] == [list(text) for text in texts]
    assert runtime.tokenize([]) == []


def test_each_row_has_its_own_text(runtime):
    assert runtime.detokenize(np.array([[65, 66], [67, 68]], np.int32)) == [b"AB", b"CD"]


def test_a_generated_row_is_read_as_far_as_its_mask(runtime):
    ids, mask = np.array([[72, 105, 0, 0]], np.int32), np.array([[True, True, False, False]])
    assert runtime.postprocess(ids, mask) == b"Hi"


def test_a_row_is_a_request(runtime):
    row = runtime.row("ab", {"image": [np.zeros((2, 8, 3), np.uint8)]})
    assert row["token_ids"][0, :2].tolist() == [97, 98]
    assert row["vision_indices"].tolist() == [[10, 0]]
    with pytest.raises(ValueError, match=r"`images`: this bundle has 2 slot\(s\); got 3"):
        runtime.row("ab", {"image": [np.zeros((2, 8, 3), np.uint8)] * 3})
