"""A LiteRT bundle as a `Runtime`, in each of LiteRT's two runtimes."""

import numpy as np

from export.litert import run as running
from export.litert.write import MODEL
from export.outputs import Arrays
from export.runtime import Files, Media


class InterpreterRuntime:
    """A bundle in LiteRT's Interpreter."""

    name = "LiteRT Interpreter"

    def __init__(self, bundle: running.Bundle) -> None:
        self._bundle = bundle

    def tokenize(self, texts: list[bytes]) -> list[np.ndarray]:
        """See `Runtime`."""
        found = (self._bundle.run("tokenize", **running.text_inputs("text", text)) for text in texts)
        return [outputs["token_ids"][0, : outputs["lengths"][0]] for outputs in found]

    def detokenize(self, rows: np.ndarray) -> list[bytes]:
        """See `Runtime`."""
        length = np.array([rows.shape[1]], np.int32)
        found = (self._bundle.run("detokenize", token_ids=row[np.newaxis], lengths=length) for row in rows)
        return [_text(outputs) for outputs in found]

    def postprocess(self, token_ids: np.ndarray, padding_mask: np.ndarray) -> bytes:
        """See `Runtime`."""
        return _text(
            self._bundle.run(
                "generate_postprocess", token_ids=token_ids, padding_mask=padding_mask.astype(np.int32)
            )
        )

    def row(self, prompt: str, media: Media) -> Arrays:
        """See `Runtime`."""
        return running.request(self._bundle, prompt.encode(), media)

    def row_of_files(self, prompt: str, files: Files) -> Arrays:
        """See `Runtime`."""
        return self.row(prompt, running.decoded(files, self._bundle.description["preprocessor"]))


class CompiledModelRuntime(InterpreterRuntime):
    """A bundle in LiteRT's CompiledModel, on the CPU."""

    name = "LiteRT CompiledModel"

    def __init__(self, bundle: running.Bundle) -> None:
        super().__init__(
            bundle._replace(interpreter=running.CompiledRunner(bundle.folder / MODEL, bundle.description))
        )


def _text(outputs: Arrays) -> bytes:
    return outputs["text"].tobytes()[: int(outputs["text_length"][0])]
