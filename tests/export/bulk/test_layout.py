from export.bulk.files import write_text
from export.bulk.layout import Layout


def test_names_of_an_output():
    layout = Layout("out/rows", ".parquet")
    assert layout.rows(3, 100) == "out/rows-00003-of-00100.parquet"
    assert layout.letters(3, 100) == "out/rows-dead-letters-00003-of-00100.jsonl"
    assert layout.schema == "out/rows.schema.json"
    assert layout.marker(3, 100) == "out/.rows/00003-of-00100.json"
    assert Layout("gs://bucket/rows", "").hidden == "gs://bucket/.rows"
    assert Layout("rows", "").hidden == "./.rows"


def test_markers_are_those_of_finished_shards_alone(tmp_path):
    layout = Layout(f"{tmp_path}/rows", "")
    assert layout.markers() == []
    write_text(layout.marker(0, 2), "{}", layout.hidden)
    write_text(f"{layout.hidden}/tmp-1", "half", layout.hidden)
    assert layout.markers() == [layout.marker(0, 2)]
    assert layout.marker_texts() == ["{}"]
