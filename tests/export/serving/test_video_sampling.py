"""A client reads those frames of a file that the export behind a server takes, whatever its settings."""

import numpy as np
import pytest
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

import graph_ops
from export.saved_model.write import export_saved_model
from export.serving.client import Client
from export.serving.server import Server, Settings
from export.serving.video_sampling import video_settings
from export.verify.samples import demonstration_file
from graph_ops.video.host_files import animation

EXPORTS = {
    "fewer frames": {"num_frames": 5, "videos": 1, "parity": "keras_hub"},
    "two videos, more frames than there are": {"num_frames": 14, "videos": 2, "parity": "transformers"},
}
PROMPT = "What happens? <|video|>"


def preprocessor_of(num_frames, videos, parity):
    return graph_ops.Gemma4CausalLMPreprocessor(
        graph_ops.Gemma4Tokenizer(demonstration_file("demonstration.spm")),
        graph_ops.Gemma4ImageConverter(),
        video_converter=graph_ops.Gemma4VideoConverter(num_frames=num_frames, max_soft_tokens=20),
        num_frames_per_video=num_frames,
        num_vision_tokens_per_frame=20,
        max_videos_per_prompt=videos,
        audio_input_feat_size=0,
        parity=parity,
        sequence_length=640,
    )


@pytest.fixture(
    scope="module",
    params=[
        "fewer frames",
        pytest.param("two videos, more frames than there are", marks=pytest.mark.release),
    ],
)
def served(request, tmp_path_factory):
    """A preprocessor and a server of its export."""
    preprocessor = preprocessor_of(**EXPORTS[request.param])
    folder = tmp_path_factory.mktemp("video") / "gemma4"
    export_saved_model(preprocessor, folder)
    server = Server(Settings(folder, "gemma4", port=0, rest_port=0, warm=False))
    server.start()
    yield preprocessor, server
    server.stop()


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["gRPC", "REST"])
def test_the_row_of_a_file_is_that_of_the_class(served, protocol):
    preprocessor, server = served
    address = f"127.0.0.1:{server.port}" if protocol == "gRPC" else f"http://127.0.0.1:{server.rest_port}"
    file = demonstration_file("video.gif").read_bytes()
    client = Client(address, "gemma4", timeout=300)
    outputs = client.request("generate_preprocess_video", PROMPT, {"video": [file]})
    strip = animation(file)
    expected = preprocessor.generate_preprocess(
        {
            "prompts": PROMPT,
            "videos": [list(strip.frames)],
            "frame_indices": [list(strip.places)],
            "fps": [strip.rate],
        }
    )
    assert outputs["token_ids"][0].tolist() == expected["token_ids"].numpy().tolist()
    pixels = expected["pixel_values"].numpy()
    np.testing.assert_array_equal(outputs["pixel_values_videos"][0, : len(pixels)], pixels)


def signatures(frames=8):
    """What a server says of an export, as far as it is looked at."""
    table = {"generate_preprocess": SignatureDef(), "count_tokens": SignatureDef()}
    for size in (-1, frames, 630, 768):
        table["generate_preprocess"].outputs["pixel_values_videos"].tensor_shape.dim.add().size = size
    for name in ("prompts", "video_sizes"):
        table["count_tokens"].inputs[name].dtype = 7
    return table


@pytest.mark.parametrize("counts", [[10, 10, 10, 10], [10, 12, 20, 27], [10, 14, 34, 40]])
def test_counts_that_no_export_has_are_refused(counts):
    def predict(name, inputs):
        return {"num_tokens": np.array(counts)}

    with pytest.raises(ValueError, match=r"^`videos`: the server must tell which frames .* Pass a folder"):
        video_settings(signatures(), "generate_preprocess", predict)


@pytest.mark.parametrize("missing", ["count_tokens", "video_sizes", "pixel_values_videos"])
def test_a_server_that_does_not_count_videos_is_refused_by_name(missing):
    table = signatures()
    table.pop(missing, None)
    for signature in table.values():
        signature.inputs.pop(missing, None)
        signature.outputs.pop(missing, None)
    with pytest.raises(
        ValueError, match=r"which frames of a file generate_preprocess takes, .* count_tokens"
    ):
        video_settings(table, "generate_preprocess", lambda name, inputs: {})
