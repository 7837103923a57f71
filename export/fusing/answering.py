"""What a model says to the rows of a signature, as one function that signatures share: with `generate` and
with `chat`, whether a request says where its answers end or not.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from export.fusing.generate import Generated, Generation, generate_rows, is_random, most_new_tokens
from export.fusing.keras_ops import core_ops
from export.fusing.limits import INPUTS, blanked, limits_of, of_any_size
from export.fusing.stop_strings import looking_for
from export.signature import Input, Signature, Tensors
from graph_ops.faults import status_messages
from graph_ops.settings import Settings

SEED = Input(tf.int32, (None,), "a row's answer is drawn from it, whatever the other rows are")
COUNTS = ("log_probabilities", "num_prompt_tokens", "num_new_tokens")
WITH_LIMITS = "_with_limits"
"""End of the name of a signature that takes `export.fusing.limits.INPUTS` too."""

Answer = Callable[[Tensors, Tensors], tuple[Generated, tf.Tensor]]
"""From features, `status` among them, and what a request says of its answers, to these and `status`."""


class Marks(NamedTuple):
    """Ids that mean something in an answer.

    Attributes:
        stops: those that end it.
        restarts: those from which stop strings are looked for anew.
    """

    stops: tuple[int, ...]
    restarts: tuple[int, ...] = ()


Inputs = tuple[str, dict[str, Input]]
"""The end of a signature's name, and what it takes besides a preprocessor's inputs."""


class Asked(NamedTuple):
    """A request and the answers to it.

    Attributes:
        features: of the prompts.
        rows: what the model says to them.
        status: string [B].
    """

    features: Tensors
    rows: Generated
    status: tf.Tensor


def answering(model: Any, settings: Settings, generation: Generation) -> Callable[[Marks], Answer]:
    """`generate_rows` of a model, by the ids that mean something in its answers; all share one loop."""
    most = most_new_tokens(generation, settings.row.sequence_length)

    def answer(features: Tensors, said: Tensors, stop_ids: tf.Tensor, restart_ids: tf.Tensor) -> Generated:
        look, seeds = looking_for(said["stop"], restart_ids, settings), said.get("seed")
        with core_ops(model):
            return generate_rows(model, features, seeds, generation, said["max_new_tokens"], look, stop_ids)

    shared = tf.function(answer, autograph=False)

    def checked(marks: Marks, features: Tensors, said: Tensors) -> tuple[Generated, tf.Tensor]:
        features = dict(features)
        status = features.pop("status")
        limits = limits_of(said, status, most=most)
        seeds = {"seed": said["seed"]} if "seed" in said else {}
        rows = blanked(features, limits.finding, pad=settings.ids.pad)
        ids = [of_any_size(tf.constant(some, tf.int32, [len(some)])) for some in marks]
        found = shared(rows, seeds | {"max_new_tokens": limits.new_tokens, "stop": limits.stops}, *ids)
        return found, tf.where(tf.equal(status, ""), status_messages(limits.finding), status)

    return lambda marks: functools.partial(checked, marks)


def answered(preprocess: Signature, answer: Answer, tensors: Tensors, inputs: dict[str, Input]) -> Asked:
    """The answers to a signature's tensors, of which `inputs` are about answers."""
    said = {name: tensors[name] for name in inputs}
    features = preprocess.function({name: tensors[name] for name in tensors.keys() - inputs.keys()})
    return Asked(features, *answer(features, said))


def answer_inputs(model: Any, settings: Settings) -> tuple[Inputs, ...]:
    """What the signatures of a model that generates take besides a preprocessor's inputs; stop strings need
    a vocabulary that keeps a text as it is.
    """
    seeds = {"seed": SEED} if is_random(model.sampler) else {}
    if not settings.tokenizer.vocabulary.keeps_text:
        return (("", seeds),)
    return ("", seeds), (WITH_LIMITS, seeds | INPUTS)


def counts(rows: Generated) -> Tensors:
    """The outputs `COUNTS`."""
    numbers = (rows.log_probabilities, rows.starts, tf.maximum(rows.ends - rows.starts, 0))
    return dict(zip(COUNTS, numbers, strict=True))
