"""The converters called on their own: what the preprocessor takes, they take."""

import numpy as np
import pytest
import tensorflow as tf

import graph_ops
from export.verify import samples
from graph_ops.layers.traces import CALLS_BEFORE_TRACING
from tests import comparing

PIXELS = samples.pixels(60, 80)
OTHER = samples.pixels(33, 50, seed=1)
CLIP = samples.sounds(8_000)["noise"]


def assert_same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


@pytest.fixture(scope="module")
def images():
    return graph_ops.Gemma4ImageConverter()


@pytest.fixture(scope="module")
def audio():
    return graph_ops.Gemma4AudioConverter()


ONE_IMAGE = {
    "floats": PIXELS.astype(np.float32),
    "int64": PIXELS.astype(np.int64),
    "tensor": tf.constant(PIXELS),
    "ragged tensor": tf.RaggedTensor.from_tensor(PIXELS, ragged_rank=2),
}


@pytest.mark.parametrize("form", ONE_IMAGE)
def test_forms_of_one_image_agree(images, form):
    assert images(PIXELS)["pixel_values"].shape == (2520, 768)
    assert_same(images(ONE_IMAGE[form]), images(PIXELS))


def test_files_agree_with_their_pixels(images):
    file = tf.io.encode_png(PIXELS).numpy()
    for form in (file, bytearray(file), memoryview(file), np.bytes_(file), tf.constant(file)):
        assert_same(images(form), images(PIXELS))
    batch = images(PIXELS[np.newaxis])
    for form in ([file], tf.constant([file]), np.array([file], object)):
        assert_same(images(form), batch)


def test_lists_hold_images_of_several_sizes(images):
    ragged = tf.ragged.stack(
        [
            tf.RaggedTensor.from_tensor(PIXELS, ragged_rank=2),
            tf.RaggedTensor.from_tensor(OTHER, ragged_rank=2),
        ]
    )
    singles = [images(PIXELS), images(OTHER)]
    for form in ([PIXELS, OTHER], (PIXELS, OTHER), ragged):
        for b, single in enumerate(singles):
            assert_same({name: value[b] for name, value in images(form).items()}, single)


def test_a_dict_keeps_what_else_it_holds(images):
    converted = images({"images": PIXELS, "labels": 3})
    assert converted["labels"] == 3
    assert converted["images"] is PIXELS
    np.testing.assert_array_equal(converted["pixel_values"], images(PIXELS)["pixel_values"])


def test_images_convert_in_a_dataset(images):
    data = tf.data.Dataset.from_tensor_slices([PIXELS, PIXELS[::-1]]).map(images)
    for element, pixels in zip(data, (PIXELS, PIXELS[::-1]), strict=True):
        assert_same(element, images(pixels))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (b"no image", "image 0: `images`: an image must be an intact JPEG"),
        ("photo.jpg", "`images`: a file must be given by its bytes; got the string 'photo.jpg'"),
        (
            np.zeros((4, 5, 4), np.uint8),
            r"must have 3 channels; got shape \(4, 5, 4\). Composite RGBA over a colour",
        ),
        (np.zeros((1, 1, 4, 5, 3), np.uint8), "`images`: must be items, after at most a slot axis"),
        (PIXELS / 255, "`images`: pixels must be whole numbers in 0…255; got float64"),
    ],
)
def test_what_is_no_image_is_refused(images, given, message):
    with pytest.raises((ValueError, TypeError), match=message):
        images(given)


def test_forms_of_one_clip_agree(audio):
    expected = audio(CLIP)
    for form in (CLIP.astype(np.float64), tf.constant(CLIP), CLIP.tolist()):
        np.testing.assert_array_equal(audio(form), expected)
    for form in (CLIP[np.newaxis], [CLIP]):
        # a row of a batch may be rounded otherwise than a clip alone: float32 sums in another order
        np.testing.assert_allclose(audio(form)[0], expected, atol=1e-5)


def test_clips_of_several_lengths_and_wav_files(audio, speech):
    batch = audio([CLIP, CLIP[:4000]])
    np.testing.assert_allclose(batch[1], audio(CLIP[:4000]), atol=1e-5)
    assert audio(speech).shape == (3000, 128)
    np.testing.assert_allclose(audio([speech, speech])[1], audio(speech), atol=1e-5)
    with pytest.raises(ValueError, match="clip 0: `audio`: a clip must be a RIFF WAVE file"):
        audio(b"RIFF nonsense")
    with pytest.raises(TypeError, match="`audio`: samples must be floats in -1…1; got int16"):
        audio((CLIP * 99).astype(np.int16))


def test_unknown_converter_settings_are_refused():
    with pytest.raises(
        TypeError, match=r"Gemma4ImageConverter: settings must be among .* got \['patchsize'\]"
    ):
        graph_ops.Gemma4ImageConverter(patchsize=3)


def test_calls_that_are_traced_give_what_the_first_one_gave(speech):
    images, audio = graph_ops.Gemma4ImageConverter(max_soft_tokens=70), graph_ops.Gemma4AudioConverter()
    frames = graph_ops.Gemma4VideoConverter(num_frames=2, max_soft_tokens=70)
    for call in (
        lambda: images(PIXELS),
        lambda: frames(np.stack([PIXELS] * 3)),
        lambda: {"audio_mel": audio(CLIP)},
        lambda: {"audio_mel": audio(speech)},
    ):
        first, *others = (call() for _ in range(CALLS_BEFORE_TRACING + 2))
        for other in others:
            comparing.assert_same(other, first)
