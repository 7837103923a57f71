"""What a model says to the rows of a signature, as one function that signatures share: with `generate` and
with `chat`, whether a request says where its answers end or not.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from export.fusing.generate import Generated, Generation, generate_rows, is_random, most_new_tokens
from export.fusing.keras_ops import core_ops
from export.fusing.limits import INPUTS, blanked, limits_of
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


def answering(
    model: Any, settings: Settings, generation: Generation, *, restart_ids: tuple[int, ...] = ()
) -> Answer:
    """`generate_rows` of a model; stop strings are looked for from each of `restart_ids` anew."""
    most = most_new_tokens(generation, settings.row.sequence_length)

    def answer(features: Tensors, said: Tensors) -> Generated:
        look = looking_for(said["stop"], settings, restart_ids=restart_ids)
        with core_ops(model):
            return generate_rows(model, features, said.get("seed"), generation, said["max_new_tokens"], look)

    shared = tf.function(answer, autograph=False)

    def checked(features: Tensors, said: Tensors) -> tuple[Generated, tf.Tensor]:
        features = dict(features)
        status = features.pop("status")
        limits = limits_of(said, status, most=most)
        seeds = {"seed": said["seed"]} if "seed" in said else {}
        rows = blanked(features, limits.finding, pad=settings.ids.pad)
        found = shared(rows, seeds | {"max_new_tokens": limits.new_tokens, "stop": limits.stops})
        return found, tf.where(tf.equal(status, ""), status_messages(limits.finding), status)

    return checked


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
