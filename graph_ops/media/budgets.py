"""What a request chooses for its items: most soft tokens of each, where those are fewer than the
preprocessor's own.
"""

from typing import Any, NamedTuple

import tensorflow as tf

from graph_ops.faults import Fault, Finding, check


class Budgets(NamedTuple):
    """Most soft tokens of the items in B × K slots.

    Attributes:
        most: int32 [B, K], one of `config.budgets` each; the preprocessor's own in an empty slot and where
            something is wrong.
        finding: SOFT_TOKEN_BUDGET where another number was given, [B, K].
    """

    most: tf.Tensor
    finding: Finding


def read_budgets(given: tf.Tensor, present: tf.Tensor, *, config: Any) -> Budgets:
    """What was chosen for the items that are there.

    Args:
        given: int32 [B, K], 0 for the preprocessor's own; what stands at an empty slot is not looked at.
        present: bool [B, K].
        config: of the medium, which has `budgets` and `max_soft_tokens`.
    """
    own = config.max_soft_tokens
    allowed = tf.reduce_any([tf.equal(given, budget) for budget in (0, *config.budgets)], axis=0)
    finding = check(present & ~allowed, Fault.SOFT_TOKEN_BUDGET, given, own)
    return Budgets(tf.where(present & allowed & (given > 0), given, own), finding)
