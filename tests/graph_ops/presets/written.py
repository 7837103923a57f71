"""Files of preset folders, as they are published."""

import json

from transformers import Gemma4AudioFeatureExtractor
from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil

TOKENS = {
    "bos_token": "<bos>",
    "eos_token": {"content": "<eos>", "special": True},
    "image_token": "<|image|>",
    "boi_token": "<|image>",
    "eoi_token": "<image|>",
    "audio_token": "<|audio|>",
    "padding_side": "left",
}
MODEL = {"model_type": "gemma4", "vision_config": {"patch_size": 16}, "audio_config": {"hidden_size": 1024}}


def image_settings(changes=None):
    return json.loads(Gemma4ImageProcessorPil().to_json_string()) | (changes or {})


def audio_settings(changes=None):
    return json.loads(Gemma4AudioFeatureExtractor().to_json_string()) | (changes or {})


def change(path, edit):
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
