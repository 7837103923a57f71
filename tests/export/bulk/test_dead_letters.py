from export.bulk.dead_letters import DeadLetter, as_json_lines, from_json_lines, status_fault


def test_letters_are_read_back_whatever_they_hold():
    letters = [
        DeadLetter("k\n", "f#1", "record", 'ä \u2028  \ud800"quoted"'),
        DeadLetter("", "f", "unreadable", ""),
    ]
    assert from_json_lines(as_json_lines(letters)) == letters


def test_a_status_is_of_the_kind_of_its_argument():
    fault = status_fault("`images`: too many.")
    assert (fault.kind, fault.reason) == ("status:images", "`images`: too many.")
    assert status_fault("what").kind == "status:row"
