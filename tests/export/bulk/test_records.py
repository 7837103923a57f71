import pickle
from typing import Any

import numpy as np

from export.bulk.reader import decode_row, open_rows
from export.bulk.records import RecordEncoder
from tests.export.bulk.rig import ROWS, make_job, run_all, same, write_lines
from tests.twins.audio import LOG_MEL_ERROR


def test_encoded_records_are_the_rows_of_a_job_and_bad_ones_have_a_status(model, model_folder, tmp_path):
    job = make_job(model_folder, write_lines(tmp_path, ROWS), key="id", shards=1)
    run_all(job, model)
    encoder = RecordEncoder(str(model_folder), labels=True, key="id", folder=str(tmp_path))
    encoder = pickle.loads(pickle.dumps(encoder))
    frames: list[Any] = [
        {"images": float("nan"), **ROWS[0]},
        {**ROWS[1], "images": np.array(["photo.jpg"])},
        *ROWS[2:],
    ]
    bad = [{"id": "a", "prompt": "x"}, {"id": "b", "prompt": "<|image|>", "response": ""}]
    *good, missing, refused = encoder([*frames, *bad])
    for encoded, row in zip(good, open_rows(job.output).as_numpy_iterator(), strict=True):
        assert encoded.status == ""
        assert encoded.tokens == row["padding_mask"].sum()
        assert same(decode_row(encoded.row, encoder.schema), row, mel=LOG_MEL_ERROR)  # another batch
    assert (missing.key, missing.row, refused.key, refused.tokens) == ("a", b"", "b", 0)
    assert "must have prompts and responses" in missing.status
    assert refused.status.startswith("`prompts`")
