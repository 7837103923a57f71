"""Subjects to compare: the class in Python with a small configuration, and a runtime that is off."""

import numpy as np

import graph_ops
from export.verify.eager import EagerRuntime
from export.verify.result import Subject
from tests.data import DEMONSTRATION


def subject(*media, num_texts=10, runtimes=None, **settings):
    """Of the demonstration's vocabulary and these media, by name."""
    preprocessor = graph_ops.Gemma4CausalLMPreprocessor(
        graph_ops.Gemma4Tokenizer(DEMONSTRATION),
        graph_ops.Gemma4ImageConverter() if "image" in media else None,
        **{"audio_converter": graph_ops.Gemma4AudioConverter() if "audio" in media else None} | settings,
    )
    config, vocabulary = preprocessor.get_config(), preprocessor.tokenizer.vocabulary
    right = EagerRuntime(config, vocabulary)
    made = [right] if runtimes is None else [make(right) for make in runtimes]
    return Subject(made, vocabulary, config, num_texts)


class Off:
    """A runtime that gives what another one gives, but for one value."""

    name = "off"

    def __init__(self, right, output="token_ids"):
        self._right, self._output = right, output

    def tokenize(self, texts):
        return [*self._right.tokenize(texts)[:-1], np.array([-1])]

    def detokenize(self, rows):
        return [*self._right.detokenize(rows)[:-1], b"\0"]

    def postprocess(self, token_ids, padding_mask):
        return self._right.postprocess(token_ids, padding_mask) + b"\0"

    def row(self, prompt, media):
        row = self._right.row(prompt, media)
        changed = np.array(row[self._output])
        first = changed.ravel()[:1]
        first[:] = ~first if changed.dtype == bool else first + 1
        return row | {self._output: changed}


class Converters:
    """A runtime of our converters alone, which takes no trace of a row."""

    name = "converters"

    def __init__(self):
        self._image, self._audio = graph_ops.Gemma4ImageConverter(), graph_ops.Gemma4AudioConverter()

    def row(self, prompt, media):
        images = [self._image(image) for image in media.get("image", ())]
        clips = [self._audio(clip) for clip in media.get("audio", ())]
        row = {"audio_mel": np.array(clips)[np.newaxis]} if clips else {}
        for key in images[0] if images else ():
            row[key] = np.array([image[key] for image in images])[np.newaxis]
        return row


class Asked:
    """A runtime that nobody may ask."""

    name = "asked"

    def __init__(self, right):
        del right
