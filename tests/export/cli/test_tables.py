"""What commands print of signatures and tensors."""

import numpy as np
from rich.console import Console

from export.artifact import OpUse, Requirements, TensorRow
from export.cli import tables


def printed(part):
    console = Console(width=120)
    with console.capture() as capture:
        console.print(part)
    return capture.get()


def test_tensors_stand_in_the_order_of_the_feature_table_and_signatures_as_they_come():
    rows = [
        TensorRow("b", "output", "status", "string", [None]),
        TensorRow("b", "output", "own", "float32", [None]),
        TensorRow("b", "output", "token_ids", "int32", [None, 8]),
        TensorRow("a", "input", "text", "string", [None]),
    ]
    ordered = [(row.signature, row.name) for row in tables.in_order(rows)]
    assert ordered == [("b", "token_ids"), ("b", "own"), ("b", "status"), ("a", "text")]


def test_versions_of_ops_are_listed_where_there_are_any():
    facts: dict[str, str | int] = {"producer": 7, "min_consumer": 0}
    plain = Requirements(facts, [OpUse("Add", None, 3)], ["Own"])
    assert printed(tables.requirement_lines(plain)).splitlines() == [
        "needs: producer 7, min_consumer 0",
        "ops: 1 kinds, beyond the runtime's own: Own",
    ]
    versioned = plain._replace(ops=[OpUse("ADD", 2, 3), OpUse("SUB", 1, 1)], foreign=[])
    assert printed(tables.requirement_lines(versioned)).splitlines()[1:] == [
        "ops: 2 kinds, beyond the runtime's own: none",
        "versions of ops: ADD 2, SUB 1",
    ]


def test_a_signature_is_named_once():
    rows = [
        TensorRow("tokenize", "input", "text", "string", [None]),
        TensorRow("tokenize", "output", "token_ids", "int32", [None, None]),
        TensorRow("tokenize", "output", "lengths", "int32", [None]),
    ]
    lines = [line.split() for line in printed(tables.signature_table(rows)).splitlines()]
    assert lines[1:] == [
        ["tokenize", "in", "text", "string", "[?]"],
        ["out", "token_ids", "int32", "[?,", "?]"],
        ["lengths", "int32", "[?]"],
    ]


def test_runs_of_one_id_are_counted():
    ids = np.array([2, 7, 7, 7, 5])
    pieces = ["", "", "<bos>", "", "", "a\n", "", "x"]
    assert tables.token_lines(ids, pieces).plain == "tokens: 2 <bos>  7 x ×3  5 a\\n  "


def test_tensors_are_shown_with_their_range():
    table = printed(tables.tensor_table({"token_ids": np.array([[3, 9]]), "status": np.array([b""], object)}))
    assert [line.split() for line in table.splitlines()[1:]] == [
        ["token_ids", "int64", "[1,", "2]", "3", "9"],
        ["status", "string", "[1]"],
    ]
