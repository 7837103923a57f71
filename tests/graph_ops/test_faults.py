"""Findings are values: made, chosen among, gathered by row, and put into words."""

import pytest
import tensorflow as tf

from graph_ops.faults import (
    MOST_QUOTED,
    SENTENCES,
    Fault,
    Finding,
    check,
    first_finding,
    raise_findings,
    sentence,
    status_messages,
)
from graph_ops.file_types import FILE_TYPES


def finding(*faults):
    codes = tf.constant([int(fault) for fault in faults])
    return Finding(codes, tf.stack([codes * 10, codes * 100], axis=-1))


def test_every_fault_but_none_has_a_sentence_and_a_code_of_its_own():
    assert set(SENTENCES) == set(Fault) - {Fault.NONE}
    assert Fault.NONE == 0
    assert min(SENTENCES) > 0


@pytest.mark.parametrize("fault", SENTENCES)
def test_a_sentence_names_the_argument_and_quotes_its_numbers(fault):
    message = sentence(fault, 9, 1_234)
    assert message.startswith("`")
    assert message.endswith(".")
    for number, field in ((9, "{0}"), (1_234, "{1}")):
        assert (str(number) in message) == (field in SENTENCES[fault])
    assert "{" not in message


def test_a_number_may_stand_for_a_word():
    kind = next(number for number, kind in enumerate(FILE_TYPES) if kind.name == "a FLAC file")
    assert sentence(Fault.AUDIO_FILE_TYPE, kind, 5) == (
        "`audio`: a clip must be a WAV file; got a FLAC file, 5 bytes. Convert it to WAV, for example with "
        "`ffmpeg -i in.flac out.wav`."
    )
    for unknown in (-1, 0, len(FILE_TYPES), 2**31 - 1):
        assert f"got {FILE_TYPES[0].name}, " in sentence(Fault.IMAGE_FILE_TYPE, unknown, 5)
    assert "got MP3, format tag 85. " in sentence(Fault.AUDIO_CODEC, 0x55, 0)
    assert "got sound of a kind that is not decoded, format tag 4660. " in sentence(
        Fault.AUDIO_CODEC, 0x1234, 0
    )


def test_good_rows_have_no_sentence():
    assert status_messages(finding(Fault.NONE, Fault.AUDIO_EMPTY)).numpy()[0] == b""
    assert status_messages(finding(Fault.NONE)).numpy().tolist() == [b""]


def test_a_check_is_the_fault_where_the_condition_holds():
    found = check(tf.constant([True, False]), Fault.IMAGE_SIZE, tf.constant([3, 4]), 5)
    assert found.fault.numpy().tolist() == [int(Fault.IMAGE_SIZE), 0]
    assert found.detail.numpy().tolist() == [[3, 5], [0, 0]]


def test_of_several_findings_the_first_fault_is_kept():
    first, second = finding(Fault.NONE, Fault.IMAGE_SIZE), finding(Fault.AUDIO_EMPTY, Fault.AUDIO_EMPTY)
    found = first_finding(Finding.none(first.fault), first, second)
    assert found.fault.numpy().tolist() == [int(Fault.AUDIO_EMPTY), int(Fault.IMAGE_SIZE)]
    assert found.detail.numpy()[:, 0].tolist() == [Fault.AUDIO_EMPTY * 10, Fault.IMAGE_SIZE * 10]


def test_a_row_has_the_first_fault_of_its_slots():
    slots = Finding(tf.constant([[0, 5, 7], [0, 0, 0]]), tf.reshape(tf.range(12), [2, 3, 2]))
    assert slots.of_rows().fault.numpy().tolist() == [5, 0]
    assert slots.of_rows().detail.numpy()[0].tolist() == [2, 3]
    none = Finding(tf.zeros([2, 0], tf.int32), tf.zeros([2, 0, 2], tf.int32)).of_rows()
    assert none.fault.numpy().tolist() == [0, 0]


def test_an_exception_names_each_faulty_item():
    raise_findings(finding(Fault.NONE, Fault.NONE), "image")
    with pytest.raises(ValueError, match=r"^image 1: `audio`: a clip must have at least one sample; got 80"):
        raise_findings(finding(Fault.NONE, Fault.AUDIO_EMPTY), "image")


def test_an_exception_about_many_items_says_how_many_more_there_are():
    with pytest.raises(ValueError, match=r"and 1,192 more$") as raised:
        raise_findings(finding(*[Fault.AUDIO_EMPTY] * 1_200), "clip")
    assert len(str(raised.value).splitlines()) == MOST_QUOTED + 1


def test_a_graph_stops_at_a_finding():
    @tf.function
    def step(faults):
        raise_findings(Finding(faults, tf.stack([faults, faults], axis=-1)), "row")
        return faults

    assert step(tf.constant([0])).numpy().tolist() == [0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least one sample"):
        step(tf.constant([int(Fault.AUDIO_EMPTY)]))


def test_fault_codes_keep_their_numbers():
    released = [
        "NONE",
        "IMAGE_UNDECODABLE",
        "IMAGE_TOO_LARGE",
        "IMAGE_TOO_THIN",
        "IMAGE_COUNT",
        "AUDIO_UNDECODABLE",
        "AUDIO_FORMAT",
        "AUDIO_TRUNCATED",
    ]
    released += [
        "AUDIO_EMPTY",
        "AUDIO_COUNT",
        "MEDIA_IN_RESPONSE",
        "MEDIA_DO_NOT_FIT",
        "TOKEN_ID_OUT_OF_RANGE",
        "IMAGE_LIMIT",
        "AUDIO_LIMIT",
        "TEXT_LENGTH",
        "AUDIO_LENGTH",
        "SOFT_TOKENS",
        "IMAGE_SIZE",
        "AUDIO_VALUE",
        "IMAGE_FILE_TYPE",
        "AUDIO_FILE_TYPE",
        "AUDIO_CODEC",
        "AUDIO_TOO_SHORT",
    ]
    released += ["CHAT_EMPTY", "CHAT_ROLE", "CHAT_PART", "CHAT_MEDIUM", "CHAT_TOOL_TEXT", "CHAT_DECLARATION"]
    released += ["TOO_MANY_TOKENS", "SPELLED_QUOTE", "SOFT_TOKEN_BUDGET"]
    released += ["VIDEO_COUNT", "VIDEO_LIMIT", "VIDEO_FRAME", "VIDEO_SIZE", "VIDEO_DOES_NOT_FIT"]
    released += ["VIDEO_FRAME_INDICES", "VIDEO_FPS"]
    released += ["MEDIUM_NOT_READ", "EMBEDDING_TASK", "EMBEDDING_SIZE"]
    released += ["MAX_NEW_TOKENS", "STOP_COUNT", "STOP_TEXT", "POSITION"]
    assert [Fault(code).name for code in range(len(released))] == released
    assert len(Fault) == len(released)
