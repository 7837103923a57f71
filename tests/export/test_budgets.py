"""The input that chooses a budget for each item of a request."""

import numpy as np
import pytest
import tensorflow as tf

from export.budgets import check_budgets, with_budget_inputs
from export.litert.buckets import Buckets
from export.litert.signatures import device_signatures
from export.saved_model.signatures import DEFAULT, signatures
from export.verify import samples
from graph_ops import Gemma4ImageConverter, Gemma4Tokenizer
from graph_ops.media.image import IMAGE
from tests.data import DEMONSTRATION

FILES = [tf.io.encode_png(samples.pixels(*size)).numpy() for size in ((480, 640), (200, 90))]
PROMPT = "See <|image|> and <|image|>."


@pytest.fixture(scope="module")
def preprocessor(make_preprocessor):
    return make_preprocessor(audio=False, parity="transformers")


def inputs_of(table):
    return {
        name: tuple(signature.inputs["max_soft_tokens"].shape)
        for name, signature in table.items()
        if "max_soft_tokens" in signature.inputs
    }


def test_signatures_that_take_images_or_their_sizes_have_the_input_if_it_is_wanted(make_preprocessor):
    settings = make_preprocessor().settings
    assert inputs_of(signatures(settings)) == {}
    table = signatures(settings, max_soft_tokens_input=True)
    without = {name for name in table if "tokenize" in name or name in ("generate_postprocess", "parse_response")}
    without |= {"generate_preprocess_text", "generate_preprocess_audio"}
    assert inputs_of(table) == dict.fromkeys(table.keys() - without, (None, None))
    assert table[DEFAULT] is table["generate_preprocess"]
    assert table["generate_preprocess"].inputs["max_soft_tokens"].dtype == tf.int32
    text = make_preprocessor(images=False).settings
    assert inputs_of(signatures(text, max_soft_tokens_input=True)) == {}


def test_devices_have_it_for_one_image_and_for_a_rows():
    tokenizer = Gemma4Tokenizer(DEMONSTRATION, engine="builtin")
    from graph_ops import Gemma4CausalLMPreprocessor

    settings = Gemma4CausalLMPreprocessor(tokenizer, Gemma4ImageConverter()).settings
    assert inputs_of(device_signatures(settings)) == {}
    assert inputs_of(device_signatures(settings, max_soft_tokens_input=True)) == {
        "preprocess_image": (1,),
        "generate_preprocess": (1, 2),
        "generate_preprocess_counts": (1, 2),
        "count_tokens": (1, 2),
    }
    buckets = Buckets((8,), {"image": ((48, 96),)})
    assert inputs_of(device_signatures(settings, buckets, max_soft_tokens_input=True)) == {
        "preprocess_image_48x96": (1,),
        "generate_preprocess_counts_8": (1, 2),
        "count_tokens_8": (1, 2),
    }


def test_a_served_row_equals_the_classs_and_a_wrong_budget_is_its_rows_alone(preprocessor):
    table = signatures(preprocessor.settings, max_soft_tokens_input=True)
    inputs = {
        "prompts": tf.constant([PROMPT] * 4),
        "images": tf.constant([FILES] * 4),
        "max_soft_tokens": tf.constant([[70, 140], [0, 0], [70, 71], [560, 0]]),
    }
    found = table["generate_preprocess"].function(inputs)
    status = found.pop("status").numpy().tolist()
    assert status[:2] == [b"", b""]
    assert b"got 71, and its own is 280" in status[2]
    assert b"got 560, and its own is 280" in status[3]
    expected = preprocessor.generate_preprocess(
        {"prompts": [PROMPT] * 2, "images": [FILES] * 2, "max_soft_tokens": [[70, 140], [0, 0]]}
    )
    for name, feature in expected.items():
        if name in found:
            np.testing.assert_array_equal(found[name][:2], feature, err_msg=name)
    assert not found["padding_mask"][2:].numpy().any()
    blocks = found["vision_indices"].numpy().reshape(4, 2, 280)
    assert np.count_nonzero(blocks, axis=2).tolist() == [[63, 119], [266, 264], [0, 0], [0, 0]]
    chat = {
        "roles": [["user"]],
        "parts": [[["", "See"]]],
        "part_types": [[["image", "text"]]],
        "add_generation_prompt": [True],
        "enable_thinking": [False],
        "preserve_thinking": [False],
        "images": [FILES[:1]],
        "max_soft_tokens": [[70]],
    }
    row = table["generate_preprocess_chat"].function({name: tf.constant(one) for name, one in chat.items()})
    assert np.count_nonzero(row["vision_mask"]) == 63


def test_counts_follow_the_budgets(preprocessor):
    table = signatures(preprocessor.settings, max_soft_tokens_input=True)
    sizes, budgets = tf.constant([[[480, 640], [200, 90]]]), tf.constant([[70, 0]])
    count = table["count_tokens"].function(
        {"prompts": tf.constant([PROMPT]), "image_sizes": sizes, "max_soft_tokens": budgets}
    )
    row = preprocessor.generate_preprocess(
        {"prompts": PROMPT, "images": FILES, "max_soft_tokens": [70, 0]}
    )
    assert int(count["num_tokens"][0]) == np.count_nonzero(row["padding_mask"])


def test_one_budget_is_for_all_items_and_several_are_for_each():
    assert check_budgets((), 2, IMAGE, accepted=False) == [0, 0]
    assert check_budgets((70,), 2, IMAGE, accepted=True) == [70, 70]
    assert check_budgets((70, 0), 2, IMAGE, accepted=True) == [70, 0]
    with pytest.raises(ValueError, match="`max_soft_tokens`: this export takes none; .* --max-soft-tokens-input"):
        check_budgets((70,), 1, IMAGE, accepted=False)
    with pytest.raises(ValueError, match="got 2 for 3. Pass as many"):
        check_budgets((70, 0), 3, IMAGE, accepted=True)


def test_a_table_without_images_stays_as_it_is(preprocessor):
    table = {"tokenize": signatures(preprocessor.settings)["tokenize"]}
    assert with_budget_inputs(table) == table
