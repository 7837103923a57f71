import tensorflow as tf

from export.bulk.sources.record import Limits, Mark
from export.bulk.sources.tf_examples import read, scan

LIMITS = Limits(1000)


def example(**lists):
    features = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=values)) for name, values in lists.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def write(path, records):
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)
    return str(path)


def test_texts_are_single_and_media_are_lists(tmp_path):
    records = [example(prompt=[b"p"], images=[b"x"], audio=[]), example(prompt=[b"q"]), b"\xff", b"x" * 1001]
    path = write(tmp_path / "a.tfrecord", records)
    assert scan(path, LIMITS).rows == 4
    first, second, third, fourth = read(path, Mark(0, 0), 4, LIMITS)
    assert first.fields == {"prompt": b"p", "images": [b"x"], "audio": []}
    assert second.fields == {"prompt": b"q"}
    assert (third.fields.kind, fourth.fields.kind) == ("record", "too_large")
    assert [record.number for record in read(path, Mark(1, 0), 3, LIMITS)] == [1, 2]


def test_a_damaged_file_gives_what_stands_before(tmp_path):
    path = write(tmp_path / "a.tfrecord", [example(prompt=[b"p" * 50])] * 4)
    data = bytearray((tmp_path / "a.tfrecord").read_bytes())
    data[len(data) // 2 + 20] ^= 1
    (tmp_path / "a.tfrecord").write_bytes(data)
    index = scan(path, LIMITS)
    assert index.rows == 2
    assert "to its end, from row 2 on" in index.letters[0].reason
