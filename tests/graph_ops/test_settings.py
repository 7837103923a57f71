"""What a graph is built from, looked up in a vocabulary."""

import pytest

import graph_ops
from graph_ops.config import AudioConfig, ImageConfig, RowConfig, VideoConfig
from graph_ops.features import DIMS
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from graph_ops.media.video import VIDEO
from graph_ops.settings import make_settings
from tests.twins.vocabularies import small_vocabulary

SMALL = graph_ops.Gemma4Tokenizer(small_vocabulary(("a",), ("<|audio>", "<|audio|>", "<audio|>")))


def test_ids_are_looked_up_and_media_stand_in_the_order_of_the_table(demonstration_tokenizer):
    configs = {"video": VideoConfig(), "audio": AudioConfig(), "image": ImageConfig()}
    made = make_settings(demonstration_tokenizer, RowConfig(), configs)
    assert [each.medium for each in made.media] == [IMAGE, AUDIO, VIDEO]
    pieces = demonstration_tokenizer.vocabulary.pieces
    assert [pieces[index] for index in made.ids] == ["<bos>", "<eos>", "<pad>"]
    assert [pieces[index] for index in made.media[1].ids] == ["<|audio>", "<|audio|>", "<audio|>"]
    assert made.groups == ("text", "vision", "audio", "video")
    assert made.dim_sizes.keys() == DIMS.keys()
    assert (made.dim_sizes["B"], made.dim_sizes["S"], made.dim_sizes["P"]) == (None, 1024, 2520)


@pytest.mark.parametrize("configs", [{}, {"image": None}, {"image": None, "audio": None, "smell": 1}])
def test_a_medium_without_configuration_is_not_taken(configs):
    made = make_settings(SMALL, RowConfig(sequence_length=5), configs)
    assert (made.media, made.groups) == ((), ("text",))
    assert made.dim_sizes == {"B": None, "S": 5}
    assert made.config_of(IMAGE) is None


def test_a_token_is_needed_for_a_medium_that_is_taken_only():
    with pytest.raises(ValueError, match=r"needed for images; these are missing: \['<\|image>'"):
        make_settings(SMALL, RowConfig(), {"image": ImageConfig(), "audio": AudioConfig()})
    assert make_settings(SMALL, RowConfig(), {"audio": AudioConfig()}).config_of(AUDIO) == AudioConfig()


def test_another_configuration_replaces_that_of_its_medium_alone():
    made = make_settings(SMALL, RowConfig(), {"audio": AudioConfig()})
    other = made.with_config(AUDIO, AudioConfig(num_mels=4))
    assert (other.config_of(AUDIO).num_mels, made.config_of(AUDIO).num_mels) == (4, 128)
    assert other.dim_sizes["M"] == 4
    assert made.with_config(IMAGE, ImageConfig()) == made
