"""What a server answered, with what it says of each row."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gemma4_client.errors import RowError
from gemma4_client.tensor import Tensor
from gemma4_client.wire import from_proto

STATUS = "status"
"""The output that says what is wrong with a row, and what to do; "" for a good row."""
AVAILABLE = 30
_STATES = {0: "UNKNOWN", 10: "START", 20: "LOADING", AVAILABLE: "AVAILABLE", 40: "UNLOADING", 50: "END"}
"""Of get_model_status.proto."""


class Version(NamedTuple):
    """A version of the model: its number, its state such as AVAILABLE, and why it did not load, or ""."""

    version: int
    state: str
    error: str


class Answer(NamedTuple):
    """What a signature gave.

    Attributes:
        outputs: its tensors by name.
        statuses: one a row, "" for a good one; () of a signature without them. A row with a fault is padding.
        version: the version of the model that answered.
    """

    outputs: Mapping[str, Tensor]
    statuses: tuple[str, ...]
    version: int

    @property
    def faults(self) -> dict[int, str]:
        """Row -> what is wrong with it, of those that are not good."""
        return {row: status for row, status in enumerate(self.statuses) if status}

    def checked(self) -> "Answer":
        """The answer itself.

        Raises:
            RowError: a row is not good.
        """
        check(self.statuses)
        return self


class Tokens(NamedTuple):
    """Ids of each row."""

    token_ids: list[list[int]]


class Texts(NamedTuple):
    """The text of each row, and its status, "" for a good one."""

    texts: list[str]
    statuses: tuple[str, ...]

    def checked(self) -> list[str]:
        """The texts.

        Raises:
            RowError: a row is not good.
        """
        check(self.statuses)
        return self.texts


class Counts(NamedTuple):
    """Of each row its tokens, whether they fit whole, and its status, "" for a good one."""

    num_tokens: list[int]
    fits: list[bool]
    statuses: tuple[str, ...]

    def checked(self) -> list[int]:
        """The numbers of tokens.

        Raises:
            RowError: a row is not good.
        """
        check(self.statuses)
        return self.num_tokens


def check(statuses: tuple[str, ...]) -> None:
    """Raises RowError unless all rows are good."""
    if any(statuses):
        raise RowError(statuses)


def read_answer(response: Any) -> Answer:
    """A PredictResponse."""
    outputs = {name: from_proto(name, proto) for name, proto in sorted(response.outputs.items())}
    statuses = tuple(outputs[STATUS].texts()) if STATUS in outputs else ()
    return Answer(outputs, statuses, response.model_spec.version.value)


def read_tokens(answer: Answer) -> Tokens:
    """Of `tokenize`."""
    rows = zip(answer.outputs["token_ids"].tolist(), answer.outputs["lengths"].tolist(), strict=True)
    return Tokens([ids[:length] for ids, length in rows])


def read_texts(answer: Answer) -> Texts:
    """Of `detokenize` and `generate_postprocess`."""
    return Texts(answer.outputs["text"].texts(), answer.statuses)


def read_counts(answer: Answer) -> Counts:
    """Of `count_tokens`."""
    outputs = answer.outputs
    return Counts(outputs["num_tokens"].tolist(), outputs["fits"].tolist(), answer.statuses)


def read_versions(response: Any) -> list[Version]:
    """A GetModelStatusResponse."""
    return [
        Version(each.version, _STATES.get(each.state, str(each.state)), each.status.error_message)
        for each in response.model_version_status
    ]
