from export.bulk.sources.record import FileIndex, Mark, broken_file


def test_reading_begins_at_the_last_mark_before_a_row():
    index = FileIndex("a", 700, (Mark(0, 0), Mark(256, 10), Mark(512, 20)))
    assert [index.mark_of(row).offset for row in (0, 255, 256, 511, 699)] == [0, 0, 10, 10, 20]
    assert FileIndex("a", 0).mark_of(5) == Mark(0, 0)


def test_a_broken_file_says_where_and_why():
    letter = broken_file("a", OSError("bad\nmore"), " to its end")
    assert letter[:3] == ("", "a", "unreadable")
    assert letter.reason == "`input`: a file must be readable to its end; a: OSError: bad. Write it again."
