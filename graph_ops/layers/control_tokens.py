"""Control tokens as attributes of a tokenizer, under KerasHub's names."""

from typing import Any, Self, overload

from graph_ops.text.vocabulary.vocabulary import Vocabulary


class TokenId:
    """The id of a control token; -1 with the flag off, or if the vocabulary has no such token.

    Args:
        name: the attribute that holds the token.
        flag: the attribute that says whether the tokenizer has such tokens.
    """

    def __init__(self, name: str, flag: str) -> None:
        self._name, self._flag = name, flag

    @overload
    def __get__(self, tokenizer: None, owner: type) -> Self: ...

    @overload
    def __get__(self, tokenizer: object, owner: type) -> int: ...

    def __get__(self, tokenizer: Any, owner: type) -> "int | Self":
        if tokenizer is None:
            return self
        vocabulary: Vocabulary = tokenizer.vocabulary
        found = vocabulary.find(getattr(tokenizer, self._name)) if getattr(tokenizer, self._flag) else None
        return -1 if found is None else found
