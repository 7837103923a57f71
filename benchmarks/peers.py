"""Other tokenizers with the same vocabulary: those that are installed and give SentencePiece's ids."""

import lzma
import pathlib
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import sentencepiece
import tokenizers

Encode = Callable[[list[str]], Any]
"""Texts to ids, in whatever form."""


def huggingface_tokenizer(vocabulary: pathlib.Path) -> tokenizers.Tokenizer | None:
    """`tokenizers` with the same vocabulary, if its tokenizer.json lies beside."""
    packed = vocabulary.with_name("tokenizer.json.xz")
    return (
        tokenizers.Tokenizer.from_str(lzma.decompress(packed.read_bytes()).decode())
        if packed.is_file()
        else None
    )


def peers(vocabulary: pathlib.Path, sample: Sequence[str]) -> tuple[dict[str, Encode], list[str]]:
    """Tokenizers by name, and the names of those that are left out since they are not installed, cannot read
    the vocabulary, or differ on the sample.
    """
    processor = sentencepiece.SentencePieceProcessor(model_file=str(vocabulary))
    found: dict[str, Encode] = {"sentencepiece": processor.encode}
    left_out, wanted = [], processor.encode(list(sample))
    for name, make in _MAKERS.items():
        try:
            encode = make(vocabulary)
            is_equal = [list(row) for row in encode(list(sample))] == wanted
        except Exception as error:  # whatever a peer raises
            left_out.append(f"{name} ({type(error).__name__})")
            continue
        if is_equal:
            found[name] = encode
        else:
            left_out.append(f"{name} (other ids)")
    return found, left_out


def _tokenizers(vocabulary: pathlib.Path) -> Encode:
    tokenizer = huggingface_tokenizer(vocabulary)
    if tokenizer is None:
        raise FileNotFoundError(vocabulary.with_name("tokenizer.json.xz"))
    return lambda texts: [each.ids for each in tokenizer.encode_batch(texts, add_special_tokens=False)]


def _kitoken(vocabulary: pathlib.Path) -> Encode:
    import kitoken

    tokenizer = kitoken.Kitoken.from_file(str(vocabulary))
    return lambda texts: tokenizer.encode_all(texts, False)


def _fastokens(vocabulary: pathlib.Path) -> Encode:
    import fastokens

    tokenizer = fastokens.Tokenizer.from_json_str(_json_text(vocabulary))
    return lambda texts: [list(each) for each in tokenizer.encode_batch(texts)]


def _splintr(vocabulary: pathlib.Path) -> Encode:
    import splintr

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "tokenizer.json")
        path.write_text(_json_text(vocabulary))
        tokenizer = splintr.from_json(str(path))
    return lambda texts: [row[1:] for row in tokenizer.encode_batch(texts)]  # without the start token


def _json_text(vocabulary: pathlib.Path) -> str:
    """The tokenizer.json beside a vocabulary."""
    return lzma.decompress(vocabulary.with_name("tokenizer.json.xz").read_bytes()).decode()


_MAKERS: dict[str, Callable[[pathlib.Path], Encode]] = {
    "tokenizers": _tokenizers,
    "kitoken": _kitoken,
    "fastokens": _fastokens,
    "splintr": _splintr,
}
