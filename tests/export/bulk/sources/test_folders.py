import json

from export.bulk.dead_letters import RowFault
from export.bulk.sources.folders import read, scan
from export.bulk.sources.record import Limits, Mark

LIMITS = Limits(1000)


def test_files_of_one_name_are_a_sample(tmp_path):
    files = {
        "cat.jpg": b"1",
        "cat.txt": b"A cat? <|image|>",
        "dog.1.PNG": b"3",
        "dog.0.jpg": b"2",
        "dog.txt": b"Dogs",
        "dog.response.txt": b"Yes",
        "bird.wav": b"4",
        "bird.json": json.dumps({"prompt": "Who? <|audio|>"}).encode(),
        "odd.json": b"[]",
        "bad.json": b"{",
        "large.txt": b"x" * 1001,
        "README.md": b"not a sample",
        ".hidden.txt": b"neither",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    folder = str(tmp_path)
    assert scan(folder, LIMITS).rows == 6
    records = list(read(folder, Mark(0, 0), 6, LIMITS))
    kinds = {record.number: record.fields.kind for record in records if isinstance(record.fields, RowFault)}
    assert kinds == {0: "record", 4: "too_large", 5: "record"}
    assert [record.fields for record in records[1:4]] == [
        {"name": "bird", "prompt": "Who? <|audio|>", "audio": ["bird.wav"]},
        {"name": "cat", "images": ["cat.jpg"], "prompts": b"A cat? <|image|>"},
        {
            "name": "dog",
            "images": ["dog.0.jpg", "dog.1.PNG"],
            "responses": b"Yes",
            "prompts": b"Dogs",
        },
    ]
    assert [record.number for record in read(folder, Mark(2, 0), 4, LIMITS)] == [2, 3]
