"""Small vocabularies, made on the spot: what a property about all vocabularies is tried on."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from graph_ops.text.vocabulary.sentencepiece_model import MODEL_TYPE_BPE, new_model
from graph_ops.text.vocabulary.vocabulary import PieceType, load_vocabulary

REPEATABLE = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
"""The same examples in every run, on any machine, however long each takes."""


def small_vocabulary(normal, user_defined=()):
    """A `Vocabulary` of these pieces, the best first, with the four control pieces and all bytes."""
    model = new_model()
    model.trainer_spec.model_type, model.trainer_spec.byte_fallback = MODEL_TYPE_BPE, True
    model.normalizer_spec.add_dummy_prefix = model.normalizer_spec.remove_extra_whitespaces = False
    kinds = [
        *((name, PieceType.CONTROL) for name in ("<pad>", "<eos>", "<bos>")),
        ("<unk>", PieceType.UNKNOWN),
        *((piece, PieceType.USER_DEFINED) for piece in user_defined),
        *((f"<0x{byte:02X}>", PieceType.BYTE) for byte in range(256)),
        *((piece, PieceType.NORMAL) for piece in normal),
    ]
    for place, (piece, kind) in enumerate(kinds):
        score = -float(place) if kind == PieceType.NORMAL else 0.0
        model.pieces.add(piece=piece.encode(), type=kind, score=score)
    model.trainer_spec.vocab_size = len(model.pieces)
    return load_vocabulary(model.SerializeToString())


CHARACTER_MAP = (1024).to_bytes(4, "little") + bytes(1024) + b"\0"
"""A `precompiled_charsmap` as SentencePiece lays it out: a size, a trie, texts."""


def without_bytes(model):
    """Makes a model one without byte fallback, of which the bytes' pieces are ordinary ones."""
    model.trainer_spec.byte_fallback = False
    for entry in model.pieces:
        entry.type = PieceType.NORMAL if entry.type == PieceType.BYTE else entry.type


def words(alphabet, least, most):
    """Strings over an alphabet."""
    return st.text(alphabet, min_size=least, max_size=most)


@st.composite
def vocabularies(draw, alphabet="ab\u2581"):
    """Vocabularies over an alphabet: all its letters, longer pieces in any order, user-defined symbols."""
    pieces = draw(st.lists(words(alphabet, 2, 6), max_size=30, unique=True))
    user_defined = draw(st.lists(words(alphabet, 1, 4), max_size=3, unique=True))
    normal = [piece for piece in [*pieces, *alphabet] if piece not in user_defined]
    return small_vocabulary(normal, user_defined)
