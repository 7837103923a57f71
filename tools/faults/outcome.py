"""One line of the table."""

from typing import NamedTuple


class Outcome(NamedTuple):
    """What became of one case.

    Attributes:
        done: what was done, with how many.
        wrong: answers that are not those of the signature in this process, refusals that are none, or states
            that must not be.
        lost: requests without an answer, though they were sent again until the server was there.
        leaked: folders, files, descriptors and the like that nobody needs.
        figures: for readers.
        notes: what was wrong, the first of it.
    """

    done: str
    wrong: int
    lost: int
    leaked: int
    figures: str
    notes: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether nothing is to be corrected."""
        return self.wrong == self.lost == self.leaked == 0
