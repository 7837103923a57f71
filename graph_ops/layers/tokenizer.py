"""Strings <-> token ids, with SentencePiece's semantics."""

import base64
import functools
import os
from typing import Any, ClassVar

import keras
import tensorflow as tf

from graph_ops.family import GEMMA4
from graph_ops.layers.control_tokens import ControlTokens
from graph_ops.layers.engine_calls import EngineCalls
from graph_ops.layers.inputs.texts import as_texts
from graph_ops.layers.layer import PreprocessingLayer
from graph_ops.layers.process import check_process
from graph_ops.layers.token_methods import TokenMethods
from graph_ops.presets.catalogue import PRESETS, load_preset
from graph_ops.presets.files import read_vocabulary
from graph_ops.presets.keras_hub_settings import TOKENIZER_FLAGS, check_adds_nothing
from graph_ops.presets.saving import write_tokenizer
from graph_ops.shapes import with_shape
from graph_ops.text.bpe.cache import Report
from graph_ops.text.engines import make_engine
from graph_ops.text.ids import Ids
from graph_ops.text.reading import Reading
from graph_ops.text.tokens import TokenRows, is_valid_id
from graph_ops.text.vocabulary.vocabulary import Vocabulary


@keras.saving.register_keras_serializable(package="gemma4_graph")
class Gemma4Tokenizer(ControlTokens, TokenMethods, PreprocessingLayer):
    """Gemma 4's SentencePiece tokenizer as graph ops.

    Args:
        proto: path of a SentencePiece model file, of a Hugging Face `tokenizer.json` or of a preset folder
            that holds one of them, or the file's bytes.
        has_vision_tokens: whether `Gemma4CausalLMPreprocessor.generate_postprocess` leaves image tokens out.
        has_audio_tokens: the same for audio tokens; a preprocessor with an audio converter leaves them out
            anyway.
        has_video_tokens: the same for the video placeholder.
        engine: `"sentencepiece"`, tensorflow-text's ops, or `"builtin"`, core ops alone: slower for short
            texts and English, faster for most other languages; its exports are smaller, need no
            tensorflow-text and run in LiteRT. Both give the same ids and texts.
        report: told of the engine "builtin"'s tables while they are built, some ten seconds once for each
            vocabulary.
        dtype: an integer type for ids, or `"string"` for pieces.
        **kwargs: `name` and the like, for the Keras layer; KerasHub's `sequence_length`, `add_bos` and
            `add_eos`, which must be off.

    Called on a string [] it gives int32 [L]; on strings [B], a ragged int32 [B, (L)].

    ```python
    tokenizer = Gemma4Tokenizer("gemma4.spm")
    tokenizer("This is a test.")  # 2094 563 496 1594 236761
    ```

    Raises:
        ValueError: not a whole vocabulary, or one without `<bos>`, `<eos>` and `<pad>`, or one that the
            engine cannot reproduce.
        FileNotFoundError: no such file.
    """

    presets = PRESETS
    """The built-in presets by name, each a `Preset` with parameters and description."""
    without_effect: ClassVar[dict[str, Any]] = {
        "config_file": "tokenizer.json",
        "sequence_length": None,
        "add_bos": False,
        "add_eos": False,
    }

    def __init__(
        self,
        proto: "str | os.PathLike[str] | bytes | Vocabulary",
        has_vision_tokens: bool = True,
        has_audio_tokens: bool = False,
        has_video_tokens: bool = True,
        *,
        engine: str = "sentencepiece",
        report: Report = lambda _: None,
        dtype: Any = "int32",
        **kwargs: Any,
    ) -> None:
        check_process()
        check_adds_nothing(kwargs)
        super().__init__(dtype=dtype, **kwargs)
        if self.compute_dtype != "string" and "int" not in self.compute_dtype:
            raise ValueError(
                f"`dtype`: must be an integer type or 'string'; got {self.compute_dtype!r}. Leave it out "
                f"for int32."
            )
        self.has_vision_tokens = has_vision_tokens
        self.has_audio_tokens = has_audio_tokens
        self.has_video_tokens = has_video_tokens
        self.vocabulary = read_vocabulary(proto)
        self.start_token_id, self.end_token_id, self.pad_token_id = self.vocabulary.require(
            (GEMMA4.start, GEMMA4.end, GEMMA4.pad), needed_for="text"
        )
        self.engine_name = engine
        self.engine = make_engine(engine, self.vocabulary, report)
        self._calls = EngineCalls(self.engine)
        self._flat_with = functools.cache(self._traced_flat)
        self._decode_flat = tf.function(
            self.engine.decode,
            input_signature=[tf.TensorSpec([None], tf.int32), tf.TensorSpec([None], tf.int64)],
            autograph=False,
        )
        self._ids_of_pieces = _ids_of_pieces(self.vocabulary) if self._gives_pieces else None

    @property
    def proto(self) -> bytes:
        """The serialized SentencePiece model."""
        return self.vocabulary.proto

    def call(self, inputs: Any) -> tf.Tensor | tf.RaggedTensor:
        """Same as `tokenize`."""
        return self.tokenize(inputs)

    @tf.autograph.experimental.do_not_convert
    def tokenize(self, inputs: Any) -> tf.Tensor | tf.RaggedTensor:
        """Strings of any rank to ids, or with dtype "string" to pieces: one more, ragged dimension; a scalar
        gives [L].
        """
        check_process()
        texts = as_texts(inputs, "inputs", most_axes=None)
        ids = self._calls.encode(tf.reshape(texts, [-1]))
        values = self._as_dtype(ids.values)
        if texts.shape.rank == 0:
            return values
        rows = tf.RaggedTensor.from_row_splits(values, ids.row_splits, validate=False)
        return (
            rows
            if texts.shape.rank == 1
            else tf.RaggedTensor.from_tensor(texts, ragged_rank=texts.shape.rank - 1).with_flat_values(rows)
        )

    @tf.autograph.experimental.do_not_convert
    def detokenize(self, inputs: Any) -> tf.Tensor:
        """Ids int32 [B, (L)] or [L] to strings [B] or []. Control pieces vanish; bytes that are not UTF-8
        become U+FFFD. With dtype "string", pieces instead of ids.

        Raises:
            tf.errors.InvalidArgumentError: an id outside the vocabulary (its text is never invented).
        """
        check_process()
        ids = tf.ragged.map_flat_values(self._as_ids, self._as_tensor(inputs))
        flat = ids.flat_values if isinstance(ids, tf.RaggedTensor) else ids
        in_range = tf.debugging.Assert(
            tf.reduce_all(is_valid_id(flat, vocabulary_size=len(self.vocabulary))),
            [_OUT_OF_RANGE, len(self.vocabulary)],
        )
        with tf.control_dependencies([in_range] if in_range is not None else []):
            return self._decode(tf.identity(ids) if isinstance(ids, tf.Tensor) else ids)

    def tokenize_rows(self, texts: tf.Tensor, *, reading: Reading = Reading.TRAINED) -> TokenRows:
        """Strings [B] to padded ids.

        Args:
            texts: string [B], UTF-8; an invalid byte counts as U+FFFD.
            reading: how special tokens that are spelled in a text are read; by default as SentencePiece does.

        In a graph it is a function that is traced once for each reading, and that all graphs share.
        """
        ids = self.tokenize_flat(texts, reading=reading)
        rows = tf.RaggedTensor.from_row_splits(ids.values, ids.row_splits, validate=False)
        padded, lengths = rows.to_tensor(), tf.cast(rows.row_lengths(), tf.int32)
        return TokenRows(*(with_shape(part, [texts.shape[0], *part.shape[1:]]) for part in (padded, lengths)))

    def tokenize_flat(self, texts: tf.Tensor, *, reading: Reading = Reading.TRAINED) -> Ids:
        """Strings [B] to the ids of all, one text after the other; see `tokenize_rows`."""
        if tf.executing_eagerly():
            return self._calls.encode(texts, reading=reading, in_bulk=True)
        return self._flat_with(reading)(texts)

    def _traced_flat(self, reading: Reading) -> Any:
        return tf.function(
            functools.partial(self.engine.encode, reading=reading, in_bulk=True),
            input_signature=[tf.TensorSpec([None], tf.string)],
            autograph=False,
        )

    def detokenize_rows(self, token_ids: tf.Tensor, keep: tf.Tensor) -> tf.Tensor:
        """The text of the kept ids of each row: string [B], from ids int32 [B, L] in range and `keep` bool
        [B, L].
        """
        lengths = tf.reduce_sum(tf.cast(keep, tf.int64), axis=1)
        texts = self.detokenize_flat(tf.boolean_mask(token_ids, keep), lengths)
        return with_shape(texts, token_ids.shape[:1])

    def detokenize_flat(self, token_ids: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Strings [B] of ids int32 [N] in range, of which int64 [B] belong to each text.

        In a graph it is a function that is traced once, and that all graphs share.
        """
        decode = self._calls.decode if tf.executing_eagerly() else self._decode_flat
        return decode(token_ids, tf.concat([[0], tf.cumsum(lengths)], axis=0))

    def models(self) -> list[tf.Module]:
        """The tracked SentencePiece models that calls so far have used; what a SavedModel must hold."""
        return self.engine.models()

    def vocabulary_size(self) -> int:
        """Number of ids."""
        return len(self.vocabulary)

    def get_vocabulary(self) -> list[str]:
        """The piece of each id."""
        return list(self.vocabulary.pieces)

    def id_to_token(self, id: int) -> str:
        """The piece of an id."""
        if not 0 <= id < len(self.vocabulary):
            raise ValueError(f"`id`: must be in [0, {len(self.vocabulary)}); got {id}.")
        return self.vocabulary.pieces[id]

    def token_to_id(self, token: str) -> int:
        """The id of a piece; that of `<unk>` for a string that is no piece, as in SentencePiece."""
        found = self.vocabulary.find(token)
        return self.vocabulary.find("<unk>") or 0 if found is None else found

    def get_config(self) -> dict[str, Any]:
        """Everything needed to make this tokenizer again; the vocabulary as base64."""
        flags = {name: getattr(self, name) for name in TOKENIZER_FLAGS}
        proto = base64.b64encode(self.proto).decode("ascii")
        return {**super().get_config(), **flags, "proto": proto, "engine": self.engine_name}

    @classmethod
    def from_preset(cls, preset: "str | os.PathLike[str]", **kwargs: Any) -> "Gemma4Tokenizer":
        """The tokenizer of a preset; see `Gemma4CausalLMPreprocessor.from_preset`."""
        settings = cls._load_preset(preset)
        return cls(
            settings.checked_vocabulary(kwargs.pop("vocabulary_sha256", None)),
            **{**settings.tokenizer, **kwargs},
        )

    def save_to_preset(self, preset_dir: "str | os.PathLike[str]") -> None:
        """Writes the files that this tokenizer has in a preset folder of KerasHub's layout."""
        write_tokenizer(self, preset_dir)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Gemma4Tokenizer":
        """The inverse of `get_config`."""
        return cls(**{**config, "proto": base64.b64decode(config["proto"])})

    _load_preset = staticmethod(load_preset)

    @property
    def _gives_pieces(self) -> bool:
        return self.compute_dtype == "string"

    def _as_dtype(self, ids: tf.Tensor) -> tf.Tensor:
        if self._gives_pieces:
            return tf.gather(tf.constant(self.vocabulary.pieces), ids)
        return tf.cast(ids, self.compute_dtype)

    def _as_tensor(self, inputs: Any) -> tf.Tensor | tf.RaggedTensor:
        """Ids or pieces as a tensor, ragged for lists of several lengths."""
        if isinstance(inputs, tf.RaggedTensor) or hasattr(inputs, "dtype"):
            return inputs if isinstance(inputs, tf.RaggedTensor) else tf.convert_to_tensor(inputs)
        if isinstance(inputs, list) and _is_ragged(inputs):
            return tf.ragged.constant(inputs)
        return tf.convert_to_tensor(inputs, dtype_hint=tf.string if self._gives_pieces else tf.int32)

    def _as_ids(self, values: tf.Tensor) -> tf.Tensor:
        """Int32 ids of ids of any integer type, or of pieces; -1 for a string that is no piece."""
        if self._ids_of_pieces is not None:
            return self._ids_of_pieces.lookup(values)
        if values.dtype == tf.int64:  # a cast alone would make another id of one that is too large
            values = tf.clip_by_value(values, -1, len(self.vocabulary))
        return tf.cast(values, tf.int32)

    def _decode(self, ids: tf.Tensor | tf.RaggedTensor) -> tf.Tensor | tf.RaggedTensor:
        if isinstance(ids, tf.RaggedTensor):
            inner = isinstance(ids.values, tf.RaggedTensor) or ids.values.shape.rank > 1
            return (
                ids.with_values(self._decode(ids.values))
                if inner
                else self._calls.decode(ids.values, ids.row_splits)
            )
        if ids.shape.rank == 1:
            return self._calls.decode(ids, tf.stack([0, tf.size(ids, tf.int64)]))[0]
        return self._decode(tf.RaggedTensor.from_tensor(ids, ragged_rank=ids.shape.rank - 1))


_OUT_OF_RANGE = (
    "`token_ids`: an id must be in [0, vocabulary size); pass ids of this vocabulary. Vocabulary size:"
)


def _is_ragged(rows: list[Any]) -> bool:
    return bool(rows) and isinstance(rows[0], list) and len({len(row) for row in rows}) > 1


def _ids_of_pieces(vocabulary: Vocabulary) -> tf.lookup.StaticHashTable:
    """String to int32, -1 for no piece."""
    ids = tf.range(len(vocabulary), dtype=tf.int32)
    return tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(tf.constant(vocabulary.pieces), ids), -1
    )
