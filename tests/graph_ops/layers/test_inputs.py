"""Every form that a caller may use, and what is said to a caller who errs."""

import io
import pathlib
from typing import Any

import numpy as np
import pytest
import soundfile
import tensorflow as tf
from PIL import Image

import graph_ops
from export.verify import samples
from tests.comparing import assert_same

PIXELS = samples.pixels(60, 80)
CLIP = samples.sounds(8_000)["noise"]


@pytest.fixture(scope="module")
def preprocessor(make_preprocessor):
    return make_preprocessor(sequence_length=1024, max_audio_clips_per_prompt=2)


def rows(preprocessor, **x):
    return {name: np.asarray(value) for name, value in preprocessor.generate_preprocess(x).items()}


IMAGE_FORMS = {
    "array": PIXELS,
    "tensor": tf.constant(PIXELS),
    "list of one": [PIXELS],
    "one slot": PIXELS[np.newaxis],
    "whole floats": PIXELS.astype(np.float32),
    "int64": PIXELS.astype(np.int64),
}


@pytest.mark.parametrize("form", IMAGE_FORMS)
def test_forms_of_one_image_agree(preprocessor, form):
    expected = rows(preprocessor, prompts="a <|image|>", images=PIXELS)
    assert_same(rows(preprocessor, prompts="a <|image|>", images=IMAGE_FORMS[form]), expected)


def test_encoded_files_agree_with_their_pixels(preprocessor, photo):
    decoded = tf.io.decode_jpeg(photo, dct_method="INTEGER_ACCURATE").numpy()
    expected = rows(preprocessor, prompts="a <|image|>", images=decoded)
    for form in (photo, [photo], tf.constant(photo), tf.constant([photo])):
        assert_same(rows(preprocessor, prompts="a <|image|>", images=form), expected)
    batch = rows(preprocessor, prompts=["a <|image|>"], images=[photo])
    assert_same({name: value[0] for name, value in batch.items()}, expected)


def test_forms_of_one_clip_agree(preprocessor, speech):
    expected = rows(preprocessor, prompts="a <|audio|>", audio=CLIP)
    for form in (CLIP.tolist(), CLIP.astype(np.float64), tf.constant(CLIP), CLIP[np.newaxis], [CLIP]):
        assert_same(rows(preprocessor, prompts="a <|audio|>", audio=form), expected)
    assert rows(preprocessor, prompts="a <|audio|>", audio=speech)["audio_mel_mask"].sum() == 490


def test_each_row_has_its_own_number_of_images_of_its_own_sizes(preprocessor):
    sizes = [(60, 80), (200, 90), (31, 33)]
    images = [samples.pixels(*size, seed=index) for index, size in enumerate(sizes)]
    batch = rows(
        preprocessor,
        prompts=["none", "<|image|> one", "<|image|>two<|image|>", "one <|image|>"],
        images=[[], images[0], [images[1], images[2]], [images[1]]],
    )
    singles = [
        rows(preprocessor, prompts="none", images=[]),
        rows(preprocessor, prompts="<|image|> one", images=images[0]),
        rows(preprocessor, prompts="<|image|>two<|image|>", images=images[1:]),
        rows(preprocessor, prompts="one <|image|>", images=images[1]),
    ]
    for b, single in enumerate(singles):
        slots = single["pixel_values"].shape[0]
        for name in ("token_ids", "padding_mask", "vision_mask", "vision_indices"):
            np.testing.assert_array_equal(batch[name][b], single[name], err_msg=name)
        np.testing.assert_array_equal(batch["pixel_values"][b, :slots], single["pixel_values"])
        np.testing.assert_array_equal(batch["pixel_position_ids"][b, :slots], single["pixel_position_ids"])
        assert (batch["pixel_position_ids"][b, slots:] == -1).all()
        assert not batch["pixel_values"][b, slots:].any()


def test_each_row_has_its_own_number_of_clips(preprocessor):
    clips = [CLIP, samples.sounds(20_001)["sweep"]]
    batch = rows(
        preprocessor, prompts=["none", "<|audio|>", "<|audio|>two<|audio|>"], audio=[None, [clips[1]], clips]
    )
    assert [row.any(-1).tolist() for row in batch["audio_mel_mask"]] == [
        [False, False],
        [True, False],
        [True, True],
    ]
    tokens = [-(-(len(clip) // 160) // 4) for clip in clips]
    assert batch["audio_mask"].sum(-1).tolist() == [0, tokens[1], sum(tokens)]
    block = batch["audio_indices"].shape[1] // 2
    assert [(batch["audio_indices"][2, k * block : (k + 1) * block] > 0).sum() for k in range(2)] == tokens


def test_ragged_tensors_hold_images_of_several_sizes(preprocessor):
    images = [samples.pixels(40, 50), samples.pixels(60, 30)]
    ragged = tf.ragged.stack([tf.RaggedTensor.from_tensor(image, ragged_rank=2) for image in images])
    listed = rows(preprocessor, prompts=["<|image|>"] * 2, images=images)
    both = rows(preprocessor, prompts=["<|image|>"] * 2, images=ragged)
    for b in range(2):
        np.testing.assert_array_equal(both["pixel_values"][b, 0], listed["pixel_values"][b, 0])
    sound = tf.ragged.constant([CLIP.tolist(), CLIP[:4000].tolist()])
    assert_same(
        rows(preprocessor, prompts=["<|audio|>"] * 2, audio=sound),
        rows(preprocessor, prompts=["<|audio|>"] * 2, audio=[CLIP, CLIP[:4000]]),
    )


def test_precomputed_media_agree_with_raw_ones(preprocessor):
    raw = rows(preprocessor, prompts="<|image|> <|audio|>", images=PIXELS, audio=CLIP)
    names = ("pixel_values", "pixel_position_ids", "audio_mel", "audio_mel_mask")
    assert_same(rows(preprocessor, prompts="<|image|> <|audio|>", **{name: raw[name] for name in names}), raw)
    converted = preprocessor.image_converter(PIXELS)
    np.testing.assert_array_equal(converted["pixel_values"], raw["pixel_values"][0])
    assert_same(preprocessor.audio_converter(CLIP), raw["audio_mel"][0], "audio_mel")


def test_media_are_never_cut_and_the_response_yields(preprocessor):
    two = rows(preprocessor, prompts="<|image|><|image|> tail", images=[PIXELS, PIXELS])
    x, _, weight = preprocessor(
        {"prompts": "<|image|><|image|> tail", "responses": "word " * 900, "images": [PIXELS, PIXELS]}
    )
    length = 1 + 2 * 282
    assert x["token_ids"].numpy()[:length].tolist() == two["token_ids"][:length].tolist()
    assert int(tf.reduce_sum(tf.cast(x["vision_mask"], tf.int32))) == 560
    assert int(tf.reduce_sum(tf.cast(weight, tf.int32))) == 1024 - length + 1


def test_buffers_of_bytes_are_files_and_texts(preprocessor, photo):
    expected = rows(preprocessor, prompts="a <|image|>", images=photo)
    for form in (
        bytearray(photo),
        memoryview(photo),
        np.bytes_(photo),
        [bytearray(photo)],
        np.array([photo], object),
    ):
        assert_same(rows(preprocessor, prompts=b"a <|image|>", images=form), expected)
    assert_same(rows(preprocessor, prompts=bytearray(b"a <|image|>"), images=photo), expected)
    batch = rows(preprocessor, prompts=[memoryview(b"a <|image|>")], images=[photo])
    assert_same({name: value[0] for name, value in batch.items()}, expected)


def test_a_tuple_of_a_dataset_is_unpacked(preprocessor):
    x = {"prompts": "a", "responses": "b"}
    alone = preprocessor(x)
    for given in ((x, 1), (x, 1, 2)):
        assert_same(preprocessor(given)[0], alone[0])


STEREO = np.stack([CLIP, CLIP], axis=-1)
RGBA = np.concatenate([PIXELS, PIXELS[..., :1]], axis=-1)
CHANNELS = "`images`: an image must have 3 channels; got shape "
A_FILE = "a file must be given by its bytes; got the "
MONO = "`audio`: a clip must be mono, float32 [T]; got shape "

BAD: dict[str, tuple[Any, str]] = {
    "RGBA": (
        {"prompts": "<|image|>", "images": RGBA},
        CHANNELS + "(60, 80, 4). Composite RGBA over a colour",
    ),
    "RGBA in a list": (
        {"prompts": "<|image|>", "images": [RGBA]},
        CHANNELS + "(60, 80, 4). Composite RGBA over a colour",
    ),
    "RGBA in a batch": (
        {"prompts": ["<|image|>"], "images": RGBA[np.newaxis]},
        CHANNELS + "(1, 60, 80, 4). Composite RGBA over a colour",
    ),
    "grey": (
        {"prompts": "<|image|>", "images": PIXELS[..., :1]},
        CHANNELS + "(60, 80, 1). Repeat the grey channel",
    ),
    "batch of grey": (
        {"prompts": ["<|image|>"] * 2, "images": np.zeros((2, 60, 80))},
        CHANNELS + "(2, 60, 80).",
    ),
    "channels first": (
        {"prompts": "<|image|>", "images": np.moveaxis(PIXELS, -1, 0)},
        CHANNELS + "(3, 60, 80). Move the channels to the end",
    ),
    "channels first in a list": (
        {"prompts": "<|image|>", "images": [np.moveaxis(PIXELS, -1, 0)]},
        CHANNELS + "(3, 60, 80). Move the channels to the end",
    ),
    "stereo": (
        {"prompts": "<|audio|>", "audio": STEREO},
        MONO + "(8000, 2), as of 2 channels. Mix them down",
    ),
    "stereo in a list": ({"prompts": "<|audio|>", "audio": [STEREO]}, MONO + "(8000, 2)"),
    "stereo for a batch": ({"prompts": ["<|audio|>"] * 2, "audio": STEREO}, MONO + "(8000, 2)"),
    "stereo in a batch": ({"prompts": ["<|audio|>"], "audio": STEREO[np.newaxis]}, MONO + "(1, 8000, 2)"),
    "one path": ({"prompts": "<|image|>", "images": "a.jpg"}, "`images`: " + A_FILE + "string 'a.jpg'"),
    "one URL": ({"prompts": "<|audio|>", "audio": "https://a/b.wav"}, A_FILE + "string 'https://a/b.wav'"),
    "one pathlib path": ({"prompts": "<|image|>", "images": pathlib.Path("a.jpg")}, A_FILE + "path 'a.jpg'"),
    "array of paths": ({"prompts": ["<|image|>"], "images": np.array(["a.jpg"])}, A_FILE + "string 'a.jpg'"),
    "path for a batch": ({"prompts": ["<|image|>"], "images": "a.jpg"}, A_FILE + "string 'a.jpg'"),
    "no medium at all": ({"prompts": "<|image|>", "images": object()}, "`images`: an image is uint8"),
    "a number": ({"prompts": ["<|image|>"], "images": 5}, "`images`: an image is uint8 [H, W, 3]"),
    "lone surrogate": (
        "a\ud800b",
        "`prompts`: must be Unicode, which has no lone surrogates; got '\\ud800' as character 1",
    ),
    "lone surrogate in a response": (
        {"prompts": ["a"], "responses": ["b\udc80"]},
        "`responses`: must be Unicode, which has no lone surrogates; got '\\udc80' as character 1",
    ),
    "keys of several types": ({"prompts": "a", 1: 2, "b" * 10**6: 3}, "`x`: keys must be among"),
    "image without placeholder": (
        {"prompts": "none", "images": PIXELS},
        "row 0: `prompts`: a prompt needs one `<|image|>` for each of its images; got 0 placeholder(s) and "
        "1 image(s)",
    ),
    "placeholder without image": (
        {"prompts": ["a", "b <|image|>"]},
        "row 1: `prompts`: a prompt needs one `<|image|>`",
    ),
    "audio without placeholder": ({"prompts": "none", "audio": CLIP}, "got 0 placeholder(s) and 1 clip(s)"),
    "placeholder without audio": ({"prompts": "<|audio|>"}, "got 1 placeholder(s) and 0 clip(s)"),
    "responses of another number": (
        {"prompts": ["a", "b"], "responses": ["a"]},
        "`responses`: there must be one for each prompt; got 1 strings for 2 strings",
    ),
    "one response for a batch": (
        {"prompts": ["a", "b"], "responses": "a"},
        "`responses`: there must be one for each prompt; got one string for 2 strings",
    ),
    "media in a response": (
        {"prompts": "a", "responses": "<|image|>"},
        "`responses`: media belong in the prompt; got 1 placeholder(s) in a response, the first as token 0",
    ),
    "nested prompts": ({"prompts": [["a"], ["b"]]}, "`prompts`: must have rank 0 or 1; got rank 2"),
    "prompts of numbers": ({"prompts": [1, 2]}, "`prompts`: must be a string or a list of strings; got list"),
    "image of rank 2": (
        {"prompts": "<|image|>", "images": PIXELS[..., 0]},
        "`images`: must be items, after at most a slot axis",
    ),
    "grey image in a list": (
        {"prompts": "<|image|>", "images": [PIXELS[..., :1]]},
        "`images`: an image must have 3 channels; got shape (60, 80, 1)",
    ),
    "scaled pixels": (
        {"prompts": "<|image|>", "images": PIXELS / np.float32(255)},
        "`images`: pixels must be whole numbers in 0…255; got float32",
    ),
    "int16 samples": (
        {"prompts": "<|audio|>", "audio": (CLIP * 9999).astype(np.int16)},
        "`audio`: samples must be floats in -1…1; got int16",
    ),
    "a path": (
        {"prompts": "<|image|>", "images": ["photo.jpg"]},
        "`images`: a file must be given by its bytes; got the string 'photo.jpg'",
    ),
    "files and arrays": (
        {"prompts": "<|image|><|image|>", "images": [PIXELS, b"x"]},
        "files and arrays must not be mixed",
    ),
    "batch of another size": (
        {"prompts": ["<|image|>"], "images": np.stack([PIXELS] * 2)},
        "`images`: must have one entry for each prompt; got 2 for 1",
    ),
    "too many images": (
        {"prompts": "<|image|>" * 3, "images": np.stack([PIXELS] * 3)},
        "`images`: a row may have at most 2; got 3",
    ),
    "unknown key": ({"prompts": "a", "image": PIXELS}, "keys must be among"),
    "videos": (
        {"prompts": "a", "videos": [PIXELS]},
        "`videos`: needs a preprocessor with `video_converter`",
    ),
    "no prompts": ({"images": PIXELS}, "a dict must hold `prompts`"),
    "half of the features": (
        {"prompts": "<|image|>", "pixel_values": np.zeros((1, 2520, 768))},
        "precomputed media need both; got one",
    ),
    "raw and computed": (
        {"prompts": "<|image|>", "images": PIXELS, "pixel_values": 0, "pixel_position_ids": 0},
        "a medium must be given once; got both",
    ),
    "broken image": (
        {"prompts": "<|image|>", "images": b"\xff\xd8\xff broken"},
        "`images`: an image must be an intact JPEG, PNG, GIF, BMP or WebP file; got 10 bytes",
    ),
    "broken wav": (
        {"prompts": "<|audio|>", "audio": b"RIFF nonsense"},
        "`audio`: a clip must be a RIFF WAVE file",
    ),
    "thin image": (
        {"prompts": "<|image|>", "images": np.zeros((0, 5, 3), np.uint8)},
        "an image must keep at least one soft token",
    ),
    "prompt too long for its image": (
        {"prompts": "word " * 900 + "<|image|>", "images": PIXELS},
        "`prompts`: all of a prompt's media must fit into the row; they end at token",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_explained(preprocessor, case):
    x, message = BAD[case]
    with pytest.raises((ValueError, TypeError)) as raised:
        preprocessor(x) if "responses" in x else preprocessor.generate_preprocess(x)
    assert message in str(raised.value)
    assert len(str(raised.value)) < 400


@pytest.mark.slow
@pytest.mark.parametrize("call", ["call", "generate_preprocess"])
def test_an_error_does_not_quote_the_files_of_the_call(preprocessor, photo, call):
    x = {"prompts": "no placeholder", "responses": "a", "images": photo, "audio": [CLIP.tolist()]}
    with pytest.raises(ValueError, match="row 0: `prompts`: a prompt needs one") as refused:
        getattr(preprocessor, call)(x)
    assert len(str(refused.value)) < 400
    for converter, given in (
        (preprocessor.image_converter, photo[:-200]),
        (preprocessor.tokenizer, [1.5] * 10**5),
    ):
        with pytest.raises((ValueError, TypeError)) as raised:
            converter(given)
        assert len(str(raised.value)) < 400
    assert raised.value.__cause__ is None


UNKNOWN_RANKS = {
    "prompts": (tf.string, lambda x: x, "`prompts`: must have a known rank"),
    "images": (tf.uint8, lambda x: {"prompts": ["a"], "images": x}, "`images`: must have a known rank"),
    "files": (tf.string, lambda x: {"prompts": ["a"], "images": x}, "`images`: must be items"),
    "audio": (tf.float32, lambda x: {"prompts": ["a"], "audio": x}, "`audio`: must have a known rank"),
    "numbers": (tf.int32, lambda x: x, "`prompts`: must be a string or a list of strings; got "),
}


@pytest.mark.parametrize("case", UNKNOWN_RANKS)
def test_a_tensor_of_unknown_rank_is_explained(preprocessor, case):
    dtype, call, message = UNKNOWN_RANKS[case]
    traced = tf.function(lambda x: preprocessor.generate_preprocess(call(x)), autograph=False)
    with pytest.raises((ValueError, TypeError), match=message):
        traced.get_concrete_function(tf.TensorSpec(None, dtype))


def test_only_the_faulty_rows_are_named(preprocessor, photo):
    with pytest.raises(ValueError, match="row 1: `images`") as raised:
        preprocessor.generate_preprocess(
            {"prompts": ["<|image|>"] * 3, "images": [photo, photo[:-200], photo]}
        )
    assert "row 0" not in str(raised.value)
    assert "row 2" not in str(raised.value)


def test_training_without_responses_points_to_generation(preprocessor):
    for x in ("a", {"prompts": "a"}):
        with pytest.raises(ValueError, match="call `generate_preprocess`"):
            preprocessor(x)


def test_a_vocabulary_without_image_tokens_is_refused(tokenizer):
    from sentencepiece import sentencepiece_model_pb2 as model_pb2

    model = model_pb2.ModelProto.FromString(tokenizer.proto)
    for piece in model.pieces:
        if piece.piece in ("<|image|>", "<image|>"):
            piece.piece = piece.piece.replace("image", "picture")
    poor = graph_ops.Gemma4Tokenizer(model.SerializeToString())
    with pytest.raises(
        ValueError, match=r"needed for images; these are missing: \['<\|image\|>', '<image\|>'\]"
    ):
        graph_ops.Gemma4CausalLMPreprocessor(poor, graph_ops.Gemma4ImageConverter())
    graph_ops.Gemma4CausalLMPreprocessor(poor, audio_converter=graph_ops.Gemma4AudioConverter())


def test_files_of_other_kinds_are_turned_into_ones_that_are_decoded(preprocessor):
    tiff, flac = io.BytesIO(), io.BytesIO()
    Image.fromarray(PIXELS).save(tiff, "TIFF")
    soundfile.write(flac, CLIP, 16_000, "PCM_24", format="FLAC")
    clip = soundfile.read(io.BytesIO(flac.getvalue()), dtype="float32")[0]
    assert_same(
        rows(preprocessor, prompts="<|image|><|audio|>", images=tiff.getvalue(), audio=flac.getvalue()),
        rows(preprocessor, prompts="<|image|><|audio|>", images=PIXELS, audio=clip),
    )


@pytest.mark.parametrize(
    ("key", "placeholder", "file", "message"),
    [
        (
            "images",
            "<|image|>",
            b"%PDF-1.4",
            "an image must be .* got a PDF document, 8 bytes. Turn its pages",
        ),
        ("images", "<|image|>", b"RIFF\0\0\0\0WAVE", "got a WAV file, 12 bytes. Pass it as `audio`"),
        ("audio", "<|audio|>", b"\x89PNG\r\n\x1a\n", "a clip must be a WAV file; got a PNG image, 8 bytes"),
    ],
)
def test_a_file_that_cannot_be_read_is_called_by_its_name(preprocessor, key, placeholder, file, message):
    with pytest.raises(ValueError, match=message):
        preprocessor.generate_preprocess({"prompts": placeholder, key: file})
