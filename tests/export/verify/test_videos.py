"""Rows with a video beside those of KerasHub's class: a right runtime passes, one that is off does not."""

import sys

import pytest

import graph_ops
from export.verify.eager import EagerRuntime
from export.verify.result import Subject
from export.verify.videos import videos
from tests.data import DEMONSTRATION
from tests.export.verify.rig import Asked, Off, subject

COUNT = 3


def with_videos(*runtimes, **settings):
    preprocessor = graph_ops.Gemma4CausalLMPreprocessor(
        graph_ops.Gemma4Tokenizer(DEMONSTRATION),
        video_converter=graph_ops.Gemma4VideoConverter(num_frames=COUNT),
        num_frames_per_video=COUNT,
        audio_input_feat_size=0,
        **{"sequence_length": 300, **settings},
    )
    config, vocabulary = preprocessor.get_config(), preprocessor.tokenizer.vocabulary
    right = EagerRuntime(config, vocabulary)
    return Subject([make(right) for make in runtimes], vocabulary, config, 0)


def test_each_tensor_is_a_line_and_one_that_is_off_fails_alone():
    pytest.importorskip("keras_hub")
    results = list(videos(with_videos(lambda right: right, lambda right: Off(right, "vision_indices"))))
    names = ("token_ids", "padding_mask", "pixel_values_videos", "video_position_ids", "video_indices")
    assert {f"row of a video: {name}" for name in (*names, "video_mask")} <= {
        result.step for result in results
    }
    failed = [(result.runtime, result.step) for result in results if not result.passed]
    assert failed == [("off", "row of a video: video_indices")]
    assert all(result.compared > 0 for result in results)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"parity": "transformers"}, "torchvision"), ({"sequence_length": 20}, "rows of 20 tokens hold none")],
)
def test_what_is_not_compared_is_said(settings, reason):
    pytest.importorskip("keras_hub")
    (result,) = videos(with_videos(Asked, **settings))
    assert reason in result.skipped


def test_without_keras_hub_or_videos_nothing_is_run(monkeypatch):
    assert list(videos(subject(runtimes=[Asked]))) == []
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    (result,) = videos(with_videos(Asked))
    assert result.skipped == "keras-hub is not installed"
