import json

import pytest

from export.bulk.dead_letters import RowFault
from export.bulk.model import Model, Task, load_model
from export.bulk.samples import Reading, Sample, read_sample
from graph_ops.media.video import VIDEO
from tests.export.bulk.rig import ROWS, prompts_alone, same, write_lines


def sample(prompt="Hello", messages=None, **media):
    return Sample("", "", prompt, "", messages, None, media, 0)


def test_a_model_is_loaded_once(model, model_folder):
    assert isinstance(model, Model)
    assert load_model(str(model_folder)) is model


def test_rows_in_a_batch_are_those_alone_whatever_signature_they_take(model, tmp_path):
    folder = str(write_lines(tmp_path, []).parent)
    reading = Reading(("prompts",), "", "", 1 << 20)
    samples = [read_sample(row, "", folder, reading) for row in prompts_alone(ROWS)]
    task = Task(False, False)
    for row, one in zip(model.rows(samples, task), samples, strict=True):
        (alone,) = model.rows([one], task)
        assert same(row, alone)
    assert "pixel_values" not in model.rows(samples[:1], task)[0]


def test_a_bad_row_does_not_take_the_others_along(model):
    given = [sample(), sample("<|image|>"), sample("<|image|>", images=[b"no image"]), sample()]
    good, missing, broken, other = model.rows(given, Task(False, False))
    assert same(good, other)
    assert (missing.kind, broken.kind) == ("status:prompts", "status:images")


def test_a_medium_that_the_export_lacks_is_a_fault(model, monkeypatch):
    monkeypatch.setattr(model, "media", model.media[:1])
    (fault,) = model.rows([sample("<|audio|>", audio=[b"RIFF"])], Task(False, False))
    assert isinstance(fault, RowFault)
    assert "takes the media ['images']" in fault.reason


def test_dialogues_with_media_and_with_faults(model, photo):
    said = [
        {"role": "user", "content": [{"type": "image", "image": photo}, {"type": "text", "text": "What?"}]}
    ]
    answered = [*said, {"role": "assistant", "content": "A cup."}]
    rows = model.rows(
        [sample(None, said), sample(None, [{"content": "x"}]), sample(None, said)], Task(True, False)
    )
    assert same(rows[0], rows[2])
    assert rows[0]["vision_mask"].any()
    assert rows[1].kind == "status:messages"
    (row,) = model.rows([sample(None, answered)], Task(True, True))
    assert row["sample_weight"].any()


def test_an_export_without_the_signature_is_refused(model):
    model.check(Task(True, True))
    broken = Model.__new__(Model)
    broken._loaded = model._loaded._replace(signatures={})
    with pytest.raises(ValueError, match="`model`: must be an export with the signature preprocess"):
        broken.check(Task(False, True))


def test_an_export_with_videos_is_refused(model, monkeypatch):
    monkeypatch.setattr(model, "media", (*model.media, VIDEO))
    with pytest.raises(ValueError, match=r"`model`: must be an export without videos.*--no-videos"):
        model.check(Task(False, True))


def test_a_short_row_has_every_tensor_and_ends_with_padding(model):
    row = model.short_row(Task(False, True))
    assert {"y", "sample_weight", "pixel_values", "audio_mel"} <= row.keys()
    assert not row["padding_mask"][-1]
    assert json.dumps(row["token_ids"].tolist()).endswith("0, 0]")


def test_a_model_of_a_store_is_copied(model_folder, monkeypatch):
    from export.bulk import model as module

    monkeypatch.setattr(module, "is_uri", lambda path: True)
    module._loaded.cache_clear()
    try:
        copied = load_model(str(model_folder))
        assert copied.short_row(Task(False, False))["padding_mask"].any()
    finally:
        module._loaded.cache_clear()
