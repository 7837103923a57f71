"""An engine as a layer calls it: one of many ops by graphs, also where the layer is called eagerly."""

from typing import Any

import tensorflow as tf

from graph_ops.layers.traces import Traces
from graph_ops.text.engines import Engine
from graph_ops.text.ids import Ids


class EngineCalls:
    """The two steps of an engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._traces = Traces()

    def encode(self, texts: tf.Tensor, **choices: Any) -> Ids:
        """Ids of strings [B]; see the engine."""
        return self._run(_encoded, {"texts": texts}, **choices)

    def decode(self, token_ids: tf.Tensor, row_splits: tf.Tensor) -> tf.Tensor:
        """Strings [B] of ids int32 [N] in range, of which each text's begin at int64 [B + 1]."""
        return self._run(_decoded, {"token_ids": token_ids, "row_splits": row_splits})

    def _run(self, step: Any, given: dict[str, tf.Tensor], **choices: Any) -> Any:
        if self.engine.has_few_ops:
            return step(given, engine=self.engine, **choices)
        return self._traces.run(step, given, engine=self.engine, **choices)


def _encoded(given: dict[str, tf.Tensor], *, engine: Engine, **choices: Any) -> Ids:
    return engine.encode(given["texts"], **choices)


def _decoded(given: dict[str, tf.Tensor], *, engine: Engine) -> tf.Tensor:
    return engine.decode(given["token_ids"], given["row_splits"])
