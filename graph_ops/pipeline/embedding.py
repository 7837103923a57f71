"""From texts and their media to the rows of a model that embeds, and from its vectors to those that are asked
for.

    texts, tasks ─► task's prefix + text ─► `<bos>` text `<eos>` ─► the model ─► vectors, cut, of length 1

A row is that of a training row without response: each item takes the soft tokens that it has.
"""

from collections.abc import Mapping

import tensorflow as tf

from graph_ops.family import Embedding
from graph_ops.faults import Fault, Finding, check, first_finding, status_messages
from graph_ops.media.features import item_features
from graph_ops.media.slots import MediumBatch, no_slots
from graph_ops.pipeline.served import encode_media
from graph_ops.rows.encode import EncodedRows, MediumPlaces, RowMedium, encode_rows
from graph_ops.rows.placeholders import count_ids, first_of
from graph_ops.settings import Configured, Settings
from graph_ops.text.reading import Reading
from graph_ops.text.tokens import TokenRows

Tensors = dict[str, tf.Tensor]

_LEAST_SQUARE = 1e-12  # of a vector that is divided by its length; Keras' `UnitNormalization` has the same


def encode_embedding(
    inputs: Tensors, settings: Settings, *, reading: Reading, sequence_length: int, served: bool
) -> tuple[Tensors, Finding]:
    """Strings and media to the tensors of a model that embeds.

    Args:
        inputs: `texts` string [B]; `tasks` string [B], "" for none (without it, none); of each medium its
            files string [B, 1], or its arrays [B, 1, …] with their sizes.
        settings: what the graph is built from; its family embeds.
        reading: how special tokens that are spelled in a text are read.
        sequence_length: tokens in a row.
        served: whether every medium has one slot and as many indices and frames as an item may have;
            otherwise they are as wide as the batch's longest item needs, as KerasHub's are.

    Returns:
        Features by name (`token_ids`, `padding_mask` and those of the media given), and what is wrong with
        each row. A faulty row is padding.
    """
    prefixes, finding = _prefixes(inputs, settings)
    media, excess = encode_media(inputs, settings, inputs["texts"], served=served)
    with tf.name_scope("text"):
        texts = tf.strings.join([prefixes, inputs["texts"]])
        rows = settings.tokenizer.tokenize_rows(texts, reading=reading)
    finding = first_finding(finding, _unread_finding(rows, settings))
    finding = first_finding(excess, finding) if excess else finding
    with tf.name_scope("rows"):
        encoded = encode_rows(
            rows,
            None,
            [_row_medium(each, media, rows, settings, served=served) for each in settings.media],
            ids=settings.ids,
            sequence_length=sequence_length,
            labelled=False,
            add_start_token=True,
            add_end_token=True,
            also=finding,
        )
    return _features(media, encoded, settings, served=served), encoded.finding


def default_texts(texts: tf.Tensor, present: Mapping[str, tf.Tensor], settings: Settings) -> tf.Tensor:
    """Texts string [B], with the placeholders of a row's media, joined by a space, in place of an empty one.

    Args:
        texts: string [B].
        present: whether a row has an item of a medium, bool [B], by the medium's name.
        settings: gives the placeholders.
    """
    default = tf.zeros_like(texts)
    for each in settings.media:
        if each.medium.name in present:
            gap = tf.where(tf.equal(default, ""), "", " ")
            placeholder = settings.family.tokens_of(each.medium.name).placeholder
            added = tf.strings.join([default, gap, tf.fill(tf.shape(texts), placeholder)])
            default = tf.where(present[each.medium.name], added, default)
    return tf.where(tf.equal(texts, ""), default, texts)


def cut_vectors(vectors: tf.Tensor, sizes: tf.Tensor, *, embedding: Embedding) -> tuple[tf.Tensor, Finding]:
    """Vectors cut to their first numbers and brought to length 1.

    Args:
        vectors: float32 [B, D].
        sizes: int32 [B], numbers that are kept of each; 0 for all.
        embedding: says to which sizes a vector may be cut.

    Returns:
        Float32 [B, D], 0 beyond the cut, and EMBEDDING_SIZE for a row of another size than these.
    """
    whole = vectors.shape[1]
    allowed = [0, whole, *(size for size in embedding.sizes if size < whole)]
    known = tf.reduce_any(tf.equal(sizes[:, tf.newaxis], allowed), axis=1)
    finding = check(~known, Fault.EMBEDDING_SIZE, sizes, whole)
    kept = tf.where(tf.equal(sizes, 0), whole, sizes)
    cut = tf.where(tf.range(whole) < kept[:, tf.newaxis], vectors, 0.0)
    square = tf.reduce_sum(tf.square(cut), axis=1, keepdims=True)
    return cut * tf.math.rsqrt(tf.maximum(square, _LEAST_SQUARE)), finding


def text_messages(finding: Finding) -> tf.Tensor:
    """The sentence of each row's fault, string [B], which calls the rows' texts `texts`."""
    return tf.strings.regex_replace(status_messages(finding), "^`prompts`", "`texts`")


def _prefixes(inputs: Tensors, settings: Settings) -> tuple[tf.Tensor, Finding]:
    """What stands before each text, string [B], and EMBEDDING_TASK for the name of no task."""
    texts = inputs["texts"]
    if "tasks" not in inputs:
        return tf.zeros_like(texts), Finding.none(texts)
    tasks = inputs["tasks"]
    table = {"": "", **dict(settings.family.embedding.tasks)}
    is_task = tf.equal(tasks[:, tf.newaxis], list(table))
    prefixes = tf.gather(list(table.values()), tf.argmax(is_task, axis=1))
    unknown = ~tf.reduce_any(is_task, axis=1)
    return prefixes, check(unknown, Fault.EMBEDDING_TASK, tf.strings.length(tasks), 0)


def _unread_finding(rows: TokenRows, settings: Settings) -> Finding:
    """MEDIUM_NOT_READ for rows with the placeholder of a medium that is not taken."""
    family, read = settings.family, [each.medium.name for each in settings.media]
    names = [tokens.placeholder for tokens in family.media if tokens.medium not in read]
    found = (settings.tokenizer.vocabulary.find(name) for name in (*names, *family.unread))
    ids = [index for index in found if index is not None]
    if not ids:
        return Finding.none(rows.lengths)
    count = tf.add_n([count_ids(*rows, wanted=index) for index in ids])
    return check(count > 0, Fault.MEDIUM_NOT_READ, count, first_of(*rows, wanted=ids))


def _row_medium(
    each: Configured, media: Mapping[str, MediumBatch], rows: TokenRows, settings: Settings, *, served: bool
) -> RowMedium:
    batch = media.get(each.medium.name)
    return RowMedium(
        each.ids,
        batch.slots if batch else no_slots(rows.lengths),
        fixed=None,
        block=each.config.max_soft_tokens if served else None,
        count_fault=each.medium.count_fault,
    )


def _features(
    media: Mapping[str, MediumBatch], encoded: EncodedRows, settings: Settings, *, served: bool
) -> Tensors:
    features: Tensors = {
        "token_ids": encoded.rows.token_ids,
        "padding_mask": encoded.rows.padding_mask,
    }
    for each, places in zip(settings.media, encoded.places, strict=True):
        if batch := media.get(each.medium.name):
            entries = None if served else _longest(each, batch)
            features |= item_features(batch, encoded.finding, medium=each.medium, entries=entries)
            features[each.medium.indices] = _indices(each, places, served=served)
    return features


def _longest(each: Configured, batch: MediumBatch) -> tf.Tensor | None:
    """Int32 []: frames of the batch's longest clip; None for a medium that is as wide in every batch."""
    if not each.medium.is_trimmed:
        return None
    return tf.reduce_max(tf.pad(tf.reduce_sum(batch.marks, axis=2), [[0, 1], [0, 1]]))


def _indices(each: Configured, places: MediumPlaces, *, served: bool) -> tf.Tensor:
    return tf.ensure_shape(places.indices, [None, each.config.max_soft_tokens]) if served else places.indices
