"""Gemma 3 and the models made of it, of which text is read; and the table of all families."""

import dataclasses

from graph_ops.family import EMBEDDING_GEMMA2, GEMMA4, GEMMA4_UNIFIED, Embedding, Family, MediumTokens

_TURNS = ("<start_of_turn>", "<end_of_turn>")

GEMMA3 = dataclasses.replace(
    GEMMA4,
    name="gemma3",
    title="Gemma 3",
    stop=("<eos>", "<end_of_turn>"),
    media=(MediumTokens("image", "<start_of_image>", "<img>", "<end_of_image>"),),
    video=None,
    template=None,
    unread=(),
    special_tokens=(
        r"<(start|end)_of_(turn|image|audio)>|<(image|audio)_soft_token>|<unused\d+>|<mask>|\[multimodal\]"
    ),
    known_by=_TURNS,
    image=None,
    audio=None,
    has_positions=False,
)
"""Source: tokenizer and preprocessor of keras-hub 0.32 (models/gemma3), where an image's soft token is
`<img>`, which is a piece of every vocabulary; in transformers it is `<image_soft_token>`.
"""

GEMMA3N = dataclasses.replace(
    GEMMA3,
    name="gemma3n",
    title="Gemma 3n",
    media=(
        MediumTokens("image", "<start_of_image>", "<image_soft_token>", "<end_of_image>"),
        MediumTokens("audio", "<start_of_audio>", "<audio_soft_token>", "<end_of_audio>"),
    ),
    unread=(*_TURNS, "<mask>", "[multimodal]"),
    known_by=(*_TURNS, "<start_of_audio>"),
)
"""Source: keras-hub 0.32 (models/gemma3n)."""

_FUNCTIONS = tuple(
    f"<{side}_function_{part}>" for part in ("declaration", "call", "response") for side in ("start", "end")
)

FUNCTION_GEMMA = dataclasses.replace(
    GEMMA3,
    name="function_gemma",
    title="FunctionGemma",
    stop=(*GEMMA3.stop, "<start_function_response>"),
    special_tokens=rf"{GEMMA3.special_tokens}|<(start|end)_function_(declaration|call|response)>|<escape>",
    known_by=(*_TURNS, *_FUNCTIONS, "<escape>"),
)
"""Gemma 3 270M for calls of functions; its tokens stand where Gemma 3's vocabulary has unused ones. Source:
ai.google.dev/gemma/docs/functiongemma/formatting-and-best-practices.
"""

_PROMPTS_OF_2 = dict(EMBEDDING_GEMMA2.embedding.tasks)
_TASKS = (
    *("query", "document", "BitextMining", "Clustering", "Classification", "InstructionRetrieval"),
    *("MultilabelClassification", "PairClassification", "Reranking", "Retrieval", "Retrieval-query"),
    *("Retrieval-document", "STS"),
)

EMBEDDING_GEMMA = dataclasses.replace(
    GEMMA3,
    name="embedding_gemma",
    title="EmbeddingGemma",
    media=(),
    embedding=Embedding(
        tasks=(
            *((task, _PROMPTS_OF_2[task]) for task in _TASKS),
            ("Summarization", "task: summarization | query: "),
        ),
        sizes=EMBEDDING_GEMMA2.embedding.sizes,
    ),
)
"""The first, made of Gemma 3. Source: `config_sentence_transformers.json` and model card of
google/embeddinggemma-300m.
"""

FAMILIES: tuple[Family, ...] = (
    *(GEMMA4, GEMMA4_UNIFIED, EMBEDDING_GEMMA2),
    *(FUNCTION_GEMMA, GEMMA3N, GEMMA3, EMBEDDING_GEMMA),
)
"""All; of those that one vocabulary may be of, the one that says the most about it comes first."""
