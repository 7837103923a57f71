import json

from export.bulk.files import write_text
from export.bulk.layout import Layout
from export.bulk.progress import Progress
from export.bulk.statistics import Tally


def finish(layout, shard, samples):
    tally = Tally(samples=samples, tokens=10 * samples)
    tally.faults["record"] += 1
    write_text(layout.marker(shard, 4), json.dumps({"tally": tally.to_json()}), layout.hidden)


def test_a_line_says_what_is_done_and_what_was_kept(tmp_path):
    layout, said = Layout(f"{tmp_path}/rows", ""), []
    assert Progress(layout, said.append).line() == "working on the first shards"
    finish(layout, 0, 1000)
    progress = Progress(layout, said.append)
    finish(layout, 1, 500)
    progress.tell()
    progress.tell()
    (line,) = said
    assert line.startswith("2 of 4 shards, 1 of them kept: 1,500 samples, 15,000 tokens, 2 dead letters, ")
    assert line.endswith(" samples/s")


def test_it_is_told_while_another_thread_works(tmp_path, monkeypatch):
    monkeypatch.setattr("export.bulk.progress.POLL_SECONDS", 0.001)
    said = []

    def report(line):
        said.append(line)
        raise KeyboardInterrupt

    with Progress(Layout(f"{tmp_path}/rows", ""), report).told_meanwhile():
        while not said:
            pass
    assert said
