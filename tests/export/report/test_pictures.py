"""PNGs of what a model reads, from tensors that are known."""

import numpy as np
import tensorflow as tf

from export.report.pictures import (
    GRID,
    MEL_ZOOM,
    WAVE_COLUMNS,
    WAVE_HEIGHT,
    Patching,
    has_samples,
    mel_picture,
    patch_picture,
    wave_picture,
    write_pictures,
)


def test_an_image_is_put_together_from_its_patches():
    """[two patches of 2 × 2 pixels side by side, one of padding]"""
    image = np.arange(2 * 4 * 3).reshape(2, 4, 3)
    patches = [image[:, x : x + 2].reshape(-1) for x in (0, 2)]
    values = np.stack([*patches, np.zeros(12)]).astype(np.float32) / 255
    positions = np.array([[0, 0], [1, 0], [-1, -1]])
    picture = patch_picture(values, positions, pooling=2, scale=1 / 255)
    assert picture.shape == (2, 4, 3)
    assert (picture[0] == GRID).all()
    assert (picture[:, 0] == GRID).all()
    np.testing.assert_array_equal(picture[1, 1:], image[1, 1:])


def test_louder_is_brighter_and_low_frequencies_lie_at_the_bottom():
    mel = np.array([[-1.0, 0.0], [-1.0, 1.0], [9.0, 9.0]])  # [frames, bins], the last one padding
    picture = mel_picture(mel, np.array([1, 1, 0]))[..., 0]
    assert picture.shape == (2 * MEL_ZOOM, 2 * MEL_ZOOM)
    assert picture[::MEL_ZOOM, ::MEL_ZOOM].tolist() == [[128, 255], [0, 0]]


def test_samples_are_drawn_from_the_lowest_to_the_highest_of_each_column():
    frames = np.zeros((3, 2 * WAVE_COLUMNS), np.float32)  # two samples a column
    frames[0, 2:6] = [1, -1, 0.5, 0]
    picture = wave_picture(frames, np.array([1, 1, 0]))[..., 0]
    assert picture.shape == (WAVE_HEIGHT, 2 * WAVE_COLUMNS * MEL_ZOOM)
    columns = picture[:, ::MEL_ZOOM].T > 0
    middle = WAVE_HEIGHT // 2
    assert [column.sum() for column in columns[:4]] == [1, WAVE_HEIGHT, 1 + middle // 2, 1]
    assert columns[0][middle]
    assert np.flatnonzero(columns[2]).tolist() == list(range(middle // 2, middle + 1))


def test_settings_say_whether_frames_are_samples():
    said = {"audio_converter": {"config": {"features": "waveform"}}}
    older = {"audio_converter": {"config": {"num_mels": 128}}}
    none = {"audio_converter": None}
    assert [has_samples(settings) for settings in (said, older, none)] == [True, False, False]


def test_each_medium_of_the_row_is_a_file(tmp_path):
    outputs = {
        "pixel_values": np.ones((1, 2, 1, 12), np.float32),
        "pixel_position_ids": np.array([[[[0, 0]], [[-1, -1]]]]),
        "pixel_values_videos": np.ones((1, 2, 1, 12), np.float32),
        "video_position_ids": np.array([[[[-1, -1]], [[0, 0]]]]),
        "audio_mel": np.zeros((1, 1, 2, 4), np.float32),
        "audio_mel_mask": np.ones((1, 1, 2), np.int32),
    }
    paths = write_pictures(outputs, tmp_path / "drawn", patching={"image": Patching(1), "video": Patching(1)})
    assert [path.name for path in paths] == ["image-0.png", "frame-1.png", "audio-0.png"]
    assert tf.io.decode_png(paths[0].read_bytes()).shape == (2, 2, 3)
    audio = {name: value for name, value in outputs.items() if name.startswith("audio")}
    (path,) = write_pictures(audio, tmp_path / "wave", patching={}, is_raw=True)
    assert tf.io.decode_png(path.read_bytes()).shape == (WAVE_HEIGHT, 2 * WAVE_COLUMNS * MEL_ZOOM, 1)
