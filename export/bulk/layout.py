"""Names of what a job writes.

out/rows-00000-of-00100.tfrecord              rows
out/rows-dead-letters-00000-of-00100.jsonl    what gave none, where there is such
out/rows.schema.json                          the tensors, and what they were made from
out/rows.statistics.json                      at the end
out/.rows/00000-of-00100.json                 says that a shard is finished, and its counts
"""

import re
from typing import NamedTuple

from export.bulk.files import folder_of, joined, listed, read_text


class Layout(NamedTuple):
    """Names of the files of one output.

    Attributes:
        output: folder, and the first part of each name.
        suffix: of files of rows.
    """

    output: str
    suffix: str

    @property
    def name(self) -> str:
        """The first part of each name."""
        return self.output.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """Where it all is."""
        return folder_of(self.output) or "."

    @property
    def hidden(self) -> str:
        """Where markers are, and files that are being written."""
        return joined(self.folder, f".{self.name}")

    @property
    def schema(self) -> str:
        """The schema file."""
        return f"{self.output}.schema.json"

    @property
    def statistics(self) -> str:
        """The totals."""
        return f"{self.output}.statistics.json"

    def rows(self, shard: int, of: int) -> str:
        """A shard's rows."""
        return f"{self.output}-{shard:05d}-of-{of:05d}{self.suffix}"

    def letters(self, shard: int, of: int) -> str:
        """A shard's dead letters."""
        return f"{self.output}-dead-letters-{shard:05d}-of-{of:05d}.jsonl"

    def marker(self, shard: int, of: int) -> str:
        """What says that a shard is finished."""
        return f"{self.hidden}/{shard:05d}-of-{of:05d}.json"

    def markers(self) -> list[str]:
        """Those of the shards that are finished."""
        names = (name for name in listed(self.hidden) if re.fullmatch(r"\d{5,}-of-\d{5,}\.json", name))
        return [f"{self.hidden}/{name}" for name in names]

    def marker_texts(self) -> list[str]:
        """What they say."""
        return [text for text in map(read_text, self.markers()) if text is not None]
