"""Two ways to the same ids: tensorflow-text's SentencePiece op, or core ops alone."""

from graph_ops.text.bpe.cache import Report
from graph_ops.text.bpe.engine import BuiltinEngine
from graph_ops.text.sentencepiece.engine import SentencepieceEngine
from graph_ops.text.vocabulary.vocabulary import Vocabulary

ENGINES = ("sentencepiece", "builtin")

Engine = SentencepieceEngine | BuiltinEngine
"""Both are `tf.Module`s with `encode` and `decode` on a flat batch, `prepare`, and the attributes
`vocabulary` and `has_few_ops`.
"""


def make_engine(name: str, vocabulary: Vocabulary, report: Report = lambda _: None) -> Engine:
    """The engine of that name; `report` is told of tables that are being built.

    Raises:
        ValueError: there is none, or it cannot reproduce the vocabulary.
    """
    if name not in ENGINES:
        raise ValueError(
            f"`engine`: must be one of {ENGINES}; got {name!r}. Leave it out for the fastest in TensorFlow."
        )
    return SentencepieceEngine(vocabulary) if name == "sentencepiece" else BuiltinEngine(vocabulary, report)
