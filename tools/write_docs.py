"""`python -m tools.write_docs`: writes the tables of docs/ that are made from the code: features, signatures,
settings, statuses, presets, the file guide.

Each stands between `<!-- table NAME, written by tools/write_docs.py -->` and `<!-- end -->`; a test compares
them.
"""

import ast
import dataclasses
import os
import pathlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

ROOT = pathlib.Path(__file__).parents[1]
PACKAGES = ("graph_ops", "export")
BLOCK = re.compile(
    r"(?P<open><!-- table (?P<name>[\w-]+), written by tools/write_docs.py -->\n).*?(?=<!-- end -->)",
    re.DOTALL,
)


def pages() -> list[pathlib.Path]:
    """Every page of the documentation, the README first."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def written(page: str) -> str:
    """A page with its tables made anew."""
    return BLOCK.sub(lambda match: f"{match['open']}{TABLES[match['name']]()}\n", page)


def markdown_table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    header = list(header)
    cells = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *cells))


def features() -> str:
    """Every named tensor, and what the letters of its shape say."""
    from graph_ops.features import DIMS, FEATURES

    header = ("feature", "dtype", "shape", "padding", "meaning")
    rows = (
        (
            _code(feature.name),
            feature.dtype.name,
            f"[{', '.join(map(str, feature.dims))}]",
            feature.padding,
            feature.meaning,
        )
        for feature in FEATURES
    )
    dims = markdown_table(("letter", "number of"), DIMS.items())
    return f"{markdown_table(header, rows)}\n\n{dims}"


def served_signatures() -> str:
    """The signatures of a SavedModel, then their inputs."""
    from export.saved_model.signatures import signatures

    return _signatures(signatures(_settings()))


def device_signatures() -> str:
    """The signatures of a LiteRT bundle with sizes that vary, then their inputs."""
    from export.litert import signatures

    return _signatures(signatures.device_signatures(_settings()))


def statuses() -> str:
    """What can be wrong with a row: code, name, sentence."""
    from graph_ops.faults import SENTENCES

    rows = ((str(int(fault)), fault.name, sentence) for fault, sentence in SENTENCES.items())
    return markdown_table(
        ("code", "name", "sentence; {0} and {1} are the two numbers of `status_detail`"), rows
    )


def row_settings() -> str:
    """Fields of `RowConfig`, which are arguments of the preprocessor."""
    return _fields("RowConfig")


def image_settings() -> str:
    """Fields of `ImageConfig`, which are arguments of the image converter."""
    return _fields("ImageConfig")


def audio_settings() -> str:
    """Fields of `AudioConfig`, which are arguments of the audio converter."""
    return _fields("AudioConfig")


def imports() -> str:
    """Which part of `graph_ops` may import which others, as `tests/house/test_imports.py` has it."""
    from tests.house.test_imports import MAY_IMPORT

    order = list(MAY_IMPORT)
    rows = (
        (_code(part), ", ".join(_code(other) for other in sorted(others, key=order.index)))
        for part, others in MAY_IMPORT.items()
    )
    return markdown_table(("part", "may import"), rows)


def steps() -> str:
    """Which step runs on which target, as `tests/everywhere.py` runs it."""
    from tests.everywhere import matrix

    return markdown_table(
        ("step", "TensorFlow", "LiteRT"), ((_code(name), *cells) for name, *cells in matrix())
    )


def presets() -> str:
    """The built-in presets."""
    from graph_ops.presets.catalogue import PRESETS
    from graph_ops.presets.embedding import EMBEDDING_PRESETS
    from graph_ops.presets.gemma3 import GEMMA3_PRESETS

    rows = (
        (_code(name), f"{preset.parameters / 1e9:.1f} B", ", ".join(preset.modalities), preset.description)
        for name, preset in (PRESETS | EMBEDDING_PRESETS | GEMMA3_PRESETS).items()
    )
    return markdown_table(("preset", "parameters", "reads", "description"), rows)


def file_guide() -> str:
    """Every module with the first sentences of its docstring, folder by folder."""
    rows = []
    for module in modules():
        summary = (_docstring(module) or "").split("\n\n")[0].replace("\n", " ")
        rows.append((_code(str(module.relative_to(ROOT))), summary))
    return markdown_table(("module", "what it holds"), rows)


def modules() -> list[pathlib.Path]:
    """Every module of the two packages: folders in the order of their names, a folder's own files first."""
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    order = {package: place for place, package in enumerate(PACKAGES)}
    named = [path for path in found if path.name != "__init__.py"]
    return sorted(
        named,
        key=lambda path: (order[path.relative_to(ROOT).parts[0]], path.parent.parts, path.name),
    )


TABLES: Mapping[str, Callable[[], str]] = {
    "features": features,
    "saved-model-signatures": served_signatures,
    "device-signatures": device_signatures,
    "statuses": statuses,
    "row-settings": row_settings,
    "image-settings": image_settings,
    "audio-settings": audio_settings,
    "presets": presets,
    "imports": imports,
    "steps": steps,
    "file-guide": file_guide,
}


def main() -> None:
    """Rewrites the pages, and names those that changed."""
    for page in pages():
        before = page.read_text(encoding="utf-8")
        if (after := written(before)) != before:
            page.write_text(after, encoding="utf-8")
            print(f"wrote {page.relative_to(ROOT)}")


def _settings() -> Any:
    from export.verify.samples import demonstration_file
    from graph_ops import (
        Gemma4AudioConverter,
        Gemma4CausalLMPreprocessor,
        Gemma4ImageConverter,
        Gemma4Tokenizer,
    )

    return Gemma4CausalLMPreprocessor(
        Gemma4Tokenizer(demonstration_file("demonstration.spm"), engine="builtin"),
        Gemma4ImageConverter(),
        Gemma4AudioConverter(),
    ).settings


def _signatures(table: Mapping[str, Any]) -> str:
    rows = (
        (_code(name), _codes(signature.inputs), _output_list(signature.outputs), signature.meaning)
        for name, signature in table.items()
    )
    inputs = {
        (name, given.dtype.name, _shape(given.shape), given.meaning): None
        for signature in table.values()
        for name, given in signature.inputs.items()
    }
    return "\n\n".join(
        (
            markdown_table(("signature", "inputs", "outputs", "what it does"), rows),
            markdown_table(
                ("input", "dtype", "shape", "meaning"), ((_code(n), *rest) for n, *rest in inputs)
            ),
        )
    )


def _output_list(outputs: Iterable[str]) -> str:
    """The outputs, a whole group of features by its name."""
    from graph_ops.features import FEATURES

    groups: dict[str, list[str]] = {}
    for feature in FEATURES:
        groups.setdefault(feature.group, []).append(feature.name)
    left = list(outputs)
    shown = []
    for group, names in groups.items():
        if group != "labels" and set(names) <= set(left):
            shown.append(f"{group} features")
            left = [name for name in left if name not in names]
    return ", ".join((*shown, *map(_code, left)))


def _fields(name: str) -> str:
    """Field, default and docstring of a dataclass of `graph_ops.config`."""
    from graph_ops import config

    (definition,) = (
        node
        for node in ast.parse((ROOT / "graph_ops" / "config.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name == name
    )
    meanings = {
        assigned.target.id: " ".join(ast.literal_eval(text.value).split())
        for assigned, text in zip(definition.body, definition.body[1:], strict=False)
        if isinstance(assigned, ast.AnnAssign) and isinstance(text, ast.Expr)
    }
    rows = (
        (_code(field.name), _code(_default(field.default)), meanings[field.name])
        for field in dataclasses.fields(getattr(config, name))
    )
    return markdown_table(("setting", "default", "meaning"), rows)


def _default(value: Any) -> str:
    return "1 / 255" if value == 1 / 255 else repr(value)


def _docstring(path: pathlib.Path) -> str | None:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def _code(text: str) -> str:
    return f"`{text}`"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(map(_code, names))


def _shape(shape: Iterable[int | None]) -> str:
    return f"[{', '.join('?' if size is None else str(size) for size in shape)}]"


if __name__ == "__main__":
    main()
