"""What a request chooses for its items."""

from typing import Any

import numpy as np
import tensorflow as tf

from graph_ops.config import ImageConfig
from graph_ops.faults import Fault
from graph_ops.media.budgets import read_budgets
from graph_ops.media.image import IMAGE
from graph_ops.media.slots import from_counts, from_features, from_files, from_sizes

PNG = tf.io.encode_png(np.full((300, 400, 3), 9, np.uint8)).numpy()
CONFIG = ImageConfig(max_soft_tokens=140)


def test_zero_is_the_preprocessors_own_and_what_is_no_budget_or_exceeds_it_a_fault():
    given = tf.constant([[0, 70, 140], [280, 71, -70], [280, 1, 5]])
    present = tf.constant([[True] * 3, [True] * 3, [False] * 3])
    most, finding = read_budgets(given, present, config=CONFIG)
    assert most.numpy().tolist() == [[140, 70, 140], [140] * 3, [140] * 3]
    fault = int(Fault.SOFT_TOKEN_BUDGET)
    assert finding.fault.numpy().tolist() == [[0] * 3, [fault] * 3, [0] * 3]
    assert finding.detail[1].numpy().tolist() == [[280, 140], [71, 140], [-70, 140]]


def test_the_choices_are_the_released_models_below_the_preprocessors_own_and_this():
    assert ImageConfig().budgets == (70, 140, 280)
    assert ImageConfig(max_soft_tokens=100).budgets == (70, 100)
    assert ImageConfig(max_soft_tokens=2).budgets == (2,)


def test_soft_tokens_of_files_sizes_and_features_are_those_of_the_budget():
    how: dict[str, Any] = {"medium": IMAGE, "config": CONFIG, "parity": "transformers"}
    budgets = tf.constant([[70, 0]])
    files = from_files(tf.constant([[PNG, PNG]]), budgets, **how)
    assert files.slots.num_soft_tokens.numpy().tolist() == [[63, 130]]
    assert files.slots.budgets.numpy().tolist() == [[70, 140]]
    assert from_sizes(tf.constant([[[300, 400]] * 2]), budgets, **how).num_soft_tokens.numpy().tolist() == [
        [63, 130]
    ]
    features = from_features(files.values, files.marks, budgets, medium=IMAGE, config=CONFIG)
    assert features.slots.num_soft_tokens.numpy().tolist() == [[63, 130]]


def test_items_with_more_soft_tokens_than_their_budget_are_faulty():
    slots = from_counts(tf.constant([[64, 0], [71, 9]]), tf.constant([[70, 3], [70, 0]]), config=CONFIG)
    assert slots.finding.fault.numpy().tolist() == [0, int(Fault.SOFT_TOKENS)]
    assert slots.finding.detail[1].numpy().tolist() == [71, 70]
