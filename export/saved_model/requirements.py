"""What a SavedModel asks of a TensorFlow: read from saved_model.pb, which is not loaded."""

import os
import pathlib

from export.artifact import OpUse, Requirements
from export.saved_model.op_audit import SENTENCEPIECE_OPS, count_ops
from export.tensorflow_formats import SavedModel


def read_requirements(folder: "str | os.PathLike[str]") -> Requirements:
    """Versions and ops of the export DIR/N.

    `producer` is the version of GraphDef that wrote it; a TensorFlow that reads GraphDefs of `min_consumer`
    or later accepts it, and may still lack an op. TensorFlow's ops have no versions.

    Raises:
        FileNotFoundError: there is no saved_model.pb.
    """
    saved = SavedModel.FromString(pathlib.Path(folder, "saved_model.pb").read_bytes())
    graph, info = saved.meta_graphs[0].graph_def, saved.meta_graphs[0].meta_info_def
    counts = count_ops([graph])
    facts: dict[str, str | int] = {
        "tensorflow_version": info.tensorflow_version,
        "producer": graph.versions.producer,
        "min_consumer": graph.versions.min_consumer,
        "saved_model_schema_version": saved.saved_model_schema_version,
    }
    ops = [OpUse(name, None, count) for name, count in sorted(counts.items())]
    return Requirements(facts, ops, [op.name for op in ops if op.name in SENTENCEPIECE_OPS])
