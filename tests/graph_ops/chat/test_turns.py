"""Where messages stand."""

import numpy as np

from graph_ops.chat.turns import turns_of
from tests.graph_ops.chat.rig import dialogues

CALL = [{"id": "1", "function": {"name": "f", "arguments": None}}]


def said(role, **more):
    return {"role": role, "content": "x", **more}


def test_tools_are_passed_over_and_belong_to_the_message_with_the_call():
    turns = turns_of(
        dialogues(
            [
                said("system"),
                said("assistant", tool_calls=CALL),
                said("tool", tool_call_id="1"),
                said("tool", tool_call_id="1"),
                said("assistant"),
                said("user"),
                said("tool"),
            ],
            [said("user"), said("assistant", tool_calls=CALL)],
        )
    )
    flags = {name: value.numpy() for name, value in turns._asdict().items()}
    assert np.flatnonzero(flags["is_folded"][0]).tolist() == [0]
    assert np.flatnonzero(flags["is_shown"][0]).tolist() == [1, 4, 5]
    assert np.flatnonzero(flags["follows_assistant"][0] & flags["is_shown"][0]).tolist() == [4, 5]
    assert np.flatnonzero(flags["precedes_assistant"][0] & flags["is_shown"][0]).tolist() == [1]
    assert np.flatnonzero(flags["is_last"][0] & flags["is_shown"][0]).tolist() == [5]
    assert flags["is_recent"][0].tolist() == [False] * 6 + [True]
    assert flags["owner"].tolist() == [14, 14, 1, 1, 14, 14, 14] + [14] * 7
    assert np.argwhere(flags["has_responses"]).tolist() == [[0, 1]]
    assert np.argwhere(flags["has_calls"]).tolist() == [[0, 1], [1, 1]]


def test_responses_of_its_own_leave_the_tools_behind_a_message_unowned():
    own = [{"name": "f", "response": {"a": 1}}]
    turns = turns_of(dialogues([said("assistant", tool_calls=CALL, tool_responses=own), said("tool")]))
    assert turns.owner.numpy().tolist() == [2, 2]
    assert turns.has_responses.numpy().tolist() == [[True, False]]


def test_a_dialogue_may_have_no_message():
    turns = turns_of(dialogues([]))
    assert turns.is_shown.shape == (1, 0)
    assert turns.owner.shape == (0,)
