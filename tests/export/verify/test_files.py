"""The step of `verify` that reads files: an export that turns or composites otherwise is found."""

import io

import numpy as np
import pytest
from PIL import Image

from export.verify.eager import EagerRuntime
from export.verify.files import KINDS, image_file, pictures, shown
from export.verify.result import Subject
from graph_ops import Gemma4CausalLMPreprocessor, Gemma4ImageConverter, Gemma4Tokenizer
from tests.data import DEMONSTRATION

pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def preprocessor():
    converter = Gemma4ImageConverter(max_soft_tokens=70)
    return Gemma4CausalLMPreprocessor(
        Gemma4Tokenizer(DEMONSTRATION), converter, audio_converter=None, parity="transformers"
    )


@pytest.mark.slow
def test_the_class_in_python_agrees_and_another_setting_does_not(preprocessor):
    config, vocabulary = preprocessor.get_config(), preprocessor.tokenizer.vocabulary
    subject = Subject([EagerRuntime(config, vocabulary)], vocabulary, config, 0)
    (result,) = pictures(subject)
    assert (result.step, result.differing) == (f"pixels of {len(KINDS)} files", 0)
    assert result.compared > 0
    image = config["image_converter"]
    other = {
        **config,
        "image_converter": {**image, "config": {**image["config"], "background_color": [0, 0, 0]}},
    }
    (result,) = pictures(subject._replace(config=other))
    assert result.differing > 0


def test_files_are_shown_as_the_settings_say():
    file = image_file("PNG", "RGBA", 8)
    turned = shown(file, {}, "transformers")
    assert turned.shape == (130, 90, 3)
    assert turned[-1].min() == 255, "the transparent edge is white and below"
    as_it_is = shown(file, {"apply_exif_orientation": False, "background_color": None}, "transformers")
    np.testing.assert_array_equal(as_it_is, np.asarray(Image.open(io.BytesIO(file)).convert("RGB")))
