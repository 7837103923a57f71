"""Artifacts that are written in a moment: their ids are code points or bytes, and nothing is looked up."""

import keras
import tensorflow as tf

import graph_ops
from export.fusing.limits import INPUTS as LIMITS
from export.litert.signatures import STATUS
from export.litert.write import write_bundle
from export.saved_model.signatures import DEFAULT, INPUTS, file_inputs
from export.saved_model.write import describe, save_checked
from export.signature import Input, Signature, trace_signatures
from graph_ops.faults import Fault
from graph_ops.media.image import IMAGE
from tests.twins.vocabularies import small_vocabulary

EMPTY = "`prompts`: must not be empty; got ''. Pass a text."
"""The status of an empty prompt."""
SPECIAL = ("<|image|>", "<|image>", "<image|>", "<|audio|>", "<|audio>", "<audio|>", "<|turn>", "<turn|>")


def tiny_preprocessor(**settings):
    """For text alone, 16 ids a row; its vocabulary is letters."""
    tokenizer = graph_ops.Gemma4Tokenizer(small_vocabulary("ab\u2581", SPECIAL), engine="builtin")
    return graph_ops.Gemma4CausalLMPreprocessor(tokenizer, **{"sequence_length": 16, **settings})


def mean_of_words(dim, length=None):
    """A functional model on ids and their mask that embeds: the mean of a vector each."""
    inputs = {
        name: keras.Input((length,), dtype="int32", name=name) for name in ("token_ids", "padding_mask")
    }
    words = keras.layers.Embedding(4096, dim, embeddings_initializer="normal")(inputs["token_ids"])
    pooled = keras.layers.GlobalAveragePooling1D()(words, mask=inputs["padding_mask"])
    return keras.Model(inputs, pooled)


def save_tiny(folder, **more):
    """A version folder with the signatures of `TABLE` and more."""
    module = tf.Module()
    module.functions = trace_signatures(TABLE | more, lambda _: None)
    save_checked(module, folder)
    describe(tiny_preprocessor(), folder)
    return folder


def write_tiny_bundle(folder):
    """A bundle with the signatures of `DEVICE_TABLE`."""
    return write_bundle(tiny_preprocessor(), DEVICE_TABLE, folder, lambda _: None)


def _row(tensors):
    ids = tf.strings.unicode_decode(tensors["prompts"], "UTF-8")
    is_empty = tf.equal(tf.strings.length(tensors["prompts"]), 0)
    return {
        "token_ids": ids.to_tensor(),
        "padding_mask": tf.sequence_mask(ids.row_lengths(), tf.reduce_max(ids.row_lengths())),
        "status": tf.where(is_empty, EMPTY, ""),
    }


def _row_of_files(tensors):
    files = tf.reduce_sum(tf.strings.length(tensors["images"]), axis=1)
    return _row(tensors) | {"sizes": files}


def _tokenized(tensors):
    ids = tf.strings.unicode_decode(tensors["text"], "UTF-8")
    return {"token_ids": ids.to_tensor(), "lengths": tf.cast(ids.row_lengths(), tf.int32)}


def _text(ids):
    """Without the ids of special tokens, as ours."""
    text = tf.strings.unicode_encode(tf.ragged.boolean_mask(ids, ids > 2), "UTF-8")
    return {"text": text, "status": tf.fill(tf.shape(text), "")}


def _answered(tensors):
    drawn = tf.strings.join([tensors["prompts"], tf.strings.as_string(tensors["seed"])], " ")
    return {"text": drawn, "status": tf.fill(tf.shape(drawn), "")}


def _limited(tensors):
    said = tf.strings.join(
        [tf.strings.as_string(tensors["max_new_tokens"]), tf.strings.reduce_join(tensors["stop"], axis=1)],
        "|",
    )
    return {"text": tf.strings.join([tensors["prompts"], said], " "), "status": tf.fill(tf.shape(said), "")}


def _signature(function, inputs, *outputs):
    return Signature(inputs, outputs, function, "for a test")


ROW = ("token_ids", "padding_mask", "status")
TABLE = {
    "generate_preprocess_text": _signature(_row, {"prompts": INPUTS["prompts"]}, *ROW),
    "generate_preprocess": _signature(
        _row_of_files, {"prompts": INPUTS["prompts"], **file_inputs(IMAGE)}, *ROW, "sizes"
    ),
    "generate_postprocess": _signature(
        lambda tensors: _text(tf.ragged.boolean_mask(tensors["token_ids"], tensors["padding_mask"])),
        {name: INPUTS[name] for name in ("token_ids", "padding_mask")},
        "text",
        "status",
    ),
    "tokenize": _signature(_tokenized, {"text": INPUTS["text"]}, "token_ids", "lengths"),
    "detokenize": _signature(
        lambda tensors: _text(tf.RaggedTensor.from_tensor(tensors["token_ids"], tensors["lengths"])),
        {name: INPUTS[name] for name in ("token_ids", "lengths")},
        "text",
        "status",
    ),
    "generate": _signature(
        _answered,
        {"prompts": INPUTS["prompts"], "seed": Input(tf.int32, (None,), "of a row's answer")},
        "text",
        "status",
    ),
    "generate_with_limits": _signature(_limited, {"prompts": INPUTS["prompts"], **LIMITS}, "text", "status"),
}
TABLE[DEFAULT] = TABLE["generate_preprocess"]


def _status(length, given):
    """A length that is larger than what there is, as devices say it."""
    is_wrong = length > given
    detail = tf.where(is_wrong, tf.stack([length, tf.fill([1], given)], axis=1), 0)
    return {"status": tf.where(is_wrong, int(Fault.TEXT_LENGTH), 0), "status_detail": detail}


def _device_ids(codes, length):
    return {"token_ids": tf.cast(codes, tf.int32)[tf.newaxis]} | _status(length, tf.size(codes))


def _device_text(tensors, length):
    ids = tensors["token_ids"]
    return {"text": tf.cast(ids[0], tf.uint8), "text_length": _computed(length)} | _status(
        length, tf.size(ids)
    )


def _computed(tensor):
    """The same, which no input is: CompiledModel leaves an output that is an input empty."""
    return tf.maximum(tensor, -1)


def _device_row(tensors):
    ids = _device_ids(tensors["prompts"], tensors["prompts_length"])
    return ids | {
        "padding_mask": tf.ones_like(ids["token_ids"]),
        "vision_indices": tf.reduce_sum(tensors["image_sizes"], axis=2),
    }


def _device_input(dtype, *shape):
    return Input(dtype, shape, "for a test")


CODES, NUMBER, IDS = (
    _device_input(tf.uint8, None),
    _device_input(tf.int32, 1),
    _device_input(tf.int32, 1, None),
)
DEVICE_TABLE = {
    "tokenize": _signature(
        lambda tensors: (
            _device_ids(tensors["text"], tensors["text_length"])
            | {"lengths": _computed(tensors["text_length"])}
        ),
        {"text": CODES, "text_length": NUMBER},
        "token_ids",
        "lengths",
        *STATUS,
    ),
    "detokenize": _signature(
        lambda tensors: _device_text(tensors, tensors["lengths"]),
        {"token_ids": IDS, "lengths": NUMBER},
        "text",
        "text_length",
        *STATUS,
    ),
    "generate_postprocess": _signature(
        lambda tensors: _device_text(tensors, tf.reduce_sum(tensors["padding_mask"], axis=1)),
        {"token_ids": IDS, "padding_mask": IDS},
        "text",
        "text_length",
        *STATUS,
    ),
    "generate_preprocess": _signature(
        _device_row,
        {
            "prompts": CODES,
            "prompts_length": NUMBER,
            "images": _device_input(tf.uint8, 1, 2, None, None, 3),
            "image_sizes": _device_input(tf.int32, 1, 2, 2),
        },
        "token_ids",
        "padding_mask",
        "vision_indices",
        *STATUS,
    ),
}
