"""`parse_response` of a preprocessor: what a model answered, taken apart."""

from typing import Any, NamedTuple

import tensorflow as tf

from graph_ops.chat.answers import FINISH_REASONS, Answers
from graph_ops.family import Family
from graph_ops.faults import raise_findings
from graph_ops.layers.inputs.ids import as_rows
from graph_ops.layers.inputs.texts import as_texts
from graph_ops.layers.process import check_process
from graph_ops.pipeline.answers import Parsed, parse_ids, parse_texts
from graph_ops.settings import Settings


class ParsedResponse(NamedTuple):
    """An answer taken apart.

    Attributes:
        thought: what the model thought; "" for nothing.
        content: what it says.
        calls: of tools, as native text such as `call:f{a:1}`, which `parse_calls` reads.
        finish_reason: "stop", "tool_calls" (it waits for what a tool answers) or "length" (it was cut).
    """

    thought: str
    content: str
    calls: list[str]
    finish_reason: str


class AnswerParsing:
    """A method of a preprocessor, of which it is a part."""

    @tf.autograph.experimental.do_not_convert
    def parse_response(self, x: Any, *, in_thought: bool = False) -> "ParsedResponse | list[ParsedResponse]":
        """What is in an answer, whole or cut.

        ```python
        answer = preprocessor.parse_response(generated_ids)
        calls = parse_calls(answer.calls)
        ```

        Args:
            x: ids int32 [L], or [B, (L)], that the model emitted, the one that ended the answer included: its
                markers are told by their ids, and what ordinary pieces spell is text. Or a string, or
                strings [B], where whatever spells a marker is one: take ids where users' words may come back.
            in_thought: whether the prompt ended inside a thought, as it does with thinking on behind what a
                tool answered.

        Returns:
            A `ParsedResponse`, or a list of them.

        Raises:
            ValueError: an id outside the vocabulary, a vocabulary without the markers, or a call with a
                `<|"|>` that is not the token.
        """
        check_process()
        layer: Any = self
        settings: Settings = layer.settings
        if _is_text(x):
            texts = as_texts(x, "x")
            single, flat = texts.shape.rank == 0, tf.reshape(texts, [-1])
            given = {"texts": flat, "in_thought": tf.fill(tf.shape(flat), in_thought)}
            answers = layer._traces.run(_of_texts, given, family=settings.family)
        else:
            single, rows = as_rows(x)
            lengths = tf.cast(rows.row_lengths(), tf.int32)
            given = {"token_ids": rows.to_tensor(), "lengths": lengths}
            given["in_thought"] = tf.fill(tf.shape(lengths), in_thought)
            answers, finding = layer._traces.run(_of_ids, given, settings=settings)
            raise_findings(finding, "row")
        parts = [part.numpy().tolist() for part in answers]
        found = [
            ParsedResponse(
                thought.decode(),
                content.decode(),
                [call.decode() for call in calls if call],
                FINISH_REASONS[reason],
            )
            for thought, content, calls, reason in zip(*parts, strict=True)
        ]
        return found[0] if single else found


def _of_texts(given: dict[str, tf.Tensor], *, family: Family) -> Answers:
    return parse_texts(given["texts"], given["in_thought"], family=family)


def _of_ids(given: dict[str, tf.Tensor], *, settings: Settings) -> Parsed:
    return parse_ids(given["token_ids"], given["lengths"], given["in_thought"], settings)


def _is_text(x: Any) -> bool:
    """Whether it is a string, or strings in a list, an array or a tensor."""
    if hasattr(x, "dtype"):
        return x.dtype == tf.string or getattr(x.dtype, "kind", None) in ("O", "S", "U")
    first = x[0] if isinstance(x, list | tuple) and x else x
    return isinstance(first, str | bytes)
