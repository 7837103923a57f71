"""One dialogue for an exported SavedModel: Python's messages as the inputs of its signature."""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from export.media import decodable, pack_files
from export.outputs import Arrays
from export.saved_model.run import Loaded, budget_inputs, checked
from graph_ops.family import GEMMA4
from graph_ops.layers.inputs.chat import read_chat
from graph_ops.media.table import MEDIA

SIGNATURE = "generate_preprocess_chat_tools"


def chat_inputs(
    messages: Any, tools: Any, switches: dict[str, bool], settings: Mapping[str, Any] | None = None
) -> dict[str, tf.Tensor]:
    """The inputs of `SIGNATURE` for one dialogue, media included.

    Args:
        messages: a list of mappings, with files or arrays in the parts that are media.
        tools: schemas of functions, or None.
        switches: of `render_chat`.
        settings: of the export, for the frames to read of a video file.

    Raises:
        TypeError, ValueError: messages that the template does not take.
    """
    chat = read_chat(messages, tools, quote=GEMMA4.chat.quote)
    files = chat.media()
    inputs = chat.tensors(switches)._asdict()
    for medium in MEDIA:
        items = [_whole(item) if medium.frames else item for item in files.get(medium.argument, [[]])[0]]
        given = decodable({medium.name: items}, settings)[medium.name]
        packed = pack_files(medium, given)
        inputs |= {name: tf.convert_to_tensor(value) for name, value in packed.items()}
    return inputs


def _whole(video: Any) -> Any:
    """A video of one file as that file, which may hold all frames."""
    return video[0] if isinstance(video, list) and len(video) == 1 else video


def chat_request(
    loaded: Loaded,
    messages: Any,
    tools: Any,
    switches: dict[str, bool],
    *,
    settings: Mapping[str, Any] | None = None,
    max_soft_tokens: Sequence[int] = (),
) -> Arrays:
    """Runs `SIGNATURE` on one dialogue, with a budget for all images, or one for each; see `chat_inputs`.

    Raises:
        TypeError, ValueError: an export without the signature, media or budgets that it does not take,
            messages that the template does not take, or the row's `status`.
    """
    signature = loaded.signatures.get(SIGNATURE)
    if signature is None:
        raise ValueError(
            f"`folder`: must be an export with the signature {SIGNATURE}; this one has none. Export it "
            "with a vocabulary that has the chat template's tokens."
        )
    accepted = signature.structured_input_signature[1]
    inputs = chat_inputs(messages, tools, switches, settings)
    for name in inputs.keys() - accepted.keys():
        if inputs[name].shape[1]:
            raise ValueError(
                f"`{name}`: this export takes none. Leave the files out or export with that converter."
            )
    for medium in MEDIA:
        items = int(inputs[medium.argument].shape[1])
        inputs |= budget_inputs(medium, items, max_soft_tokens, accepted)
    return checked(signature(**{name: inputs[name] for name in accepted}))
