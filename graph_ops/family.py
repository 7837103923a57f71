"""A family of models, as far as preprocessing goes: its special tokens and what its vocabulary must hold."""

import dataclasses
from typing import Any

from graph_ops.config import AudioConfig, ImageConfig


@dataclasses.dataclass(frozen=True)
class MediumTokens:
    """The three special tokens of a medium.

    A user writes `placeholder`; a row holds `opening placeholder… closing`.
    """

    medium: str
    """Name in the table of media."""
    opening: str
    placeholder: str
    closing: str


@dataclasses.dataclass(frozen=True)
class Chat:
    """How the models of a family chat: the special tokens of its template, and what there is of it."""

    turn: str
    """Opens a turn."""
    turn_end: str
    """Closes it."""
    think: str
    """Asks the model to think."""
    tool: str
    """Opens the declaration of a tool."""
    tool_end: str
    """Closes it."""
    call: str
    """Opens a call."""
    call_end: str
    """Closes it."""
    response: str
    """Opens what a tool answered; where it stands alone, the model waits for an answer."""
    response_end: str
    """Closes it."""
    channel: str
    """Opens a thought."""
    channel_end: str
    """Closes it."""
    quote: str
    """Stands on both sides of a string in native text."""
    empty_thought_variants: tuple[str, ...]
    """Variants of the template that open a turn of a model that is not to think with an empty thought."""


@dataclasses.dataclass(frozen=True)
class Embedding:
    """How the models of a family embed."""

    tasks: tuple[tuple[str, str], ...]
    """Names of tasks that a vector may be for, each with what then stands before its text."""
    sizes: tuple[int, ...]
    """Numbers that a vector may be cut to, besides all of them."""


@dataclasses.dataclass(frozen=True)
class Family:
    """What differs from one family of models to the next."""

    name: str
    """As KerasHub and transformers spell it in module names and in `model_type`."""
    title: str
    """For readers."""
    start: str
    """Begins a row."""
    end: str
    """Ends a training row."""
    pad: str
    """Fills a row up."""
    unknown: str
    """What no other piece stands for; with byte fallback there is no such text."""
    stop: tuple[str, ...]
    """Tokens that end an answer."""
    media: tuple[MediumTokens, ...]
    """Of the media that models of the family read."""
    video: MediumTokens | None
    """Of videos: those of each frame, which stands behind its time of day in a text; None for no videos."""
    template: Chat | None
    """How its models chat, or None where the template is not in the graph."""
    unread: tuple[str, ...]
    """Placeholders that stand for no medium of `media`; they are left out of generated texts."""
    special_tokens: str
    """Regular expression of the special tokens among the user-defined symbols."""
    known_by: tuple[str, ...]
    """Special tokens that its vocabulary holds, and those of families of another vocabulary do not."""
    vocabulary_size: int
    """Pieces of the released vocabulary; one of its files may hold a few more."""
    image: ImageConfig | None
    """How its models take images, or None where only their text is read here."""
    audio: AudioConfig | None
    """The same of audio."""
    has_positions: bool = True
    """Whether its models take `position_ids`."""
    embedding: Embedding = Embedding(tasks=(), sizes=())
    """How its models embed, if they do."""
    row: tuple[tuple[str, Any], ...] = ()
    """Arguments of the preprocessor that differ from its defaults."""

    def tokens_of(self, medium: str) -> MediumTokens:
        """The tokens of the medium with that name.

        Raises:
            KeyError: the family has no such medium.
        """
        return {tokens.medium: tokens for tokens in self.tokens}[medium]

    @property
    def tokens(self) -> tuple[MediumTokens, ...]:
        """Those of all media, videos among them."""
        return (*self.media, self.video) if self.video else self.media

    @property
    def chat(self) -> Chat:
        """How its models chat.

        Raises:
            ValueError: its template is not in the graph.
        """
        if self.template is None:
            raise ValueError(
                f"`messages`: must be left out for {self.title}, of which no chat template is in the graph. "
                "Write the turns as text, in `prompts`."
            )
        return self.template

    def reads(self, medium: str) -> bool:
        """Whether items of the medium with that name are read here."""
        return {"image": self.image, "audio": self.audio, "video": self.video}.get(medium) is not None


GEMMA4 = Family(
    name="gemma4",
    title="Gemma 4",
    start="<bos>",
    end="<eos>",
    pad="<pad>",
    unknown="<unk>",
    stop=("<eos>", "<turn|>"),
    media=(
        MediumTokens("image", "<|image>", "<|image|>", "<image|>"),
        MediumTokens("audio", "<|audio>", "<|audio|>", "<audio|>"),
    ),
    video=MediumTokens("video", "<|image>", "<|video|>", "<image|>"),
    template=Chat(
        turn="<|turn>",
        turn_end="<turn|>",
        think="<|think|>",
        tool="<|tool>",
        tool_end="<tool|>",
        call="<|tool_call>",
        call_end="<tool_call|>",
        response="<|tool_response>",
        response_end="<tool_response|>",
        channel="<|channel>",
        channel_end="<channel|>",
        quote='<|"|>',
        empty_thought_variants=("large",),
    ),
    unread=("<|video|>",),
    special_tokens=r"<\|.+>|<.+\|>|<unused\d+>|<mask>|\[multimodal\]",
    known_by=("<|turn>", "<turn|>"),
    vocabulary_size=262_144,
    image=ImageConfig(),
    audio=AudioConfig(),
)
"""Source: tokenizer_config.json and vocabulary of the released models; `stop` also KerasHub's `generate`."""


_SEARCH, _DOCUMENT = "task: search result | query: ", "title: none | text: "
_CLASSIFICATION, _SIMILARITY = "task: classification | query: ", "task: sentence similarity | query: "
_CODE = "task: code retrieval | query: "

EMBEDDING_GEMMA2 = dataclasses.replace(
    GEMMA4,
    name="embedding_gemma2",
    title="EmbeddingGemma 2",
    has_positions=False,
    embedding=Embedding(
        tasks=(
            ("query", _SEARCH),
            ("document", _DOCUMENT),
            ("BitextMining", _SEARCH),
            ("Classification", _CLASSIFICATION),
            ("Clustering", "task: clustering | query: "),
            ("CodeRetrieval", _CODE),
            ("Document", _DOCUMENT),
            ("FactChecking", "task: fact checking | query: "),
            ("InstructionRetrieval", _CODE),
            ("MultilabelClassification", _CLASSIFICATION),
            ("PairClassification", _SIMILARITY),
            ("QuestionAnswering", "task: question answering | query: "),
            ("Reranking", _SEARCH),
            ("Retrieval", _SEARCH),
            ("Retrieval-document", _DOCUMENT),
            ("Retrieval-query", _SEARCH),
            ("STS", _SIMILARITY),
            ("SearchQuery", _SEARCH),
            ("SentenceSimilarity", _SIMILARITY),
            ("Summarization", _SIMILARITY),
        ),
        sizes=(512, 256, 128),
    ),
)
"""Source of the tasks: `config_sentence_transformers.json` of google/embeddinggemma-2; of the sizes, its
model card. The special tokens are Gemma 4's.
"""


_RAW_FRAMES = AudioConfig(features="waveform", stride=640, frame_length=640, frames_per_soft_token=1)

GEMMA4_UNIFIED = dataclasses.replace(
    GEMMA4,
    name="gemma4_unified",
    title="Gemma 4 unified",
    image=ImageConfig(patch_size=48, pooling_kernel_size=1),
    audio=_RAW_FRAMES,
    row=(
        ("parity", "transformers"),
        ("chat_variant", "large"),
        ("audio_input_feat_size", _RAW_FRAMES.frame_size),
    ),
)
"""Gemma 4 12B, which has no encoders. Source: transformers 5.24.0 (models/gemma4_unified).

It merges 3 × 3 patches of 16 pixels, row by row of pixels: that is a patch of 48 pixels, at the position that
the 9 would be pooled to. keras-hub has no such model, so rows are those of transformers.
"""
