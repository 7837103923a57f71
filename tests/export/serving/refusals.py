"""Requests that a server must refuse, and what it must say: TF Serving's codes and sentences where it has
them.
"""

import numpy as np

from tests.export.serving.rig import NAME, PREDICT, predict_request

TEXT = {"prompts": ["a"]}
ARRAYS = {
    "prompts": ["a"],
    "images": np.zeros((1, 1, 4, 4, 3), np.uint8),
    "image_sizes": np.zeros((1, 1, 2), np.int32),
}
ARRAYS |= {"audio": np.zeros((1, 1, 8), np.float32), "audio_lengths": np.zeros((1, 1), np.int32)}
MISSING_MODEL = "Servable not found for request: Latest(other)"
REFUSED = {
    "other model": (predict_request("", TEXT, name="other"), "NOT_FOUND", MISSING_MODEL),
    "other version": (
        predict_request("", TEXT, version=7),
        "NOT_FOUND",
        "Servable not found for request: Specific(gemma4, 7)",
    ),
    "version of a label": (
        predict_request("", TEXT, label="canary"),
        "NOT_FOUND",
        "Servable not found for request: Specific(gemma4, 2)",
    ),
    "other label": (
        predict_request("", TEXT, label="beta"),
        "INVALID_ARGUMENT",
        "Unrecognized servable version label: beta",
    ),
    "no name": (predict_request("", TEXT, name=""), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
    "other signature": (
        predict_request("classify", TEXT),
        "FAILED_PRECONDITION",
        'Serving signature key "classify" not found.',
    ),
    "missing input": (
        predict_request("generate_preprocess_image", TEXT),
        "INVALID_ARGUMENT",
        "input size does not match signature: 1!=2 len({prompts}) != len({images,prompts}). Sent extra: {}. "
        "Missing but required: {images}.",
    ),
    "extra input": (
        predict_request("generate_preprocess_text", {**TEXT, "images": [[b""]]}),
        "INVALID_ARGUMENT",
        "input size does not match signature: 2!=1 len({images,prompts}) != len({prompts}). Sent extra: "
        "{images}. "
        "Missing but required: {}.",
    ),
    "misspelt input": (
        predict_request("generate_preprocess_text", {"prompt": ["a"]}),
        "INVALID_ARGUMENT",
        "Signature input alias: prompts(feed name: generate_preprocess_text_prompts:0) not found in "
        "request and no default value "
        "provided. Inputs expected to be in the request {prompt}, or default input alias set: ",
    ),
    "other type": (
        predict_request("generate_preprocess_text", {"prompts": [1]}),
        "INVALID_ARGUMENT",
        "Expects arg[0] to be string but int32 is provided (input `prompts`)",
    ),
    "other type of many": (
        predict_request("generate_preprocess_arrays", {**ARRAYS, "audio": np.zeros((1, 1, 8))}),
        "INVALID_ARGUMENT",
        "Expects arg[0] to be float but double is provided (input `audio`)",
    ),
    "scalar": (
        predict_request("generate_preprocess_text", {"prompts": "a"}),
        "INVALID_ARGUMENT",
        "`prompts`: must have shape [?]; got []",
    ),
    "other rank": (
        predict_request("generate_preprocess_text", {"prompts": [["a"]]}),
        "INVALID_ARGUMENT",
        "`prompts`: must have shape [?]; got [1, 1]",
    ),
    "other dim": (
        predict_request(
            "generate_preprocess_arrays", {**ARRAYS, "images": np.zeros((1, 1, 4, 4, 4), np.uint8)}
        ),
        "INVALID_ARGUMENT",
        "`images`: must have shape [?, ?, ?, ?, 3]; got [1, 1, 4, 4, 4]",
    ),
    "rows that differ": (
        predict_request("generate_preprocess_image", {"prompts": ["a", "b"], "images": [[b""]]}),
        "INVALID_ARGUMENT",
        "all inputs must have the same number of rows; got {'images': 1, 'prompts': 2}",
    ),
    "too many rows": (
        predict_request("generate_preprocess_text", {"prompts": ["a"] * 10_000}),
        "INVALID_ARGUMENT",
        "batch: must have at most 16 rows (limits: 16 rows, answers of 268,435,456 bytes); got 10000 rows",
    ),
    "other output": (
        predict_request("tokenize", {"text": ["a"]}, output_filter=["ids"]),
        "INVALID_ARGUMENT",
        "output tensor alias not found in signature: ids Outputs expected to be in the set "
        "{lengths,token_ids}.",
    ),
    "an output twice": (
        predict_request("tokenize", {"text": ["a"]}, output_filter=["lengths", "lengths"]),
        "INVALID_ARGUMENT",
        "duplicate output tensor alias: lengths",
    ),
    "too large": (
        predict_request("tokenize", {"text": ["a" * (5 << 20)]}),
        "RESOURCE_EXHAUSTED",
        "larger than max",
    ),
}

PATHS = {
    "other model": ("GET", "/v1/models/other", 404, "Could not find any versions of model other"),
    "other version": (
        "GET",
        f"/v1/models/{NAME}/versions/7",
        404,
        "Could not find version 7 of model gemma4",
    ),
    "other model's metadata": ("GET", "/v1/models/other/metadata", 404, MISSING_MODEL),
    "no model": ("GET", "/v1/models", 400, "Missing model name in request."),
    "version and label": (
        "GET",
        f"/v1/models/{NAME}/versions/1/labels/stable",
        400,
        "Malformed request: GET /v1/models/gemma4/v",
    ),
    "version of 20 digits": (
        "GET",
        f"/v1/models/{NAME}/versions/{10**20}",
        400,
        f"Failed to convert version: {10**20} to numeric.",
    ),
    "predict by GET": ("GET", PREDICT, 400, f"Malformed request: GET {PREDICT}"),
    "status by POST": ("POST", f"/v1/models/{NAME}", 400, f"Malformed request: POST /v1/models/{NAME}"),
    "deletion": ("DELETE", f"/v1/models/{NAME}", 400, f"Malformed request: DELETE /v1/models/{NAME}"),
    "elsewhere": ("GET", "/metrics", 404, "no such path: /metrics"),
    "predict with another model": ("POST", "/v1/models/other:predict", 404, MISSING_MODEL),
    "predict with another label": (
        "POST",
        f"/v1/models/{NAME}/labels/x:predict",
        400,
        "Unrecognized servable version label: x",
    ),
}

BODIES = {
    "not JSON": (b"{", "JSON Parse error: "),
    "other signature": (
        {"signature_name": "x", "inputs": []},
        'Serving signature name: "x" not found in signature def',
    ),
    "missing input": ({"inputs": {"prompts": ["a"]}}, "Missing named input: audio in 'inputs' object."),
    "rows that differ": (
        {"signature_name": "detokenize", "inputs": {"token_ids": [[1]], "lengths": [1, 1]}},
        "all inputs must have the same number of rows; got {'lengths': 2, 'token_ids': 1}",
    ),
    "scalar": ({"signature_name": "tokenize", "inputs": "a"}, "`text`: must have shape [?]; got []"),
    "no rows of lists": (
        {"signature_name": "detokenize", "inputs": {"token_ids": [], "lengths": []}},
        "must have shape [?, ?]; got [0]",
    ),
    "too many rows": (
        {"signature_name": "tokenize", "instances": ["a"] * 10_000},
        "batch: must have at most 16 rows",
    ),
}
